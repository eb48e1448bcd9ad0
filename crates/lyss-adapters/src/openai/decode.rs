//! Reading a whole answer, as in the API reference ("The chat completion object"), and what compatible vendors add:
//! `reasoning_content` (DeepSeek), `reasoning` and `reasoning_details` (OpenRouter), content in parts (Mistral).
//! Unknown fields are skipped; usage that cannot be read counts as not said.

use lyss_domain::{FaultKind, TokenUsage};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::details::{self, Detail, Laid};
use super::fault;
use super::pieces::{self, Audio, Content, WireCall, WireFunction, lenient};
use super::usage::WireUsage;
use super::wire::{call_id, finish_behind, finish_reason};
use crate::Fault;
use crate::conversation::{ChatReply, Choice, FinishReason, Part, ReplyHead};

/// The fields of an answer and of a chunk that are told once. Left unread until someone needs them.
#[derive(Deserialize)]
pub(super) struct Head<'a> {
    #[serde(borrow)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    created: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
    #[serde(borrow)]
    system_fingerprint: Option<&'a RawValue>,
}

impl Head<'_> {
    pub(super) fn read(&self) -> ReplyHead {
        let text = |raw: Option<&RawValue>| raw.and_then(lenient::<String>).filter(|text| !text.is_empty());
        ReplyHead {
            id: text(self.id).unwrap_or_default(),
            model: text(self.model).unwrap_or_default(),
            // Some servers write it with a fraction, some in milliseconds.
            created: self.created.and_then(lenient::<serde_json::Number>).and_then(|at| {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "saturates, and a moment that wild is no matter"
                )]
                at.as_i64().or_else(|| at.as_f64().map(|at| at as i64)).filter(|at| *at > 0).map(in_seconds)
            }),
            // Groq's word for the tier that everybody else calls the default.
            service_tier: text(self.service_tier)
                .map(|tier| if tier == "on_demand" { "default".to_owned() } else { tier }),
            system_fingerprint: text(self.system_fingerprint),
        }
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    choices: Option<Vec<WireChoice<'a>>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    search_results: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireChoice<'a> {
    #[serde(borrow)]
    message: Option<Message<'a>>,
    finish_reason: Option<String>,
    #[serde(borrow)]
    logprobs: Option<&'a RawValue>,
    #[serde(borrow)]
    content_filter_results: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Message<'a> {
    content: Option<Content>,
    refusal: Option<Content>,
    reasoning_content: Option<Content>,
    reasoning: Option<Content>,
    #[serde(borrow)]
    reasoning_details: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<Vec<WireCall<'a>>>,
    #[serde(borrow)]
    function_call: Option<WireFunction<'a>>,
    #[serde(borrow)]
    annotations: Option<&'a RawValue>,
    #[serde(borrow)]
    images: Option<&'a RawValue>,
    #[serde(borrow)]
    audio: Option<&'a RawValue>,
}

pub(super) fn decode(body: &[u8]) -> Result<ChatReply, Fault> {
    let read: Body<'_> = serde_json::from_slice(body).map_err(|_| unreadable())?;
    if read.error.is_some() {
        return Err(fault::read_unasked(body));
    }
    let Some(wire_choices) = read.choices else {
        return Err(if fault::is_bare_error(body) { fault::read_unasked(body) } else { unreadable() });
    };
    let head = serde_json::from_slice::<Head<'_>>(body).map_err(|_| unreadable())?.read();
    let in_choice = wire_choices.iter().find_map(|choice| choice.usage).and_then(usage);
    let mut choices = Vec::with_capacity(wire_choices.len());
    for (at, wire) in wire_choices.into_iter().enumerate() {
        choices.push(choice(&head.id, at, wire, read.search_results)?);
    }
    Ok(ChatReply { head, choices, usage: read.usage.and_then(usage).or(in_choice) })
}

pub(super) fn usage(raw: &RawValue) -> Option<TokenUsage> {
    lenient::<WireUsage>(raw).map(TokenUsage::from)
}

pub(super) fn unreadable() -> Fault {
    Fault::new(FaultKind::Protocol, "The upstream's answer cannot be read.")
}

pub(super) fn broken_off() -> Fault {
    Fault::new(FaultKind::VendorError, "The upstream broke off its answer with an error.")
}

fn choice(
    answer: &str,
    at: usize,
    wire: WireChoice<'_>,
    search_results: Option<&RawValue>,
) -> Result<Choice, Fault> {
    let message = wire.message.unwrap_or_default();
    let content = message.content.unwrap_or_default();
    let plain = [message.reasoning_content, message.reasoning].into_iter().flatten().map(|told| told.text);
    let plain = plain.chain([content.reasoning]).find(|text| !text.is_empty());
    let details = message.reasoning_details.and_then(lenient::<Vec<Detail>>).unwrap_or_default();
    let mut laid = Laid::of(plain, details::stretches(details));
    let mut parts = std::mem::take(&mut laid.parts);
    let mut audio = message.audio.and_then(lenient::<Audio>).unwrap_or_default();
    let mut push = |text: String, part: fn(String) -> Part| {
        parts.extend(Some(text).filter(|text| !text.is_empty()).map(part));
    };
    push(content.text, Part::Text);
    push(audio.transcript.take().unwrap_or_default(), Part::Text);
    push(message.refusal.unwrap_or_default().text, Part::Refusal);
    let cited = message.annotations.map(pieces::annotations).filter(|cited| !cited.is_empty());
    let cited = cited.or_else(|| search_results.map(pieces::search_results)).unwrap_or_default();
    parts.extend(cited.into_iter().map(Part::Citation));
    parts.extend(message.images.map(pieces::images).unwrap_or_default().into_iter().map(Part::Media));
    parts.extend(audio.media(None).map(Part::Media));
    let calls = message.tool_calls.unwrap_or_default();
    let calls: Vec<_> = calls.into_iter().chain(message.function_call.map(WireCall::of_function)).collect();
    let has_calls = !calls.is_empty();
    for (number, mut call) in calls.into_iter().enumerate() {
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let id = call.id.take().filter(|id| !id.is_empty());
        let id = id.unwrap_or_else(|| call_id(answer, small(at), small(number)));
        parts.extend(laid.before_call(&id, call.seal()));
        let said = call.said();
        parts.push(Part::ToolCall {
            id,
            name: said.name.unwrap_or_default(),
            arguments: said.arguments,
            custom: said.custom,
        });
    }
    parts.extend(laid.rest());
    let reason = finish_reason(wire.finish_reason.as_deref().unwrap_or_default()).ok_or_else(broken_off)?;
    let is_refusal = parts.iter().any(|part| matches!(part, Part::Refusal(_)));
    let mut choice = Choice::new(parts, finish_behind(reason, has_calls, is_refusal));
    choice.logprobs = wire.logprobs.map(pieces::logprobs).unwrap_or_default();
    choice.safety = wire.content_filter_results.map(pieces::ratings).unwrap_or_default();
    if choice.safety.iter().any(|rating| rating.blocked) && choice.finish == FinishReason::Stop {
        choice.finish = FinishReason::ContentFilter;
    }
    Ok(choice)
}

/// A moment that would lie some three thousand years ahead in seconds was told in milliseconds.
const fn in_seconds(at: i64) -> i64 {
    if at >= 100_000_000_000 { at / 1_000 } else { at }
}

#[cfg(test)]
mod tests;
