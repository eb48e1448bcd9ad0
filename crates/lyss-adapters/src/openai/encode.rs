//! Writing a conversation as a chat completion request, as in the API reference ("Create chat completion").

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::wire::ToolCall;
use crate::conversation::{ChatCall, Loss, Part, Role, Setting, Tool, ToolChoice, Turn};
use crate::dialect::{Encoded, Encoding, Unsayable};

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<WireTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_choice")]
    tool_choice: Option<&'a ToolChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
struct WireTool<'a> {
    r#type: &'static str,
    function: WireFunction<'a>,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// A stream is always asked for its usage: whether the caller sees it is the renderer's business.
pub(super) fn encode(call: &ChatCall, encoding: &Encoding<'_>) -> Result<Encoded, Unsayable> {
    let Encoding { model, output_limit, .. } = *encoding;
    let mut losses: Vec<Loss> = call.unmapped.iter().cloned().map(Loss::Field).collect();
    if call.top_k.is_some() {
        losses.push(Setting::TopK.into());
    }
    let limit = call.max_output_tokens.or(output_limit);
    let is_new_name = takes_max_completion_tokens(model);
    let has_tools = !call.tools.is_empty();
    let request = Request {
        model,
        messages: messages(&call.turns, &mut losses),
        tools: call.tools.iter().map(tool).collect(),
        tool_choice: call.tool_choice.as_ref().filter(|_| has_tools),
        parallel_tool_calls: call.parallel_tools.filter(|_| has_tools),
        max_tokens: limit.filter(|_| !is_new_name),
        max_completion_tokens: limit.filter(|_| is_new_name),
        temperature: call.temperature,
        top_p: call.top_p,
        stop: &call.stop,
        user: call.user.as_deref(),
        stream: call.stream,
        stream_options: call.stream.then_some(StreamOptions { include_usage: true }),
    };
    let body = serde_json::to_vec(&request)
        .map_err(|_| Unsayable { at: None, message: "The request could not be written.".to_owned() })?;
    Ok(Encoded { body: body.into(), losses, headers: Vec::new() })
}

/// OpenAI's reasoning models refuse `max_tokens`, and all its chat models take the newer name; other vendors know the
/// older one.
fn takes_max_completion_tokens(model: &str) -> bool {
    let is_o_series =
        model.strip_prefix('o').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    is_o_series || model.starts_with("gpt-") || model.starts_with("chatgpt-")
}

/// One message per turn, except that each tool result is a message of its own.
fn messages<'a>(turns: &'a [Turn], losses: &mut Vec<Loss>) -> Vec<Message<'a>> {
    let mut messages = Vec::with_capacity(turns.len());
    for turn in turns {
        let role = match turn.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        };
        let mut message = empty(role);
        for part in &turn.parts {
            match part {
                Part::Text(text) => append(&mut message.content, text),
                Part::Refusal(text) => append(&mut message.refusal, text),
                // Vendors that want it back speak this dialect with callers who do, byte for byte.
                Part::Reasoning(_) => losses.push(Loss::turn(turn.origin, "reasoning")),
                Part::ToolCall { id, name, arguments, .. } => {
                    message.tool_calls.push(ToolCall::new(id, name, arguments));
                }
                Part::ToolResult { id, parts, is_error, .. } => {
                    if *is_error {
                        losses.push(Loss::turn(turn.origin, "is_error"));
                    }
                    let content = Some(text_of(parts));
                    messages.push(Message { tool_call_id: Some(id), content, ..empty("tool") });
                }
                Part::Media(media) => losses.push(Loss::turn(turn.origin, media.kind.as_str())),
                Part::Citation(_) | Part::CachePoint(_) => {}
            }
        }
        let has_something =
            message.content.is_some() || message.refusal.is_some() || !message.tool_calls.is_empty();
        if has_something {
            messages.push(message);
        }
    }
    messages
}

fn empty(role: &'static str) -> Message<'static> {
    Message { role, content: None, refusal: None, tool_calls: Vec::new(), tool_call_id: None }
}

fn text_of(parts: &[Part]) -> String {
    let text = |part: &Part| match part {
        Part::Text(text) | Part::Refusal(text) => Some(text.clone()),
        _ => None,
    };
    parts.iter().filter_map(text).collect()
}

fn append(field: &mut Option<String>, text: &str) {
    field.get_or_insert_default().push_str(text);
}

fn tool(tool: &Tool) -> WireTool<'_> {
    WireTool {
        r#type: "function",
        function: WireFunction {
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters: tool.parameters(),
            strict: tool.strict,
        },
    }
}

fn write_choice<S: Serializer>(choice: &Option<&ToolChoice>, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Named<'a> {
        r#type: &'static str,
        function: Name<'a>,
    }
    #[derive(Serialize)]
    struct Name<'a> {
        name: &'a str,
    }
    match choice {
        None => to.serialize_none(),
        Some(ToolChoice::Auto) => to.serialize_str("auto"),
        Some(ToolChoice::None) => to.serialize_str("none"),
        Some(ToolChoice::Required) => to.serialize_str("required"),
        Some(ToolChoice::Named(name)) => Named { r#type: "function", function: Name { name } }.serialize(to),
    }
}
