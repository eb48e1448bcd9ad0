//! Writing a whole answer, as in the API reference ("GenerateContentResponse").

pub(super) mod parts;

use bytes::Bytes;
use serde::Serialize;

use self::parts::{Citations, ShownPart};
use super::time;
use super::usage::ShownUsage;
use super::wire::{ShownRating, finish_word, signature};
use crate::conversation::{ChatReply, Choice, Part, Seal, TokenLogprob};
use crate::dialect::Rendering;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer<'a> {
    pub(super) candidates: Vec<Candidate<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage_metadata: Option<ShownUsage>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) model_version: &'a str,
    pub(super) create_time: &'a str,
    pub(super) response_id: &'a str,
}

/// A candidate, whole or a piece of one.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) finish_reason: Option<&'static str>,
    pub(super) index: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) safety_ratings: Vec<ShownRating>,
    #[serde(flatten)]
    pub(super) citations: Citations<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) avg_logprobs: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs_result: Option<LogprobsResult<'a>>,
}

#[derive(Serialize)]
pub(super) struct Content<'a> {
    pub(super) parts: Vec<ShownPart<'a>>,
    pub(super) role: &'static str,
}

impl<'a> Content<'a> {
    pub(super) fn new(parts: Vec<ShownPart<'a>>) -> Self {
        Self { parts, role: "model" }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogprobsResult<'a> {
    top_candidates: Vec<TopCandidates<'a>>,
    chosen_candidates: Vec<ShownLogprob<'a>>,
}

#[derive(Serialize)]
struct TopCandidates<'a> {
    candidates: Vec<ShownLogprob<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownLogprob<'a> {
    token: &'a str,
    log_probability: f64,
}

impl<'a> From<&'a TokenLogprob> for ShownLogprob<'a> {
    fn from(token: &'a TokenLogprob) -> Self {
        Self { token: &token.token, log_probability: token.logprob }
    }
}

impl<'a> LogprobsResult<'a> {
    /// `None`: there are none.
    pub(super) fn new(tokens: &'a [TokenLogprob]) -> Option<Self> {
        if tokens.is_empty() {
            return None;
        }
        Some(Self {
            top_candidates: tokens
                .iter()
                .map(|token| TopCandidates { candidates: token.top.iter().map(Into::into).collect() })
                .collect(),
            chosen_candidates: tokens.iter().map(Into::into).collect(),
        })
    }
}

pub(super) fn render(reply: &ChatReply, rendering: &Rendering) -> Bytes {
    let created = reply.head.created.unwrap_or_else(|| rendering.created.as_secs());
    let answer = Answer {
        candidates: reply.choices.iter().zip(0..).map(|(choice, index)| candidate(index, choice)).collect(),
        usage_metadata: reply.usage.as_ref().map(ShownUsage::from),
        model_version: if reply.head.model.is_empty() { &rendering.model } else { &reply.head.model },
        create_time: &time::from_secs(created),
        response_id: &response_id(&reply.head.id, created),
    };
    serde_json::to_vec(&answer).unwrap_or_default().into()
}

/// The vendor's own id, or one made of the moment.
pub(super) fn response_id(id: &str, created_secs: i64) -> String {
    if id.is_empty() { format!("resp-{created_secs}") } else { id.to_owned() }
}

fn candidate(index: u32, choice: &Choice) -> Candidate<'_> {
    let mut parts: Vec<ShownPart<'_>> = Vec::with_capacity(choice.parts.len());
    let mut citations = Citations::default();
    // Seals of this vendor wait for the part they belong to.
    let mut open: Option<&Seal> = None;
    let mut text = String::new();
    for part in &choice.parts {
        let shown = match part {
            Part::Text(words) | Part::Refusal(words) => {
                text.push_str(words);
                ShownPart::text(words)
            }
            Part::Reasoning(reasoning) => {
                if let Some(seal) = open.take() {
                    parts.push(ShownPart::seal(signature(seal)));
                }
                let is_googles = |seal: &&Seal| seal.kind == crate::conversation::SealKind::Google;
                open = reasoning.seal.as_ref().filter(is_googles);
                let seal = reasoning.seal.as_ref().filter(|seal| !is_googles(seal));
                if reasoning.text.is_empty() && seal.is_none() {
                    continue;
                }
                parts.push(ShownPart::thought(&reasoning.text, seal.map(signature)));
                continue;
            }
            Part::ToolCall { id, name, arguments, .. } => ShownPart::call(id, name, arguments),
            Part::Media(media) => match ShownPart::media(media) {
                Some(part) => part,
                None => continue,
            },
            Part::Citation(citation) => {
                citations.add(citation, &text);
                continue;
            }
            // Only callers send these.
            Part::ToolResult { .. } | Part::CachePoint(_) => continue,
        };
        if shown.is_empty() {
            continue;
        }
        parts.push(shown.signed(open.take().map(signature)));
    }
    if let Some(seal) = open {
        parts.push(ShownPart::seal(signature(seal)));
    }
    let sum: f64 = choice.logprobs.iter().map(|token| token.logprob).sum();
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    let mean = sum / choice.logprobs.len().max(1) as f64;
    Candidate {
        content: (!parts.is_empty()).then(|| Content::new(parts)),
        finish_reason: Some(finish_word(&choice.finish)),
        index,
        safety_ratings: choice.safety.iter().map(Into::into).collect(),
        citations,
        avg_logprobs: (!choice.logprobs.is_empty()).then_some(mean),
        logprobs_result: LogprobsResult::new(&choice.logprobs),
    }
}

#[cfg(test)]
mod tests;
