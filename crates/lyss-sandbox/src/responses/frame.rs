//! The response object and its items.

use serde_json::Value;

use super::echo;
use crate::answer::{Answer, Stop};
use crate::seal::Sealer;
use crate::template::{filled, quoted};

pub(super) struct Frame<'a> {
    pub(super) body: &'a Value,
    pub(super) model: &'a str,
    pub(super) serial: u64,
    pub(super) answer: &'a Answer,
    pub(super) prompt_tokens: u64,
    /// A summary of the reasoning was asked for.
    pub(super) summarises: bool,
    /// The reasoning itself, sealed, was asked for.
    pub(super) encrypts: bool,
    pub(super) logprobs: bool,
    pub(super) searched: bool,
}

/// What an answer is made of, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Reasoning,
    Search,
    Message,
    Call(usize),
}

/// June 2025.
const CREATED: &str = "1750000000";
const RESPONSE: &str = r#"{"id":"$id","object":"response","created_at":$created,"status":"$status","background":false,"error":null,"incomplete_details":$incomplete,$before,"model":$model,"output":[$output],$after,"usage":$usage,$end}"#;
const USAGE: &str = r#"{"input_tokens":$input,"input_tokens_details":{"cached_tokens":$cached},"output_tokens":$output,"output_tokens_details":{"reasoning_tokens":$reasoning},"total_tokens":$total}"#;
const REASONING: &str = r#"{"id":"$id","type":"reasoning"$sealed,"summary":[$summary]}"#;
const SUMMARY: &str = r#"{"type":"summary_text","text":$text}"#;
const MESSAGE: &str =
    r#"{"id":"$id","type":"message","status":"$status","content":[$content],"role":"assistant"}"#;
const TEXT: &str =
    r#"{"type":"output_text","annotations":[$annotations],"logprobs":[$logprobs],"text":$text}"#;
const REFUSAL: &str = r#"{"type":"refusal","refusal":$text}"#;
const CALL: &str = r#"{"id":"$id","type":"function_call","status":"$status","arguments":$text,"call_id":"$call","name":$name}"#;
const CUSTOM: &str = r#"{"id":"$id","type":"custom_tool_call","status":"$status","call_id":"$call","input":$text,"name":$name}"#;
const SEARCH: &str = r#"{"id":"$id","type":"web_search_call","status":"$status","action":{"type":"search","query":"sandbox weather"}}"#;
const CITATION: &str = r#"{"type":"url_citation","end_index":$end,"start_index":0,"title":"Weather","url":"https://example.com/weather"}"#;
const LOGPROB: &str = r#"{"token":$text,"bytes":$bytes,"logprob":-0.25,"top_logprobs":[]}"#;
/// Prompts are cached from here on, in blocks of 128.
const CACHED_FROM_TOKENS: u64 = 1024;
const CACHE_BLOCK_TOKENS: u64 = 128;

