//! Reading a whole answer, as in the API reference ("The chat completion object"), with `reasoning_content` as DeepSeek
//! writes it. Unknown fields are skipped; usage that cannot be read counts as not said.

use http::{HeaderMap, StatusCode};
use lyss_domain::{FaultKind, TokenUsage};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::fault;
use super::usage::WireUsage;
use super::wire::finish_reason;
use crate::Fault;
use crate::conversation::{ChatReply, Choice, Part, Reasoning, ReplyHead};

#[derive(Deserialize)]
struct Completion<'a> {
    id: Option<String>,
    model: Option<String>,
    choices: Option<Vec<WireChoice>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireChoice {
    message: Option<Message>,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
    reasoning_content: Option<String>,
    tool_calls: Option<Vec<WireCall>>,
}

#[derive(Deserialize)]
struct WireCall {
    id: Option<String>,
    function: Option<WireFunction>,
}

/// A function call, whole or in part.
#[derive(Default, Deserialize)]
pub(super) struct WireFunction {
    pub(super) name: Option<String>,
    pub(super) arguments: Option<String>,
}

pub(super) fn decode(body: &[u8]) -> Result<ChatReply, Fault> {
    let completion: Completion<'_> = serde_json::from_slice(body).map_err(|_| unreadable())?;
    if completion.error.is_some() {
        return Err(stream_fault(body));
    }
    let choices = completion.choices.ok_or_else(unreadable)?;
    Ok(ChatReply {
        head: ReplyHead {
            id: completion.id.unwrap_or_default(),
            model: completion.model.unwrap_or_default(),
            ..ReplyHead::default()
        },
        choices: choices.into_iter().map(choice).collect(),
        usage: completion.usage.and_then(usage),
    })
}

pub(super) fn usage(raw: &RawValue) -> Option<TokenUsage> {
    serde_json::from_str::<WireUsage>(raw.get()).ok().map(TokenUsage::from)
}

pub(super) fn unreadable() -> Fault {
    Fault::new(FaultKind::Protocol, "The upstream's answer cannot be read.")
}

/// An error object where an answer was expected: it has no status of its own.
pub(super) fn stream_fault(data: &[u8]) -> Fault {
    fault::read(StatusCode::BAD_GATEWAY, &HeaderMap::new(), &bytes::Bytes::copy_from_slice(data))
}

fn choice(choice: WireChoice) -> Choice {
    let message = choice.message.unwrap_or_default();
    let mut parts = Vec::new();
    let mut push = |text: Option<String>, part: fn(String) -> Part| {
        parts.extend(text.filter(|text| !text.is_empty()).map(part));
    };
    push(message.reasoning_content, |text| Part::Reasoning(Reasoning { text, seal: None }));
    push(message.content, Part::Text);
    push(message.refusal, Part::Refusal);
    for call in message.tool_calls.unwrap_or_default() {
        let function = call.function.unwrap_or_default();
        parts.push(Part::ToolCall {
            id: call.id.unwrap_or_default(),
            name: function.name.unwrap_or_default(),
            arguments: function.arguments.unwrap_or_default(),
            custom: false,
        });
    }
    Choice::new(parts, finish_reason(choice.finish_reason.as_deref().unwrap_or_default()))
}
