//! Turns as `system` and `messages`, as in the API reference ("Create a Message") and the page "Tool use".

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::media;
use super::models::Model;
use super::out::{Block, Body, Mark, Message};
use crate::conversation::{ChatCall, Loss, Origin, Part, Reasoning, Role, SealKind};
use crate::dialect::Unsayable;

/// Says in the user's name that the assistant is to speak, where the vendor wants the user's turn.
const GO_ON: &str = "Continue.";

const FAILED: &str = "The tool failed.";

/// Where a list of parts stands; not every part is taken everywhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    System,
    User,
    Assistant,
    ToolResult,
}

/// What is told to every list of parts.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// Documents may ask for citations; they go together with no output format.
    pub(super) citations: bool,
    /// The model knows thinking blocks.
    pub(super) thinking: bool,
}

/// Instructions wherever they stand, and the turns with neighbours of one role merged.
pub(super) fn conversation<'a>(
    call: &'a ChatCall,
    model: &Model,
    rules: Rules,
    losses: &mut Vec<Loss>,
) -> Result<(Vec<Block<'a>>, Vec<Message<'a>>), Unsayable> {
    let mut system = Vec::new();
    let mut messages: Vec<Message<'a>> = Vec::new();
    for turn in &call.turns {
        let (role, place) = match turn.role {
            Role::System => ("system", Place::System),
            Role::User | Role::Tool => ("user", Place::User),
            Role::Assistant => ("assistant", Place::Assistant),
        };
        let mut content = blocks(&turn.parts, turn.origin, place, rules, losses)?;
        if place == Place::System {
            system.append(&mut content);
        } else if !content.is_empty() {
            push(&mut messages, Message { role, content, origin: turn.origin });
        }
    }
    if !messages.iter().any(|message| message.role == "user") {
        let text = "This model's vendor needs at least one message of the role `user` with text in it.";
        return Err(Unsayable::new(Loss::Field("messages".to_owned()), text));
    }
    for message in &mut messages {
        // Results come before everything else of the user's turn.
        message.content.sort_by_key(|block| !block.is_tool_result());
    }
    if let Some(first) = messages.first().filter(|first| first.role == "assistant") {
        let origin = first.origin;
        messages.insert(0, Message { role: "user", content: vec![Block::text(GO_ON)], origin });
    }
    end(&mut messages, model, losses);
    Ok((system, messages))
}

fn push<'a>(messages: &mut Vec<Message<'a>>, mut message: Message<'a>) {
    match messages.last_mut() {
        Some(last) if last.role == message.role => {
            last.content.append(&mut message.content);
            last.origin = message.origin;
        }
        _ => messages.push(message),
    }
}

/// A last turn of the assistant's is carried on by older models, without blanks at its end, and refused by newer ones.
fn end(messages: &mut Vec<Message<'_>>, model: &Model, losses: &mut Vec<Loss>) {
    let Some(last) = messages.last_mut().filter(|last| last.role == "assistant") else { return };
    if let Some(Block { body: Body::Text { text }, .. }) = last.content.last_mut() {
        let trimmed = text.trim_end().len();
        match text {
            Cow::Borrowed(borrowed) => *text = Cow::Borrowed(borrowed.get(..trimmed).unwrap_or_default()),
            Cow::Owned(owned) => owned.truncate(trimmed),
        }
    }
    let awaits_results = last.content.iter().any(Block::is_tool_use);
    if !model.prefill && !awaits_results {
        let origin = last.origin;
        losses.push(Loss::turn(origin, "prefill"));
        messages.push(Message { role: "user", content: vec![Block::text(GO_ON)], origin });
    }
}

