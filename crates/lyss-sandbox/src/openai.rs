//! OpenAI's chat completions, as OpenAI, Azure and DeepSeek speak them. The words on the wire are in `wire.rs`.
//!
//! Follows OpenAI's API reference ("Create chat completion", "Chat completion chunk object"), Azure OpenAI's REST
//! reference and DeepSeek's API reference.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::answer::{Answer, Ask, Step, Stop, compose};
use crate::knobs::{self, Knobs};
use crate::refusal::{Kind, Refusal};
use crate::request::{Message, Parameters, Text, Tool, ToolWish, prompt_tokens, wanted_tools};
use crate::server::Spoken;
use crate::stream::Script;
use crate::template::{fill, filled, quoted, requote};
use crate::vendor::Vendor;
use wire::Wire;

mod wire;

/// Seconds since 1970, in every answer: June 2025. Nothing here reads a clock.
const CREATED: &str = "1750000000";
const MAX_CHOICES: u64 = 4;
/// DeepSeek caches prompts in blocks of this many tokens; the sandbox takes every whole block for a hit.
const CACHE_BLOCK_TOKENS: u64 = 64;
const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];

#[derive(Deserialize)]
struct ChatRequest<'a> {
    #[serde(borrow, default)]
    model: Text<'a>,
    #[serde(borrow)]
    messages: Option<Vec<Message<'a>>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    n: Option<u64>,
    #[serde(borrow)]
    tools: Option<Vec<ToolEntry<'a>>>,
    #[serde(borrow)]
    tool_choice: Option<&'a RawValue>,
    parallel_tool_calls: Option<bool>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct ToolEntry<'a> {
    #[serde(borrow)]
    function: Function<'a>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct NamedChoice<'a> {
    #[serde(borrow)]
    function: Function<'a>,
}

/// What an answer's templates are filled with.
struct Frame<'a> {
    wire: &'a Wire,
    model: String,
    serial: u64,
    usage: String,
}

/// Answers one chat call. `knobs` is set as soon as the model is read, so that it holds for a refusal too.
pub(crate) fn chat(
    vendor: Vendor,
    deployment: Option<&str>,
    body: &[u8],
    serial: u64,
    knobs: &mut Knobs,
) -> Result<Spoken, Refusal> {
    let request: ChatRequest<'_> = serde_json::from_slice(body).map_err(|error| {
        Refusal::invalid(format!("The body could not be read as a chat request: {error}"))
    })?;
    let asked = deployment.unwrap_or(request.model.as_str());
    if asked.is_empty() {
        return Err(Refusal::invalid("The parameter `model` is required."));
    }
    let (model, read) = knobs::split(asked).map_err(Refusal::invalid)?;
    *knobs = read;
    if vendor != Vendor::AzureOpenAi && !vendor.models().contains(&model) {
        return Err(Refusal::unknown_model(vendor, model));
    }
    if let Some(kind) = knobs.refuse {
        return Err(Refusal::wished(kind));
    }

    let messages = request.checked_messages()?;
    let tools = request.tools();
    let mut ask = request.ask(messages, &tools, knobs)?;
    ask.model = model;
    ask.reasons = model == "deepseek-reasoner";
    ask.turned_by(knobs);

    let answers = compose(&ask);
    let prompt_tokens =
        prompt_tokens(messages.iter().map(|m| m.content.text_bytes).sum(), messages.len() as u64);
    let wire = wire::of(vendor, ask.reasons);
    let frame = Frame { wire, model: quoted(model), serial, usage: usage(wire, prompt_tokens, &answers) };
    Ok(if request.stream.unwrap_or(false) {
        let include_usage = request.stream_options.and_then(|options| options.include_usage).unwrap_or(false);
        Spoken::streamed(frame.stream(&answers, include_usage), prompt_tokens)
    } else {
        let tokens = answers.iter().map(Answer::tokens).sum();
        Spoken::whole(frame.whole(&answers), tokens, prompt_tokens)
    })
}

