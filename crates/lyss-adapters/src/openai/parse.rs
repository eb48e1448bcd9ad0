//! Reading a chat completion request, as in the API reference ("Create chat completion").

use serde_json::value::RawValue;

use crate::Fault;
use crate::conversation::{ChatCall, Part, Reasoning, Role, Tool, ToolChoice, ToolKind, Turn};
use crate::fields::{Fields, Lost, wrong};
use crate::scan::Ask;

/// Fields that say nothing when they hold their default.
const DEFAULTS: [(&str, &str); 10] = [
    ("n", "1"),
    ("logprobs", "false"),
    ("store", "false"),
    ("presence_penalty", "0"),
    ("presence_penalty", "0.0"),
    ("frequency_penalty", "0"),
    ("frequency_penalty", "0.0"),
    ("logit_bias", "{}"),
    ("metadata", "{}"),
    ("response_format", r#"{"type":"text"}"#),
];

const TEXT: &str = "a string";
const COUNT: &str = "a whole number, not negative";
const NUMBER: &str = "a number";
const FLAG: &str = "true or false";
const LIST: &str = "a list";

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
    refuse_legacy(&mut top, "functions", "tools")?;
    refuse_legacy(&mut top, "function_call", "tool_choice")?;
    let mut call = ChatCall {
        model: ask.model.clone(),
        turns: turns(&mut top, &mut lost)?,
        tools: tools(&mut top, &mut lost)?,
        tool_choice: None,
        parallel_tools: top.take("parallel_tool_calls", FLAG)?,
        max_output_tokens: max_output_tokens(&mut top)?,
        temperature: top.take("temperature", NUMBER)?,
        top_p: top.take("top_p", NUMBER)?,
        // Not OpenAI's, but sent by callers who know what stands behind the gateway.
        top_k: top.take("top_k", COUNT)?,
        stop: stop(&mut top)?,
        stream: ask.stream,
        include_usage: include_usage(&mut top, &mut lost)?,
        user: top.take("user", TEXT)?,
        ..ChatCall::default()
    };
    top.raw("model");
    top.raw("stream");
    call.tool_choice = tool_choice(&mut top, &mut call.tools)?;
    top.leave(&DEFAULTS, &mut lost);
    call.unmapped = lost.into_paths();
    Ok(call)
}

fn refuse_legacy(fields: &mut Fields<'_>, name: &str, instead: &str) -> Result<(), Fault> {
    match fields.raw(name) {
        None => Ok(()),
        Some(_) => {
            let path = fields.path_of(name);
            let message =
                format!("`{path}` is deprecated and cannot be sent to this model's vendor; use `{instead}`.");
            Err(Fault::bad_request(message, Some(&path)))
        }
    }
}

fn max_output_tokens(top: &mut Fields<'_>) -> Result<Option<u64>, Fault> {
    let legacy = top.take("max_tokens", COUNT)?;
    Ok(top.take("max_completion_tokens", COUNT)?.or(legacy))
}

fn stop(top: &mut Fields<'_>) -> Result<Vec<String>, Fault> {
    const EXPECTED: &str = "a string or a list of strings";
    match top.raw("stop") {
        None => Ok(Vec::new()),
        Some(raw) if raw.get().starts_with('"') => read(raw, "stop", EXPECTED).map(|one| vec![one]),
        Some(raw) => read(raw, "stop", EXPECTED),
    }
}

fn include_usage(top: &mut Fields<'_>, lost: &mut Lost) -> Result<bool, Fault> {
    let Some(raw) = top.raw("stream_options") else { return Ok(false) };
    let mut options = Fields::open(raw, "stream_options")?;
    let include = options.take("include_usage", FLAG)?.unwrap_or(false);
    options.leave(&[("include_obfuscation", "false")], lost);
    Ok(include)
}

