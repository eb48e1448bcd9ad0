//! Sampling, stop sequences, and the settings that this vendor does not have.

use super::models::{Model, Sampling};
use crate::conversation::{ChatCall, Loss, Setting};
use crate::dialect::Unsayable;

#[derive(Debug, Default)]
pub(super) struct Sampled {
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    pub(super) top_k: Option<u64>,
}

/// What the model takes of temperature, `top_p` and `top_k`. A value of 1 for the first two says nothing, so leaving
/// it out loses nothing. With thinking only a `top_p` near 1 is taken.
pub(super) fn sampling(call: &ChatCall, model: &Model, thinks: bool, losses: &mut Vec<Loss>) -> Sampled {
    const MIN_TOP_P_WITH_THINKING: f64 = 0.95;
    let said = |value: Option<f64>| value.filter(|value| (value - 1.0).abs() > f64::EPSILON);
    let mut lose = |setting: Setting| losses.push(setting.into());
    if model.sampling == Sampling::None || thinks {
        let top_p = call.top_p.filter(|top_p| {
            thinks && model.sampling != Sampling::None && (MIN_TOP_P_WITH_THINKING..=1.0).contains(top_p)
        });
        for (field, is_lost) in [
            (Setting::Temperature, said(call.temperature).is_some()),
            (Setting::TopP, said(call.top_p).is_some() && top_p.is_none()),
            (Setting::TopK, call.top_k.is_some()),
        ] {
            if is_lost {
                lose(field);
            }
        }
        return Sampled { top_p, ..Sampled::default() };
    }
    let mut sampled = Sampled { temperature: call.temperature, top_p: call.top_p, top_k: call.top_k };
    // OpenAI's scale ends at 2, this one at 1.
    if sampled.temperature.is_some_and(|temperature| temperature > 1.0) {
        sampled.temperature = Some(1.0);
        lose(Setting::Temperature);
    }
    if model.sampling == Sampling::OneOf && sampled.temperature.is_some() && sampled.top_p.is_some() {
        if said(call.top_p).is_none() {
            sampled.top_p = None;
        } else if said(call.temperature).is_none() {
            sampled.temperature = None;
        } else {
            sampled.top_p = None;
            lose(Setting::TopP);
        }
    }
    sampled
}

/// The vendor refuses blank ones.
pub(super) fn stop_sequences<'a>(stop: &'a [String], losses: &mut Vec<Loss>) -> Vec<&'a str> {
    let kept: Vec<_> = stop.iter().map(String::as_str).filter(|stop| !stop.trim().is_empty()).collect();
    if kept.len() < stop.len() {
        losses.push(Setting::Stop.into());
    }
    kept
}

/// Of OpenAI's words, the two that this vendor has others for.
pub(super) fn service_tier(call: &ChatCall, losses: &mut Vec<Loss>) -> Option<&'static str> {
    match call.service_tier.as_deref()? {
        "auto" | "priority" => Some("auto"),
        "default" => Some("standard_only"),
        _ => {
            losses.push(Setting::ServiceTier.into());
            None
        }
    }
}

/// What has no place here at all.
pub(super) fn unknown_settings(call: &ChatCall, losses: &mut Vec<Loss>) -> Result<(), Unsayable> {
    if call.candidates.is_some_and(|count| count > 1) {
        let message = "This model's vendor gives one answer at a time.";
        return Err(Unsayable::new(Setting::Candidates, message));
    }
    let is_some = |value: Option<f64>| value.is_some_and(|value| value.abs() > f64::EPSILON);
    let passengers = &call.passengers;
    for (setting, is_lost) in [
        (Setting::PresencePenalty, is_some(call.presence_penalty)),
        (Setting::FrequencyPenalty, is_some(call.frequency_penalty)),
        (Setting::Seed, call.seed.is_some()),
        (Setting::Logprobs, call.logprobs.is_some()),
        (Setting::TopLogprobs, call.logprobs.is_some_and(|top| top > 0)),
        (Setting::Verbosity, call.verbosity.is_some()),
        (Setting::Store, passengers.store == Some(true)),
        (Setting::Metadata, passengers.metadata.is_some()),
        (Setting::PromptCacheKey, passengers.prompt_cache_key.is_some()),
        (Setting::PromptCacheRetention, passengers.prompt_cache_retention.is_some()),
        (Setting::SafetyIdentifier, passengers.safety_identifier.is_some() && call.user.is_some()),
    ] {
        if is_lost {
            losses.push(setting.into());
        }
    }
    Ok(())
}