impl Frame<'_> {
    pub(super) fn items(&self) -> Vec<Item> {
        let answer = self.answer;
        let mut items = Vec::with_capacity(answer.calls.len() + 3);
        if !answer.thoughts.is_empty() {
            items.push(Item::Reasoning);
        }
        if self.searched {
            items.push(Item::Search);
        }
        if !answer.words.is_empty() || answer.stop == Stop::End {
            items.push(Item::Message);
        }
        items.extend((0..answer.calls.len()).map(Item::Call));
        items
    }

    pub(super) fn whole(&self) -> String {
        let items: Vec<_> = self.items().into_iter().map(|item| self.item(item)).collect();
        self.response(self.last_status(), &items.join(","))
    }

    /// `completed` or `incomplete`.
    pub(super) fn last_status(&self) -> &'static str {
        match self.answer.stop {
            Stop::Length | Stop::ContentFilter => "incomplete",
            _ => "completed",
        }
    }

    /// The object around `output`; usage is known at the end only.
    pub(super) fn response(&self, status: &str, output: &str) -> String {
        let incomplete = match self.answer.stop {
            Stop::Length if status == "incomplete" => r#"{"reason":"max_output_tokens"}"#,
            Stop::ContentFilter if status == "incomplete" => r#"{"reason":"content_filter"}"#,
            _ => "null",
        };
        let usage = if status == "in_progress" { "null".to_owned() } else { self.usage() };
        let slots = [
            ("id", &*format!("resp_sandbox{:012x}", self.serial)),
            ("created", CREATED),
            ("status", status),
            ("incomplete", incomplete),
            ("before", &echo::before_output(self.body)),
            ("model", &quoted(self.model)),
            ("output", output),
            ("after", &echo::after_output(self.body)),
            ("usage", &usage),
            ("end", &echo::end(self.body)),
        ];
        filled(RESPONSE, &slots)
    }

    fn usage(&self) -> String {
        let output = self.answer.tokens() as u64;
        let cached = match self.prompt_tokens >= CACHED_FROM_TOKENS {
            true => self.prompt_tokens / CACHE_BLOCK_TOKENS * CACHE_BLOCK_TOKENS,
            false => 0,
        };
        let slots = [
            ("input", &*self.prompt_tokens.to_string()),
            ("cached", &cached.to_string()),
            ("output", &output.to_string()),
            ("reasoning", &self.answer.thoughts.len().to_string()),
            ("total", &(self.prompt_tokens + output).to_string()),
        ];
        filled(USAGE, &slots)
    }

    /// An item as it stands in the end.
    pub(super) fn item(&self, item: Item) -> String {
        let id = self.item_id(item);
        let status = if self.last_status() == "incomplete" { "incomplete" } else { "completed" };
        match item {
            Item::Reasoning => {
                let summary = match self.summarises {
                    true => self.summary(),
                    false => String::new(),
                };
                self.reasoning(&summary)
            }
            Item::Search => filled(SEARCH, &[("id", &id), ("status", "completed")]),
            Item::Message => self.message(status, &self.content()),
            Item::Call(call) => self.call(call, status, self.argument_text(call)),
        }
    }

    /// An item as it is announced.
    pub(super) fn opened(&self, item: Item) -> String {
        match item {
            Item::Reasoning => self.reasoning(""),
            Item::Search => filled(SEARCH, &[("id", &self.item_id(item)), ("status", "in_progress")]),
            Item::Message => self.message("in_progress", ""),
            Item::Call(call) => self.call(call, "in_progress", ""),
        }
    }

    fn reasoning(&self, summary: &str) -> String {
        let sealed = match self.encrypts {
            true => {
                let seal = Sealer::OpenAi.lock(&format!("{}/{}", self.model, self.answer.thoughts.as_str()));
                format!(r#","encrypted_content":"{seal}""#)
            }
            false => String::new(),
        };
        let slots = [("id", &*self.item_id(Item::Reasoning)), ("sealed", &sealed), ("summary", summary)];
        filled(REASONING, &slots)
    }

    pub(super) fn summary(&self) -> String {
        filled(SUMMARY, &[("text", &quoted(self.answer.thoughts.as_str()))])
    }

    fn message(&self, status: &str, content: &str) -> String {
        let slots = [("id", &*self.item_id(Item::Message)), ("status", status), ("content", content)];
        filled(MESSAGE, &slots)
    }

    fn call(&self, call: usize, status: &str, text: &str) -> String {
        let said = self.answer.calls.get(call);
        let template = if self.is_custom(call) { CUSTOM } else { CALL };
        let slots = [
            ("id", &*self.item_id(Item::Call(call))),
            ("status", status),
            ("text", &quoted(text)),
            ("call", &format!("call_sandbox{:012x}{call}", self.serial)),
            ("name", &quoted(said.map(|said| said.name.as_str()).unwrap_or_default())),
        ];
        filled(template, &slots)
    }

    pub(super) fn is_custom(&self, call: usize) -> bool {
        self.answer.calls.get(call).is_some_and(|said| said.custom)
    }

    pub(super) fn argument_text(&self, call: usize) -> &str {
        self.answer.calls.get(call).map(|said| said.arguments.as_str()).unwrap_or_default()
    }

    pub(super) fn refuses(&self) -> bool {
        self.answer.stop == Stop::Refusal
    }

    /// The message's only part, at its end.
    pub(super) fn content(&self) -> String {
        let text = quoted(self.answer.words.as_str());
        if self.refuses() {
            return filled(REFUSAL, &[("text", &text)]);
        }
        let logprobs: Vec<_> = match self.logprobs {
            true => self.answer.words.iter().map(logprob).collect(),
            false => Vec::new(),
        };
        let annotations = self.citation().unwrap_or_default();
        filled(TEXT, &[("annotations", &annotations), ("logprobs", &logprobs.join(",")), ("text", &text)])
    }

    /// The message's part as it is announced.
    pub(super) fn opened_content(&self) -> String {
        filled(if self.refuses() { REFUSAL } else { TEXT }, &[("text", "\"\"")])
    }

    pub(super) fn citation(&self) -> Option<String> {
        let end = self.answer.words.as_str().chars().count().to_string();
        (self.searched && !self.refuses()).then(|| filled(CITATION, &[("end", &end)]))
    }

    pub(super) fn item_id(&self, item: Item) -> String {
        let (kind, at) = match item {
            Item::Reasoning => ("rs", 0),
            Item::Search => ("ws", 0),
            Item::Message => ("msg", 0),
            Item::Call(call) if self.is_custom(call) => ("ctc", call),
            Item::Call(call) => ("fc", call),
        };
        format!("{kind}_sandbox{:012x}{at}", self.serial)
    }
}

pub(super) fn logprob(word: &str) -> String {
    let bytes: Vec<_> = word.bytes().map(|byte| byte.to_string()).collect();
    filled(LOGPROB, &[("text", &quoted(word)), ("bytes", &format!("[{}]", bytes.join(",")))])
}