fn turns(top: &mut Fields<'_>, lost: &mut Lost) -> Result<Vec<Turn>, Fault> {
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
    let turn = match name.as_str() {
        "system" | "developer" => Turn::new(Role::System, content(&mut message, lost)?, at),
        "user" => Turn::new(Role::User, content(&mut message, lost)?, at),
        "assistant" => Turn::new(Role::Assistant, assistant_parts(&mut message, lost)?, at),
        "tool" => {
            let id = message.require("tool_call_id", TEXT)?;
            let parts = content(&mut message, lost)?;
            Turn::new(Role::Tool, vec![Part::ToolResult { id, name: None, parts, is_error: false }], at)
        }
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
    message.leave(&[], lost);
    Ok(turn)
}

fn assistant_parts(message: &mut Fields<'_>, lost: &mut Lost) -> Result<Vec<Part>, Fault> {
    refuse_legacy(message, "function_call", "tool_calls")?;
    let mut parts = Vec::new();
    if let Some(text) = message.take("reasoning_content", TEXT)? {
        parts.push(Part::Reasoning(Reasoning { text, seal: None }));
    }
    parts.append(&mut content(message, lost)?);
    if let Some(text) = message.take("refusal", TEXT)? {
        parts.push(Part::Refusal(text));
    }
    let calls: Vec<&RawValue> = message.take("tool_calls", LIST)?.unwrap_or_default();
    for (at, raw) in calls.into_iter().enumerate() {
        let path = message.path_of(&format!("tool_calls[{at}]"));
        parts.push(tool_call(Fields::open(raw, path)?, lost)?);
    }
    Ok(parts)
}

fn tool_call(mut call: Fields<'_>, lost: &mut Lost) -> Result<Part, Fault> {
    only_function(&mut call)?;
    let id = call.require("id", TEXT)?;
    let mut function = open_function(&mut call)?;
    let name = function.require("name", TEXT)?;
    let arguments = function.take("arguments", TEXT)?.unwrap_or_default();
    function.leave(&[], lost);
    call.leave(&[], lost);
    Ok(Part::ToolCall { id, name, arguments, custom: false })
}

/// `content`: a string, null, or a list of parts.
fn content(message: &mut Fields<'_>, lost: &mut Lost) -> Result<Vec<Part>, Fault> {
    let path = message.path_of("content");
    let Some(raw) = message.raw("content") else { return Ok(Vec::new()) };
    if raw.get().starts_with('"') {
        return Ok(vec![Part::Text(read(raw, &path, TEXT)?)]);
    }
    let list: Vec<&RawValue> = read(raw, &path, "a string or a list of content parts")?;
    let mut parts = Vec::with_capacity(list.len());
    for (at, raw) in list.into_iter().enumerate() {
        parts.push(content_part(Fields::open(raw, format!("{path}[{at}]"))?, lost)?);
    }
    Ok(parts)
}

fn content_part(mut part: Fields<'_>, lost: &mut Lost) -> Result<Part, Fault> {
    let kind: String = part.require("type", TEXT)?;
    let read = match kind.as_str() {
        "text" => Part::Text(part.require("text", TEXT)?),
        "refusal" => Part::Refusal(part.require("refusal", TEXT)?),
        "image_url" | "input_audio" | "file" => {
            let what = match kind.as_str() {
                "image_url" => "images",
                "input_audio" => "audio",
                _ => "files",
            };
            let path = part.path_of("type");
            let message = format!("This model's vendor cannot take {what} through this service yet.");
            return Err(Fault::bad_request(message, Some(&path)));
        }
        _ => return Err(wrong(&part.path_of("type"), "a known kind of content part")),
    };
    part.leave(&[], lost);
    Ok(read)
}

fn tools(top: &mut Fields<'_>, lost: &mut Lost) -> Result<Vec<Tool>, Fault> {
    let list: Vec<&RawValue> = top.take("tools", LIST)?.unwrap_or_default();
    let mut tools = Vec::with_capacity(list.len());
    for (at, raw) in list.into_iter().enumerate() {
        tools.push(tool(at, Fields::open(raw, format!("tools[{at}]"))?, lost)?);
    }
    Ok(tools)
}

fn tool(origin: usize, mut tool: Fields<'_>, lost: &mut Lost) -> Result<Tool, Fault> {
    only_function(&mut tool)?;
    let mut function = open_function(&mut tool)?;
    let name = function.require("name", TEXT)?;
    let description = function.take("description", TEXT)?;
    let strict = function.take("strict", FLAG)?;
    let parameters = match function.raw("parameters") {
        Some(raw) if !raw.get().starts_with('{') => {
            return Err(wrong(&function.path_of("parameters"), "a JSON schema object"));
        }
        schema => schema.map(ToOwned::to_owned),
    };
    function.leave(&[], lost);
    tool.leave(&[], lost);
    Ok(Tool { name, description, kind: ToolKind::Function { parameters }, strict, cache: None, origin })
}

/// A name, a named function, or a list of allowed tools; the last one also narrows `tools`, which is what it means.
fn tool_choice(top: &mut Fields<'_>, tools: &mut Vec<Tool>) -> Result<Option<ToolChoice>, Fault> {
    const EXPECTED: &str = "`none`, `auto`, `required` or an object naming a function";
    let Some(raw) = top.raw("tool_choice") else { return Ok(None) };
    if raw.get().starts_with('"') {
        return mode(&read::<String>(raw, "tool_choice", EXPECTED)?, "tool_choice").map(Some);
    }
    let mut choice = Fields::open(raw, "tool_choice").map_err(|_| wrong("tool_choice", EXPECTED))?;
    let kind: String = choice.require("type", TEXT)?;
    match kind.as_str() {
        "function" => Ok(Some(ToolChoice::Named(open_function(&mut choice)?.require("name", TEXT)?))),
        "allowed_tools" => {
            let raw: &RawValue = choice.require("allowed_tools", "an object")?;
            let mut allowed = Fields::open(raw, "tool_choice.allowed_tools")?;
            let chosen = mode(&allowed.require::<String>("mode", TEXT)?, "tool_choice.allowed_tools.mode")?;
            let names = allowed_names(allowed.require("tools", LIST)?)?;
            tools.retain(|tool| names.contains(&tool.name));
            Ok(Some(chosen))
        }
        _ => Err(wrong("tool_choice.type", "`function` or `allowed_tools`")),
    }
}

fn allowed_names(list: Vec<&RawValue>) -> Result<Vec<String>, Fault> {
    let mut names = Vec::with_capacity(list.len());
    for (at, raw) in list.into_iter().enumerate() {
        let mut tool = Fields::open(raw, format!("tool_choice.allowed_tools.tools[{at}]"))?;
        names.push(open_function(&mut tool)?.require("name", TEXT)?);
    }
    Ok(names)
}

fn mode(text: &str, path: &str) -> Result<ToolChoice, Fault> {
    match text {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" => Ok(ToolChoice::Required),
        _ => Err(wrong(path, "`none`, `auto` or `required`")),
    }
}

/// Custom tools take free text, which no other vendor knows.
fn only_function(fields: &mut Fields<'_>) -> Result<(), Fault> {
    match fields.take::<String>("type", TEXT)?.as_deref() {
        None | Some("function") => Ok(()),
        Some(_) => Err(wrong(&fields.path_of("type"), "`function`: this model's vendor knows no other kind")),
    }
}

fn open_function<'a>(fields: &mut Fields<'a>) -> Result<Fields<'a>, Fault> {
    let raw: &RawValue = fields.require("function", "an object")?;
    Fields::open(raw, fields.path_of("function"))
}

fn read<'a, T: serde::Deserialize<'a>>(raw: &'a RawValue, path: &str, expected: &str) -> Result<T, Fault> {
    serde_json::from_str(raw.get()).map_err(|_| wrong(path, expected))
}

#[cfg(test)]
mod tests;