pub(crate) fn models(vendor: Vendor) -> Vec<u8> {
    let wire = wire::of(vendor, false);
    let entries: Vec<_> = vendor.models().iter().map(|model| model_entry(wire, model)).collect();
    filled(r#"{"object":"list","data":[$data]}"#, &[("data", &entries.join(","))]).into_bytes()
}

pub(crate) fn model(vendor: Vendor, id: &str) -> Result<Vec<u8>, Refusal> {
    match vendor.models().iter().find(|model| **model == id) {
        Some(model) => Ok(model_entry(wire::of(vendor, false), model).into_bytes()),
        None => Err(Refusal::unknown_model(vendor, id)),
    }
}

/// A failure inside a stream that began well.
pub(crate) fn error_event(vendor: Vendor, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(&Refusal::wished(Kind::Server).body(vendor, ""));
    out.extend_from_slice(b"\n\n");
}

/// The models that think before they answer, and refuse the settings of those that do not.
pub(crate) fn is_reasoning(model: &str) -> bool {
    let numbered =
        model.strip_prefix('o').and_then(|rest| rest.chars().next()).is_some_and(|c| c.is_ascii_digit());
    numbered || (model.starts_with("gpt-5") && !model.contains("chat"))
}

/// In strict mode every object says that it has no more properties, and requires all it has.
pub(crate) fn check_strict(strict: Option<bool>, schema: &Value, param: &'static str) -> Result<(), Refusal> {
    let invalid = |what: &str| {
        Err(Refusal::invalid(format!("Invalid schema: {what}.")).param(param).code("invalid_json_schema"))
    };
    if strict != Some(true) {
        return Ok(());
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            return invalid("'additionalProperties' is required to be supplied and to be false");
        }
        let required: Vec<_> =
            crate::reading::list(schema, "required").iter().filter_map(Value::as_str).collect();
        if properties.keys().any(|name| !required.contains(&name.as_str())) {
            return invalid("'required' is required to be supplied and to hold every key in properties");
        }
        for property in properties.values() {
            check_strict(strict, property, param)?;
        }
    }
    match schema.get("items") {
        Some(items) => check_strict(strict, items, param),
        None => Ok(()),
    }
}

fn model_entry(wire: &Wire, model: &str) -> String {
    filled(wire.model, &[("model", &quoted(model)), ("created", CREATED)])
}

fn usage(wire: &Wire, prompt_tokens: u64, answers: &[Answer]) -> String {
    let completion = answers.iter().map(Answer::tokens).sum::<usize>() as u64;
    let reasoning = answers.iter().map(|answer| answer.thoughts.len()).sum::<usize>();
    let cached = prompt_tokens / CACHE_BLOCK_TOKENS * CACHE_BLOCK_TOKENS;
    let slots = [
        ("prompt", &*prompt_tokens.to_string()),
        ("completion", &completion.to_string()),
        ("total", &(prompt_tokens + completion).to_string()),
        ("reasoning", &reasoning.to_string()),
        ("hit", &cached.to_string()),
        ("miss", &(prompt_tokens - cached).to_string()),
    ];
    filled(wire.usage, &slots)
}

fn finish_reason(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Sequence | Stop::Refusal | Stop::Pause | Stop::Malformed => "stop",
        Stop::Length => "length",
        Stop::Tools => "tool_calls",
        Stop::ContentFilter => "content_filter",
    }
}

impl<'a> ChatRequest<'a> {
    fn checked_messages(&self) -> Result<&[Message<'a>], Refusal> {
        let messages = self.messages.as_deref().unwrap_or_default();
        if messages.is_empty() {
            return Err(Refusal::invalid("The parameter `messages` is required and may not be empty."));
        }
        if let Some(message) = messages.iter().find(|message| !ROLES.contains(&message.role.as_str())) {
            let role = message.role.as_str();
            return Err(Refusal::invalid(format!("`{role}` is not a role; use one of {ROLES:?}.")));
        }
        Ok(messages)
    }

