//! What is refused: fields, roles, blocks, and tools' results without their calls.

use serde_json::Value;

use super::blocks::last_text;
use crate::reading::{given, list, map, text, typed};
use crate::refusal::Refusal;

const KNOWN: [&str; 22] = [
    "model",
    "messages",
    "max_tokens",
    "system",
    "stream",
    "metadata",
    "stop_sequences",
    "temperature",
    "top_p",
    "top_k",
    "tools",
    "tool_choice",
    "thinking",
    "service_tier",
    "container",
    "context_management",
    "mcp_servers",
    "output_config",
    "output_format",
    "cache_control",
    "inference_geo",
    "speed",
];
const MEDIA_TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];
const BLOCKS: [&str; 17] = [
    "text",
    "image",
    "document",
    "search_result",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "mcp_tool_use",
    "mcp_tool_result",
    "container_upload",
];
const MAX_CACHE_MARKERS: usize = 4;

/// All but the messages; returns `max_tokens`.
pub(super) fn request(body: &Value) -> Result<u64, Refusal> {
    if let Some(strange) =
        body.as_object().and_then(|it| it.keys().find(|key| !KNOWN.contains(&key.as_str())))
    {
        return Err(Refusal::invalid(format!("{strange}: Extra inputs are not permitted")));
    }
    typed(
        body,
        &[
            ("messages", Value::is_array),
            ("stream", Value::is_boolean),
            ("metadata", Value::is_object),
            ("stop_sequences", Value::is_array),
            ("temperature", Value::is_number),
            ("top_p", Value::is_number),
            ("top_k", Value::is_u64),
            ("tools", Value::is_array),
            ("tool_choice", Value::is_object),
            ("thinking", Value::is_object),
            ("output_config", Value::is_object),
        ],
    )?;
    let max_tokens = super::max_tokens(body)?;
    let temperature = given(body, "temperature").and_then(Value::as_f64);
    if temperature.is_some_and(|temperature| !(0.0..=1.0).contains(&temperature)) {
        return Err(Refusal::invalid("temperature: range: 0..1"));
    }
    if temperature.is_some() && given(body, "top_p").is_some() {
        return Err(Refusal::invalid("`temperature` and `top_p` cannot both be specified for this model."));
    }
    let blank = |stop: &Value| stop.as_str().is_none_or(|stop| stop.trim().is_empty());
    if list(body, "stop_sequences").iter().any(blank) {
        return Err(Refusal::invalid("stop_sequences: each stop sequence must contain non-whitespace"));
    }
    if let Some(strange) = map(body, "metadata").and_then(|it| it.keys().find(|key| *key != "user_id")) {
        return Err(Refusal::invalid(format!("metadata.{strange}: Extra inputs are not permitted")));
    }
    match text(body, "service_tier") {
        "" | "auto" | "standard_only" => {}
        _ => return Err(Refusal::invalid("service_tier: Input should be 'auto' or 'standard_only'")),
    }
    tools(list(body, "tools"))?;
    Ok(max_tokens)
}

fn tools(tools: &[Value]) -> Result<(), Refusal> {
    for (at, tool) in tools.iter().enumerate() {
        let own = matches!(text(tool, "type"), "" | "custom");
        let name = text(tool, "name");
        if !is_identifier(name) || name.len() > 128 {
            return Err(Refusal::invalid(format!(
                "tools.{at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
            )));
        }
        let schema = given(tool, "input_schema");
        if own && schema.is_none_or(|schema| text(schema, "type") != "object") {
            return Err(Refusal::invalid(format!(
                "tools.{at}.custom.input_schema.type: Input should be 'object'"
            )));
        }
        if tools.iter().take(at).any(|other| text(other, "name") == name) {
            return Err(Refusal::invalid("tools: Tool names must be unique."));
        }
    }
    Ok(())
}

/// Structured output needs closed objects, all the way down.
pub(super) fn output_schema(schema: &Value) -> Result<(), Refusal> {
    if text(schema, "type") == "object" && schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Err(Refusal::invalid(
            "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
        ));
    }
    let properties = map(schema, "properties").into_iter().flatten().map(|(_, property)| property);
    properties.chain(schema.get("items")).try_for_each(output_schema)
}

