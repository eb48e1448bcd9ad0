//! Writing a conversation as a request, as in the API reference ("Generating content").
//!
//! What the vendor insists on: instructions stand apart; turns of one role in a row become one; contents begin with the
//! user's; results of functions stand right behind their calls, in the calls' order, and name the function.

mod contents;
mod models;
mod settings;
mod tools;

use serde::Serialize;

use self::contents::{Content, Contents};
use self::models::Model;
use self::settings::Generation;
use self::tools::{ToolConfig, WireTool};
use crate::conversation::{ChatCall, Loss, Setting};
use crate::dialect::{Encoded, Encoding, Unsayable};

/// The body of `generateContent`; the model stands in the address.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request<'a> {
    contents: Vec<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<WireTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<ToolConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_config: Option<Generation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
}

pub(super) fn encode(call: &ChatCall, encoding: &Encoding<'_>) -> Result<Encoded, Unsayable> {
    let (request, losses) = request(call, encoding)?;
    let body = write(&request)?;
    Ok(Encoded { body, losses, headers: Vec::new() })
}

/// The request as an object, and what it could not be told.
pub(super) fn request<'a>(
    call: &'a ChatCall,
    encoding: &Encoding<'_>,
) -> Result<(Request<'a>, Vec<Loss>), Unsayable> {
    let model = Model::of(encoding.model);
    let mut losses: Vec<Loss> = call.unmapped.iter().cloned().map(Loss::Field).collect();
    let Contents { contents, system } = contents::contents(&call.turns, model, &mut losses)?;
    let (tools, tool_config) = tools::tools(call, model, &mut losses)?;
    let generation = settings::generation(call, model, encoding.output_limit, &mut losses);
    passengers(call, &mut losses);
    let request = Request {
        contents,
        system_instruction: system,
        tools,
        tool_config,
        generation_config: generation,
        service_tier: service_tier(call, &mut losses),
    };
    Ok((request, losses))
}

pub(super) fn write<T: Serialize>(value: &T) -> Result<bytes::Bytes, Unsayable> {
    serde_json::to_vec(value)
        .map(Into::into)
        .map_err(|_| Unsayable { at: None, message: "The request could not be written.".to_owned() })
}

/// OpenAI's `default` is this vendor's `standard`; `auto` leaves it to the vendor.
fn service_tier(call: &ChatCall, losses: &mut Vec<Loss>) -> Option<&'static str> {
    match call.service_tier.as_deref()? {
        "auto" => None,
        "default" | "standard" => Some("standard"),
        "flex" => Some("flex"),
        "priority" => Some("priority"),
        _ => {
            losses.push(Setting::ServiceTier.into());
            None
        }
    }
}

/// What the Gemini API has no field for.
fn passengers(call: &ChatCall, losses: &mut Vec<Loss>) {
    let passengers = &call.passengers;
    let said = [
        (Setting::User, call.user.is_some()),
        (Setting::Verbosity, call.verbosity.is_some()),
        (Setting::ParallelTools, call.parallel_tools == Some(false) && !call.tools.is_empty()),
        (Setting::Store, passengers.store == Some(true)),
        (Setting::Metadata, passengers.metadata.is_some()),
        (Setting::PromptCacheKey, passengers.prompt_cache_key.is_some()),
        (Setting::PromptCacheRetention, passengers.prompt_cache_retention.is_some()),
        (Setting::SafetyIdentifier, passengers.safety_identifier.is_some()),
    ];
    losses.extend(said.into_iter().filter(|(_, is_said)| *is_said).map(|(setting, _)| setting.into()));
}

#[cfg(test)]
mod tests;
