//! Words that are read and written alike: finish reasons, safety ratings, base64, made-up ids.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use lyss_domain::FaultKind;
use serde::{Deserialize, Serialize};

use crate::Fault;
use crate::conversation::{FinishReason, SafetyLevel, SafetyRating, Seal, SealKind};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// `finishReason`, as in the API reference ("FinishReason"). `called`: the answer holds function calls, which the vendor
/// ends with a plain `STOP`. An unknown word is an end.
pub(super) fn finish_reason(word: &str, called: bool) -> FinishReason {
    match word {
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => FinishReason::ContentFilter,
        "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE"
        | "MALFORMED_RESPONSE" => FinishReason::MalformedCall,
        _ if called => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    }
}

/// The reverse. The dialect has no word for an answer that its vendor paused.
pub(super) const fn finish_word(reason: &FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::StopSequence(_) | FinishReason::ToolCalls => "STOP",
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::ContentFilter | FinishReason::Refusal => "SAFETY",
        FinishReason::Pause => "OTHER",
        FinishReason::MalformedCall => "MALFORMED_FUNCTION_CALL",
    }
}

/// One of `safetyRatings`.
#[derive(Debug, Deserialize)]
pub(super) struct WireRating {
    category: Option<String>,
    probability: Option<String>,
    blocked: Option<bool>,
}

#[derive(Serialize)]
pub(super) struct ShownRating {
    category: String,
    probability: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    blocked: bool,
}

const CATEGORIES: [(&str, &str); 4] = [
    ("hate", "HARM_CATEGORY_HATE_SPEECH"),
    ("harassment", "HARM_CATEGORY_HARASSMENT"),
    ("sexual", "HARM_CATEGORY_SEXUALLY_EXPLICIT"),
    ("dangerous", "HARM_CATEGORY_DANGEROUS_CONTENT"),
];

const LEVELS: [(SafetyLevel, &str); 4] = [
    (SafetyLevel::Negligible, "NEGLIGIBLE"),
    (SafetyLevel::Low, "LOW"),
    (SafetyLevel::Medium, "MEDIUM"),
    (SafetyLevel::High, "HIGH"),
];

impl WireRating {
    /// `None`: it names no category.
    pub(super) fn read(self) -> Option<SafetyRating> {
        let word = self.category?;
        let known = CATEGORIES.iter().find(|(_, theirs)| *theirs == word);
        let plain = || word.strip_prefix("HARM_CATEGORY_").unwrap_or(&word).to_lowercase();
        let said = self.probability.unwrap_or_default();
        Some(SafetyRating {
            category: known.map_or_else(plain, |(ours, _)| (*ours).to_owned()),
            level: LEVELS
                .iter()
                .find(|(_, word)| *word == said)
                .map_or(SafetyLevel::Negligible, |(level, _)| *level),
            blocked: self.blocked.unwrap_or(false),
        })
    }
}

impl From<&SafetyRating> for ShownRating {
    fn from(rating: &SafetyRating) -> Self {
        let known = CATEGORIES.iter().find(|(ours, _)| *ours == rating.category);
        let made = || format!("HARM_CATEGORY_{}", rating.category.to_uppercase());
        Self {
            category: known.map_or_else(made, |(_, theirs)| (*theirs).to_owned()),
            probability: LEVELS
                .iter()
                .find(|(level, _)| *level == rating.level)
                .map_or("NEGLIGIBLE", |(_, word)| word),
            blocked: rating.blocked,
        }
    }
}

/// Base64 in either alphabet, padded or not.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    PLAIN.decode(text).or_else(|_| URL.decode(text)).ok()
}

pub(super) fn to_base64(bytes: &[u8]) -> String {
    PLAIN.encode(bytes)
}

/// Base64 in the standard alphabet, whichever it came in.
pub(super) fn standard_base64(text: String) -> String {
    if !text.contains(['-', '_']) {
        return text;
    }
    text.chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect()
}

/// A seal as the bytes field `thoughtSignature`: this vendor's own as it is, another's as its token in base64.
pub(super) fn signature(seal: &Seal) -> String {
    match seal.kind {
        SealKind::Google => seal.data.clone(),
        _ => to_base64(seal.to_token().as_bytes()),
    }
}

/// The reverse.
pub(super) fn seal(signature: &str) -> Seal {
    let token = from_base64(signature).and_then(|bytes| String::from_utf8(bytes).ok());
    token.and_then(|token| Seal::from_token(&token)).unwrap_or_else(|| Seal::new(SealKind::Google, signature))
}

/// JSON without the blanks between its tokens: the vendor indents whole answers, and a line end inside an event would
/// break it. Names, numbers and their order stay as they are.
pub(super) fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut in_string = false;
    let mut escaped = false;
    for c in json.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            ' ' | '\n' | '\r' | '\t' if !in_string => continue,
            _ => {}
        }
        out.push(c);
    }
    out
}

/// An id for what the vendor names nothing: the same for the same words.
pub(super) fn made_id(prefix: &str, words: &[&str]) -> String {
    // FNV-1a, in 64 bits: short, and stable from one version of this service to the next.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for word in words {
        for byte in word.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{prefix}{hash:016x}")
}

pub(super) fn unreadable() -> Fault {
    Fault::new(FaultKind::Protocol, "The upstream's answer cannot be read.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_carries_any_seal_and_brings_it_back() {
        for kind in [SealKind::Google, SealKind::OpenAi, SealKind::AnthropicSignature] {
            let written = Seal { kind, data: "Ab+/".to_owned(), id: None };
            assert_eq!(seal(&signature(&written)), written);
        }
        let foreign = Seal::new(SealKind::OpenAi, "x");
        // SDKs hand bytes back in the alphabet they like, with or without padding.
        let url_safe = signature(&foreign).replace('+', "-").replace('/', "_");
        assert_eq!(seal(url_safe.trim_end_matches('=')), foreign);
    }

    #[test]
    fn blanks_go_but_for_those_in_strings() {
        let json = "{\n  \"a b\" : [ 1.50 ,\t\"\\\" x\" ]\r\n}";
        assert_eq!(compact(json), "{\"a b\":[1.50,\"\\\" x\"]}");
    }

    #[test]
    fn a_stop_with_calls_is_a_tool_call() {
        assert_eq!(finish_reason("STOP", true), FinishReason::ToolCalls);
        assert_eq!(finish_reason("STOP", false), FinishReason::Stop);
        assert_eq!(finish_reason("SAFETY", true), FinishReason::ContentFilter);
        assert_eq!(finish_reason("MALFORMED_FUNCTION_CALL", false), FinishReason::MalformedCall);
        assert_eq!(finish_reason("SOMETHING_NEW", false), FinishReason::Stop);
    }
}
