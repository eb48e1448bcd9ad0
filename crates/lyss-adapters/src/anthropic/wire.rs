//! The wire objects that are read from the vendor, in whole answers and streams alike, and the words both sides share.
//!
//! Reading is lenient: objects whose kind is not known stay raw and are passed over, unknown fields are skipped, and
//! what cannot be read beside the text itself counts as not said.

use lyss_domain::FaultKind;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::citation;
use crate::Fault;
use crate::conversation::{Citation, FinishReason, Seal, SealKind};

/// A whole answer, or the beginning of a streamed one.
#[derive(Debug, Deserialize)]
pub(super) struct Answer<'a> {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
    #[serde(borrow)]
    pub(super) content: Option<Vec<&'a RawValue>>,
    pub(super) stop_reason: Option<String>,
    pub(super) stop_sequence: Option<String>,
    #[serde(borrow)]
    pub(super) stop_details: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) usage: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
}

/// Any event of a stream; which fields are there depends on its kind.
#[derive(Debug, Deserialize)]
pub(super) struct Event<'a> {
    pub(super) r#type: Option<String>,
    #[serde(borrow)]
    pub(super) message: Option<&'a RawValue>,
    pub(super) index: Option<u64>,
    #[serde(borrow)]
    pub(super) content_block: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) delta: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) usage: Option<&'a RawValue>,
}

/// `delta` of a `message_delta`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct MessageDelta<'a> {
    pub(super) stop_reason: Option<String>,
    pub(super) stop_sequence: Option<String>,
    #[serde(borrow)]
    pub(super) stop_details: Option<&'a RawValue>,
}

/// A content block as it is read.
#[derive(Debug)]
pub(super) enum ReadBlock<'a> {
    Text {
        text: String,
        citations: Vec<Citation>,
    },
    ToolUse {
        id: String,
        name: String,
        /// As the vendor wrote it.
        input: Option<&'a RawValue>,
    },
    Thinking {
        text: String,
        signature: Option<String>,
    },
    Redacted(String),
    /// Blocks of the vendor's own tools, and whatever comes.
    Other,
}

/// What a `content_block_delta` adds.
#[derive(Debug)]
pub(super) enum ReadDelta {
    Text(String),
    Json(String),
    Thinking(String),
    Signature(String),
    /// `None`: of a kind that is not known.
    Citation(Option<Citation>),
    Other,
}

#[derive(Deserialize)]
struct Kind {
    r#type: Option<String>,
}

impl<'a> ReadBlock<'a> {
    pub(super) fn read(raw: &'a RawValue) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Text<'a> {
            text: Option<String>,
            #[serde(borrow)]
            citations: Option<&'a RawValue>,
        }
        #[derive(Deserialize)]
        struct ToolUse<'a> {
            id: Option<String>,
            name: Option<String>,
            #[serde(borrow)]
            input: Option<&'a RawValue>,
        }
        #[derive(Deserialize)]
        struct Thinking {
            thinking: Option<String>,
            signature: Option<String>,
        }
        #[derive(Deserialize)]
        struct Redacted {
            data: Option<String>,
        }
        Ok(match kind_of(raw)?.as_str() {
            "text" => {
                let block: Text<'_> = read(raw)?;
                let citations = block.citations.map(citation::read_list).unwrap_or_default();
                Self::Text { text: block.text.unwrap_or_default(), citations }
            }
            "tool_use" => {
                let ToolUse { id, name, input } = read(raw)?;
                Self::ToolUse { id: id.unwrap_or_default(), name: name.unwrap_or_default(), input }
            }
            "thinking" => {
                let Thinking { thinking, signature } = read(raw)?;
                let signature = signature.filter(|signature| !signature.is_empty());
                Self::Thinking { text: thinking.unwrap_or_default(), signature }
            }
            "redacted_thinking" => Self::Redacted(read::<Redacted>(raw)?.data.unwrap_or_default()),
            _ => Self::Other,
        })
    }
}

impl ReadDelta {
    pub(super) fn read(raw: &RawValue) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Delta<'a> {
            text: Option<String>,
            partial_json: Option<String>,
            thinking: Option<String>,
            signature: Option<String>,
            #[serde(borrow)]
            citation: Option<&'a RawValue>,
        }
        let kind = kind_of(raw)?;
        if !matches!(
            kind.as_str(),
            "text_delta" | "input_json_delta" | "thinking_delta" | "signature_delta" | "citations_delta"
        ) {
            return Ok(Self::Other);
        }
        let delta: Delta<'_> = read(raw)?;
        Ok(match kind.as_str() {
            "text_delta" => Self::Text(delta.text.unwrap_or_default()),
            "input_json_delta" => Self::Json(delta.partial_json.unwrap_or_default()),
            "thinking_delta" => Self::Thinking(delta.thinking.unwrap_or_default()),
            "signature_delta" => Self::Signature(delta.signature.unwrap_or_default()),
            _ => Self::Citation(delta.citation.and_then(citation::read)),
        })
    }
}

/// A `signature`, which is the vendor's own or a seal of somebody else's.
pub(super) fn seal_of_signature(signature: &str) -> Option<Seal> {
    seal(signature, SealKind::AnthropicSignature)
}

/// `data` of a redacted thinking block, likewise.
pub(super) fn seal_of_redacted(data: &str) -> Option<Seal> {
    seal(data, SealKind::AnthropicRedacted)
}

fn seal(text: &str, own: SealKind) -> Option<Seal> {
    if text.is_empty() {
        return None;
    }
    Some(Seal::from_token(text).unwrap_or_else(|| Seal::new(own, text)))
}

/// `stop_reason`, as in "Handling stop reasons". An unknown one is an end.
pub(super) fn finish_reason(reason: &str, sequence: Option<String>) -> FinishReason {
    match reason {
        "stop_sequence" => FinishReason::StopSequence(sequence),
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::Refusal,
        "pause_turn" => FinishReason::Pause,
        _ => FinishReason::Stop,
    }
}

/// The reverse. An answer with tool calls in it that merely stopped waits for their results.
pub(super) fn stop_reason(reason: &FinishReason, has_calls: bool) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::MalformedCall if has_calls => "tool_use",
        FinishReason::Stop | FinishReason::MalformedCall => "end_turn",
        FinishReason::StopSequence(_) => "stop_sequence",
        FinishReason::Length => "max_tokens",
        FinishReason::ToolCalls => "tool_use",
        FinishReason::ContentFilter | FinishReason::Refusal => "refusal",
        FinishReason::Pause => "pause_turn",
    }
}

/// Why the vendor says it declined.
pub(super) fn explanation(stop_details: Option<&RawValue>) -> Option<String> {
    #[derive(Deserialize)]
    struct Details {
        explanation: Option<String>,
    }
    let details: Details = serde_json::from_str(stop_details?.get()).ok()?;
    details.explanation.filter(|text| !text.is_empty())
}

pub(super) fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, Fault> {
    serde_json::from_str(raw.get()).map_err(|_| unreadable())
}

pub(super) fn unreadable() -> Fault {
    Fault::new(FaultKind::Protocol, "The upstream's answer cannot be read.")
}

fn kind_of(raw: &RawValue) -> Result<String, Fault> {
    read::<Kind>(raw).map(|kind| kind.r#type.unwrap_or_default())
}
