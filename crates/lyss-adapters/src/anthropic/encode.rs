//! Writing a conversation as a message request, as in the API reference ("Create a Message").
//!
//! What the vendor insists on: instructions stand apart in `system`; turns of one role in a row become one; the results
//! of tools are the user's; no text block is blank; `max_tokens` is always there.

mod models;

use std::borrow::Cow;

use serde_json::value::RawValue;

use self::models::{Model, Sampling};
use super::wire::{Block, Message, Metadata, Request, Tool, ToolChoice};
use crate::conversation::{self, ChatCall, Loss, Origin, Part, Role, Setting, Turn};
use crate::dialect::{Encoded, Encoding, Unsayable};

pub(super) fn encode(call: &ChatCall, encoding: &Encoding<'_>) -> Result<Encoded, Unsayable> {
    let Encoding { model, output_limit, .. } = *encoding;
    let known = Model::of(model);
    let mut losses: Vec<Loss> = call.unmapped.iter().cloned().map(Loss::Field).collect();
    let (system, messages) = conversation(&call.turns, &mut losses)?;
    let sampling = sampling(call, known.sampling, &mut losses);
    let request = Request {
        model,
        max_tokens: call.max_output_tokens.or(output_limit).unwrap_or(known.max_output_tokens),
        system,
        messages,
        tools: tools(&call.tools, &mut losses)?,
        tool_choice: tool_choice(call, &mut losses),
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: sampling.top_k,
        stop_sequences: stop_sequences(&call.stop, &mut losses),
        metadata: call.user.as_deref().map(|user_id| Metadata { user_id }),
        stream: call.stream,
    };
    let body = serde_json::to_vec(&request)
        .map_err(|_| Unsayable { at: None, message: "The request could not be written.".to_owned() })?;
    Ok(Encoded { body: body.into(), losses, headers: Vec::new() })
}

/// Instructions wherever they stand, and the turns with neighbours of one role merged.
fn conversation<'a>(
    turns: &'a [Turn],
    losses: &mut Vec<Loss>,
) -> Result<(Vec<Block<'a>>, Vec<Message<'a>>), Unsayable> {
    let mut system = Vec::new();
    let mut messages: Vec<Message<'a>> = Vec::new();
    for turn in turns {
        let mut content = blocks(&turn.parts, turn.origin, losses)?;
        let role = match turn.role {
            Role::System => {
                system.append(&mut content);
                continue;
            }
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        if content.is_empty() {
            continue;
        }
        match messages.last_mut() {
            Some(last) if last.role == role => last.content.append(&mut content),
            _ => messages.push(Message { role, content }),
        }
    }
    if !messages.iter().any(|message| message.role == "user") {
        let text = "This model's vendor needs at least one message of the role `user` with text in it.";
        return Err(Unsayable { at: Some(Loss::Field("messages".to_owned())), message: text.to_owned() });
    }
    Ok((system, messages))
}

fn blocks<'a>(
    parts: &'a [Part],
    origin: Origin,
    losses: &mut Vec<Loss>,
) -> Result<Vec<Block<'a>>, Unsayable> {
    let mut blocks = Vec::with_capacity(parts.len());
    let mut calls = 0_usize;
    for part in parts {
        match part {
            // The vendor refuses blank text.
            Part::Text(text) | Part::Refusal(text) if text.trim().is_empty() => {}
            Part::Text(text) | Part::Refusal(text) => blocks.push(Block::Text { text }),
            Part::Reasoning(reasoning) => match &reasoning.seal {
                Some(seal) if seal.kind == conversation::SealKind::AnthropicSignature => {
                    blocks.push(Block::Thinking { thinking: &reasoning.text, signature: &seal.data });
                }
                // Reasoning of another vendor, or stripped of its signature, is refused.
                _ => losses.push(Loss::turn(origin, "reasoning_content")),
            },
            Part::ToolCall { id, name, arguments, .. } => {
                let input = object(arguments, || Loss::Call { origin, call: calls, what: "arguments" })?;
                blocks.push(Block::ToolUse { id: call_id(id), name, input });
                calls += 1;
            }
            Part::ToolResult { id, parts, is_error, .. } => blocks.push(Block::ToolResult {
                tool_use_id: call_id(id),
                content: self::blocks(parts, origin, losses)?,
                is_error: *is_error,
            }),
            Part::Media(media) => losses.push(Loss::turn(origin, media.kind.as_str())),
            Part::Citation(_) | Part::CachePoint(_) => {}
        }
    }
    Ok(blocks)
}

