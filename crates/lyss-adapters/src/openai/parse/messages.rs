//! The messages of a request.

mod content;

use serde_json::value::RawValue;

use self::content::content;
use super::super::details::{self, Detail, ExtraContent, Laid, Stretch};
use super::super::pieces;
use super::{LIST, OBJECT, TEXT, read, refuse_legacy};
use crate::Fault;
use crate::conversation::{CacheLifetime, Part, Reasoning, Role, Seal, SealKind, Turn};
use crate::fields::{Fields, Lost, wrong};

pub(super) fn turns(top: &mut Fields<'_>, lost: &mut Lost) -> Result<Vec<Turn>, Fault> {
    let messages: Vec<&RawValue> = top.require("messages", LIST)?;
    if messages.is_empty() {
        return Err(wrong("messages", "a list with at least one message"));
    }
    let mut turns = Vec::with_capacity(messages.len());
    for (at, raw) in messages.into_iter().enumerate() {
        turns.push(turn(at, Fields::open(raw, format!("messages[{at}]"))?, lost)?);
    }
    Ok(turns)
}

fn turn(at: usize, mut message: Fields<'_>, lost: &mut Lost) -> Result<Turn, Fault> {
    let name: String = message.require("role", TEXT)?;
    let mut turn = match name.as_str() {
        "system" | "developer" => Turn::new(Role::System, content(&mut message, lost)?, at),
        "user" => Turn::new(Role::User, content(&mut message, lost)?, at),
        "assistant" => Turn::new(Role::Assistant, assistant_parts(&mut message, lost)?, at),
        "tool" => Turn::new(Role::Tool, tool_result(&mut message, lost)?, at),
        "function" => {
            let path = message.path_of("role");
            let text =
                "The role `function` is deprecated and cannot be sent to this model's vendor; use `tool`.";
            return Err(Fault::bad_request(text, Some(&path)));
        }
        _ => {
            let path = message.path_of("role");
            return Err(wrong(&path, "one of `system`, `developer`, `user`, `assistant`, `tool`"));
        }
    };
    if let Some(lifetime) = cache_control(&mut message, lost)? {
        turn.parts.push(Part::CachePoint(lifetime));
    }
    message.leave(&[], lost);
    Ok(turn)
}

/// The result, and behind it the cache points that stood in it.
fn tool_result(message: &mut Fields<'_>, lost: &mut Lost) -> Result<Vec<Part>, Fault> {
    let id = message.require("tool_call_id", TEXT)?;
    let name = message.take("name", TEXT)?;
    let is_cache = |part: &Part| matches!(part, Part::CachePoint(_));
    let (mut points, parts): (Vec<_>, Vec<_>) = content(message, lost)?.into_iter().partition(is_cache);
    // Several within one result come to the same as the last of them.
    let point = points.pop();
    let result = Part::ToolResult { id, name, parts, is_error: false };
    Ok([Some(result), point].into_iter().flatten().collect())
}

fn assistant_parts(message: &mut Fields<'_>, lost: &mut Lost) -> Result<Vec<Part>, Fault> {
    refuse_legacy(message, "function_call", "tool_calls")?;
    let mut laid = reasoning(message, lost)?;
    let mut parts = std::mem::take(&mut laid.parts);
    parts.append(&mut content(message, lost)?);
    if let Some(text) = message.take("refusal", TEXT)? {
        parts.push(Part::Refusal(text));
    }
    // Answers of this service and of OpenRouter, sent back as they came.
    if let Some(raw) = message.raw("annotations") {
        parts.extend(pieces::annotations(raw).into_iter().map(Part::Citation));
    }
    if let Some(raw) = message.raw("images") {
        parts.extend(pieces::images(raw).into_iter().map(Part::Media));
    }
    let calls: Vec<&RawValue> = message.take("tool_calls", LIST)?.unwrap_or_default();
    for (at, raw) in calls.into_iter().enumerate() {
        let path = message.path_of(&format!("tool_calls[{at}]"));
        let (call, own_seal) = tool_call(Fields::open(raw, path)?, lost)?;
        if let Part::ToolCall { id, .. } = &call {
            parts.extend(laid.before_call(id, own_seal));
        }
        parts.push(call);
    }
    parts.extend(laid.rest());
    Ok(parts)
}

