//! Reading a request for a response, as in the API reference ("Create a model response").

mod content;
mod items;
mod settings;
mod tools;

use serde_json::value::RawValue;

use crate::Fault;
use crate::conversation::{ChatCall, Origin, Part, Role, Turn};
use crate::fields::{Fields, Lost, wrong};
use crate::scan::Ask;

/// Fields that say nothing when they hold their default.
const DEFAULTS: [(&str, &str); 5] = [
    ("background", "false"),
    ("truncation", r#""disabled""#),
    ("context_management", "[]"),
    ("stream_options", "{}"),
    ("moderation", "{}"),
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
    settings::refuse_kept_state(&mut top)?;
    let turns = turns(&mut top, &mut lost)?;
    let tools = tools::tools(&mut top, &mut lost)?;
    let mut call = ChatCall {
        model: ask.model.clone(),
        turns,
        tools: tools.functions,
        server_tools: tools.server,
        parallel_tools: top.take("parallel_tool_calls", FLAG)?,
        max_output_tokens: top.take("max_output_tokens", COUNT)?,
        temperature: top.take("temperature", NUMBER)?,
        top_p: top.take("top_p", NUMBER)?,
        logprobs: settings::logprobs(&mut top, &mut lost)?,
        thinking: settings::thinking(&mut top, &mut lost)?,
        service_tier: top.take::<String>("service_tier", TEXT)?.filter(|tier| tier != "auto"),
        stream: ask.stream,
        include_usage: true,
        user: top.take("user", TEXT)?,
        passengers: settings::passengers(&mut top)?,
        ..ChatCall::default()
    };
    settings::text(&mut top, &mut call, &mut lost)?;
    settings::stream_options(&mut top, &mut lost)?;
    tools::limit(&mut top, &mut call.server_tools, &mut lost)?;
    call.tool_choice = tools::choice(&mut top, &mut call.tools, &mut call.server_tools, &mut lost)?;
    top.raw("model");
    top.raw("stream");
    top.leave(&DEFAULTS, &mut lost);
    call.unmapped = lost.into_paths();
    Ok(call)
}

/// `instructions` and `input`, a string or a list of items.
fn turns(top: &mut Fields<'_>, lost: &mut Lost) -> Result<Vec<Turn>, Fault> {
    const EXPECTED: &str = "a string or a list of items, not empty";
    let mut turns = Vec::new();
    if let Some(text) = top.take::<String>("instructions", TEXT)? {
        let parts = vec![Part::Text(text)];
        turns.push(Turn { role: Role::System, parts, origin: Origin::Instructions });
    }
    match top.raw("input") {
        None => return Err(wrong("input", EXPECTED)),
        Some(raw) if raw.get().starts_with('"') => {
            turns.push(Turn::new(Role::User, vec![Part::Text(read(raw, "input", EXPECTED)?)], 0));
        }
        Some(raw) => {
            let list: Vec<&RawValue> = read(raw, "input", EXPECTED)?;
            if list.is_empty() {
                return Err(wrong("input", EXPECTED));
            }
            items::read_items(list, &mut turns, lost)?;
        }
    }
    Ok(turns)
}

fn read<'a, T: serde::Deserialize<'a>>(raw: &'a RawValue, path: &str, expected: &str) -> Result<T, Fault> {
    serde_json::from_str(raw.get()).map_err(|_| wrong(path, expected))
}

#[cfg(test)]
mod tests;
