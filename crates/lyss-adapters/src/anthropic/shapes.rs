//! What answers are written of, whole and streamed alike, as in the API reference ("Create a Message", "Streaming
//! messages").

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::citation;
use super::usage::Written;
use crate::conversation::{FinishReason, Media, Seal, SealKind, Source};

/// A whole answer, or what a stream begins with.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub(super) id: Cow<'a, str>,
    pub(super) r#type: &'static str,
    pub(super) role: &'static str,
    pub(super) model: &'a str,
    pub(super) content: Vec<Block<'a>>,
    pub(super) stop_reason: Option<&'static str>,
    pub(super) stop_sequence: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_details: Option<StopDetails>,
    pub(super) usage: Written,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: Cow<'a, str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        citations: Vec<citation::Written<'a>>,
    },
    Thinking {
        thinking: &'a str,
        signature: Cow<'a, str>,
    },
    RedactedThinking {
        data: Cow<'a, str>,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: &'a str,
        input: Cow<'a, RawValue>,
    },
}

/// Says no more than the reason does: another vendor's filter has no category of this one's.
#[derive(Serialize)]
pub(super) struct StopDetails {
    r#type: &'static str,
    category: Option<()>,
    explanation: Option<()>,
}

impl StopDetails {
    pub(super) fn of(reason: &FinishReason) -> Option<Self> {
        matches!(reason, FinishReason::Refusal | FinishReason::ContentFilter).then_some(Self {
            r#type: "refusal",
            category: None,
            explanation: None,
        })
    }
}

/// Ids of this dialect begin with `msg_`; a vendor's own follows.
pub(super) fn message_id(id: &str, created_secs: i64) -> Cow<'_, str> {
    if id.is_empty() {
        Cow::Owned(format!("msg_{created_secs:x}"))
    } else if id.starts_with("msg_") {
        Cow::Borrowed(id)
    } else {
        Cow::Owned(format!("msg_{id}"))
    }
}

/// The id of a call, which callers need to answer it.
pub(super) fn call_id(id: &str, call: usize) -> Cow<'_, str> {
    if id.is_empty() { Cow::Owned(format!("toolu_{call}")) } else { Cow::Borrowed(id) }
}

/// How a seal stands in an answer: as a signature below readable thoughts, or as thoughts that cannot be read.
pub(super) enum Sealed<'a> {
    Signature(Cow<'a, str>),
    Redacted(Cow<'a, str>),
}

/// A seal of another vendor's goes below the thoughts it belongs to, or, where there are none to read, alone.
pub(super) fn sealed(seal: &Seal, has_text: bool) -> Sealed<'_> {
    match seal.kind {
        SealKind::AnthropicSignature => Sealed::Signature(Cow::Borrowed(&seal.data)),
        SealKind::AnthropicRedacted => Sealed::Redacted(Cow::Borrowed(&seal.data)),
        SealKind::OpenAi | SealKind::Google if has_text => Sealed::Signature(Cow::Owned(seal.to_token())),
        SealKind::OpenAi | SealKind::Google => Sealed::Redacted(Cow::Owned(seal.to_token())),
    }
}

/// Arguments as an object. What is none is kept whole in the field `_raw`, so that a caller can see it and the
/// conversation goes on; the free text of a custom tool stands in `input`.
pub(super) fn input(arguments: &str, custom: bool) -> Cow<'_, RawValue> {
    if !custom
        && let Ok(raw) = serde_json::from_str::<&RawValue>(arguments)
        && raw.get().starts_with('{')
    {
        return Cow::Borrowed(raw);
    }
    let object = wrapped(arguments, custom).unwrap_or_else(|| "{}".to_owned());
    Cow::Owned(RawValue::from_string(object).unwrap_or_else(|_| RawValue::NULL.to_owned()))
}

/// An object around arguments that are none; `None`: they say nothing.
pub(super) fn wrapped(arguments: &str, custom: bool) -> Option<String> {
    if custom {
        return Some(serde_json::json!({ "input": arguments }).to_string());
    }
    let says_nothing = matches!(arguments.trim(), "" | "null");
    (!says_nothing).then(|| serde_json::json!({ "_raw": arguments }).to_string())
}

/// Answers of this dialect hold no images: one that has an address is named by a link, data has no place.
pub(super) fn link(media: &Media) -> Option<String> {
    match &media.source {
        Source::Url(url) if !url.starts_with("data:") => {
            Some(format!("![{}]({url})", media.name.as_deref().unwrap_or_default()))
        }
        _ => None,
    }
}
