//! Writing a conversation as a request for a response, as in the API reference ("Create a model response").
//!
//! Nothing is kept at the vendor unless the caller wishes it, so reasoning comes back sealed (`include`) and goes there
//! sealed. What this dialect has no word for: stop sequences, a seed, penalties, `top_k`, several answers, sound.

mod items;
mod models;
mod tools;

use serde::Serialize;
use serde_json::value::RawValue;

use self::items::Item;
use self::models::Model;
use self::tools::{WireChoice, WireTool};
use crate::conversation::{ChatCall, Loss, OutputFormat, Setting};
use crate::dialect::{Encoded, Encoding, Unsayable};

/// The vendor refuses a smaller limit.
const MIN_OUTPUT_TOKENS: u64 = 16;
const MAX_TOP_LOGPROBS: u32 = 20;
const MAX_NAME_CHARS: usize = 64;

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<String>,
    input: Vec<Item<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<WireTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<WireChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tool_calls: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<WireReasoning>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    include: Vec<&'static str>,
    store: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safety_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_retention: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
}

#[derive(Serialize)]
struct Text<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Format<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Format<'a> {
    JsonObject,
    JsonSchema {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        schema: &'a RawValue,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
    },
}

#[derive(Serialize)]
struct WireReasoning {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'static str>,
}

pub(super) fn encode(call: &ChatCall, encoding: &Encoding<'_>) -> Result<Encoded, Unsayable> {
    let model = Model::of(encoding.model);
    let mut losses: Vec<Loss> = call.unmapped.iter().cloned().map(Loss::Field).collect();
    if call.candidates.is_some_and(|n| n > 1) {
        let text = "This model's vendor gives one answer at a time.";
        return Err(Unsayable::new(Setting::Candidates, text));
    }
    lose_unknown(call, &mut losses);
    let tools = tools::tools(call, &mut losses)?;
    let conversation = items::conversation(&call.turns, &mut losses)?;
    let reasons = model.reasons(call.thinking.as_ref(), conversation.has_seals);
    let logprobs = logprobs(call, model, &mut losses);
    let (temperature, top_p) = sampling(call, model, &mut losses);
    let request = Request {
        model: encoding.model,
        instructions: conversation.instructions,
        input: conversation.items,
        tool_choice: tools::choice(call, !tools.list.is_empty(), &mut losses),
        parallel_tool_calls: call.parallel_tools.filter(|_| !tools.list.is_empty()),
        max_tool_calls: tools.max_calls,
        tools: tools.list,
        max_output_tokens: output_limit(call, encoding.output_limit, &mut losses),
        temperature,
        top_p,
        top_logprobs: logprobs.filter(|n| *n > 0),
        text: text(call, model, &mut losses),
        reasoning: reasoning(call, model, &mut losses),
        include: [
            (reasons, "reasoning.encrypted_content"),
            (logprobs.is_some(), "message.output_text.logprobs"),
        ]
        .into_iter()
        .filter_map(|(wanted, name)| wanted.then_some(name))
        .collect(),
        store: call.passengers.store.unwrap_or(false),
        metadata: call.passengers.metadata.as_deref(),
        user: call.user.as_deref(),
        safety_identifier: call.passengers.safety_identifier.as_deref(),
        prompt_cache_key: call.passengers.prompt_cache_key.as_deref(),
        prompt_cache_retention: call.passengers.prompt_cache_retention.as_deref(),
        service_tier: call.service_tier.as_deref(),
        stream: call.stream,
    };
    let body = serde_json::to_vec(&request)
        .map_err(|_| Unsayable { at: None, message: "The request could not be written.".to_owned() })?;
    Ok(Encoded { body: body.into(), losses, headers: Vec::new() })
}

