//! Reading a message request, as in the API reference ("Create a Message").

mod blocks;
mod sources;
mod tools;
mod typed;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use self::blocks::Blocks;
use crate::Fault;
use crate::conversation::{
    CacheLifetime, ChatCall, Effort, Origin, OutputFormat, Part, Role, Thinking, ThinkingMode, Turn,
};
use crate::fields::{Fields, Lost, wrong};
use crate::scan::Ask;

/// Fields that say nothing when they hold their default.
const DEFAULTS: [(&str, &str); 5] = [
    ("metadata", "{}"),
    ("mcp_servers", "[]"),
    ("betas", "[]"),
    ("speed", r#""standard""#),
    ("context_management", "{}"),
];

const TEXT: &str = "a string";
const COUNT: &str = "a whole number, not negative";
const NUMBER: &str = "a number";
const FLAG: &str = "true or false";
const LIST: &str = "a list";
const OBJECT: &str = "an object";

pub(super) fn parse(ask: &Ask) -> Result<ChatCall, Fault> {
    let text =
        std::str::from_utf8(&ask.body).map_err(|_| Fault::bad_request("The body is not UTF-8.", None))?;
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Fault::bad_request(format!("The body is not valid JSON (line {line}, column {column})."), None)
    })?;
    if !raw.get().starts_with('{') {
        return Err(Fault::bad_request("The body must be a JSON object.", None));
    }
    let mut top = Fields::open(raw, "")?;
    let mut lost = Lost::default();
    let mut turns = instructions(&mut top, &mut lost)?;
    messages(&mut top, &mut turns, &mut lost)?;
    let (tools, server_tools) = tools::tools(&mut top, &mut lost)?;
    let (tool_choice, parallel_tools) = tools::choice(&mut top, &mut lost)?;
    let (thinking, format) = thinking_and_format(&mut top, &mut lost)?;
    refuse_servers(&mut top)?;
    if let Some(lifetime) = cache_control(&mut top, &mut lost)?
        && let Some(last) = turns.last_mut()
    {
        // It marks the last block there is.
        last.parts.push(Part::CachePoint(lifetime));
    }
    let mut call = ChatCall {
        model: ask.model.clone(),
        turns,
        tools,
        server_tools,
        tool_choice,
        parallel_tools,
        max_output_tokens: top.take("max_tokens", COUNT)?,
        temperature: top.take("temperature", NUMBER)?,
        top_p: top.take("top_p", NUMBER)?,
        top_k: top.take("top_k", COUNT)?,
        stop: top.take("stop_sequences", "a list of strings")?.unwrap_or_default(),
        format,
        thinking,
        service_tier: service_tier(&mut top)?,
        stream: ask.stream,
        include_usage: true,
        user: user(&mut top, &mut lost)?,
        ..ChatCall::default()
    };
    top.raw("model");
    top.raw("stream");
    top.leave(&DEFAULTS, &mut lost);
    call.unmapped = lost.into_paths();
    Ok(call)
}

fn instructions(top: &mut Fields<'_>, lost: &mut Lost) -> Result<Vec<Turn>, Fault> {
    let Some(raw) = top.raw("system") else { return Ok(Vec::new()) };
    let mut blocks = Blocks::new(lost);
    let parts = blocks.texts(raw, "system")?;
    Ok(vec![Turn { role: Role::System, parts, origin: Origin::Instructions }])
}

fn messages(top: &mut Fields<'_>, turns: &mut Vec<Turn>, lost: &mut Lost) -> Result<(), Fault> {
    let list: Vec<&RawValue> = top.require("messages", LIST)?;
    if list.is_empty() {
        return Err(wrong("messages", "a list with at least one message"));
    }
    for (at, raw) in list.into_iter().enumerate() {
        let mut message = Fields::open(raw, format!("messages[{at}]"))?;
        let role: String = message.require("role", TEXT)?;
        let content: &RawValue = message.require("content", "a string or a list of content blocks")?;
        let path = message.path_of("content");
        let mut blocks = Blocks::new(lost);
        match role.as_str() {
            "user" => split(blocks.user(content, &path)?, at, turns),
            "assistant" => turns.push(Turn::new(Role::Assistant, blocks.assistant(content, &path)?, at)),
            // Newer models take instructions between the turns.
            "system" => turns.push(Turn::new(Role::System, blocks.texts(content, &path)?, at)),
            _ => return Err(wrong(&message.path_of("role"), "`user`, `assistant` or `system`")),
        }
        message.leave(&[], lost);
    }
    Ok(())
}

/// Results of tools stand in turns of their own, whatever stands around them; a cache point stays with its part.
fn split(parts: Vec<Part>, at: usize, turns: &mut Vec<Turn>) {
    let mut open: Option<Turn> = None;
    for part in parts {
        let role = match &part {
            Part::ToolResult { .. } => Role::Tool,
            Part::CachePoint(_) => open.as_ref().map_or(Role::User, |turn| turn.role),
            _ => Role::User,
        };
        match &mut open {
            Some(turn) if turn.role == role => turn.parts.push(part),
            _ => turns.extend(open.replace(Turn::new(role, vec![part], at))),
        }
    }
    turns.push(open.unwrap_or_else(|| Turn::new(Role::User, Vec::new(), at)));
}

/// `cache_control` of a block, a tool or the whole request.
fn cache_control(fields: &mut Fields<'_>, lost: &mut Lost) -> Result<Option<CacheLifetime>, Fault> {
    let path = fields.path_of("cache_control");
    let Some(raw) = fields.raw("cache_control") else { return Ok(None) };
    let mut control = Fields::open(raw, path)?;
    let kind: String = control.require("type", TEXT)?;
    if kind != "ephemeral" {
        return Err(wrong(&control.path_of("type"), "`ephemeral`"));
    }
    let lifetime = match control.take::<String>("ttl", TEXT)?.as_deref() {
        None | Some("5m") => CacheLifetime::Short,
        Some("1h") => CacheLifetime::Long,
        Some(_) => return Err(wrong(&control.path_of("ttl"), "`5m` or `1h`")),
    };
    control.leave(&[], lost);
    Ok(Some(lifetime))
}

