//! Anthropic's messages.
//!
//! Follows Anthropic's API reference ("Create a message", "Streaming messages", "List models").

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::answer::{Answer, Ask, Step, Stop, compose};
use crate::knobs::{self, Knobs};
use crate::refusal::{Kind, Refusal};
use crate::request::{Content, Message, Text, Tool, ToolWish, prompt_tokens, wanted_tools};
use crate::server::Spoken;
use crate::stream::Script;
use crate::template::{fill, filled, quoted, requote};
use crate::vendor::Vendor;

#[derive(Deserialize)]
struct MessagesRequest<'a> {
    #[serde(borrow, default)]
    model: Text<'a>,
    max_tokens: Option<usize>,
    #[serde(borrow)]
    messages: Option<Vec<Message<'a>>>,
    #[serde(borrow)]
    system: Option<Content<'a>>,
    stream: Option<bool>,
    #[serde(borrow)]
    tools: Option<Vec<ToolEntry<'a>>>,
    #[serde(borrow)]
    tool_choice: Option<ToolChoice<'a>>,
}

#[derive(Deserialize)]
struct ToolEntry<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    input_schema: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ToolChoice<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    disable_parallel_tool_use: Option<bool>,
}

/// What an answer's templates are filled with.
struct Frame<'a> {
    model: String,
    serial: u64,
    prompt_tokens: u64,
    answer: &'a Answer,
}

/// Claude says what it is about to do; a reader must not take a block's index for a tool call's.
const TOOL_OPENING: &str = "Let me look that up.";

const MODEL: &str =
    r#"{"type":"model","id":$model,"display_name":$model,"created_at":"2025-06-15T00:00:00Z"}"#;
const MODELS: &str = r#"{"data":[$data],"has_more":false,"first_id":$first,"last_id":$last}"#;

const WHOLE: &str = r#"{"id":"$id","type":"message","role":"assistant","model":$model,"content":[$content],"stop_reason":"$stop","stop_sequence":null,"usage":{"input_tokens":$input,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":$output,"service_tier":"standard"}}"#;
const TEXT_BLOCK: &str = r#"{"type":"text","text":$text}"#;
const TOOL_BLOCK: &str = r#"{"type":"tool_use","id":"$id","name":$name,"input":$input}"#;

const START: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"$id","type":"message","role":"assistant","model":$model,"content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":$input,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":1,"service_tier":"standard"}}}

"#;
const TEXT_START: &str = r#"event: content_block_start
data: {"type":"content_block_start","index":$index,"content_block":{"type":"text","text":""}}

"#;
const TOOL_START: &str = r#"event: content_block_start
data: {"type":"content_block_start","index":$index,"content_block":{"type":"tool_use","id":"$id","name":$name,"input":{}}}

"#;
const PING: &str = r#"event: ping
data: {"type":"ping"}

"#;
const TEXT_DELTA: &str = r#"event: content_block_delta
data: {"type":"content_block_delta","index":$index,"delta":{"type":"text_delta","text":$text}}

"#;
const JSON_DELTA: &str = r#"event: content_block_delta
data: {"type":"content_block_delta","index":$index,"delta":{"type":"input_json_delta","partial_json":$text}}

"#;
const BLOCK_STOP: &str = r#"event: content_block_stop
data: {"type":"content_block_stop","index":$index}

"#;
const MESSAGE_DELTA: &str = r#"event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"$stop","stop_sequence":null},"usage":{"output_tokens":$output}}

"#;
const MESSAGE_STOP: &str = r#"event: message_stop
data: {"type":"message_stop"}

"#;