pub(super) fn messages(body: &Value, model: &str) -> Result<(), Refusal> {
    let messages = match given(body, "messages") {
        None => return Err(Refusal::invalid("messages: Field required")),
        Some(Value::Array(messages)) if messages.is_empty() => {
            return Err(Refusal::invalid("messages: at least one message is required"));
        }
        Some(Value::Array(messages)) => messages,
        Some(_) => return Err(Refusal::invalid("messages: Input should be a valid list")),
    };
    let system = match given(body, "system") {
        Some(Value::Array(blocks)) => blocks.as_slice(),
        Some(Value::String(_)) | None => &[],
        Some(_) => return Err(Refusal::invalid("system: Input should be a valid string or list")),
    };
    for (index, one) in system.iter().enumerate() {
        block(one, &format!("system.{index}"), false)?;
        if text(one, "type") != "text" {
            return Err(Refusal::invalid(format!("system.{index}.type: Input should be 'text'")));
        }
    }
    let last = messages.len() - 1;
    for (at, message) in messages.iter().enumerate() {
        let role = text(message, "role");
        if !matches!(role, "user" | "assistant") {
            return Err(Refusal::invalid(format!("messages.{at}.role: must be 'user' or 'assistant'")));
        }
        content(message, at, at == last && role == "assistant")?;
    }
    if messages.first().is_some_and(|first| text(first, "role") != "user") {
        return Err(Refusal::invalid("messages: first message must use the \"user\" role"));
    }
    let end = messages.last().filter(|last| text(last, "role") == "assistant");
    if end.is_some() && model.ends_with("-4-6") {
        return Err(Refusal::invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ));
    }
    if end.is_some_and(|end| last_text(end).ends_with(char::is_whitespace)) {
        return Err(Refusal::invalid(
            "messages: final assistant content cannot end with trailing whitespace",
        ));
    }
    let marked = |block: &&Value| given(block, "cache_control").is_some();
    let blocks = messages.iter().flat_map(|message| list(message, "content"));
    let marks = blocks.chain(system).chain(list(body, "tools")).filter(marked).count();
    if marks > MAX_CACHE_MARKERS {
        return Err(Refusal::invalid(format!(
            "A maximum of 4 blocks with cache_control may be provided. Found {marks}."
        )));
    }
    pairs(messages)
}

fn content(message: &Value, at: usize, may_be_empty: bool) -> Result<(), Refusal> {
    let empty = || {
        Err(Refusal::invalid(format!(
            "messages.{at}: all messages must have non-empty content except for the optional final assistant message"
        )))
    };
    match message.get("content") {
        Some(Value::String(said)) if said.is_empty() && !may_be_empty => empty(),
        Some(Value::String(said)) if !said.is_empty() && said.trim().is_empty() => {
            Err(Refusal::invalid("messages: text content blocks must contain non-whitespace text"))
        }
        Some(Value::String(_)) => Ok(()),
        Some(Value::Array(blocks)) if blocks.is_empty() && !may_be_empty => empty(),
        Some(Value::Array(blocks)) => {
            let user = text(message, "role") == "user";
            blocks
                .iter()
                .enumerate()
                .try_for_each(|(index, one)| block(one, &format!("messages.{at}.content.{index}"), user))
        }
        _ => Err(Refusal::invalid(format!("messages.{at}.content: Field required"))),
    }
}

