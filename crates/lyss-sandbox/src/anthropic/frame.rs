//! What Anthropic says, block by block.

use serde::de::IgnoredAny;

use super::tokens::Prompt;
use crate::answer::{Answer, Stop};
use crate::seal::Sealer;
use crate::stream::Script;
use crate::template::{fill, filled, quoted, requote};

/// What an answer's templates are filled with.
pub(super) struct Frame<'a> {
    pub(super) model: String,
    pub(super) serial: u64,
    pub(super) prompt: Prompt,
    pub(super) answer: &'a Answer,
    /// The thinking is not shown.
    pub(super) redacted: bool,
    pub(super) searched: bool,
    /// A document's title and its first words.
    pub(super) cited: Option<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Thinking,
    Redacted,
    Search,
    Found,
    Text,
    Tool(usize),
}

const WHOLE: &str = r#"{"id":"$id","type":"message","role":"assistant","model":$model,"content":[$content],"stop_reason":"$stop","stop_sequence":$sequence,"usage":{$input,"output_tokens":$output$searches,"service_tier":"standard"}}"#;
const INPUT: &str =
    r#""input_tokens":$input,"cache_creation_input_tokens":$written,"cache_read_input_tokens":$read"#;
const LIFETIMES: &str =
    r#","cache_creation":{"ephemeral_5m_input_tokens":$short,"ephemeral_1h_input_tokens":$long}"#;
const THINKING: &str = r#"{"type":"thinking","thinking":$text,"signature":"$seal"}"#;
const REDACTED: &str = r#"{"type":"redacted_thinking","data":"$seal"}"#;
const TEXT: &str = r#"{"type":"text","text":$text$citations}"#;
const TOOL: &str = r#"{"type":"tool_use","id":"$id","name":$name,"input":$input}"#;
const SEARCH: &str = r#"{"type":"server_tool_use","id":"$id","name":"web_search","input":$input}"#;
const FOUND: &str = r#"{"type":"web_search_tool_result","tool_use_id":"$id","content":[{"type":"web_search_result","url":"https://example.com/weather","title":"Weather","encrypted_content":"$seal","page_age":"April 30, 2025"}]}"#;
const FOUND_CITATION: &str = r#"{"type":"web_search_result_location","cited_text":"It rains.","url":"https://example.com/weather","title":"Weather","encrypted_index":"$seal"}"#;
const DOCUMENT_CITATION: &str = r#"{"type":"char_location","cited_text":$text,"document_index":0,"document_title":$title,"file_id":null,"start_char_index":0,"end_char_index":$end}"#;
const QUERY: &str = r#"{"query":"sandbox weather"}"#;
const SEARCHES: &str = r#","server_tool_use":{"web_search_requests":1}"#;

const START: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"$id","type":"message","role":"assistant","model":$model,"content":[],"stop_reason":null,"stop_sequence":null,"usage":{$input,"output_tokens":1,"service_tier":"standard"}}}

"#;
const BLOCK_START: &str = r#"event: content_block_start
data: {"type":"content_block_start","index":$index,"content_block":$block}

"#;
const PING: &str = r#"event: ping
data: {"type":"ping"}

"#;
const DELTA: &str = r#"event: content_block_delta
data: {"type":"content_block_delta","index":$index,"delta":{"type":"$kind_delta","$field":$value}}

"#;
const BLOCK_STOP: &str = r#"event: content_block_stop
data: {"type":"content_block_stop","index":$index}

"#;
const MESSAGE_DELTA: &str = r#"event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"$stop","stop_sequence":$sequence},"usage":{$input,"output_tokens":$output$searches}}

"#;
const MESSAGE_STOP: &str = r#"event: message_stop
data: {"type":"message_stop"}

"#;

fn stop_reason(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Malformed => "end_turn",
        Stop::Length => "max_tokens",
        Stop::Tools => "tool_use",
        Stop::Sequence => "stop_sequence",
        Stop::ContentFilter | Stop::Refusal => "refusal",
        Stop::Pause => "pause_turn",
    }
}