/// Answers one call. `knobs` is set as soon as the model is read, so that it holds for a refusal too.
pub(crate) fn chat(body: &[u8], serial: u64, knobs: &mut Knobs) -> Result<Spoken, Refusal> {
    let request: MessagesRequest<'_> = serde_json::from_slice(body).map_err(|error| {
        Refusal::invalid(format!("The body could not be read as a message request: {error}"))
    })?;
    if request.model.as_str().is_empty() {
        return Err(Refusal::invalid("model: Field required"));
    }
    let (model, read) = knobs::split(request.model.as_str()).map_err(Refusal::invalid)?;
    *knobs = read;
    if !Vendor::Anthropic.models().contains(&model) {
        return Err(Refusal::unknown_model(Vendor::Anthropic, model));
    }
    if let Some(kind) = knobs.refuse {
        return Err(Refusal::wished(kind));
    }

    let messages = request.checked_messages()?;
    let tools = request.tools();
    let ask = Ask { model, words: knobs.words, ..request.ask(messages, &tools)? };
    let answers = compose(&ask);
    let default = Answer::default();
    let answer = answers.first().unwrap_or(&default);

    let system = request.system.as_ref();
    let text_bytes =
        messages.iter().map(|m| m.content.text_bytes).sum::<u64>() + system.map_or(0, |s| s.text_bytes);
    let prompt_tokens = prompt_tokens(text_bytes, messages.len() as u64 + u64::from(system.is_some()));
    let frame = Frame { model: quoted(model), serial, prompt_tokens, answer };
    let streamed = request.stream.unwrap_or(false);
    let script = if streamed { frame.stream() } else { Script::whole(frame.whole(), answer.tokens()) };
    Ok(Spoken { script, streamed, prompt_tokens })
}

pub(crate) fn models() -> Vec<u8> {
    let models = Vendor::Anthropic.models();
    let entries: Vec<_> = models.iter().map(|model| filled(MODEL, &[("model", &quoted(model))])).collect();
    let edge = |model: Option<&&str>| quoted(model.copied().unwrap_or_default());
    let slots =
        [("data", &*entries.join(",")), ("first", &edge(models.first())), ("last", &edge(models.last()))];
    filled(MODELS, &slots).into_bytes()
}

pub(crate) fn model(id: &str) -> Result<Vec<u8>, Refusal> {
    if !Vendor::Anthropic.models().contains(&id) {
        return Err(Refusal::unknown_model(Vendor::Anthropic, id));
    }
    Ok(filled(MODEL, &[("model", &quoted(id))]).into_bytes())
}

/// A failure inside a stream that began well.
pub(crate) fn error_event(request_id: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: error\ndata: ");
    out.extend_from_slice(&Refusal::wished(Kind::Overloaded).body(Vendor::Anthropic, request_id));
    out.extend_from_slice(b"\n\n");
}

fn stop_reason(stop: Stop) -> &'static str {
    match stop {
        Stop::End => "end_turn",
        Stop::Length => "max_tokens",
        Stop::Tools => "tool_use",
    }
}

impl<'a> MessagesRequest<'a> {
    fn checked_messages(&self) -> Result<&[Message<'a>], Refusal> {
        let Some(messages) = self.messages.as_deref() else {
            return Err(Refusal::invalid("messages: Field required"));
        };
        match messages.iter().position(|message| !matches!(message.role.as_str(), "user" | "assistant")) {
            _ if messages.is_empty() => Err(Refusal::invalid("messages: at least one message is required")),
            Some(at) => Err(Refusal::invalid(format!("messages.{at}.role: must be 'user' or 'assistant'"))),
            None => Ok(messages),
        }
    }

    fn tools(&self) -> Vec<Tool<'_>> {
        let entries = self.tools.as_deref().unwrap_or_default();
        entries.iter().map(|entry| Tool { name: entry.name.as_str(), schema: entry.input_schema }).collect()
    }

    /// All but what depends on the model.
    fn ask<'b>(&self, messages: &'b [Message<'a>], tools: &[Tool<'b>]) -> Result<Ask<'b>, Refusal> {
        let max_tokens = match self.max_tokens {
            None => return Err(Refusal::invalid("max_tokens: Field required")),
            Some(0) => return Err(Refusal::invalid("max_tokens: must be at least 1")),
            Some(max_tokens) => max_tokens,
        };
        let result = messages.last().filter(|message| message.content.has_tool_result);
        let user = messages.iter().rfind(|message| message.role.as_str() == "user");
        let tools = match result {
            Some(_) => Vec::new(),
            None => wanted_tools(tools, &self.tool_wish()?).map_err(Refusal::invalid)?,
        };
        Ok(Ask {
            model: "",
            user_text: user.map_or("", |message| message.content.text.as_str()),
            tool_result: result.map(|message| message.content.text.as_str()),
            tools,
            tool_opening: TOOL_OPENING,
            choices: 1,
            max_tokens,
            words: None,
            reasons: false,
        })
    }

    fn tool_wish(&self) -> Result<ToolWish<'_>, Refusal> {
        let Some(choice) = &self.tool_choice else { return Ok(ToolWish::Any { parallel: true }) };
        match choice.kind.as_str() {
            "none" => Ok(ToolWish::Nothing),
            "tool" => Ok(ToolWish::Named(choice.name.clone())),
            "auto" | "any" => {
                Ok(ToolWish::Any { parallel: !choice.disable_parallel_tool_use.unwrap_or(false) })
            }
            _ => Err(Refusal::invalid("tool_choice.type: must be 'auto', 'any', 'tool' or 'none'")),
        }
    }
}

