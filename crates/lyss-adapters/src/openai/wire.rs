//! The wire objects that are written more than once: tool calls, usage, log probabilities, and the finish table.

use lyss_domain::TokenUsage;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::details::ExtraContent;
use crate::conversation::{
    Citation, CitedPlace, FinishReason, Media, SafetyLevel, SafetyRating, TokenLogprob,
};

/// `usage` of an answer, made from the disjoint classes.
#[derive(Serialize)]
pub(super) struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    audio_tokens: u64,
    /// OpenRouter's name; OpenAI has no such class.
    #[serde(skip_serializing_if = "is_zero")]
    cache_write_tokens: u64,
}

#[derive(Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// One entry of `tool_calls` in a message.
#[derive(Serialize)]
pub(super) struct ToolCall<'a> {
    id: &'a str,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<Function<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom: Option<Custom<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<ExtraContent<&'a str>>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct Custom<'a> {
    name: &'a str,
    input: &'a str,
}

impl<'a> ToolCall<'a> {
    pub(super) fn new(id: &'a str, name: &'a str, arguments: &'a str, custom: bool) -> Self {
        Self {
            id,
            r#type: if custom { "custom" } else { "function" },
            function: (!custom).then_some(Function { name, arguments }),
            custom: custom.then_some(Custom { name, input: arguments }),
            extra_content: None,
        }
    }
}

impl From<&TokenUsage> for Usage {
    fn from(usage: &TokenUsage) -> Self {
        Self {
            prompt_tokens: usage.prompt(),
            completion_tokens: usage.completion(),
            total_tokens: usage.total(),
            prompt_tokens_details: PromptDetails {
                cached_tokens: usage.cache_read,
                audio_tokens: usage.audio_input,
                cache_write_tokens: usage.cache_write.saturating_add(usage.cache_write_long),
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: usage.reasoning,
                audio_tokens: usage.audio_output,
            },
        }
    }
}

/// `logprobs` of a choice; `is_refusal`: its text was a refusal.
pub(super) struct Logprobs<'a> {
    pub(super) tokens: &'a [TokenLogprob],
    pub(super) is_refusal: bool,
}

#[derive(Serialize)]
struct Logprob<'a> {
    token: &'a str,
    logprob: f64,
    bytes: Option<&'a [u8]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<Vec<Logprob<'a>>>,
}

impl<'a> Logprob<'a> {
    fn of(said: &'a TokenLogprob, is_top: bool) -> Self {
        Self {
            token: &said.token,
            logprob: said.logprob,
            bytes: said.bytes.as_deref(),
            top_logprobs: (!is_top).then(|| said.top.iter().map(|top| Self::of(top, true)).collect()),
        }
    }
}

impl Serialize for Logprobs<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let tokens: Vec<_> = self.tokens.iter().map(|said| Logprob::of(said, false)).collect();
        let (content, refusal) = if self.is_refusal { (None, Some(tokens)) } else { (Some(tokens), None) };
        let mut map = to.serialize_map(Some(2))?;
        map.serialize_entry("content", &content)?;
        map.serialize_entry("refusal", &refusal)?;
        map.end()
    }
}

/// One entry of `annotations`. OpenAI's SDKs know citations of the web alone, and some refuse any other kind.
#[derive(Serialize)]
pub(super) struct Annotation<'a> {
    r#type: &'static str,
    url_citation: UrlCitation<'a>,
    /// In a stream: its place in the list, by which SDKs put the pieces together.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
}

#[derive(Serialize)]
struct UrlCitation<'a> {
    start_index: u64,
    end_index: u64,
    title: &'a str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
}

impl<'a> Annotation<'a> {
    /// `before`: the stretch of text that a citation without a span backs.
    pub(super) fn of(citation: &'a Citation, before: (u64, u64), index: Option<u64>) -> Option<Self> {
        let CitedPlace::Url(url) = &citation.place else { return None };
        let (start_index, end_index) = citation.span.unwrap_or(before);
        let title = citation.title.as_deref().unwrap_or_default();
        let content = citation.cited_text.as_deref();
        Some(Self {
            r#type: "url_citation",
            url_citation: UrlCitation { start_index, end_index, title, url, content },
            index,
        })
    }
}

/// Counts the characters of a choice's text, for citations that do not say where they stand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stretch {
    from: u64,
    to: u64,
    is_cited: bool,
}

