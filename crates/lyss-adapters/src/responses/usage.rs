//! The usage object of a response, read into disjoint classes and written from them.

use lyss_domain::TokenUsage;
use serde::{Deserialize, Serialize};

/// `usage` as it is read. `cache_write_tokens` is said where a vendor charges for writing its cache.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_tokens_details: Option<InputRead>,
    output_tokens_details: Option<OutputRead>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InputRead {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
    audio_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutputRead {
    reasoning_tokens: Option<u64>,
    audio_tokens: Option<u64>,
}

/// `usage` as it is written.
#[derive(Serialize)]
pub(super) struct Usage {
    input_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    total_tokens: u64,
}

#[derive(Serialize)]
struct InputDetails {
    cached_tokens: u64,
    /// Required by newer SDKs.
    cache_write_tokens: u64,
}

#[derive(Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}

impl From<WireUsage> for TokenUsage {
    fn from(wire: WireUsage) -> Self {
        let input = wire.input_tokens_details.unwrap_or_default();
        let output = wire.output_tokens_details.unwrap_or_default();
        let all_in = wire.input_tokens.unwrap_or(0);
        let all_out = wire.output_tokens.unwrap_or(0);
        let cache_read = input.cached_tokens.unwrap_or(0).min(all_in);
        let cache_write = input.cache_write_tokens.unwrap_or(0).min(all_in - cache_read);
        let audio_input = input.audio_tokens.unwrap_or(0).min(all_in - cache_read - cache_write);
        let audio_output = output.audio_tokens.unwrap_or(0).min(all_out);
        Self {
            input: all_in - cache_read - cache_write - audio_input,
            cache_read,
            cache_write,
            audio_input,
            output: all_out - audio_output,
            reasoning: output.reasoning_tokens.unwrap_or(0),
            audio_output,
            ..Self::default()
        }
        .capped()
    }
}

impl From<&TokenUsage> for Usage {
    fn from(usage: &TokenUsage) -> Self {
        Self {
            input_tokens: usage.prompt(),
            input_tokens_details: InputDetails {
                cached_tokens: usage.cache_read,
                cache_write_tokens: usage.cache_write.saturating_add(usage.cache_write_long),
            },
            output_tokens: usage.completion(),
            output_tokens_details: OutputDetails { reasoning_tokens: usage.reasoning },
            total_tokens: usage.total(),
        }
    }
}

/// Where a usage object stands in an answer, or in the response that an event carries. A tool's schema is repeated there
/// and may well have a property of that name, so the object is read and not searched.
#[derive(Deserialize)]
struct Holder {
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct Event {
    response: Option<Holder>,
}

/// Usage of a whole response.
pub(super) fn of_response(body: &[u8]) -> Option<TokenUsage> {
    serde_json::from_slice::<Holder>(body).ok()?.usage.map(TokenUsage::from)
}

/// Usage of the response in an event's data.
pub(super) fn of_event(data: &[u8]) -> Option<TokenUsage> {
    serde_json::from_slice::<Event>(data).ok()?.response?.usage.map(TokenUsage::from)
}

/// Usage near the end of a response of which only the end is left. A tool's schema may hold a property of that name, but
/// no count of tokens.
pub(super) fn in_tail(tail: &[u8]) -> Option<TokenUsage> {
    const KEY: &[u8] = b"\"usage\"";
    let found = memchr::memmem::rfind_iter(tail, KEY);
    let mut values = found.filter_map(|at| {
        let value = tail.get(at + KEY.len()..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let mut reader = serde_json::Deserializer::from_slice(value);
        WireUsage::deserialize(&mut reader).ok().filter(|usage| usage.input_tokens.is_some())
    });
    values.next().map(TokenUsage::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_taken_apart_and_put_together_again() {
        let body = br#"{"tools":[{"parameters":{"properties":{"usage":{"input_tokens":7}}}}],"usage":{"input_tokens":100,
            "input_tokens_details":{"cached_tokens":60,"cache_write_tokens":0},"output_tokens":50,
            "output_tokens_details":{"reasoning_tokens":30},"total_tokens":150},"metadata":{"usage":"x"}}"#;
        let usage = of_response(body).unwrap();
        assert_eq!(
            usage,
            TokenUsage { input: 40, cache_read: 60, output: 50, reasoning: 30, ..TokenUsage::default() }
        );
        let written = serde_json::to_value(Usage::from(&usage)).unwrap();
        let read: serde_json::Value = serde_json::from_slice(body).unwrap();
        assert_eq!(written, read["usage"]);
    }

    #[test]
    fn more_cached_than_sent_is_not_believed() {
        let body = br#"{"response":{"usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":60,"cache_write_tokens":9}}}}"#;
        let usage = of_event(body).unwrap();
        assert_eq!((usage.input, usage.cache_read, usage.cache_write), (0, 10, 0));
        assert_eq!(of_event(br#"{"response":{"usage":null}}"#), None);
        assert_eq!(of_response(b"<html>"), None);
    }
}
