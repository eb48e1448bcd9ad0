//! Writing a conversation as a message request, as in the API reference ("Create a Message").
//!
//! What the vendor insists on: instructions stand apart in `system`; turns of one role in a row become one, the user's
//! first; the results of tools are the user's and come before its words; no text block is blank; `max_tokens` is always
//! there; models differ in what they take beside (see [`models`]).

mod cache;
mod media;
mod models;
mod out;
mod sampling;
mod schema;
mod thinking;
mod tools;
mod turns;

use std::borrow::Cow;

use self::models::{Model, Thinks};
use self::out::{Block, Format, Metadata, OutputConfig, Request};
use self::turns::Rules;
use crate::conversation::{ChatCall, Loss, OutputFormat, Setting};
use crate::dialect::{Encoded, Encoding, Unsayable};

pub(super) fn encode(call: &ChatCall, encoding: &Encoding<'_>) -> Result<Encoded, Unsayable> {
    let mut losses = Vec::new();
    let request = request(call, encoding, &mut losses)?;
    written(&request, losses)
}

/// The body of `/v1/messages/count_tokens`: the same prompt, without what rules the answer.
pub(super) fn count_body(call: &ChatCall, encoding: &Encoding<'_>) -> Result<Encoded, Unsayable> {
    let mut losses = Vec::new();
    let request = Request {
        max_tokens: None,
        temperature: None,
        top_p: None,
        top_k: None,
        stop_sequences: Vec::new(),
        metadata: None,
        service_tier: None,
        stream: false,
        ..request(call, encoding, &mut losses)?
    };
    written(&request, losses)
}

fn written(request: &Request<'_>, losses: Vec<Loss>) -> Result<Encoded, Unsayable> {
    let body = serde_json::to_vec(request)
        .map_err(|_| Unsayable { at: None, message: "The request could not be written.".to_owned() })?;
    let mut once: Vec<Loss> = Vec::with_capacity(losses.len());
    for loss in losses {
        if !once.contains(&loss) {
            once.push(loss);
        }
    }
    Ok(Encoded { body: body.into(), losses: once, headers: Vec::new() })
}

fn request<'a>(
    call: &'a ChatCall,
    encoding: &Encoding<'a>,
    losses: &mut Vec<Loss>,
) -> Result<Request<'a>, Unsayable> {
    let model = Model::of(encoding.model);
    losses.extend(call.unmapped.iter().cloned().map(Loss::Field));
    sampling::unknown_settings(call, losses)?;
    let (format, asked_in_words) = format(call, &model, losses);
    let rules = Rules { citations: format.is_none(), thinking: model.thinking != Thinks::Never };
    let (mut system, messages) = turns::conversation(call, &model, rules, losses)?;
    let tools = tools::tools(call, &model, losses)?;
    let (tool_choice, forced_in_words) = tools::choice(call, &model, !tools.is_empty(), losses);
    system.extend([forced_in_words, asked_in_words].into_iter().flatten().map(Block::text));
    let max_tokens = max_tokens(call, encoding, &model, losses);
    let plan = thinking::plan(call, &model, max_tokens, tool_choice.as_ref(), &messages, losses);
    let sampled = sampling::sampling(call, &model, plan.thinks(&model), losses);
    let output_config = OutputConfig { effort: plan.effort, format };
    let user = call.user.as_deref().or(call.passengers.safety_identifier.as_deref());
    let mut request = Request {
        model: encoding.model,
        max_tokens: Some(max_tokens),
        system,
        messages,
        tools,
        tool_choice,
        thinking: plan.thinking,
        output_config: Some(output_config).filter(OutputConfig::says_something),
        temperature: sampled.temperature,
        top_p: sampled.top_p,
        top_k: sampled.top_k,
        stop_sequences: sampling::stop_sequences(&call.stop, losses),
        metadata: user.map(|user_id| Metadata { user_id }),
        service_tier: sampling::service_tier(call, losses),
        stream: call.stream,
    };
    cache::limit(&mut request, losses);
    Ok(request)
}

/// The caller's, ours, or the model's own; more than a model writes is refused by the vendor.
fn max_tokens(call: &ChatCall, encoding: &Encoding<'_>, model: &Model, losses: &mut Vec<Loss>) -> u64 {
    let wished = call.max_output_tokens.or(encoding.output_limit);
    let most = if model.is_known { model.max_output_tokens } else { u64::MAX };
    if call.max_output_tokens.is_some_and(|tokens| tokens > most) {
        losses.push(Setting::MaxOutputTokens.into());
    }
    wished.unwrap_or(model.max_output_tokens).min(most)
}

/// A JSON schema where the model takes one; else a sentence for the instructions, which binds the model less.
fn format<'a>(
    call: &'a ChatCall,
    model: &Model,
    losses: &mut Vec<Loss>,
) -> (Option<Format<'a>>, Option<String>) {
    const ONLY_JSON: &str = "Answer with one JSON object and nothing else: no other words, no code fence.";
    let words = match &call.format {
        None => return (None, None),
        Some(OutputFormat::JsonObject) => ONLY_JSON.to_owned(),
        Some(OutputFormat::JsonSchema { schema, description, .. }) => {
            if let Some(fitted) =
                Some(schema).filter(|_| model.schemas).and_then(|schema| schema::fit(schema))
            {
                if fitted.is_loose {
                    losses.push(Setting::Format.into());
                }
                let format = Format { r#type: "json_schema", schema: Cow::Owned(fitted.schema) };
                return (Some(format), None);
            }
            let about = description.as_deref().map(|text| format!("\n{text}")).unwrap_or_default();
            format!("{ONLY_JSON} It must fit this JSON schema:{about}\n{}", schema.get())
        }
    };
    losses.push(Setting::Format.into());
    (None, Some(words))
}

#[cfg(test)]
mod tests;