    fn tools(&self) -> Vec<Tool<'_>> {
        let entries = self.tools.as_deref().unwrap_or_default();
        entries
            .iter()
            .map(|entry| Tool {
                name: entry.function.name.as_str(),
                parameters: Parameters::raw(entry.function.parameters),
            })
            .collect()
    }

    /// All but what depends on the model.
    fn ask<'b>(
        &self,
        messages: &'b [Message<'a>],
        tools: &[Tool<'b>],
        knobs: &Knobs,
    ) -> Result<Ask<'b>, Refusal> {
        let choices = self.n.unwrap_or(1);
        if !(1..=MAX_CHOICES).contains(&choices) {
            return Err(Refusal::invalid(format!("The parameter `n` must be between 1 and {MAX_CHOICES}.")));
        }
        let max_tokens = self.max_completion_tokens.or(self.max_tokens);
        if max_tokens == Some(0) {
            return Err(Refusal::invalid("The parameter `max_tokens` must be at least 1."));
        }
        let result = messages.last().filter(|message| matches!(message.role.as_str(), "tool" | "function"));
        let user = messages.iter().rfind(|message| message.role.as_str() == "user");
        let tools = match result {
            Some(_) => Vec::new(),
            None => wanted_tools(tools, &self.tool_wish()?, knobs.tools).map_err(Refusal::invalid)?,
        };
        Ok(Ask {
            user_text: user.map_or("", |message| message.content.text.as_str()),
            tool_result: result.map(|message| message.content.text.as_str()),
            tools,
            choices: usize::try_from(choices).unwrap_or(1),
            max_tokens: max_tokens.unwrap_or(usize::MAX),
            ..Ask::default()
        })
    }

    fn tool_wish(&self) -> Result<ToolWish<'a>, Refusal> {
        let any = ToolWish::Any { parallel: self.parallel_tool_calls.unwrap_or(true) };
        let Some(choice) = self.tool_choice.map(RawValue::get) else { return Ok(any) };
        if let Ok(named) = serde_json::from_str::<NamedChoice<'_>>(choice) {
            return Ok(ToolWish::Named(named.function.name));
        }
        match choice {
            r#""none""# => Ok(ToolWish::Nothing),
            r#""auto""# | r#""required""# | "null" => Ok(any),
            _ => Err(Refusal::invalid("The parameter `tool_choice` could not be read.")),
        }
    }
}

