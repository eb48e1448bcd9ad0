//! Watching a stream of messages pass: usage, content, the end marker, an error.

use std::borrow::Cow;

use lyss_domain::TokenUsage;
use memchr::{memchr2, memmem};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::fault;
use super::usage::Usage;
use crate::dialect::Tapped;
use crate::tap::{Look, data_of};

/// What is read of a stream of messages. Deltas, which are nearly all of it, are not parsed.
#[derive(Default)]
pub(super) struct EventLook {
    usage: Usage,
}

#[derive(Deserialize)]
struct WithUsage<'a> {
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    /// Of a message whose beginning holds blocks already.
    #[serde(borrow)]
    content: Option<Vec<&'a RawValue>>,
}

/// Usage of a whole answer. A tool's input may hold a field of that name, so it is read where it stands.
pub(super) fn usage_of_reply(body: &[u8]) -> Option<TokenUsage> {
    let whole: WithUsage<'_> = serde_json::from_slice(body).ok()?;
    Usage::read(whole.usage).map(Usage::to_tokens)
}

impl Look for EventLook {
    fn look(&mut self, event: &[u8], seen: &mut Tapped) -> bool {
        let Some(data) = data_of(event) else { return false };
        let Some(name) = name_of(event, data) else { return false };
        seen.started = true;
        match name.as_ref() {
            "content_block_delta" => {
                seen.content = true;
                if let Some(bytes) = generated_bytes(data) {
                    seen.events += 1;
                    seen.generated_bytes += bytes;
                }
            }
            "content_block_start" => seen.content = true,
            "message_start" | "message_delta" => self.count(data, seen),
            "message_stop" => seen.ended = true,
            "error" => seen.fault = Some(fault::read_event(data)),
            _ => {}
        }
        false
    }
}

impl EventLook {
    fn count(&mut self, data: &[u8], seen: &mut Tapped) {
        let Ok(event) = serde_json::from_slice::<WithUsage<'_>>(data) else { return };
        let inner =
            event.message.and_then(|message| serde_json::from_str::<WithUsage<'_>>(message.get()).ok());
        seen.content |=
            inner.as_ref().and_then(|inner| inner.content.as_ref()).is_some_and(|blocks| !blocks.is_empty());
        if let Some(later) = Usage::read(event.usage.or(inner.and_then(|inner| inner.usage))) {
            self.usage.replace(later);
            seen.usage = Some(self.usage.to_tokens());
        }
    }
}

/// The event's name: from its own line, which the vendor always writes, else from the data.
fn name_of<'a>(event: &'a [u8], data: &'a [u8]) -> Option<Cow<'a, str>> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        r#type: Cow<'a, str>,
    }
    let mut rest = event;
    while !rest.is_empty() {
        let end = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let line = rest.get(..end)?;
        if let Some(name) = line.strip_prefix(b"event:") {
            return std::str::from_utf8(name.trim_ascii()).ok().map(Cow::Borrowed);
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    serde_json::from_slice::<Named<'_>>(data).ok().map(|named| named.r#type)
}

/// Bytes of generated text in a delta; `None`: a signature, a citation or something new.
fn generated_bytes(data: &[u8]) -> Option<u64> {
    const KEYS: [(&[u8], &[u8]); 3] = [
        (b"\"text_delta\"", b"\"text\""),
        (b"\"thinking_delta\"", b"\"thinking\""),
        (b"\"input_json_delta\"", b"\"partial_json\""),
    ];
    let delta = data.get(memmem::find(data, b"\"delta\"")?..)?;
    let (_, key) = KEYS.iter().find(|(kind, _)| memmem::find(delta, kind).is_some())?;
    let value = delta.get(memmem::find(delta, key)? + key.len()..)?;
    let value = value.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let length = string_length(value);
    (length > 0).then_some(u64::try_from(length).unwrap_or(u64::MAX))
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

#[cfg(test)]
mod tests;
