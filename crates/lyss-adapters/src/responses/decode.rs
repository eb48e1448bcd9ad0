//! Reading a whole answer, as in the API reference ("The response object"). Unknown fields, items and parts are skipped;
//! usage that cannot be read counts as not said.

use lyss_domain::{FaultKind, TokenUsage};
use serde_json::value::RawValue;

use super::fault;
use super::output::{WireContent, WireItem, WireResponse, logprobs};
use super::usage::WireUsage;
use crate::Fault;
use crate::conversation::{ChatReply, Choice, FinishReason, Part, Reasoning, TokenLogprob};

pub(super) fn decode(body: &[u8]) -> Result<ChatReply, Fault> {
    let response: WireResponse<'_> = serde_json::from_slice(body).map_err(|_| unreadable())?;
    if let Some(fault) = failure(&response) {
        return Err(fault);
    }
    let Some(output) = &response.output else { return Err(unreadable()) };
    let mut choice = Choice::new(Vec::new(), FinishReason::Stop);
    for raw in output {
        // An item that cannot be read is one of a kind not known here.
        if let Ok(item) = serde_json::from_str::<WireItem>(raw.get()) {
            push_item(item, &mut choice.parts, &mut choice.logprobs);
        }
    }
    let has_calls = choice.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
    choice.finish = response.finish(has_calls);
    Ok(ChatReply { head: response.head(), choices: vec![choice], usage: response.usage.and_then(usage) })
}

/// What a response says went wrong with it.
pub(super) fn failure(response: &WireResponse<'_>) -> Option<Fault> {
    let has_failed = matches!(response.status.as_deref(), Some("failed" | "cancelled"));
    let has_error = fault::is_error(response.error);
    (has_failed || has_error).then(|| fault::of_failed(response.error.filter(|_| has_error)))
}

pub(super) fn usage(raw: &RawValue) -> Option<TokenUsage> {
    serde_json::from_str::<Option<WireUsage>>(raw.get()).ok()?.map(TokenUsage::from)
}

pub(super) fn unreadable() -> Fault {
    Fault::new(FaultKind::Protocol, "The upstream's answer cannot be read.")
}

fn push_item(mut item: WireItem, parts: &mut Vec<Part>, tokens: &mut Vec<TokenLogprob>) {
    match item.kind.as_str() {
        "reasoning" => {
            let seal = item.seal();
            let texts = item.summary.into_iter().chain(item.content);
            let texts: Vec<_> = texts.filter_map(|part| part.text).filter(|text| !text.is_empty()).collect();
            if seal.is_some() || !texts.is_empty() {
                parts.push(Part::Reasoning(Reasoning { text: texts.join("\n\n"), seal }));
            }
        }
        "message" => {
            for content in item.content {
                push_content(content, parts, tokens);
            }
        }
        "image_generation_call" => parts.extend(item.image().map(Part::Media)),
        _ if item.is_call() => {
            let arguments = item.call_text().unwrap_or_default();
            let custom = item.is_custom();
            let id = item.call_id.or(item.id).unwrap_or_default();
            parts.push(Part::ToolCall { id, name: item.name.unwrap_or_default(), arguments, custom });
        }
        _ => {}
    }
}

fn push_content(content: WireContent, parts: &mut Vec<Part>, tokens: &mut Vec<TokenLogprob>) {
    match content.kind.as_str() {
        "output_text" => {
            parts.extend(content.text.filter(|text| !text.is_empty()).map(Part::Text));
            let marks = content.annotations.into_iter();
            parts.extend(marks.filter_map(|mark| mark.citation()).map(Part::Citation));
            tokens.append(&mut logprobs(content.logprobs));
        }
        "refusal" => parts.extend(content.refusal.filter(|text| !text.is_empty()).map(Part::Refusal)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
