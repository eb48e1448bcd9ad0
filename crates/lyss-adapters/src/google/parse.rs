//! Reading a request, as in the API reference ("Generating content"). Names are read in `camelCase` and in
//! `snake_case`, and a lone object where a list of objects is due, as the vendor does.

mod contents;
mod settings;
mod tools;

use serde_json::value::RawValue;

use crate::Fault;
use crate::conversation::ChatCall;
use crate::fields::{Fields, Lost, wrong};
use crate::scan::Ask;

const TEXT: &str = "a string";
const COUNT: &str = "a whole number, not negative";
const NUMBER: &str = "a number";
const FLAG: &str = "true or false";
const LIST: &str = "a list";

/// Fields that say nothing when they hold their default.
const DEFAULTS: [(&str, &str); 4] =
    [("safetySettings", "[]"), ("labels", "{}"), ("store", "false"), ("tools", "[]")];

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
    let mut top = Fields::open_camel(raw, "")?;
    let mut lost = Lost::default();
    let mut call =
        ChatCall { model: ask.model.clone(), stream: ask.stream, include_usage: true, ..ChatCall::default() };
    if top.raw("cachedContent").is_some() {
        let text =
            "`cachedContent` names a prompt that is kept at Google, so another vendor cannot be sent it.";
        return Err(Fault::bad_request(text, Some("cachedContent")));
    }
    call.turns = contents::turns(&mut top, &mut lost)?;
    tools::read(&mut top, &mut call, &mut lost)?;
    settings::read(&mut top, &mut call, &mut lost)?;
    call.service_tier = top.take::<String>("serviceTier", TEXT)?.and_then(|word| service_tier(&word));
    call.passengers.store = top.take("store", FLAG)?;
    top.raw("model");
    top.leave(&DEFAULTS, &mut lost);
    call.unmapped = lost.into_paths();
    Ok(call)
}

/// In OpenAI's words.
fn service_tier(word: &str) -> Option<String> {
    let word = word.to_ascii_lowercase();
    let word = word.strip_prefix("service_tier_").unwrap_or(&word);
    match word {
        "unspecified" => None,
        "standard" => Some("default".to_owned()),
        word => Some(word.to_owned()),
    }
}

/// A list, or the one object that stands for a list of it.
fn list<'a>(fields: &mut Fields<'a>, name: &str) -> Result<Option<Vec<&'a RawValue>>, Fault> {
    let Some(raw) = fields.raw(name) else { return Ok(None) };
    if raw.get().starts_with('{') {
        return Ok(Some(vec![raw]));
    }
    serde_json::from_str(raw.get()).map(Some).map_err(|_| wrong(&fields.path_of(name), LIST))
}

/// A 64-bit number, which protobuf's JSON allows in quotes.
fn whole<'a>(fields: &mut Fields<'a>, name: &str) -> Result<Option<i64>, Fault> {
    const EXPECTED: &str = "a whole number";
    let Some(raw) = fields.raw(name) else { return Ok(None) };
    let text = raw.get().trim_matches('"');
    let number = text.parse::<i64>().ok().or_else(|| {
        // `1.0` is a whole number too.
        let number: f64 = text.parse().ok()?;
        #[expect(clippy::cast_possible_truncation, reason = "whole and within range, as is checked")]
        (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
    });
    number.map(Some).ok_or_else(|| wrong(&fields.path_of(name), EXPECTED))
}

fn count<'a>(fields: &mut Fields<'a>, name: &str) -> Result<Option<u64>, Fault> {
    match whole(fields, name)? {
        None => Ok(None),
        Some(number) => u64::try_from(number).map(Some).map_err(|_| wrong(&fields.path_of(name), COUNT)),
    }
}

#[cfg(test)]
mod tests;