fn block(block: &Value, path: &str, user: bool) -> Result<(), Refusal> {
    let kind = text(block, "type");
    if !BLOCKS.contains(&kind) {
        return Err(Refusal::invalid(format!(
            "{path}: Input tag '{kind}' does not match any of the expected tags"
        )));
    }
    let misplaced = match kind {
        "tool_result" | "image" => !user,
        "tool_use" | "thinking" | "redacted_thinking" => user,
        _ => false,
    };
    if misplaced {
        let role = if user { "user" } else { "assistant" };
        return Err(Refusal::invalid(format!(
            "{path}: `{kind}` blocks are not permitted in `{role}` messages"
        )));
    }
    match kind {
        "text" if text(block, "text").is_empty() => {
            Err(Refusal::invalid("messages: text content blocks must be non-empty"))
        }
        "text" if text(block, "text").trim().is_empty() => {
            Err(Refusal::invalid("messages: text content blocks must contain non-whitespace text"))
        }
        "image" => source(block, path, true),
        "document" => source(block, path, false),
        "tool_use" if !is_identifier(text(block, "id")) => Err(Refusal::invalid(format!(
            "{path}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
        ))),
        "tool_use" if !block.get("input").is_some_and(Value::is_object) => {
            Err(Refusal::invalid(format!("{path}.tool_use.input: Input should be a valid dictionary")))
        }
        "tool_result" => list(block, "content")
            .iter()
            .filter(|inner| text(inner, "type") == "image")
            .try_for_each(|inner| source(inner, path, true)),
        _ => Ok(()),
    }
}

fn source(block: &Value, path: &str, image: bool) -> Result<(), Refusal> {
    let Some(source) = given(block, "source") else {
        return Err(Refusal::invalid(format!("{path}.source: Field required")));
    };
    match text(source, "type") {
        "base64" => {
            let media_type = text(source, "media_type");
            let known =
                if image { MEDIA_TYPES.contains(&media_type) } else { media_type == "application/pdf" };
            if !known {
                return Err(Refusal::invalid(format!(
                    "{path}.source.base64.media_type: Input should be another"
                )));
            }
            use base64::Engine;
            let data = base64::engine::general_purpose::STANDARD.decode(text(source, "data"));
            match data.is_ok_and(|data| !data.is_empty()) {
                true => Ok(()),
                false => Err(Refusal::invalid(format!("{path}.source.base64: invalid base64 data"))),
            }
        }
        "url" if text(source, "url").starts_with("https://") => Ok(()),
        "url" => Err(Refusal::invalid(format!("{path}.source.url: Only HTTPS URLs are supported."))),
        "file" => Ok(()),
        "text" | "content" if !image => Ok(()),
        kind => Err(Refusal::invalid(format!(
            "{path}.source: Input tag '{kind}' is not one of the expected tags"
        ))),
    }
}

/// Every `tool_use` needs its `tool_result` in the next message, every result its use in the one before. Messages of one
/// role in a row are one.
fn pairs(messages: &[Value]) -> Result<(), Refusal> {
    let mut open: Vec<&str> = Vec::new();
    let mut turns = messages.chunk_by(|a, b| text(a, "role") == text(b, "role")).peekable();
    let mut at = 0;
    while let Some(turn) = turns.next() {
        let blocks: Vec<_> = turn.iter().flat_map(|message| list(message, "content")).collect();
        let ids = |kind: &str, field: &str| {
            let of_kind = blocks.iter().filter(|block| text(block, "type") == kind);
            of_kind.map(|block| text(block, field)).collect::<Vec<_>>()
        };
        let results = ids("tool_result", "tool_use_id");
        if let Some(id) = results.iter().find(|id| !open.contains(id)) {
            return Err(Refusal::invalid(format!(
                "messages.{at}.content: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each \
                 `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )));
        }
        let lonely: Vec<_> = open.iter().filter(|id| !results.contains(id)).copied().collect();
        if !lonely.is_empty() {
            return Err(Refusal::invalid(format!(
                "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {}.",
                at - 1,
                lonely.join(", ")
            )));
        }
        open = ids("tool_use", "id");
        if open.iter().enumerate().any(|(index, id)| open.iter().take(index).any(|other| other == id)) {
            return Err(Refusal::invalid("messages: `tool_use` ids must be unique"));
        }
        if turns.peek().is_none() && !open.is_empty() {
            return Err(Refusal::invalid(format!(
                "messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {}.",
                open.join(", ")
            )));
        }
        at += turn.len();
    }
    Ok(())
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}
