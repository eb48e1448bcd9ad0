//! Watching a chat stream pass: usage, content, the end marker, an error; and taking out a usage chunk that only we
//! asked for.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use lyss_domain::TokenUsage;
use memchr::{memchr2, memmem};

use super::usage;
use crate::Fault;
use crate::dialect::{Tap, Tapped};

/// Longest event that is looked into.
const MAX_EVENT_BYTES: usize = 1 << 20;

pub(super) struct StreamTap {
    hide_usage: bool,
    /// The unfinished event. Held back, so that whatever we add stands between two events.
    carry: BytesMut,
    /// The unfinished event is too long to look into; it passes unread.
    skipping: bool,
    seen: Tapped,
}

/// Usage of a whole answer: it stands behind the choices, so the last one is the answer's.
pub(super) fn usage_of_reply(body: &[u8]) -> Option<TokenUsage> {
    usage::find(body)
}

impl StreamTap {
    pub(super) fn new(hide_usage: bool) -> Self {
        Self { hide_usage, carry: BytesMut::new(), skipping: false, seen: Tapped::default() }
    }

    /// Looks into every complete event of `bytes`; answers where the unfinished rest begins and which ranges are
    /// usage chunks.
    fn watch(&mut self, bytes: &[u8]) -> (usize, Option<(usize, usize)>) {
        let mut from = 0;
        let mut hidden = None;
        while let Some(end) = event_end(bytes, from) {
            let event = bytes.get(from..end).unwrap_or_default();
            if self.look(event) && self.hide_usage {
                hidden = Some((from, end));
            }
            from = end;
        }
        (from, hidden)
    }

    /// Looks into one event; true for a chunk that holds usage and nothing else.
    fn look(&mut self, event: &[u8]) -> bool {
        let Some(data) = data_of(event) else { return false };
        self.seen.started = true;
        if data == b"[DONE]" {
            self.seen.ended = true;
            return false;
        }
        let generated = generated_bytes(data);
        if let Some(bytes) = generated {
            self.seen.events += 1;
            self.seen.generated_bytes += bytes;
            self.seen.content = true;
        }
        let mut only_usage = false;
        if memmem::find(data, b"\"usage\"").is_some()
            && let Some(usage) = usage::find(data)
        {
            self.seen.usage = Some(usage);
            only_usage = generated.is_none() && has_no_choices(data);
        }
        if let Some(at) = memmem::find(data, b"\"error\"") {
            let value = data.get(at + 7..).unwrap_or_default().trim_ascii_start();
            let value = value.strip_prefix(b":").unwrap_or_default().trim_ascii_start();
            if matches!(value.first(), Some(b'{' | b'"')) && memmem::find(data, b"\"choices\"").is_none() {
                self.seen.fault = Some(fault_in_stream(data));
            }
        }
        only_usage
    }

    /// Keeps the unfinished event until its end comes. One too long to look into goes on unread instead.
    fn keep(&mut self, rest: Bytes) -> Option<Bytes> {
        if rest.len() > MAX_EVENT_BYTES {
            self.skipping = true;
            return Some(rest);
        }
        if !rest.is_empty() {
            self.carry = BytesMut::from(rest.as_ref());
        }
        None
    }

    /// Splits off what still belongs to an event too long to look into.
    fn skip(&mut self, bytes: &mut Bytes) -> Bytes {
        match event_end(bytes, 0) {
            Some(end) => {
                self.skipping = false;
                bytes.split_to(end)
            }
            None => bytes.split_off(0),
        }
    }

    fn joined(&mut self, bytes: Bytes) -> Bytes {
        if self.carry.is_empty() {
            return bytes;
        }
        let mut joined = std::mem::take(&mut self.carry);
        joined.extend_from_slice(&bytes);
        joined.freeze()
    }
}

impl Tap for StreamTap {
    fn feed(&mut self, mut bytes: Bytes) -> Bytes {
        let unread = if self.skipping { self.skip(&mut bytes) } else { Bytes::new() };
        let whole = self.joined(bytes);
        let (end, hidden) = self.watch(&whole);
        let too_long = self.keep(whole.slice(end..));
        match (unread.is_empty(), hidden, too_long) {
            // Nearly always: whole events, none of which is taken out.
            (true, None, None) => whole.slice(..end),
            (_, hidden, too_long) => {
                let (from, to) = hidden.unwrap_or((end, end));
                let mut out = BytesMut::from(unread.as_ref());
                out.extend_from_slice(whole.get(..from).unwrap_or_default());
                out.extend_from_slice(whole.get(to..end).unwrap_or_default());
                out.extend_from_slice(&too_long.unwrap_or_default());
                out.freeze()
            }
        }
    }

