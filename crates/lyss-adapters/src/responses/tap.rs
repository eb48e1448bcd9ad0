//! Watching a stream of responses pass: usage, content, the end marker, an error.

use lyss_domain::FaultKind;
use memchr::{memchr2, memmem};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{fault, usage};
use crate::Fault;
use crate::dialect::Tapped;
use crate::tap::{Look, data_of};

/// What is read of a stream of events. Nothing is ever taken out.
pub(super) struct EventLook;

impl Look for EventLook {
    fn look(&mut self, event: &[u8], seen: &mut Tapped) -> bool {
        let Some(data) = data_of(event) else { return false };
        seen.started = true;
        match kind_of(event, data) {
            Some(Kind::Delta) => {
                seen.events += 1;
                seen.generated_bytes += delta_bytes(data);
                seen.content = true;
            }
            Some(Kind::Content) => seen.content = true,
            Some(Kind::Ended) => {
                seen.usage = usage::of_event(data).or(seen.usage);
                seen.ended = true;
            }
            Some(Kind::Failed) => {
                seen.usage = usage::of_event(data).or(seen.usage);
                seen.fault = Some(failure(data));
            }
            Some(Kind::Error) => seen.fault = Some(fault::of_event(data)),
            None => {}
        }
        false
    }

    /// The last event repeats the answer, so an image in it makes it long; usage stands near its end.
    fn look_long(&mut self, head: &[u8], tail: &[u8], seen: &mut Tapped) {
        seen.started = true;
        match data_of(head).and_then(|data| kind_of(head, data)) {
            Some(Kind::Ended) => {
                seen.usage = usage::in_tail(tail).or(seen.usage);
                seen.ended = true;
            }
            Some(Kind::Delta | Kind::Content) => seen.content = true,
            Some(Kind::Failed | Kind::Error) => {
                seen.fault = Some(Fault::new(FaultKind::VendorError, "The upstream failed."));
            }
            None => {}
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A piece of what a reader sees.
    Delta,
    /// Something a reader sees, without a piece of text.
    Content,
    Ended,
    Failed,
    Error,
}

/// By the event's name, which nearly always is its first line; else by the type in its data.
fn kind_of(event: &[u8], data: &[u8]) -> Option<Kind> {
    let name = match event.strip_prefix(b"event:") {
        Some(rest) => {
            let end = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            rest.get(..end)?.trim_ascii()
        }
        None => type_of(data)?,
    };
    let what = match name {
        b"error" => return Some(Kind::Error),
        name => name.strip_prefix(b"response.")?,
    };
    match what {
        b"completed" | b"incomplete" => Some(Kind::Ended),
        b"failed" => Some(Kind::Failed),
        b"output_item.done" | b"output_text.annotation.added" => Some(Kind::Content),
        b"output_text.delta"
        | b"refusal.delta"
        | b"reasoning_summary_text.delta"
        | b"reasoning_text.delta"
        | b"function_call_arguments.delta"
        | b"custom_tool_call_input.delta" => Some(Kind::Delta),
        _ => None,
    }
}

/// `type` of an event without a name. Items and parts inside it have types of their own, but none like an event's.
fn type_of(data: &[u8]) -> Option<&[u8]> {
    const KEY: &[u8] = b"\"type\"";
    let mut rest = data;
    while let Some(at) = memmem::find(rest, KEY) {
        rest = rest.get(at + KEY.len()..)?;
        let value = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let Some(word) = value.strip_prefix(b"\"") else { continue };
        let word = word.get(..string_length(word))?;
        if word.starts_with(b"response.") || word == b"error" {
            return Some(word);
        }
    }
    None
}

/// Bytes of the string at `delta`. Inside a string every quote is escaped, so text cannot be mistaken for the key.
fn delta_bytes(data: &[u8]) -> u64 {
    const KEY: &[u8] = b"\"delta\"";
    let value = memmem::find(data, KEY).and_then(|at| data.get(at + KEY.len()..));
    let text = value
        .and_then(|value| value.trim_ascii_start().strip_prefix(b":"))
        .and_then(|value| value.trim_ascii_start().strip_prefix(b"\""));
    text.map_or(0, |text| string_length(text) as u64)
}

/// Bytes up to the closing quote.
fn string_length(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
        at += found;
        if text.get(at) == Some(&b'"') {
            return at;
        }
        at += 2;
    }
    text.len()
}

fn failure(data: &[u8]) -> Fault {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        response: Option<Response<'a>>,
    }
    #[derive(Deserialize)]
    struct Response<'a> {
        #[serde(borrow)]
        error: Option<&'a RawValue>,
    }
    match serde_json::from_slice::<Event<'_>>(data) {
        Ok(event) => fault::of_failed(event.response.and_then(|response| response.error)),
        Err(_) => Fault::new(FaultKind::VendorError, "The upstream failed."),
    }
}

#[cfg(test)]
mod tests;
