//! Writing a whole answer, as in the API reference ("Create a Message").

use std::borrow::Cow;

use bytes::Bytes;

use super::citation;
use super::shapes::{Block, Message, Sealed, StopDetails, call_id, input, link, message_id, sealed};
use super::usage::Written;
use super::wire::stop_reason;
use crate::conversation::{ChatReply, FinishReason, Part, Reasoning};
use crate::dialect::Rendering;

/// The first choice alone: this dialect has no more.
pub(super) fn render(reply: &ChatReply, rendering: &Rendering) -> Bytes {
    let choice = reply.choices.first();
    let content = content(choice.map(|choice| choice.parts.as_slice()).unwrap_or_default());
    let finish = choice.map_or(&FinishReason::Stop, |choice| &choice.finish);
    let has_calls = content.iter().any(|block| matches!(block, Block::ToolUse { .. }));
    let model = if reply.head.model.is_empty() { &rendering.model } else { &reply.head.model };
    let message = Message {
        id: message_id(&reply.head.id, rendering.created.as_secs()),
        r#type: "message",
        role: "assistant",
        model,
        content,
        stop_reason: Some(stop_reason(finish, has_calls)),
        stop_sequence: match finish {
            FinishReason::StopSequence(sequence) => sequence.as_deref(),
            _ => None,
        },
        stop_details: StopDetails::of(finish),
        usage: Written::whole(&reply.usage.unwrap_or_default(), reply.head.service_tier.as_deref()),
    };
    serde_json::to_vec(&message).unwrap_or_default().into()
}

fn content(parts: &[Part]) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::with_capacity(parts.len());
    let mut calls = 0;
    let text = |text: Cow<'_, str>| Block::Text { text: text.into_owned().into(), citations: Vec::new() };
    for part in parts {
        match part {
            Part::Text(said) | Part::Refusal(said) if said.is_empty() => {}
            Part::Text(said) | Part::Refusal(said) => {
                blocks.push(Block::Text { text: Cow::Borrowed(said), citations: Vec::new() });
            }
            Part::Media(media) => blocks.extend(link(media).map(|link| text(link.into()))),
            Part::Reasoning(reasoning) => blocks.extend(thinking(reasoning)),
            Part::ToolCall { id, name, arguments, custom } => {
                let id = call_id(id, calls);
                calls += 1;
                blocks.push(Block::ToolUse { id, name, input: input(arguments, *custom) });
            }
            Part::Citation(cited) => {
                // It backs the last text, whatever was thought or called since.
                let last = blocks.iter_mut().rev().find_map(|block| match block {
                    Block::Text { citations, .. } => Some(citations),
                    _ => None,
                });
                if let Some(citations) = last {
                    citations.push(citation::Written::of(cited));
                }
            }
            // Only callers send these.
            Part::ToolResult { .. } | Part::CachePoint(_) => {}
        }
    }
    blocks
}

fn thinking(reasoning: &Reasoning) -> Vec<Block<'_>> {
    let thinking = reasoning.text.as_str();
    match reasoning.seal.as_ref().map(|seal| sealed(seal, !thinking.is_empty())) {
        Some(Sealed::Signature(signature)) => vec![Block::Thinking { thinking, signature }],
        Some(Sealed::Redacted(data)) if thinking.is_empty() => vec![Block::RedactedThinking { data }],
        Some(Sealed::Redacted(data)) => {
            let readable = Block::Thinking { thinking, signature: Cow::Borrowed("") };
            vec![readable, Block::RedactedThinking { data }]
        }
        None if thinking.is_empty() => Vec::new(),
        None => vec![Block::Thinking { thinking, signature: Cow::Borrowed("") }],
    }
}

#[cfg(test)]
mod tests;
