//! Reading a chat completion request, as in the API reference ("Create chat completion"), with what callers of
//! compatible vendors send beside it: cache markers and thinking as Anthropic names them, OpenRouter's `reasoning`.

mod messages;
mod settings;
mod tools;

use serde_json::value::RawValue;

use crate::Fault;
use crate::conversation::{ChatCall, Passengers, ServerTool, ServerToolKind};
use crate::fields::{Fields, Lost, wrong};
use crate::scan::Ask;

/// Fields that say nothing when they hold their default.
const DEFAULTS: [(&str, &str); 9] = [
    ("n", "1"),
    ("top_logprobs", "0"),
    ("logit_bias", "{}"),
    ("metadata", "{}"),
    ("modalities", r#"["text"]"#),
    ("safety_settings", "[]"),
    ("plugins", "[]"),
    // OpenRouter's way to ask for usage, which comes anyway.
    ("usage", r#"{"include":true}"#),
    ("usage", r#"{"include":false}"#),
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
    refuse_legacy(&mut top, "functions", "tools")?;
    refuse_legacy(&mut top, "function_call", "tool_choice")?;
    settings::refuse_spoken_answers(&mut top, &mut lost)?;
    let turns = messages::turns(&mut top, &mut lost)?;
    let (mut tools, mut server_tools) = tools::tools(&mut top, &mut lost)?;
    if let Some(search) = tools::web_search(&mut top, &mut lost)? {
        let origin = super::names::WEB_SEARCH_OPTIONS;
        server_tools.push(ServerTool { kind: ServerToolKind::WebSearch(search), origin });
    }
    let tool_choice = tools::choice(&mut top, &mut tools)?;
    let mut call = ChatCall {
        model: ask.model.clone(),
        turns,
        tools,
        server_tools,
        tool_choice,
        parallel_tools: top.take("parallel_tool_calls", FLAG)?,
        max_output_tokens: settings::max_output_tokens(&mut top)?,
        temperature: top.take("temperature", NUMBER)?,
        top_p: top.take("top_p", NUMBER)?,
        // Not OpenAI's, but sent by callers who know what stands behind the gateway.
        top_k: top.take("top_k", COUNT)?,
        presence_penalty: settings::penalty(&mut top, "presence_penalty")?,
        frequency_penalty: settings::penalty(&mut top, "frequency_penalty")?,
        seed: top.take("seed", "a whole number")?,
        stop: settings::stop(&mut top)?,
        candidates: top.take("n", COUNT)?.filter(|wanted| *wanted > 1),
        logprobs: settings::logprobs(&mut top)?,
        format: settings::format(&mut top, &mut lost)?,
        thinking: settings::thinking(&mut top, &mut lost)?,
        verbosity: top.take("verbosity", TEXT)?,
        service_tier: top.take("service_tier", TEXT)?,
        stream: ask.stream,
        include_usage: settings::include_usage(&mut top, &mut lost)?,
        user: top.take("user", TEXT)?,
        passengers: passengers(&mut top)?,
        unmapped: Vec::new(),
    };
    top.raw("model");
    top.raw("stream");
    top.leave(&DEFAULTS, &mut lost);
    call.unmapped = lost.into_paths();
    Ok(call)
}

fn passengers(top: &mut Fields<'_>) -> Result<Passengers, Fault> {
    let metadata = match top.raw("metadata") {
        Some(raw) if !raw.get().starts_with('{') => return Err(wrong("metadata", OBJECT)),
        raw => raw.filter(|raw| raw.get().len() > 2),
    };
    Ok(Passengers {
        store: top.take("store", FLAG)?,
        metadata: metadata.map(ToOwned::to_owned),
        prompt_cache_key: top.take("prompt_cache_key", TEXT)?,
        prompt_cache_retention: top.take("prompt_cache_retention", TEXT)?,
        safety_identifier: top.take("safety_identifier", TEXT)?,
    })
}

/// Its answers would have to be written in the deprecated form, too.
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

fn read<'a, T: serde::Deserialize<'a>>(raw: &'a RawValue, path: &str, expected: &str) -> Result<T, Fault> {
    serde_json::from_str(raw.get()).map_err(|_| wrong(path, expected))
}

#[cfg(test)]
mod tests;