impl Frame<'_> {
    fn blocks(&self) -> Vec<Block> {
        let answer = self.answer;
        let mut blocks = Vec::with_capacity(answer.calls.len() + 4);
        if !answer.thoughts.is_empty() {
            blocks.push(if self.redacted { Block::Redacted } else { Block::Thinking });
        }
        if self.searched {
            blocks.extend([Block::Search, Block::Found]);
        }
        if !answer.words.is_empty() || answer.calls.is_empty() {
            blocks.push(Block::Text);
        }
        blocks.extend((0..answer.calls.len()).map(Block::Tool));
        blocks
    }

    pub(super) fn whole(&self) -> Vec<u8> {
        let blocks: Vec<_> = self.blocks().into_iter().map(|block| self.block(block)).collect();
        let slots = [
            ("id", &*self.id()),
            ("model", &self.model),
            ("content", &blocks.join(",")),
            ("stop", stop_reason(self.answer.stop)),
            ("sequence", &self.sequence()),
            ("input", &self.input(true)),
            ("output", &self.answer.tokens().to_string()),
            ("searches", if self.searched { SEARCHES } else { "" }),
        ];
        filled(WHOLE, &slots).into_bytes()
    }

    pub(super) fn stream(&self) -> Script {
        let events = self.answer.tokens() + 4 * self.answer.calls.len() + 12;
        let mut script = Script::with_capacity(events * 140 + 512, events);
        let slots = [("id", &*self.id()), ("model", &self.model), ("input", &self.input(true))];
        script.event(0, |out| fill(out, START, &slots));
        for (index, block) in self.blocks().into_iter().enumerate() {
            let index_text = index.to_string();
            let tokens = match block {
                Block::Tool(_) => 1,
                // Not shown, but thought.
                Block::Redacted => self.answer.thoughts.len(),
                _ => 0,
            };
            let slots = [("index", &*index_text), ("block", &self.opened(block))];
            script.event(tokens, |out| fill(out, BLOCK_START, &slots));
            if index == 0 {
                script.event(0, |out| fill(out, PING, &[]));
            }
            self.deltas(&mut script, &index_text, block);
            script.event(0, |out| fill(out, BLOCK_STOP, &[("index", &index_text)]));
        }
        let slots = [
            ("stop", stop_reason(self.answer.stop)),
            ("sequence", &*self.sequence()),
            ("input", &self.input(false)),
            ("output", &self.answer.tokens().to_string()),
            ("searches", if self.searched { SEARCHES } else { "" }),
        ];
        script.event(0, |out| fill(out, MESSAGE_DELTA, &slots));
        script.event(0, |out| fill(out, MESSAGE_STOP, &[]));
        script
    }

    fn deltas(&self, script: &mut Script, index: &str, block: Block) {
        let mut scratch = String::new();
        let mut say = |tokens: usize, kind: &str, field: &str, value: &str| {
            let slots = [("index", index), ("kind_delta", kind), ("field", field), ("value", value)];
            script.event(tokens, |out| fill(out, DELTA, &slots));
        };
        match block {
            Block::Thinking => {
                for word in self.answer.thoughts.iter() {
                    say(1, "thinking_delta", "thinking", requote(&mut scratch, word));
                }
                say(0, "signature_delta", "signature", &quoted(&self.signature()));
            }
            Block::Text => {
                if let Some(citation) = self.citation() {
                    say(0, "citations_delta", "citation", &citation);
                }
                for word in self.answer.words.iter() {
                    say(1, "text_delta", "text", requote(&mut scratch, word));
                }
            }
            Block::Search => {
                // The first delta of a tool's input is always empty.
                say(0, "input_json_delta", "partial_json", "\"\"");
                say(0, "input_json_delta", "partial_json", &quoted(QUERY));
            }
            Block::Tool(call) => {
                say(0, "input_json_delta", "partial_json", "\"\"");
                for piece in self.answer.calls.get(call).iter().flat_map(|call| call.arguments.iter()) {
                    say(1, "input_json_delta", "partial_json", requote(&mut scratch, piece));
                }
            }
            Block::Redacted | Block::Found => {}
        }
    }

    /// A block as it stands in the end.
    fn block(&self, block: Block) -> String {
        match block {
            Block::Thinking => self.thinking(self.answer.thoughts.as_str(), &self.signature()),
            Block::Redacted => {
                let seal = Sealer::AnthropicRedacted.lock(self.answer.thoughts.as_str());
                filled(REDACTED, &[("seal", &seal)])
            }
            Block::Search => self.search(QUERY),
            Block::Found => {
                let seal = Sealer::AnthropicRedacted.lock("found/It rains.");
                filled(FOUND, &[("id", &self.search_id()), ("seal", &seal)])
            }
            Block::Text => {
                let citations = self.citation().map(|citation| format!(r#","citations":[{citation}]"#));
                self.text(self.answer.words.as_str(), &citations.unwrap_or_default())
            }
            Block::Tool(call) => {
                // Arguments cut short by `max_tokens` are no JSON; the block then has what could be read: nothing.
                let input = self.answer.calls.get(call).map(|it| it.arguments.as_str()).unwrap_or_default();
                let whole = serde_json::from_str::<IgnoredAny>(input).is_ok();
                self.tool(call, if whole { input } else { "{}" })
            }
        }
    }

    /// A block as it is announced.
    fn opened(&self, block: Block) -> String {
        match block {
            Block::Thinking => self.thinking("", ""),
            Block::Search => self.search("{}"),
            Block::Text if self.citation().is_some() => self.text("", r#","citations":[]"#),
            Block::Text => self.text("", ""),
            Block::Tool(call) => self.tool(call, "{}"),
            Block::Redacted | Block::Found => self.block(block),
        }
    }

    fn thinking(&self, text: &str, seal: &str) -> String {
        filled(THINKING, &[("text", &quoted(text)), ("seal", seal)])
    }

    fn text(&self, text: &str, citations: &str) -> String {
        filled(TEXT, &[("text", &quoted(text)), ("citations", citations)])
    }

    fn search(&self, input: &str) -> String {
        filled(SEARCH, &[("id", &self.search_id()), ("input", input)])
    }

    fn tool(&self, call: usize, input: &str) -> String {
        let name = self.answer.calls.get(call).map(|it| it.name.as_str()).unwrap_or_default();
        let id = format!("toolu_sandbox{:012x}{call}", self.serial);
        filled(TOOL, &[("id", &id), ("name", &quoted(name)), ("input", input)])
    }

    fn citation(&self) -> Option<String> {
        if self.answer.words.is_empty() || !self.answer.calls.is_empty() {
            return None;
        }
        if self.searched {
            let seal = Sealer::AnthropicRedacted.lock("index/0");
            return Some(filled(FOUND_CITATION, &[("seal", &seal)]));
        }
        let (title, said) = self.cited.as_ref()?;
        let title = if title.is_empty() { "null".to_owned() } else { quoted(title) };
        let end = said.chars().count().to_string();
        Some(filled(DOCUMENT_CITATION, &[("text", &quoted(said)), ("title", &title), ("end", &end)]))
    }

    fn signature(&self) -> String {
        Sealer::Anthropic.seal(self.answer.thoughts.as_str())
    }

    fn sequence(&self) -> String {
        self.answer.stop_sequence.as_deref().map_or_else(|| "null".to_owned(), quoted)
    }

    fn input(&self, lifetimes: bool) -> String {
        let prompt = &self.prompt;
        let slots = [
            ("input", &*prompt.input.to_string()),
            ("written", &(prompt.written_5m + prompt.written_1h).to_string()),
            ("read", &prompt.read.to_string()),
            ("short", &prompt.written_5m.to_string()),
            ("long", &prompt.written_1h.to_string()),
        ];
        let mut input = filled(INPUT, &slots);
        if lifetimes {
            input.push_str(&filled(LIFETIMES, &slots));
        }
        input
    }

    fn id(&self) -> String {
        format!("msg_sandbox{:012x}", self.serial)
    }

    fn search_id(&self) -> String {
        format!("srvtoolu_sandbox{:012x}", self.serial)
    }
}
