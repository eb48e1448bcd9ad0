//! Writing a whole answer, as in the API reference ("The chat completion object").

use bytes::Bytes;
use serde::Serialize;

use super::wire::{ToolCall, Usage, completion_id, finish_word};
use crate::conversation::{ChatReply, Choice, Part};
use crate::dialect::Rendering;

#[derive(Serialize)]
struct Completion<'a> {
    id: String,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: Vec<WireChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct WireChoice<'a> {
    index: usize,
    message: Message<'a>,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Default, Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<String>,
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
}

pub(super) fn render(reply: &ChatReply, rendering: &Rendering) -> Bytes {
    let created = rendering.created.as_secs();
    let completion = Completion {
        id: completion_id(&reply.head.id, created),
        object: "chat.completion",
        created,
        model: &reply.head.model,
        choices: reply.choices.iter().enumerate().map(choice).collect(),
        usage: reply.usage.as_ref().map(Usage::from),
    };
    serde_json::to_vec(&completion).unwrap_or_default().into()
}

fn choice((index, choice): (usize, &Choice)) -> WireChoice<'_> {
    WireChoice {
        index,
        message: message(&choice.parts),
        logprobs: None,
        finish_reason: finish_word(&choice.finish),
    }
}

fn message(parts: &[Part]) -> Message<'_> {
    let mut message = Message { role: "assistant", ..Message::default() };
    for part in parts {
        match part {
            Part::Text(text) => append(&mut message.content, text),
            Part::Refusal(text) => append(&mut message.refusal, text),
            Part::Reasoning(reasoning) => append(&mut message.reasoning_content, &reasoning.text),
            Part::ToolCall { id, name, arguments, .. } => {
                message.tool_calls.push(ToolCall::new(id, name, arguments));
            }
            // Only callers send results.
            Part::ToolResult { .. } | Part::Media(_) | Part::Citation(_) | Part::CachePoint(_) => {}
        }
    }
    if message.tool_calls.is_empty() && message.refusal.is_none() {
        message.content.get_or_insert_default();
    }
    message
}

fn append(field: &mut Option<String>, text: &str) {
    field.get_or_insert_default().push_str(text);
}

#[cfg(test)]
mod tests;
