//! The items of an answer as they are written, in the API reference's "The response object".

use serde::Serialize;

use crate::conversation::{Citation, CitedPlace, FinishReason, TokenLogprob};

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Item {
    Message {
        id: String,
        status: &'static str,
        role: &'static str,
        content: Vec<Content>,
    },
    Reasoning {
        id: String,
        summary: Vec<Summary>,
        #[serde(skip_serializing_if = "Option::is_none")]
        encrypted_content: Option<String>,
    },
    FunctionCall {
        id: String,
        status: &'static str,
        call_id: String,
        name: String,
        arguments: String,
    },
    CustomToolCall {
        id: String,
        status: &'static str,
        call_id: String,
        name: String,
        input: String,
    },
    ImageGenerationCall {
        id: String,
        status: &'static str,
        /// `jpeg`, `webp` …; absent: the vendor's usual `png`.
        #[serde(skip_serializing_if = "Option::is_none")]
        output_format: Option<String>,
        result: Option<String>,
    },
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Content {
    OutputText { annotations: Vec<Annotation>, logprobs: Vec<Logprob>, text: String },
    Refusal { refusal: String },
}

#[derive(Debug, Serialize)]
pub(super) struct Summary {
    r#type: &'static str,
    text: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Annotation {
    UrlCitation { start_index: u64, end_index: u64, title: String, url: String },
    FileCitation { file_id: String, filename: String, index: u64 },
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Logprob {
    token: String,
    bytes: Vec<u8>,
    logprob: f64,
    top_logprobs: Vec<TopLogprob>,
}

#[derive(Clone, Debug, Serialize)]
struct TopLogprob {
    token: String,
    bytes: Vec<u8>,
    logprob: f64,
}

impl Summary {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { r#type: "summary_text", text: text.into() }
    }
}

impl Annotation {
    /// `stretch`: from and behind the last of the text that a citation without a place of its own backs. A document of
    /// the request has no id here: it goes by its number.
    pub(super) fn of(citation: &Citation, stretch: (u64, u64)) -> Self {
        let (start_index, end_index) = citation.span.unwrap_or(stretch);
        let title = citation.title.clone().unwrap_or_default();
        match &citation.place {
            CitedPlace::Url(url) => Self::UrlCitation { start_index, end_index, title, url: url.clone() },
            CitedPlace::Document { index, .. } => {
                Self::FileCitation { file_id: format!("document-{index}"), filename: title, index: end_index }
            }
            CitedPlace::File { id, name, index } => Self::FileCitation {
                file_id: id.clone(),
                filename: name.clone().unwrap_or(title),
                index: index.unwrap_or(end_index),
            },
        }
    }
}

impl From<&TokenLogprob> for Logprob {
    fn from(token: &TokenLogprob) -> Self {
        Self {
            token: token.token.clone(),
            bytes: bytes(token),
            logprob: token.logprob,
            top_logprobs: token
                .top
                .iter()
                .map(|top| TopLogprob { token: top.token.clone(), bytes: bytes(top), logprob: top.logprob })
                .collect(),
        }
    }
}

fn bytes(token: &TokenLogprob) -> Vec<u8> {
    token.bytes.clone().unwrap_or_else(|| token.token.as_bytes().to_vec())
}

/// How a response ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Completed,
    /// With `incomplete_details.reason`.
    Incomplete(&'static str),
}

/// `refused`: the answer holds a refusal already, which says it better than a filter would.
pub(super) const fn ending(reason: &FinishReason, refused: bool) -> Ending {
    match reason {
        FinishReason::Stop
        | FinishReason::StopSequence(_)
        | FinishReason::ToolCalls
        | FinishReason::Pause
        | FinishReason::MalformedCall => Ending::Completed,
        FinishReason::Length => Ending::Incomplete("max_output_tokens"),
        FinishReason::Refusal if refused => Ending::Completed,
        FinishReason::ContentFilter | FinishReason::Refusal => Ending::Incomplete("content_filter"),
    }
}