impl Frame<'_> {
    fn whole(&self, answers: &[Answer]) -> Vec<u8> {
        let choices: Vec<_> =
            answers.iter().enumerate().map(|(index, answer)| self.choice(index, answer)).collect();
        let slots = [
            ("id", &*self.id()),
            ("created", CREATED),
            ("model", &self.model),
            ("choices", &choices.join(",")),
            ("usage", &self.usage),
        ];
        filled(self.wire.whole, &slots).into_bytes()
    }

    fn choice(&self, index: usize, answer: &Answer) -> String {
        let calls = answer.calls.iter().enumerate().map(|(call, said)| {
            let slots = [
                ("id", &*self.call_id(index, call)),
                ("name", &quoted(&said.name)),
                ("arguments", &quoted(said.arguments.as_str())),
            ];
            filled(
                r#"{"id":"$id","type":"function","function":{"name":$name,"arguments":$arguments}}"#,
                &slots,
            )
        });
        let calls: Vec<_> = calls.collect();
        let calls = match calls.is_empty() {
            true => String::new(),
            false => format!(r#","tool_calls":[{}]"#, calls.join(",")),
        };
        // A tool call has no text, which is `null`; an empty text is a string.
        let content = match answer.words.is_empty() && !answer.calls.is_empty() {
            true => "null".to_owned(),
            false => quoted(answer.words.as_str()),
        };
        let slots = [
            ("index", &*index.to_string()),
            ("content", &content),
            ("thoughts", &quoted(answer.thoughts.as_str())),
            ("calls", &calls),
            ("finish", finish_reason(answer.stop)),
        ];
        filled(self.wire.choice, &slots)
    }

    /// Choices take turns, one step each, as OpenAI sends them.
    fn stream(&self, answers: &[Answer], include_usage: bool) -> Script {
        let (head, tail) = self.wire.chunk.split_once("$choices").unwrap_or((self.wire.chunk, ""));
        let around = |usage: &str| {
            let slots = [("id", &*self.id()), ("created", CREATED), ("model", &self.model), ("usage", usage)];
            (filled(head, &slots), filled(tail, &slots))
        };
        let (head, tail) = around(if include_usage { r#","usage":null"# } else { "" });

        let events = answers.iter().map(Answer::tokens).sum::<usize>() + 2 * answers.len() + 3;
        let mut script = Script::with_capacity(events * (head.len() + tail.len() + 160), events);
        if let Some(prelude) = self.wire.prelude {
            script.event(0, |out| out.extend_from_slice(prelude.as_bytes()));
        }
        let mut scratch = String::new();
        let mut turns: Vec<_> = answers.iter().map(|answer| (answer, answer.steps())).collect();
        loop {
            let mut silent = true;
            for (index, (answer, steps)) in turns.iter_mut().enumerate() {
                let Some(step) = steps.next() else { continue };
                silent = false;
                // A single call is announced together with the role.
                if matches!(step, Step::Open) && answer.opens_with_call() {
                    continue;
                }
                script.event(step.tokens(), |out| {
                    out.extend_from_slice(head.as_bytes());
                    self.delta(out, index, answer, step, &mut scratch);
                    out.extend_from_slice(tail.as_bytes());
                });
            }
            if silent {
                break;
            }
        }
        if include_usage {
            let (head, tail) = around(&format!(r#","usage":{}"#, self.usage));
            script.event(0, |out| out.extend_from_slice([head, tail].concat().as_bytes()));
        }
        script.event(0, |out| out.extend_from_slice(b"data: [DONE]\n\n"));
        script
    }

    fn delta(&self, out: &mut Vec<u8>, index: usize, answer: &Answer, step: Step<'_>, scratch: &mut String) {
        let index_text = index.to_string();
        let at = ("index", &*index_text);
        match step {
            Step::Open if answer.calls.is_empty() => fill(out, self.wire.open, &[at, ("content", "\"\"")]),
            Step::Open => fill(out, self.wire.open, &[at, ("content", "null")]),
            Step::Thought(text) => fill(out, self.wire.thought, &[at, ("text", requote(scratch, text))]),
            Step::Word(text) => fill(out, self.wire.word, &[at, ("text", requote(scratch, text))]),
            Step::Call(call, said) => {
                let lead =
                    if answer.opens_with_call() { r#""role":"assistant","content":null,"# } else { "" };
                let id = self.call_id(index, call);
                let name = requote(scratch, &said.name);
                let slots = [at, ("lead", lead), ("call", &call.to_string()), ("id", &id), ("name", name)];
                fill(out, self.wire.call, &slots);
            }
            Step::Arguments(call, text) => {
                let slots = [at, ("call", &*call.to_string()), ("text", requote(scratch, text))];
                fill(out, self.wire.arguments, &slots);
            }
            Step::Close => fill(out, self.wire.close, &[at, ("finish", finish_reason(answer.stop))]),
        }
    }

    fn id(&self) -> String {
        format!("chatcmpl-sandbox{:012x}", self.serial)
    }

    fn call_id(&self, choice: usize, call: usize) -> String {
        format!("call_sandbox{:012x}{choice}{call}", self.serial)
    }
}

impl Answer {
    fn opens_with_call(&self) -> bool {
        self.thoughts.is_empty() && self.words.is_empty() && self.calls.len() == 1
    }
}