impl Frame<'_> {
    fn whole(&self) -> Vec<u8> {
        let mut blocks = Vec::new();
        if !self.answer.words.is_empty() || self.answer.calls.is_empty() {
            blocks.push(filled(TEXT_BLOCK, &[("text", &quoted(self.answer.words.as_str()))]));
        }
        for (index, call) in self.answer.calls.iter().enumerate() {
            // Arguments cut short by `max_tokens` are no JSON; the block then has what could be read: nothing.
            let input = call.arguments.as_str();
            let whole = serde_json::from_str::<IgnoredAny>(input).is_ok();
            let slots = [
                ("id", &*self.tool_id(index)),
                ("name", &quoted(&call.name)),
                ("input", if whole { input } else { "{}" }),
            ];
            blocks.push(filled(TOOL_BLOCK, &slots));
        }
        let slots = [
            ("id", &*self.id()),
            ("model", &self.model),
            ("content", &blocks.join(",")),
            ("stop", stop_reason(self.answer.stop)),
            ("input", &self.prompt_tokens.to_string()),
            ("output", &self.answer.tokens().to_string()),
        ];
        filled(WHOLE, &slots).into_bytes()
    }

    fn stream(&self) -> Script {
        let events = self.answer.tokens() + 3 * self.answer.calls.len() + 6;
        let mut script = Script::with_capacity(events * 140 + 512, events);
        let mut scratch = String::new();
        // Blocks opened so far, and the one being written: the last of them.
        let mut blocks = 0_usize;
        let index = |blocks: usize| blocks.saturating_sub(1).to_string();
        for step in self.answer.steps() {
            let tokens = step.tokens();
            match step {
                Step::Open => {
                    let input = self.prompt_tokens.to_string();
                    let slots = [("id", &*self.id()), ("model", &self.model), ("input", &input)];
                    script.event(0, |out| fill(out, START, &slots));
                    if !self.answer.words.is_empty() || self.answer.calls.is_empty() {
                        script.event(0, |out| fill(out, TEXT_START, &[("index", "0")]));
                        blocks += 1;
                    }
                    script.event(0, |out| fill(out, PING, &[]));
                }
                Step::Thought(text) | Step::Word(text) => {
                    let slots = [("index", "0"), ("text", requote(&mut scratch, text))];
                    script.event(tokens, |out| fill(out, TEXT_DELTA, &slots));
                }
                Step::Call(call, said) => {
                    if blocks > 0 {
                        script.event(0, |out| fill(out, BLOCK_STOP, &[("index", &index(blocks))]));
                    }
                    blocks += 1;
                    let name = requote(&mut scratch, &said.name);
                    let slots = [("index", &*index(blocks)), ("id", &self.tool_id(call)), ("name", name)];
                    script.event(tokens, |out| fill(out, TOOL_START, &slots));
                    // The first delta of a tool's input is always empty.
                    script.event(0, |out| {
                        fill(out, JSON_DELTA, &[("index", &index(blocks)), ("text", "\"\"")])
                    });
                }
                Step::Arguments(_, text) => {
                    let slots = [("index", &*index(blocks)), ("text", requote(&mut scratch, text))];
                    script.event(tokens, |out| fill(out, JSON_DELTA, &slots));
                }
                Step::Close => {
                    script.event(0, |out| fill(out, BLOCK_STOP, &[("index", &index(blocks))]));
                    let output = self.answer.tokens().to_string();
                    let slots = [("stop", stop_reason(self.answer.stop)), ("output", &output)];
                    script.event(0, |out| fill(out, MESSAGE_DELTA, &slots));
                    script.event(0, |out| fill(out, MESSAGE_STOP, &[]));
                }
            }
        }
        script
    }

    fn id(&self) -> String {
        format!("msg_sandbox{:012x}", self.serial)
    }

    fn tool_id(&self, call: usize) -> String {
        format!("toolu_sandbox{:012x}{call}", self.serial)
    }
}