/// Reasoning under any of its names: `reasoning_details` (OpenRouter's and ours), `thinking_blocks` (LiteLLM), and the
/// plain text in `reasoning_content` (DeepSeek) or `reasoning`, which says the same once more where others stand.
fn reasoning(message: &mut Fields<'_>, lost: &mut Lost) -> Result<Laid, Fault> {
    let by_deepseek = message.take::<String>("reasoning_content", TEXT)?;
    let by_others = message.take::<String>("reasoning", TEXT)?;
    let filled = |text: &String| !text.is_empty();
    let plain = by_deepseek.filter(filled).or(by_others.filter(filled));
    let details = message.path_of("reasoning_details");
    let mut stretches = match message.raw("reasoning_details") {
        Some(raw) => details::stretches(read::<Vec<Detail>>(raw, &details, "a list of reasoning details")?),
        None => Vec::new(),
    };
    let blocks = thinking_blocks(message, lost)?;
    if stretches.is_empty() {
        stretches = blocks;
    }
    Ok(Laid::of(plain, stretches))
}

fn thinking_blocks(message: &mut Fields<'_>, lost: &mut Lost) -> Result<Vec<Stretch>, Fault> {
    let list: Vec<&RawValue> = message.take("thinking_blocks", LIST)?.unwrap_or_default();
    let mut stretches = Vec::with_capacity(list.len());
    for (at, raw) in list.into_iter().enumerate() {
        let mut block = Fields::open(raw, message.path_of(&format!("thinking_blocks[{at}]")))?;
        let kind: String = block.require("type", TEXT)?;
        let reasoning = thinking_block(&kind, &mut block)?;
        stretches.extend(reasoning.map(Stretch::of));
        block.raw("cache_control");
        block.leave(&[], lost);
    }
    Ok(stretches)
}

/// A block as Anthropic writes it; `None`: of another type.
fn thinking_block(kind: &str, block: &mut Fields<'_>) -> Result<Option<Reasoning>, Fault> {
    let seal = |kind, data: String| Seal::from_token(&data).unwrap_or_else(|| Seal::new(kind, data));
    Ok(match kind {
        "thinking" => {
            let text = block.take("thinking", TEXT)?.unwrap_or_default();
            let signature = block.take::<String>("signature", TEXT)?.filter(|word| !word.is_empty());
            Some(Reasoning { text, seal: signature.map(|data| seal(SealKind::AnthropicSignature, data)) })
        }
        "redacted_thinking" => {
            let data = block.require("data", TEXT)?;
            let seal = seal(SealKind::AnthropicRedacted, data);
            Some(Reasoning { text: String::new(), seal: Some(seal) })
        }
        _ => None,
    })
}

/// The call, and the seal that Google's own OpenAI endpoint puts on it.
fn tool_call(mut call: Fields<'_>, lost: &mut Lost) -> Result<(Part, Option<Seal>), Fault> {
    let kind = call.take::<String>("type", TEXT)?;
    let id = call.require("id", TEXT)?;
    let seal = match call.raw("extra_content") {
        Some(raw) => pieces::lenient::<ExtraContent<String>>(raw).and_then(ExtraContent::seal),
        None => None,
    };
    // Streams number calls, and some callers send the number back.
    call.raw("index");
    let part = match kind.as_deref() {
        None | Some("function") => {
            let mut function = open_function(&mut call)?;
            let name = function.require("name", TEXT)?;
            let arguments = function.take("arguments", TEXT)?.unwrap_or_default();
            function.leave(&[], lost);
            Part::ToolCall { id, name, arguments, custom: false }
        }
        Some("custom") => {
            let raw: &RawValue = call.require("custom", OBJECT)?;
            let mut custom = Fields::open(raw, call.path_of("custom"))?;
            let name = custom.require("name", TEXT)?;
            let arguments = custom.take("input", TEXT)?.unwrap_or_default();
            custom.leave(&[], lost);
            Part::ToolCall { id, name, arguments, custom: true }
        }
        Some(_) => return Err(wrong(&call.path_of("type"), "`function` or `custom`")),
    };
    call.leave(&[], lost);
    Ok((part, seal))
}

pub(super) fn open_function<'a>(fields: &mut Fields<'a>) -> Result<Fields<'a>, Fault> {
    let raw: &RawValue = fields.require("function", OBJECT)?;
    Fields::open(raw, fields.path_of("function"))
}

/// A marker as Anthropic writes it: `{"type": "ephemeral", "ttl": "5m" | "1h"}`.
pub(super) fn cache_control(
    fields: &mut Fields<'_>,
    lost: &mut Lost,
) -> Result<Option<CacheLifetime>, Fault> {
    let Some(raw) = fields.raw("cache_control") else { return Ok(None) };
    let mut marker = Fields::open(raw, fields.path_of("cache_control"))?;
    marker.raw("type");
    let ttl = marker.take::<String>("ttl", TEXT)?;
    marker.leave(&[], lost);
    Ok(Some(if ttl.as_deref() == Some("1h") { CacheLifetime::Long } else { CacheLifetime::Short }))
}
