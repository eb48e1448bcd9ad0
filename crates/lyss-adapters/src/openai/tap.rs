//! Watching a chat stream pass: usage, content, the end marker, an error; and taking out a usage chunk that only we
//! asked for.

use lyss_domain::TokenUsage;
use memchr::{memchr2, memmem};

use super::usage;
use crate::dialect::Tapped;
use crate::tap::{Look, data_of};

/// What is read of a stream of chunks.
pub(super) struct ChunkLook {
    pub(super) hide_usage: bool,
}

/// Usage of a whole answer: it stands behind the choices, so the last one is the answer's.
pub(super) fn usage_of_reply(body: &[u8]) -> Option<TokenUsage> {
    usage::find(body)
}

impl Look for ChunkLook {
    /// True for a chunk that holds usage and nothing else, where we asked for it.
    fn look(&mut self, event: &[u8], seen: &mut Tapped) -> bool {
        let Some(data) = data_of(event) else { return false };
        seen.started = true;
        if data == b"[DONE]" {
            // Some servers mark the end behind an error, too.
            seen.ended = seen.fault.is_none();
            return false;
        }
        let generated = generated_bytes(data);
        if let Some(bytes) = generated {
            seen.events += 1;
            seen.generated_bytes += bytes;
            seen.content = true;
        }
        let mut only_usage = false;
        if memmem::find(data, b"\"usage\"").is_some()
            && let Some(usage) = usage::find(data)
        {
            seen.usage = Some(usage);
            only_usage = generated.is_none() && has_no_choices(data);
        }
        if is_error(data) {
            seen.fault = Some(super::fault::read_unasked(data));
        }
        only_usage && self.hide_usage
    }
}

/// An error object, alone or beside the choices (OpenRouter), or an error that does not say so (vLLM).
fn is_error(data: &[u8]) -> bool {
    let has_choices = memmem::find(data, b"\"choices\"").is_some();
    let Some(at) = memmem::find(data, b"\"error\"") else { return false };
    let value = data.get(at + 7..).unwrap_or_default().trim_ascii_start();
    // As a value it is vLLM's `"object": "error"`.
    let Some(value) = value.strip_prefix(b":") else {
        return !has_choices && super::fault::is_bare_error(data);
    };
    match value.trim_ascii_start().first() {
        Some(b'{') => true,
        Some(b'"') => !has_choices,
        _ => false,
    }
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
/// like a key is no key. What may repeat another key's text counts only where no other text stands.
fn text_in_delta(after_key: &[u8]) -> Option<u64> {
    let mut total = None;
    let mut beside = None;
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
                } else if is_part(last) && !text.is_empty() {
                    beside = Some(beside.unwrap_or(0) + text.len() as u64);
                } else if is_seen(last) && !text.is_empty() {
                    beside = beside.or(Some(0));
                }
            }
            _ => {}
        }
    }
    total.or(beside)
}

fn is_generated(key: &[u8]) -> bool {
    matches!(
        key,
        b"content"
            | b"arguments"
            | b"input"
            | b"reasoning_content"
            | b"reasoning"
            | b"refusal"
            | b"name"
            | b"transcript"
    )
}

/// Texts of content in parts (Mistral) and of `reasoning_details` (OpenRouter).
fn is_part(key: &[u8]) -> bool {
    matches!(key, b"text" | b"thinking" | b"summary")
}

/// Seen by a reader, and no text: sound, pictures, seals, sources.
fn is_seen(key: &[u8]) -> bool {
    matches!(key, b"data" | b"url" | b"signature" | b"thought_signature")
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

fn has_no_choices(data: &[u8]) -> bool {
    const KEY: &[u8] = b"\"choices\"";
    let Some(at) = memmem::find(data, KEY) else { return true };
    let value = data.get(at + KEY.len()..).unwrap_or_default().trim_ascii_start();
    let value = value.strip_prefix(b":").unwrap_or_default().trim_ascii_start();
    value.strip_prefix(b"[").is_some_and(|inside| inside.trim_ascii_start().first() == Some(&b']'))
}

#[cfg(test)]
mod tests;
