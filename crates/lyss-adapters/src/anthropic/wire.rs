//! The wire objects: what is written to the vendor, and what is read from it in whole answers and streams alike.
//!
//! Reading is lenient: objects whose kind is not known stay raw and are passed over, unknown fields are skipped, and
//! usage that cannot be read counts as not said.

use std::borrow::Cow;

use lyss_domain::{FaultKind, TokenUsage};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Fault;
use crate::conversation::FinishReason;

/// Body of `POST /v1/messages`.
#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    pub(super) model: &'a str,
    pub(super) max_tokens: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) system: Vec<Block<'a>>,
    pub(super) messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<ToolChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_k: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metadata: Option<Metadata<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) stream: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    pub(super) role: &'static str,
    pub(super) content: Vec<Block<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: &'a str,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: &'a str,
        input: &'a RawValue,
    },
    ToolResult {
        tool_use_id: Cow<'a, str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<Self>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct Tool<'a> {
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'a str>,
    pub(super) input_schema: &'a RawValue,
}

#[derive(Debug, Serialize)]
pub(super) struct ToolChoice<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) disable_parallel_tool_use: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Metadata<'a> {
    pub(super) user_id: &'a str,
}

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
pub(super) struct MessageDelta {
    pub(super) stop_reason: Option<String>,
    pub(super) stop_sequence: Option<String>,
}

/// A content block as it is read.
#[derive(Debug)]
pub(super) enum ReadBlock<'a> {
    Text(String),
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
    /// Redacted thinking, blocks of the vendor's own tools, and whatever comes.
    Other,
}

/// What a `content_block_delta` adds.
#[derive(Debug)]
pub(super) enum ReadDelta {
    Text(String),
    Json(String),
    Thinking(String),
    /// Signatures, citations and whatever comes.
    Other,
}

/// `usage`, whole or partial.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Usage {
    input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    output_tokens: Option<u64>,
}

/// What was written to the cache, by lifetime.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Kind {
    r#type: Option<String>,
}

impl<'a> ReadBlock<'a> {
    pub(super) fn read(raw: &'a RawValue) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Text {
            text: Option<String>,
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
        Ok(match kind_of(raw)?.as_str() {
            "text" => Self::Text(read::<Text>(raw)?.text.unwrap_or_default()),
            "tool_use" => {
                let ToolUse { id, name, input } = read(raw)?;
                Self::ToolUse { id: id.unwrap_or_default(), name: name.unwrap_or_default(), input }
            }
            "thinking" => {
                let Thinking { thinking, signature } = read(raw)?;
                let signature = signature.filter(|signature| !signature.is_empty());
                Self::Thinking { text: thinking.unwrap_or_default(), signature }
            }
            _ => Self::Other,
        })
    }
}

impl ReadDelta {
    pub(super) fn read(raw: &RawValue) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Delta {
            text: Option<String>,
            partial_json: Option<String>,
            thinking: Option<String>,
        }
        let kind = kind_of(raw)?;
        if !matches!(kind.as_str(), "text_delta" | "input_json_delta" | "thinking_delta") {
            return Ok(Self::Other);
        }
        let delta: Delta = read(raw)?;
        Ok(match kind.as_str() {
            "text_delta" => Self::Text(delta.text.unwrap_or_default()),
            "input_json_delta" => Self::Json(delta.partial_json.unwrap_or_default()),
            _ => Self::Thinking(delta.thinking.unwrap_or_default()),
        })
    }
}

impl Usage {
    /// What is not readable was not said.
    pub(super) fn read(raw: Option<&RawValue>) -> Option<Self> {
        serde_json::from_str(raw?.get()).ok()
    }

    /// A later statement replaces an earlier one, field by field.
    pub(super) fn replace(&mut self, later: Self) {
        self.input_tokens = later.input_tokens.or(self.input_tokens);
        self.cache_read_input_tokens = later.cache_read_input_tokens.or(self.cache_read_input_tokens);
        self.cache_creation_input_tokens =
            later.cache_creation_input_tokens.or(self.cache_creation_input_tokens);
        self.cache_creation = later.cache_creation.or(self.cache_creation);
        self.output_tokens = later.output_tokens.or(self.output_tokens);
    }

    /// Disjoint classes: `input_tokens` excludes the cache. What was written to the cache without a lifetime counts
    /// as short-lived.
    pub(super) fn to_tokens(self) -> TokenUsage {
        let creation = self.cache_creation.unwrap_or_default();
        let short = creation.ephemeral_5m_input_tokens.unwrap_or(0);
        let long = creation.ephemeral_1h_input_tokens.unwrap_or(0);
        let told = short.saturating_add(long);
        let untold = self.cache_creation_input_tokens.unwrap_or(0).saturating_sub(told);
        TokenUsage {
            input: self.input_tokens.unwrap_or(0),
            cache_read: self.cache_read_input_tokens.unwrap_or(0),
            cache_write: short.saturating_add(untold),
            cache_write_long: long,
            output: self.output_tokens.unwrap_or(0),
            ..TokenUsage::default()
        }
        .capped()
    }
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

pub(super) fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, Fault> {
    serde_json::from_str(raw.get()).map_err(|_| unreadable())
}

pub(super) fn unreadable() -> Fault {
    Fault::new(FaultKind::Protocol, "The upstream's answer cannot be read.")
}

fn kind_of(raw: &RawValue) -> Result<String, Fault> {
    read::<Kind>(raw).map(|kind| kind.r#type.unwrap_or_default())
}