    fn finish(&mut self) -> Bytes {
        let rest = std::mem::take(&mut self.carry).freeze();
        let only_usage = !rest.is_empty() && self.look(&rest);
        if self.hide_usage && only_usage { Bytes::new() } else { rest }
    }

    fn tapped(&self) -> &Tapped {
        &self.seen
    }

    fn at_boundary(&self) -> bool {
        !self.skipping
    }
}

/// Where the event that begins at `from` ends: behind its blank line, whichever line ends are used.
fn event_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let found = at + memchr2(b'\n', b'\r', bytes.get(at..)?)?;
        let next = line_after(bytes, found)?;
        match bytes.get(next)? {
            b'\n' => return Some(next + 1),
            // At the very end a `\n` may still belong to it.
            b'\r' => return Some(next + if *bytes.get(next + 1)? == b'\n' { 2 } else { 1 }),
            _ => at = next,
        }
    }
}

/// Behind the line end at `at`; `None`: a `\r` at the very end, which a `\n` may follow.
fn line_after(bytes: &[u8], at: usize) -> Option<usize> {
    match (bytes.get(at)?, bytes.get(at + 1)) {
        (b'\r', None) => None,
        (b'\r', Some(b'\n')) => Some(at + 2),
        _ => Some(at + 1),
    }
}

/// The event's first data line, which in this dialect is its only one. Nearly always the event's first line.
fn data_of(event: &[u8]) -> Option<&[u8]> {
    let mut rest = event;
    while !rest.is_empty() {
        let end = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let line = rest.get(..end)?;
        if let Some(value) = line.strip_prefix(b"data:") {
            return Some(value.trim_ascii());
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    None
}

/// Bytes of generated text in the deltas of a chunk; `None`: it generates nothing.
fn generated_bytes(data: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\"delta\"";
    let mut total = None;
    let mut rest = data;
    while let Some(at) = memmem::find(rest, KEY) {
        rest = rest.get(at + KEY.len()..).unwrap_or_default();
        let found = text_in_delta(rest);
        if found.is_some() {
            total = Some(total.unwrap_or(0) + found.unwrap_or(0));
        }
    }
    total
}

/// Sums the values of the text keys in the object that follows. Strings are read as JSON strings, so text that looks
/// like a key is no key.
fn text_in_delta(after_key: &[u8]) -> Option<u64> {
    let mut total = None;
    let mut depth = 0_u32;
    let mut last: &[u8] = b"";
    let mut is_value = false;
    let mut at = 0;
    while let Some(byte) = after_key.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => {
                depth += 1;
                is_value = false;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            b':' => is_value = true,
            b',' => is_value = false,
            b'"' => {
                let length = string_length(after_key.get(at..)?);
                let text = after_key.get(at..at + length)?;
                at += length + 1;
                if !is_value {
                    last = text;
                } else if is_generated(last) && !text.is_empty() {
                    total = Some(total.unwrap_or(0) + text.len() as u64);
                }
            }
            _ => {}
        }
    }
    total
}

fn is_generated(key: &[u8]) -> bool {
    matches!(key, b"content" | b"arguments" | b"reasoning_content" | b"reasoning" | b"refusal" | b"name")
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

/// An error object inside a 200 stream has no status of its own: its type and code say what it is.
fn fault_in_stream(data: &[u8]) -> Fault {
    super::fault::read(StatusCode::BAD_GATEWAY, &HeaderMap::new(), &Bytes::copy_from_slice(data))
}

fn has_no_choices(data: &[u8]) -> bool {
    const KEY: &[u8] = b"\"choices\"";
    let Some(at) = memmem::find(data, KEY) else { return true };
    let value = data.get(at + KEY.len()..).unwrap_or_default().trim_ascii_start();
    let value = value.strip_prefix(b":").unwrap_or_default().trim_ascii_start();
    value.strip_prefix(b"[").is_some_and(|inside| inside.trim_ascii_start().first() == Some(&b']'))
}

#[cfg(test)]
mod tests;
