//! `generationConfig`, as in the API reference ("GenerationConfig", "ThinkingConfig").

use serde::Serialize;
use serde_json::value::RawValue;

use super::super::schema;
use super::models::{Model, Thinks};
use crate::conversation::{ChatCall, Effort, Loss, OutputFormat, Setting, Thinking, ThinkingMode};

/// The vendor's bounds.
const MAX_STOPS: usize = 5;
const MAX_CANDIDATES: u32 = 8;
const MAX_LOGPROBS: u32 = 20;

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Generation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json_schema: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_schema: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_config: Option<ThinkingConfig>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ThinkingConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    include_thoughts: Option<bool>,
    /// Of -1: as much as the model likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_budget: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_level: Option<&'static str>,
}

/// `None`: nothing was said.
pub(super) fn generation<'a>(
    call: &'a ChatCall,
    model: Model,
    output_limit: Option<u64>,
    losses: &mut Vec<Loss>,
) -> Option<Generation<'a>> {
    let mut written = Generation {
        temperature: call.temperature,
        top_p: call.top_p,
        top_k: call.top_k,
        max_output_tokens: call.max_output_tokens.or(output_limit),
        stop_sequences: stop_sequences(&call.stop, losses),
        ..Generation::default()
    };
    if let Some(wanted) = call.candidates.filter(|wanted| *wanted > 1) {
        written.candidate_count = Some(wanted.min(MAX_CANDIDATES));
        if wanted > MAX_CANDIDATES {
            losses.push(Setting::Candidates.into());
        }
    }
    if let Some(seed) = call.seed {
        written.seed = i32::try_from(seed).ok();
        if written.seed.is_none() {
            losses.push(Setting::Seed.into());
        }
    }
    penalties(call, model, &mut written, losses);
    if let Some(top) = call.logprobs {
        written.response_logprobs = Some(true);
        written.logprobs = (top > 0).then_some(top.min(MAX_LOGPROBS));
        if top > MAX_LOGPROBS {
            losses.push(Setting::TopLogprobs.into());
        }
    }
    format(call, model, &mut written, losses);
    written.thinking_config = call.thinking.and_then(|asked| thinking(&asked, model, losses));
    let is_empty = serde_json::to_string(&written).is_ok_and(|text| text == "{}");
    (!is_empty).then_some(written)
}

fn penalties(call: &ChatCall, model: Model, written: &mut Generation<'_>, losses: &mut Vec<Loss>) {
    let said = |value: Option<f64>| value.filter(|value| *value != 0.0);
    if !model.is_third() {
        written.presence_penalty = call.presence_penalty;
        written.frequency_penalty = call.frequency_penalty;
        return;
    }
    // From the third generation on they are refused.
    if said(call.presence_penalty).is_some() {
        losses.push(Setting::PresencePenalty.into());
    }
    if said(call.frequency_penalty).is_some() {
        losses.push(Setting::FrequencyPenalty.into());
    }
}

fn format<'a>(call: &'a ChatCall, model: Model, written: &mut Generation<'a>, losses: &mut Vec<Loss>) {
    let Some(format) = &call.format else { return };
    written.response_mime_type = Some("application/json");
    match format {
        OutputFormat::JsonObject => {}
        OutputFormat::JsonSchema { schema, .. } if model.reads_json_schema() => {
            written.response_json_schema = Some(schema);
        }
        OutputFormat::JsonSchema { schema, .. } => {
            let (subset, is_whole) = schema::to_subset(schema);
            written.response_schema = Some(subset);
            if !is_whole {
                losses.push(Setting::Format.into());
            }
        }
    }
}

/// The vendor takes five, none of them empty.
fn stop_sequences<'a>(stop: &'a [String], losses: &mut Vec<Loss>) -> Vec<&'a str> {
    let kept: Vec<_> =
        stop.iter().map(String::as_str).filter(|stop| !stop.is_empty()).take(MAX_STOPS).collect();
    if kept.len() < stop.len() {
        losses.push(Setting::Stop.into());
    }
    kept
}

fn thinking(asked: &Thinking, model: Model, losses: &mut Vec<Loss>) -> Option<ThinkingConfig> {
    let is_off = asked.is_off();
    let mut config = ThinkingConfig::default();
    // Who asks for thoughts wants to see them, unless they say otherwise.
    let show = asked.show.unwrap_or(!is_off);
    match model.thinking {
        Thinks::Never => {
            if !is_off && *asked != Thinking::default() {
                losses.push(Setting::Thinking.into());
            }
            return None;
        }
        Thinks::Budget { can_stop, least, .. } if is_off => {
            config.thinking_budget = Some(if can_stop { 0 } else { tokens(least) });
            if !can_stop {
                config.include_thoughts = Some(false);
                losses.push(Setting::Thinking.into());
            }
            return Some(config);
        }
        Thinks::Budget { least, most, .. } => {
            config.thinking_budget = match asked.budget_or_effort() {
                Some(wanted) => {
                    let given = wanted.clamp(least, most);
                    if asked.budget.is_some() && given != wanted {
                        losses.push(Setting::Thinking.into());
                    }
                    Some(tokens(given))
                }
                None if asked.mode == ThinkingMode::Adaptive => Some(-1),
                None => None,
            };
        }
        Thinks::Level { lowest, .. } if is_off => {
            // The least there is, and out of sight.
            config.thinking_level = Some(lowest.as_str());
            config.include_thoughts = Some(false);
            losses.push(Setting::Thinking.into());
            return Some(config);
        }
        Thinks::Level { lowest, has_medium } => {
            config.thinking_level = asked.effort_or_budget().map(|effort| match effort {
                Effort::None | Effort::Minimal => lowest.as_str(),
                Effort::Low => "low",
                Effort::Medium if has_medium => "medium",
                Effort::Medium | Effort::High | Effort::XHigh | Effort::Max => "high",
            });
        }
    }
    config.include_thoughts = Some(show);
    Some(config)
}

fn tokens(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
