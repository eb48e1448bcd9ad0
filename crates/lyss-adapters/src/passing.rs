//! Answers that pass through unread: completions, embeddings, images, speech and the like. Only usage is looked for.
//!
//! Read are the usage objects of OpenAI's references for these operations (`prompt_tokens` or `input_tokens`, with
//! details), of Jina's and Voyage's rerankers (`total_tokens` alone) and of Cohere's (`meta.billed_units`).

use bytes::Bytes;
use lyss_domain::TokenUsage;
use memchr::memmem;
use serde::Deserialize;

use crate::dialect::{Tap, Tapped};
use crate::tap::{Look, StreamTap, data_of};

/// Any of these objects; what is absent was not said.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Usage {
    prompt_tokens: Option<u64>,
    input_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    output_tokens: Option<u64>,
    total_tokens: Option<u64>,
    prompt_tokens_details: Option<Details>,
    input_token_details: Option<Details>,
    /// Images: what of the input was text and what was image; both are input.
    input_tokens_details: Option<Details>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    audio_tokens: Option<u64>,
    cached_tokens: Option<u64>,
}

/// The last usage object of a JSON text. Inside a JSON string every quote is escaped, so no text is mistaken for one.
pub fn usage(json: &[u8]) -> Option<TokenUsage> {
    const KEYS: [&[u8]; 2] = [b"\"usage\"", b"\"billed_units\""];
    KEYS.iter().find_map(|key| {
        let at = memmem::rfind(json, key)?;
        let value = json.get(at + key.len()..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        if value.first() != Some(&b'{') {
            return None;
        }
        Usage::deserialize(&mut serde_json::Deserializer::from_slice(value)).ok()?.tokens()
    })
}

impl Usage {
    fn tokens(self) -> Option<TokenUsage> {
        let output = self.completion_tokens.or(self.output_tokens);
        let input = self.prompt_tokens.or(self.input_tokens).or_else(|| {
            // A total alone is the input's, unless an output is known.
            Some(self.total_tokens?.saturating_sub(output.unwrap_or(0)))
        });
        if input.is_none() && output.is_none() {
            return None;
        }
        let details = self.prompt_tokens_details.or(self.input_token_details).or(self.input_tokens_details);
        let details = details.unwrap_or_default();
        let input = input.unwrap_or(0);
        let cache_read = details.cached_tokens.unwrap_or(0).min(input);
        let audio_input = details.audio_tokens.unwrap_or(0).min(input - cache_read);
        Some(
            TokenUsage {
                input: input - cache_read - audio_input,
                cache_read,
                audio_input,
                output: output.unwrap_or(0),
                ..TokenUsage::default()
            }
            .capped(),
        )
    }
}

/// Watches a stream of events of any of these operations: its orderly end is the answer's.
pub struct EventsTap(StreamTap<AnyLook>);

/// Watches bytes that are no events, such as speech.
#[derive(Default)]
pub struct BytesTap(Tapped);

struct AnyLook;

impl Look for AnyLook {
    fn look(&mut self, event: &[u8], seen: &mut Tapped) -> bool {
        let Some(data) = data_of(event) else { return false };
        seen.started = true;
        if data == b"[DONE]" {
            return false;
        }
        seen.content = true;
        if memmem::find(data, b"\"usage\"").is_some() {
            seen.usage = usage(data).or(seen.usage);
        }
        false
    }
}

impl EventsTap {
    pub fn new() -> Self {
        Self(StreamTap::new(AnyLook))
    }
}

impl Default for EventsTap {
    fn default() -> Self {
        Self::new()
    }
}

impl Tap for EventsTap {
    fn feed(&mut self, bytes: Bytes) -> Bytes {
        self.0.feed(bytes)
    }

    fn finish(&mut self) -> Bytes {
        let rest = self.0.finish();
        self.0.seen.ended = true;
        rest
    }

    fn tapped(&self) -> &Tapped {
        self.0.tapped()
    }

    fn at_boundary(&self) -> bool {
        self.0.at_boundary()
    }
}

impl Tap for BytesTap {
    fn feed(&mut self, bytes: Bytes) -> Bytes {
        self.0.started = true;
        self.0.content = true;
        bytes
    }

    fn finish(&mut self) -> Bytes {
        self.0.started = true;
        self.0.ended = true;
        Bytes::new()
    }

    fn tapped(&self) -> &Tapped {
        &self.0
    }

    /// Nothing of ours may stand in such bytes.
    fn at_boundary(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_usage_is_read() {
        let table = [
            (r#"{"data":[],"usage":{"prompt_tokens":8,"total_tokens":8}}"#, (8, 0, 0)),
            (
                r#"{"usage":{"input_tokens":5,"output_tokens":7,"total_tokens":12,"input_tokens_details":{"text_tokens":1,"image_tokens":4}}}"#,
                (5, 7, 0),
            ),
            (
                r#"{"text":"a","usage":{"type":"tokens","input_tokens":9,"input_token_details":{"audio_tokens":6},"output_tokens":2}}"#,
                (3, 2, 6),
            ),
            (r#"{"results":[],"usage":{"total_tokens":11}}"#, (11, 0, 0)),
            (r#"{"meta":{"billed_units":{"input_tokens":4,"output_tokens":0}}}"#, (4, 0, 0)),
        ];
        for (json, (input, output, audio)) in table {
            let found = usage(json.as_bytes()).unwrap();
            assert_eq!((found.input, found.output, found.audio_input), (input, output, audio), "{json}");
        }
        for none in
            [r#"{"usage":null}"#, r#"{"a":"\"usage\":{\"total_tokens\":9}"}"#, "{}", r#"{"usage":{"x":1}}"#]
        {
            assert_eq!(usage(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn an_orderly_end_completes_what_has_no_end_marker() {
        let mut tap = EventsTap::new();
        let passed =
            tap.feed(Bytes::from_static(b"data: {\"type\":\"a\"}\n\ndata: {\"usage\":{\"input_tokens\":1"));
        assert_eq!(&passed[..], b"data: {\"type\":\"a\"}\n\n");
        assert!(tap.tapped().started && !tap.tapped().ended);
        tap.feed(Bytes::from_static(b",\"output_tokens\":2}}\n\n"));
        tap.finish();
        assert!(tap.tapped().ended);
        assert_eq!(tap.tapped().usage.unwrap().output, 2);
        let mut tap = BytesTap::default();
        assert_eq!(tap.feed(Bytes::from_static(&[0xff, 0])).len(), 2);
        tap.finish();
        assert!(tap.tapped().ended && !tap.at_boundary());
    }
}