/// JSON text that must hold an object; nothing stands for the empty one.
fn object(json: &str, at: impl FnOnce() -> Loss) -> Result<&RawValue, Unsayable> {
    let text = if json.trim().is_empty() { "{}" } else { json };
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) if raw.get().starts_with('{') => Ok(raw),
        _ => Err(Unsayable::new(at(), "a JSON object must stand here.")),
    }
}

/// The vendor takes letters, digits, `_` and `-` in a call's id; calls and results are changed alike.
fn call_id(id: &str) -> Cow<'_, str> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if id.chars().all(is_allowed) {
        return Cow::Borrowed(id);
    }
    Cow::Owned(id.chars().map(|c| if is_allowed(c) { c } else { '_' }).collect())
}

fn tools<'a>(tools: &'a [conversation::Tool], losses: &mut Vec<Loss>) -> Result<Vec<Tool<'a>>, Unsayable> {
    let mut written = Vec::with_capacity(tools.len());
    for (at, tool) in tools.iter().enumerate() {
        let path = || Loss::tool(at, "parameters");
        if tool.strict == Some(true) {
            losses.push(Loss::tool(at, "strict"));
        }
        let schema = tool.parameters().map_or("", |schema| schema.get());
        let input_schema = match schema.trim() {
            "" | "{}" => object(r#"{"type":"object","properties":{}}"#, path)?,
            schema => object(schema, path)?,
        };
        written.push(Tool { name: &tool.name, description: tool.description.as_deref(), input_schema });
    }
    Ok(written)
}

fn tool_choice<'a>(call: &'a ChatCall, losses: &mut Vec<Loss>) -> Option<ToolChoice<'a>> {
    use crate::conversation::ToolChoice as Asked;
    if call.tools.is_empty() {
        if matches!(call.tool_choice, Some(Asked::Required | Asked::Named(_))) {
            losses.push(Setting::ToolChoice.into());
        }
        return None;
    }
    let one_at_a_time = call.parallel_tools == Some(false);
    let choice = |r#type, name| ToolChoice { r#type, name, disable_parallel_tool_use: one_at_a_time };
    match &call.tool_choice {
        None if one_at_a_time => Some(choice("auto", None)),
        None => None,
        Some(Asked::Auto) => Some(choice("auto", None)),
        Some(Asked::Required) => Some(choice("any", None)),
        Some(Asked::Named(name)) => Some(choice("tool", Some(name))),
        // Knows no second field.
        Some(Asked::None) => {
            Some(ToolChoice { r#type: "none", name: None, disable_parallel_tool_use: false })
        }
    }
}

struct Sampled {
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<u64>,
}

/// What the model takes of temperature, `top_p` and `top_k`. A value of 1 for the first two says nothing, so leaving
/// it out loses nothing.
fn sampling(call: &ChatCall, takes: Sampling, losses: &mut Vec<Loss>) -> Sampled {
    let said = |value: Option<f64>| value.filter(|value| (value - 1.0).abs() > f64::EPSILON);
    let mut lose = |setting: Setting| losses.push(setting.into());
    if takes == Sampling::None {
        for (field, is_said) in [
            (Setting::Temperature, said(call.temperature).is_some()),
            (Setting::TopP, said(call.top_p).is_some()),
            (Setting::TopK, call.top_k.is_some()),
        ] {
            if is_said {
                lose(field);
            }
        }
        return Sampled { temperature: None, top_p: None, top_k: None };
    }
    let mut sampled = Sampled { temperature: call.temperature, top_p: call.top_p, top_k: call.top_k };
    // OpenAI's scale ends at 2, this one at 1.
    if sampled.temperature.is_some_and(|temperature| temperature > 1.0) {
        sampled.temperature = Some(1.0);
        lose(Setting::Temperature);
    }
    if takes == Sampling::OneOf && sampled.temperature.is_some() && sampled.top_p.is_some() {
        if said(call.top_p).is_none() {
            sampled.top_p = None;
        } else if said(call.temperature).is_none() {
            sampled.temperature = None;
        } else {
            sampled.top_p = None;
            lose(Setting::TopP);
        }
    }
    sampled
}

/// The vendor refuses blank ones.
fn stop_sequences<'a>(stop: &'a [String], losses: &mut Vec<Loss>) -> Vec<&'a str> {
    let kept: Vec<_> = stop.iter().map(String::as_str).filter(|stop| !stop.trim().is_empty()).collect();
    if kept.len() < stop.len() {
        losses.push(Setting::Stop.into());
    }
    kept
}

#[cfg(test)]
mod tests;
