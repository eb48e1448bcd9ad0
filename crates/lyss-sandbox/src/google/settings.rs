//! `generationConfig`, and what the model makes of it.

use serde_json::{Value, json};

use super::Generation;
use super::fields::{flag, get, list, number, text};
use crate::refusal::Refusal;

pub(super) struct Settings<'a> {
    pub(super) candidates: usize,
    pub(super) max_output_tokens: usize,
    pub(super) thinks: bool,
    pub(super) shows_thoughts: bool,
    pub(super) stop_sequences: Vec<&'a str>,
    /// Of the JSON that is wanted; `{}` if any will do.
    pub(super) schema: Option<Value>,
    /// `text/x.enum`: the bare word is wanted.
    pub(super) enumerates: bool,
    pub(super) logprobs: bool,
}

const MAX_CANDIDATES: i64 = 8;
const MAX_STOP_SEQUENCES: usize = 5;

impl<'a> Settings<'a> {
    pub(super) fn read(body: &'a Value, model: &str, generation: Generation) -> Result<Self, Refusal> {
        static NOTHING: Value = Value::Null;
        let config = get(body, "generationConfig").unwrap_or(&NOTHING);
        let candidates = number(config, "candidateCount").unwrap_or(1);
        if !(1..=MAX_CANDIDATES).contains(&candidates) {
            return Err(invalid("candidate_count", "must be between 1 and 8"));
        }
        let max = number(config, "maxOutputTokens").unwrap_or(65_536);
        if max < 1 {
            return Err(invalid("max_output_tokens", "must be at least 1"));
        }
        let temperature = get(config, "temperature").map(|value| value.as_f64().unwrap_or(-1.0));
        if temperature.is_some_and(|value| !(0.0..=2.0).contains(&value)) {
            return Err(invalid("temperature", "must be in the range [0.0, 2.0]"));
        }
        let stop_sequences: Vec<_> = list(config, "stopSequences").iter().filter_map(Value::as_str).collect();
        if stop_sequences.len() > MAX_STOP_SEQUENCES {
            return Err(invalid("stop_sequences", "may hold at most 5 sequences"));
        }
        if get(config, "logprobs").is_some() && !flag(config, "responseLogprobs") {
            return Err(invalid("logprobs", "needs response_logprobs"));
        }
        let (schema, enumerates) = wanted_json(config)?;
        let (thinks, shows_thoughts) = thinking(config, model, generation)?;
        Ok(Self {
            candidates: usize::try_from(candidates).unwrap_or(1),
            max_output_tokens: usize::try_from(max).unwrap_or(usize::MAX),
            thinks,
            shows_thoughts,
            stop_sequences,
            schema,
            enumerates,
            logprobs: flag(config, "responseLogprobs"),
        })
    }
}

fn wanted_json(config: &Value) -> Result<(Option<Value>, bool), Refusal> {
    let named = ["responseSchema", "responseJsonSchema", "_responseJsonSchema"];
    let mut schemas = named.iter().filter_map(|name| get(config, name));
    let schema = schemas.next();
    if schemas.next().is_some() {
        return Err(invalid(
            "response_schema",
            "only one of response_schema and response_json_schema may be set",
        ));
    }
    match text(config, "responseMimeType") {
        "application/json" => Ok((Some(schema.cloned().unwrap_or_else(|| json!({}))), false)),
        "text/x.enum" => Ok((schema.cloned(), true)),
        "" | "text/plain" if schema.is_none() => Ok((None, false)),
        "" | "text/plain" => {
            Err(invalid("response_mime_type", "a schema needs application/json or text/x.enum"))
        }
        _ => Err(invalid("response_mime_type", "allowed are text/plain, application/json and text/x.enum")),
    }
}

/// Whether it thinks, and shows it.
fn thinking(config: &Value, model: &str, generation: Generation) -> Result<(bool, bool), Refusal> {
    let Some(config) = get(config, "thinkingConfig") else { return Ok((true, false)) };
    let budget = number(config, "thinkingBudget");
    let level = text(config, "thinkingLevel");
    if generation == Generation::Two && !level.is_empty() {
        return Err(Refusal::invalid("Thinking level is not supported for this model."));
    }
    if budget.is_some() && !level.is_empty() {
        return Err(Refusal::invalid("Thinking budget and thinking level may not both be set."));
    }
    if !level.is_empty() && !matches!(level, "low" | "high" | "LOW" | "HIGH" | "THINKING_LEVEL_UNSPECIFIED") {
        return Err(Refusal::invalid("Thinking level is not supported for this model."));
    }
    let can_stop = model.contains("flash");
    let (least, most) = if can_stop { (0, 24_576) } else { (128, 32_768) };
    match budget {
        Some(0) if !can_stop => {
            Err(Refusal::invalid("Budget 0 is invalid. This model only works in thinking mode."))
        }
        Some(budget) if budget != -1 && !(least..=most).contains(&budget) => Err(Refusal::invalid(format!(
            "The thinking budget {budget} is invalid. Please choose a value between {least} and {most}."
        ))),
        _ => Ok((budget != Some(0), flag(config, "includeThoughts"))),
    }
}

fn invalid(field: &str, what: &str) -> Refusal {
    Refusal::invalid(format!("GenerateContentRequest.generation_config.{field}: {what}"))
        .param(format!("generation_config.{field}"))
}