/// Settings that this dialect has no word for. An answer without them is another one, but still an answer to the same
/// question: a stop sequence that is not heeded leaves a longer text, which the caller is told.
fn lose_unknown(call: &ChatCall, losses: &mut Vec<Loss>) {
    let said = |value: Option<f64>| value.is_some_and(|value| value != 0.0);
    let unknown = [
        (!call.stop.is_empty(), Setting::Stop),
        (call.seed.is_some(), Setting::Seed),
        (said(call.presence_penalty), Setting::PresencePenalty),
        (said(call.frequency_penalty), Setting::FrequencyPenalty),
        (call.top_k.is_some(), Setting::TopK),
    ];
    losses
        .extend(unknown.into_iter().filter(|(is_said, _)| *is_said).map(|(_, setting)| Loss::from(setting)));
}

fn output_limit(call: &ChatCall, usual: Option<u64>, losses: &mut Vec<Loss>) -> Option<u64> {
    if call.max_output_tokens.is_some_and(|limit| limit < MIN_OUTPUT_TOKENS) {
        losses.push(Setting::MaxOutputTokens.into());
    }
    call.max_output_tokens.or(usual).map(|limit| limit.max(MIN_OUTPUT_TOKENS))
}

fn logprobs(call: &ChatCall, model: Model, losses: &mut Vec<Loss>) -> Option<u32> {
    let wanted = call.logprobs?;
    if !model.has_logprobs() {
        losses.push(Setting::Logprobs.into());
        return None;
    }
    if wanted > MAX_TOP_LOGPROBS {
        losses.push(Setting::TopLogprobs.into());
    }
    Some(wanted.min(MAX_TOP_LOGPROBS))
}

/// Reasoning models refuse other values than 1, so leaving a 1 out loses nothing.
fn sampling(call: &ChatCall, model: Model, losses: &mut Vec<Loss>) -> (Option<f64>, Option<f64>) {
    if model.takes_sampling(call.thinking.as_ref()) {
        return (call.temperature, call.top_p);
    }
    for (value, setting) in [(call.temperature, Setting::Temperature), (call.top_p, Setting::TopP)] {
        if value.is_some_and(|value| (value - 1.0).abs() > f64::EPSILON) {
            losses.push(setting.into());
        }
    }
    (None, None)
}

fn text<'a>(call: &'a ChatCall, model: Model, losses: &mut Vec<Loss>) -> Option<Text<'a>> {
    let format = match &call.format {
        None => None,
        Some(OutputFormat::JsonObject) => Some(Format::JsonObject),
        Some(OutputFormat::JsonSchema { name, description, schema, strict }) => Some(Format::JsonSchema {
            name: schema_name(name.as_deref()),
            description: description.as_deref(),
            schema,
            strict: *strict,
        }),
    };
    let verbosity = call.verbosity.as_deref().filter(|_| model.has_verbosity());
    if call.verbosity.is_some() && verbosity.is_none() {
        losses.push(Setting::Verbosity.into());
    }
    (format.is_some() || verbosity.is_some()).then_some(Text { format, verbosity })
}

/// A schema must have a name here, of letters, digits, `_` and `-`.
fn schema_name(name: Option<&str>) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name: String = name
        .unwrap_or_default()
        .chars()
        .take(MAX_NAME_CHARS)
        .map(|c| if is_allowed(c) { c } else { '_' })
        .collect();
    if name.is_empty() { "response".to_owned() } else { name }
}

fn reasoning(call: &ChatCall, model: Model, losses: &mut Vec<Loss>) -> Option<WireReasoning> {
    let thinking = call.thinking.as_ref()?;
    if !model.may_reason() {
        if !thinking.is_off() {
            losses.push(Setting::Thinking.into());
        }
        return None;
    }
    let (effort, is_exact) = model.effort(thinking);
    if !is_exact {
        losses.push(Setting::Thinking.into());
    }
    let summary = (thinking.show == Some(true) && !thinking.is_off()).then_some("auto");
    let effort = effort.map(crate::conversation::Effort::as_str);
    (effort.is_some() || summary.is_some()).then_some(WireReasoning { effort, summary })
}

#[cfg(test)]
mod tests;
