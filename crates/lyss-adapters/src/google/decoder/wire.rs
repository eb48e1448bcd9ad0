//! The answer's objects as they are read. Nothing is required; what cannot be read of the smaller ones counts as not said.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::wire::WireRating;
use super::partial::PartialArg;
use crate::conversation::{SafetyRating, TokenLogprob};

/// `GenerateContentResponse`, a whole answer or a chunk of one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer<'a> {
    #[serde(borrow)]
    pub(super) candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow)]
    pub(super) prompt_feedback: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) usage_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) model_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) response_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) create_time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    pub(super) index: Option<u32>,
    #[serde(borrow)]
    pub(super) content: Option<Content<'a>>,
    #[serde(borrow)]
    pub(super) finish_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) safety_ratings: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) citation_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) grounding_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) url_context_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) logprobs_result: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Content<'a> {
    #[serde(borrow)]
    pub(super) parts: Option<Vec<PartIn<'a>>>,
}

/// A part. Code that ran at the vendor, and what it printed, has no place in other dialects: its text is told by the
/// model in the text around it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartIn<'a> {
    #[serde(borrow)]
    pub(super) text: Option<Cow<'a, str>>,
    pub(super) thought: Option<bool>,
    #[serde(borrow)]
    pub(super) thought_signature: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) function_call: Option<FunctionCall<'a>>,
    #[serde(borrow)]
    pub(super) inline_data: Option<InlineData<'a>>,
    #[serde(borrow)]
    pub(super) file_data: Option<FileData<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FunctionCall<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) args: Option<&'a RawValue>,
    /// Pieces of the arguments, where they are told bit by bit.
    #[serde(borrow)]
    pub(super) partial_args: Option<Vec<PartialArg<'a>>>,
    pub(super) will_continue: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InlineData<'a> {
    #[serde(borrow)]
    pub(super) mime_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) data: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) display_name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileData<'a> {
    #[serde(borrow)]
    pub(super) mime_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) file_uri: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: Option<String>,
    safety_ratings: Option<Vec<WireRating>>,
}

/// Whether the prompt was blocked, and its ratings.
pub(super) fn feedback(raw: &RawValue) -> Option<(bool, Vec<SafetyRating>)> {
    let read: PromptFeedback = serde_json::from_str(raw.get()).ok()?;
    let is_blocked = read.block_reason.is_some_and(|word| word != "BLOCK_REASON_UNSPECIFIED");
    let ratings = read.safety_ratings.unwrap_or_default();
    Some((is_blocked, ratings.into_iter().filter_map(WireRating::read).collect()))
}

pub(super) fn ratings(raw: &RawValue) -> Vec<SafetyRating> {
    let read: Vec<WireRating> = serde_json::from_str(raw.get()).unwrap_or_default();
    read.into_iter().filter_map(WireRating::read).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogprobsResult {
    top_candidates: Option<Vec<TopCandidates>>,
    chosen_candidates: Option<Vec<LogprobCandidate>>,
}

#[derive(Deserialize)]
struct TopCandidates {
    candidates: Option<Vec<LogprobCandidate>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogprobCandidate {
    token: Option<String>,
    log_probability: Option<f64>,
}

impl From<LogprobCandidate> for TokenLogprob {
    fn from(wire: LogprobCandidate) -> Self {
        Self {
            token: wire.token.unwrap_or_default(),
            logprob: wire.log_probability.unwrap_or_default(),
            ..Self::default()
        }
    }
}

/// `logprobsResult`: two lists side by side, one entry a step.
pub(super) fn logprobs(raw: &RawValue) -> Vec<TokenLogprob> {
    let Ok(result) = serde_json::from_str::<LogprobsResult>(raw.get()) else { return Vec::new() };
    let mut tops = result.top_candidates.unwrap_or_default().into_iter();
    let with_top = |chosen: LogprobCandidate| {
        let top = tops.next().and_then(|top| top.candidates).unwrap_or_default();
        TokenLogprob { top: top.into_iter().map(Into::into).collect(), ..chosen.into() }
    };
    result.chosen_candidates.unwrap_or_default().into_iter().map(with_top).collect()
}