/// `thinking`, `output_config`, and `output_format` under which the format was asked for in the beta.
fn thinking_and_format(
    top: &mut Fields<'_>,
    lost: &mut Lost,
) -> Result<(Option<Thinking>, Option<OutputFormat>), Fault> {
    let mut thinking = match top.raw("thinking") {
        None => None,
        Some(raw) => Some(self::thinking(Fields::open(raw, "thinking")?, lost)?),
    };
    let mut format = match top.raw("output_format") {
        None => None,
        Some(raw) => Some(self::format(Fields::open(raw, "output_format")?, lost)?),
    };
    if let Some(raw) = top.raw("output_config") {
        let mut config = Fields::open(raw, "output_config")?;
        if let Some(word) = config.take::<String>("effort", TEXT)? {
            const EXPECTED: &str = "`low`, `medium`, `high`, `xhigh` or `max`";
            let effort = Effort::from_word(&word).filter(|effort| *effort >= Effort::Low);
            let effort = effort.ok_or_else(|| wrong("output_config.effort", EXPECTED))?;
            thinking.get_or_insert_default().effort = Some(effort);
        }
        if let Some(raw) = config.raw("format") {
            format = Some(self::format(Fields::open(raw, "output_config.format")?, lost)?);
        }
        config.leave(&[], lost);
    }
    Ok((thinking, format))
}

fn thinking(mut fields: Fields<'_>, lost: &mut Lost) -> Result<Thinking, Fault> {
    let kind: String = fields.require("type", TEXT)?;
    let mut thinking = match kind.as_str() {
        "enabled" => Thinking {
            mode: ThinkingMode::On,
            budget: Some(fields.require("budget_tokens", COUNT)?),
            ..Thinking::default()
        },
        "adaptive" => Thinking { mode: ThinkingMode::Adaptive, ..Thinking::default() },
        "disabled" | "between_tools" => Thinking::OFF,
        _ => {
            let expected = "`enabled`, `adaptive`, `disabled` or `between_tools`";
            return Err(wrong(&fields.path_of("type"), expected));
        }
    };
    thinking.show = match fields.take::<String>("display", TEXT)?.as_deref() {
        None => None,
        Some("omitted") => Some(false),
        Some("summarized") => Some(true),
        Some(_) => {
            lost.note(&fields.path_of("display"));
            Some(true)
        }
    };
    fields.leave(&[], lost);
    Ok(thinking)
}

fn format(mut fields: Fields<'_>, lost: &mut Lost) -> Result<OutputFormat, Fault> {
    let kind: String = fields.require("type", TEXT)?;
    if kind != "json_schema" {
        return Err(wrong(&fields.path_of("type"), "`json_schema`"));
    }
    let schema: &RawValue = fields.require("schema", "a JSON schema object")?;
    if !schema.get().starts_with('{') {
        return Err(wrong(&fields.path_of("schema"), "a JSON schema object"));
    }
    fields.leave(&[], lost);
    // The vendor always holds to the schema; elsewhere only one without optional fields may be asked for as strictly.
    let is_strict = serde_json::from_str(schema.get()).is_ok_and(|value: Value| all_required(&value));
    Ok(OutputFormat::JsonSchema {
        name: None,
        description: None,
        schema: schema.to_owned(),
        strict: is_strict.then_some(true),
    })
}

/// Every object is closed and asks for all of its fields.
fn all_required(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            let closed = match fields.get("properties") {
                Some(Value::Object(properties)) => {
                    let required = fields.get("required").and_then(Value::as_array);
                    fields.get("additionalProperties") == Some(&Value::Bool(false))
                        && properties.keys().all(|name| {
                            required.is_some_and(|list| list.iter().any(|item| item.as_str() == Some(name)))
                        })
                }
                _ => true,
            };
            closed && fields.values().all(all_required)
        }
        Value::Array(items) => items.iter().all(all_required),
        _ => true,
    }
}

/// In OpenAI's words.
fn service_tier(top: &mut Fields<'_>) -> Result<Option<String>, Fault> {
    match top.take::<String>("service_tier", TEXT)?.as_deref() {
        None => Ok(None),
        Some("auto") => Ok(Some("auto".to_owned())),
        Some("standard_only") => Ok(Some("default".to_owned())),
        Some(_) => Err(wrong("service_tier", "`auto` or `standard_only`")),
    }
}

fn user(top: &mut Fields<'_>, lost: &mut Lost) -> Result<Option<String>, Fault> {
    let Some(raw) = top.raw("metadata") else { return Ok(None) };
    let mut metadata = Fields::open(raw, "metadata")?;
    let user = metadata.take("user_id", TEXT)?;
    metadata.leave(&[], lost);
    Ok(user)
}

/// The model would lack tools that the caller counts on.
fn refuse_servers(top: &mut Fields<'_>) -> Result<(), Fault> {
    let servers: Vec<&RawValue> = top.take("mcp_servers", LIST)?.unwrap_or_default();
    if servers.is_empty() {
        return Ok(());
    }
    let message =
        "`mcp_servers`: MCP servers cannot be reached by this model's vendor; offer their tools as your own.";
    Err(Fault::bad_request(message, Some("mcp_servers")))
}

fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue, path: &str, expected: &str) -> Result<T, Fault> {
    serde_json::from_str(raw.get()).map_err(|_| wrong(path, expected))
}

#[cfg(test)]
mod tests;
