//! Watching a stream pass: usage, generated text, why it finished, an error. The dialect has no end marker, so a stream
//! counts as ended once a `finishReason` has passed.

use lyss_domain::TokenUsage;
use memchr::{memchr2, memmem};

use super::{fault, usage};
use crate::dialect::Tapped;
use crate::tap::{Look, data_of};

pub(super) struct ChunkLook;

/// Usage of a whole answer.
pub(super) fn usage_of_reply(body: &[u8]) -> Option<TokenUsage> {
    usage::find(body)
}

impl Look for ChunkLook {
    fn look(&mut self, event: &[u8], seen: &mut Tapped) -> bool {
        let Some(data) = data_of(event) else { return false };
        seen.started = true;
        let found = walk(data);
        if let Some(bytes) = found.generated {
            seen.events += 1;
            seen.generated_bytes += bytes;
            seen.content = true;
        }
        seen.ended |= found.finished;
        if memmem::find(data, b"\"usageMetadata\"").is_some()
            && let Some(usage) = usage::find(data)
        {
            seen.usage = Some(usage);
        }
        if found.error {
            seen.fault = Some(fault::read_event(data));
        }
        false
    }
}

#[derive(Default)]
struct Found {
    /// Bytes of generated text; `None`: nothing that a reader would see.
    generated: Option<u64>,
    finished: bool,
    error: bool,
}

/// Walks the strings of a chunk. What stands inside a string is skipped, so text that looks like a key is no key.
fn walk(data: &[u8]) -> Found {
    let mut found = Found::default();
    let mut depth = 0_u32;
    // The depth of a function call's object, whose arguments are generated text as they stand.
    let mut call: Option<(u32, usize)> = None;
    // Citations and the like repeat text.
    let mut metadata: Option<u32> = None;
    let mut last: &[u8] = b"";
    let mut is_value = false;
    let mut at = 0;
    while let Some(byte) = data.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if is_value && call.is_none() && metadata.is_none() {
                    match last {
                        b"functionCall" => call = Some((depth, at)),
                        b"groundingMetadata"
                        | b"citationMetadata"
                        | b"urlContextMetadata"
                        | b"logprobsResult" => metadata = Some(depth),
                        b"error" if depth == 2 => found.error = true,
                        b"inlineData" => found.generated = Some(found.generated.unwrap_or(0)),
                        _ => {}
                    }
                }
                is_value = false;
            }
            b'}' | b']' => {
                if let Some((level, from)) = call
                    && level == depth
                {
                    let bytes = (at - 1).saturating_sub(from) as u64;
                    found.generated = Some(found.generated.unwrap_or(0) + bytes);
                    call = None;
                }
                if metadata == Some(depth) {
                    metadata = None;
                }
                depth = depth.saturating_sub(1);
            }
            b':' => is_value = true,
            b',' => is_value = false,
            b'"' => {
                let length = string_length(data.get(at..).unwrap_or_default());
                let text = data.get(at..at + length).unwrap_or_default();
                at += length + 1;
                if !is_value {
                    last = text;
                } else if call.is_none() && metadata.is_none() {
                    match last {
                        b"text" if !text.is_empty() => {
                            found.generated = Some(found.generated.unwrap_or(0) + text.len() as u64);
                        }
                        b"finishReason" | b"blockReason" => found.finished = true,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    found
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