fn blocks<'a>(
    parts: &'a [Part],
    origin: Origin,
    place: Place,
    rules: Rules,
    losses: &mut Vec<Loss>,
) -> Result<Vec<Block<'a>>, Unsayable> {
    let mut blocks: Vec<Block<'a>> = Vec::with_capacity(parts.len());
    let mut calls = 0_usize;
    for part in parts {
        let body = match part {
            // The vendor refuses blank text.
            Part::Text(text) | Part::Refusal(text) if text.trim().is_empty() => continue,
            Part::Text(text) | Part::Refusal(text) => Body::Text { text: Cow::Borrowed(text) },
            Part::Media(media) if place == Place::Assistant => {
                losses.push(Loss::turn(origin, media.kind.as_str()));
                continue;
            }
            Part::Media(media) if place == Place::System => media::instruction(media, origin)?,
            Part::Media(media) => media::body(media, origin, rules.citations, losses)?,
            Part::Reasoning(reasoning) => match thinking(reasoning) {
                Some(body) if place == Place::Assistant && rules.thinking => body,
                None if reasoning.text.is_empty() && reasoning.seal.is_none() => continue,
                // Reasoning of another vendor, or stripped of its signature, is refused.
                _ => {
                    losses.push(Loss::turn(origin, "reasoning"));
                    continue;
                }
            },
            Part::ToolCall { id, name, arguments, custom } => {
                let at = || Loss::Call { origin, call: calls, what: "arguments" };
                let input = if *custom { free_text(arguments, at)? } else { object(arguments, at)? };
                calls += 1;
                Body::ToolUse { id: call_id(id), name, input }
            }
            Part::ToolResult { id, parts, is_error, .. } => {
                let mut content = self::blocks(parts, origin, Place::ToolResult, rules, losses)?;
                if content.is_empty() && *is_error {
                    // The vendor refuses an error without words.
                    content.push(Block::text(FAILED));
                }
                Body::ToolResult { tool_use_id: call_id(id), content, is_error: *is_error }
            }
            Part::Citation(_) => {
                losses.push(Loss::turn(origin, "citations"));
                continue;
            }
            Part::CachePoint(lifetime) => {
                let mark = Mark { lifetime: *lifetime, loss: Loss::turn(origin, "cache_control") };
                match blocks.last_mut().filter(|block| !block.is_thinking()) {
                    Some(block) => block.cache_control = Some(mark),
                    None => losses.push(mark.loss),
                }
                continue;
            }
        };
        blocks.push(Block::new(body));
    }
    Ok(blocks)
}

/// `None`: not this vendor's.
fn thinking(reasoning: &Reasoning) -> Option<Body<'_>> {
    let seal = reasoning.seal.as_ref()?;
    match seal.kind {
        SealKind::AnthropicSignature => {
            Some(Body::Thinking { thinking: &reasoning.text, signature: &seal.data })
        }
        SealKind::AnthropicRedacted => Some(Body::RedactedThinking { data: &seal.data }),
        SealKind::OpenAi | SealKind::Google => None,
    }
}

/// JSON text that must hold an object; nothing stands for the empty one.
pub(super) fn object(json: &str, at: impl FnOnce() -> Loss) -> Result<Cow<'_, RawValue>, Unsayable> {
    let text = if json.trim().is_empty() { "{}" } else { json };
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) if raw.get().starts_with('{') => Ok(Cow::Borrowed(raw)),
        _ => Err(Unsayable::new(at(), "a JSON object must stand here.")),
    }
}

/// The free text of a custom tool's call, which this vendor knows as an object only.
fn free_text(text: &str, at: impl FnOnce() -> Loss) -> Result<Cow<'_, RawValue>, Unsayable> {
    serde_json::value::to_raw_value(&serde_json::json!({ "input": text }))
        .map(Cow::Owned)
        .map_err(|_| Unsayable::new(at(), "this text cannot be written."))
}

/// The vendor takes letters, digits, `_` and `-` in a call's id; calls and results are changed alike, and what was
/// distinct stays so.
fn call_id(id: &str) -> Cow<'_, str> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !id.is_empty() && id.chars().all(is_allowed) {
        return Cow::Borrowed(id);
    }
    let readable: String = id.chars().map(|c| if is_allowed(c) { c } else { '_' }).collect();
    // FNV-1a.
    let digest = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Cow::Owned(format!("{readable}_{digest:016x}"))
}