impl Stretch {
    pub(super) fn text(&mut self, text: &str) {
        if std::mem::take(&mut self.is_cited) {
            self.from = self.to;
        }
        self.to += text.chars().count() as u64;
    }

    pub(super) fn cite(&mut self) -> (u64, u64) {
        self.is_cited = true;
        (self.from, self.to)
    }
}

/// One entry of `images` (OpenRouter, "Image generation").
#[derive(Serialize)]
pub(super) struct Image {
    r#type: &'static str,
    image_url: ImageUrl,
    index: usize,
}

#[derive(Serialize)]
struct ImageUrl {
    url: String,
}

impl Image {
    pub(super) fn of(media: &Media, index: usize) -> Option<Self> {
        Some(Self { r#type: "image_url", image_url: ImageUrl { url: media.to_url()? }, index })
    }
}

/// `content_filter_results` of a choice, as Azure writes them.
pub(super) struct FilterResults<'a>(pub(super) &'a [SafetyRating]);

#[derive(Serialize)]
struct Verdict {
    filtered: bool,
    severity: &'static str,
}

impl Serialize for FilterResults<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for rating in self.0 {
            let severity = match rating.level {
                SafetyLevel::Negligible => "safe",
                SafetyLevel::Low => "low",
                SafetyLevel::Medium => "medium",
                SafetyLevel::High => "high",
            };
            map.serialize_entry(&rating.category, &Verdict { filtered: rating.blocked, severity })?;
        }
        map.end()
    }
}

/// `finish_reason`; `is_refusal`: the message says so in `refusal`.
pub(super) const fn finish_word(reason: &FinishReason, is_refusal: bool) -> &'static str {
    match reason {
        // OpenAI's models decline in a field of its own and stop.
        FinishReason::Refusal if is_refusal => "stop",
        FinishReason::Stop
        | FinishReason::StopSequence(_)
        | FinishReason::Pause
        | FinishReason::MalformedCall => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter | FinishReason::Refusal => "content_filter",
    }
}

/// The reverse, with the words of compatible vendors: Mistral's `model_length`, Together's `eos`, DeepSeek's own for an
/// answer it had to break off, and other dialects' words that some servers let through. Unknown ones count as an end.
/// `None`: the vendor failed in the middle of its answer (OpenRouter, Mistral).
pub(super) fn finish_reason(word: &str) -> Option<FinishReason> {
    Some(match word {
        "error" => return None,
        "length" | "model_length" | "max_tokens" | "MAX_TOKENS" | "insufficient_system_resource" => {
            FinishReason::Length
        }
        "tool_calls" | "function_call" | "tool_use" | "tool_call" => FinishReason::ToolCalls,
        "content_filter" | "content_filtered" | "safety" | "SAFETY" | "RECITATION" | "sensitive" => {
            FinishReason::ContentFilter
        }
        "refusal" => FinishReason::Refusal,
        "stop_sequence" => FinishReason::StopSequence(None),
        "pause_turn" => FinishReason::Pause,
        "malformed_function_call" | "MALFORMED_FUNCTION_CALL" => FinishReason::MalformedCall,
        _ => FinishReason::Stop,
    })
}

/// Servers say `stop` behind calls, too: OpenAI itself where the caller named the function. And a refusal stops like
/// any answer.
pub(super) fn finish_behind(reason: FinishReason, has_calls: bool, is_refusal: bool) -> FinishReason {
    match reason {
        FinishReason::Stop if is_refusal => FinishReason::Refusal,
        FinishReason::Stop if has_calls => FinishReason::ToolCalls,
        other => other,
    }
}

/// The id an OpenAI caller expects: the vendor's own, behind the usual prefix.
pub(super) fn completion_id(id: &str, created_secs: i64) -> String {
    match id {
        "" => format!("chatcmpl-{created_secs}"),
        id if id.starts_with("chatcmpl-") => id.to_owned(),
        id => format!("chatcmpl-{id}"),
    }
}

/// An id for a call of a server that gives none: the same for the same answer, and unlike those of other answers.
pub(super) fn call_id(answer: &str, choice: u32, call: u32) -> String {
    format!("call_{:016x}_{choice}_{call}", fingerprint(answer.as_bytes(), 0))
}

/// FNV-1a, 64 bits: no secret and no safety rests on it.
pub(super) fn fingerprint(bytes: &[u8], seed: u64) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
