//! Each dialect's grammar of streams, as its reference says it and not as our renderers write it: a stream that has
//! begun may stop anywhere, but what stands there must stand rightly.

mod anthropic;
mod chat;
mod google;
mod responses;

use lyss_adapters::{Dialect, Framing};
use serde_json::Value;

use super::fixtures::frames;

/// One event of a rendered stream.
pub(super) struct Said {
    event: Option<String>,
    /// `[DONE]` as the string it is.
    data: Value,
}

/// What breaks the grammar of its dialect in a rendered stream.
pub(super) fn check(dialect: Dialect, framing: Framing, rendered: &[u8]) -> Check {
    match (dialect, framing) {
        (Dialect::GoogleGenerate, Framing::Array) => google::check_array(rendered),
        (Dialect::OpenAiChat, _) => chat::check(&events(rendered)),
        (Dialect::OpenAiResponses, _) => responses::check(&events(rendered)),
        (Dialect::AnthropicMessages, _) => anthropic::check(&events(rendered)),
        (Dialect::GoogleGenerate, _) => google::check(&events(rendered)),
    }
}

#[track_caller]
pub(super) fn assert_grammar(dialect: Dialect, framing: Framing, rendered: &[u8]) {
    if let Err(what) = check(dialect, framing, rendered) {
        panic!("{}: {what}\n{}", dialect.as_str(), String::from_utf8_lossy(rendered));
    }
}

/// Fails where the calls of a chat stream are not counted 0, 1, 2 …
#[track_caller]
pub(super) fn assert_counted(dialect: Dialect, rendered: &[u8]) {
    if dialect == Dialect::OpenAiChat {
        chat::check_numbers(&events(rendered)).unwrap();
    }
}

/// Whether the stream ends as a success does.
pub(super) fn is_success(dialect: Dialect, rendered: &[u8]) -> bool {
    let events = events(rendered);
    let last = events.last();
    match dialect {
        Dialect::OpenAiChat => last.is_some_and(|last| last.data == "[DONE]"),
        Dialect::OpenAiResponses => last.is_some_and(|last| {
            ["response.completed", "response.incomplete"].iter().any(|kind| last.data["type"] == *kind)
        }),
        Dialect::AnthropicMessages => last.is_some_and(|last| last.data["type"] == "message_stop"),
        // The orderly end of the bytes behind a finish reason is all there is.
        Dialect::GoogleGenerate => false,
    }
}

fn events(rendered: &[u8]) -> Vec<Said> {
    let value = |data: &[u8]| match data {
        b"[DONE]" => Value::from("[DONE]"),
        json => {
            serde_json::from_slice(json).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(json)))
        }
    };
    frames([rendered])
        .into_iter()
        .map(|frame| Said { data: value(&frame.data), event: frame.event })
        .collect()
}

pub(super) type Check = Result<(), String>;

fn require(holds: bool, what: impl Into<String>) -> Check {
    if holds { Ok(()) } else { Err(what.into()) }
}
