//! Writing a conversation as a chat completion request, as in the API reference ("Create chat completion"), obeying the
//! vendor's [`Quirks`](crate::Quirks).

mod base64;
mod ids;
mod messages;
mod models;
mod thinking;

use bytes::BytesMut;
use serde::Serialize;
use serde_json::value::RawValue;

use self::models::Family;
use crate::conversation::{
    CacheLifetime, ChatCall, Loss, OutputFormat, ServerToolKind, Setting, Tool, ToolChoice, ToolKind,
    WebSearch,
};
use crate::dialect::{Encoded, Encoding, Unsayable};
use crate::json_out::push_json;
use crate::quirks::Quirks;

/// OpenAI insists on a name; callers of other dialects have none.
const SCHEMA_NAME: &str = "response";

/// What every part of the encoder needs.
struct Task<'a> {
    call: &'a ChatCall,
    quirks: &'a Quirks,
    model: &'a str,
    family: Family,
    losses: Vec<Loss>,
    out: BytesMut,
}

impl<'a> Task<'a> {
    /// Writes one field of the request.
    fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.out.extend_from_slice(if self.out.is_empty() { b"{" } else { b"," });
        push_json(&mut self.out, name);
        self.out.extend_from_slice(b":");
        push_json(&mut self.out, value);
    }

    fn put_some<T: Serialize>(&mut self, name: &str, value: Option<T>) {
        if let Some(value) = value {
            self.put(name, &value);
        }
    }

    /// Writes a field where the vendor takes it, else notes its loss.
    fn put_if<T: Serialize>(&mut self, takes: bool, name: &str, value: Option<T>, setting: Setting) {
        match value {
            Some(value) if takes => self.put(name, &value),
            Some(_) => self.lose(setting),
            None => {}
        }
    }

    fn lose(&mut self, what: impl Into<Loss>) {
        self.losses.push(what.into());
    }
}

/// A stream is always asked for its usage: whether the caller sees it is the renderer's business.
pub(super) fn encode(call: &ChatCall, encoding: &Encoding<'_>) -> Result<Encoded, Unsayable> {
    let Encoding { model, output_limit, quirks } = *encoding;
    let family = if quirks.platform_fields { Family::of(model) } else { Family::Unknown };
    let losses = call.unmapped.iter().cloned().map(Loss::Field).collect();
    let mut task = Task { call, quirks, model, family, losses, out: BytesMut::new() };
    task.put("model", model);
    let mut messages = messages::messages(&mut task)?;
    if let Some(words) = json_in_words(&task) {
        messages.insert(0, messages::instruction(words));
    }
    task.put("messages", &messages);
    tools(&mut task)?;
    limits(&mut task, output_limit);
    sampling(&mut task);
    format(&mut task);
    thinking::thinking(&mut task);
    platform(&mut task);
    if call.stream {
        task.put("stream", &true);
        if quirks.stream_options {
            task.put("stream_options", &StreamOptions { include_usage: true });
        }
    }
    task.out.extend_from_slice(b"}");
    Ok(Encoded { body: task.out.freeze(), losses: task.losses, headers: Vec::new() })
}

/// What `json_object` needs beside it: these vendors refuse it unless some message speaks of JSON ("JSON Output"), and a
/// schema that cannot be sent as one can still be told in words.
fn json_in_words(task: &Task<'_>) -> Option<String> {
    const ONLY_JSON: &str = "Answer with one JSON object and nothing else: no other words, no code fence.";
    match task.call.format.as_ref()? {
        OutputFormat::JsonSchema { schema, .. } if !task.quirks.json_schema => {
            Some(format!("{ONLY_JSON} It must fit this JSON schema: {}", schema.get()))
        }
        OutputFormat::JsonObject if !task.call.speaks_of_json() => Some(ONLY_JSON.to_owned()),
        OutputFormat::JsonObject | OutputFormat::JsonSchema { .. } => None,
    }
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

fn limits(task: &mut Task<'_>, output_limit: Option<u64>) {
    let field = task.quirks.output_limit_field.unwrap_or_else(|| {
        if models::takes_max_completion_tokens(task.model) { "max_completion_tokens" } else { "max_tokens" }
    });
    task.put_some(field, task.call.max_output_tokens.or(output_limit));
}

fn sampling(task: &mut Task<'_>) {
    let (call, quirks) = (task.call, task.quirks);
    let samples = task.family.samples(task.call.thinking.as_ref());
    task.put_if(samples, "temperature", call.temperature, Setting::Temperature);
    task.put_if(samples, "top_p", call.top_p, Setting::TopP);
    task.put_if(quirks.top_k, "top_k", call.top_k, Setting::TopK);
    let penalties = quirks.penalties && samples;
    task.put_if(penalties, "presence_penalty", call.presence_penalty, Setting::PresencePenalty);
    task.put_if(penalties, "frequency_penalty", call.frequency_penalty, Setting::FrequencyPenalty);
    let seed_field = quirks.seed_field;
    task.put_if(seed_field.is_some(), seed_field.unwrap_or_default(), call.seed, Setting::Seed);
    let stop = Some(&call.stop).filter(|stop| !stop.is_empty());
    task.put_if(task.family.takes_stop(), "stop", stop, Setting::Stop);
    task.put_if(quirks.candidates, "n", call.candidates, Setting::Candidates);
    let Some(alternatives) = call.logprobs else { return };
    if quirks.logprobs && samples {
        task.put("logprobs", &true);
        task.put_some("top_logprobs", Some(alternatives).filter(|wanted| *wanted > 0));
    } else {
        task.lose(Setting::Logprobs);
    }
}

/// What OpenAI's own platform alone knows.
fn platform(task: &mut Task<'_>) {
    let call = task.call;
    let takes = task.quirks.platform_fields;
    let more = &call.passengers;
    task.put_if(takes, "user", call.user.as_deref(), Setting::User);
    task.put_if(takes, "metadata", more.metadata.as_deref(), Setting::Metadata);
    // Not to store is what vendors without the field do anyway.
    task.put_if(takes, "store", more.store.filter(|store| takes || *store), Setting::Store);
    let tier = call.service_tier.as_deref().filter(|tier| takes || !matches!(*tier, "auto" | "default"));
    task.put_if(takes, "service_tier", tier, Setting::ServiceTier);
    task.put_if(takes, "prompt_cache_key", more.prompt_cache_key.as_deref(), Setting::PromptCacheKey);
    let retention = more.prompt_cache_retention.as_deref();
    task.put_if(takes, "prompt_cache_retention", retention, Setting::PromptCacheRetention);
    let identifier = more.safety_identifier.as_deref();
    task.put_if(takes, "safety_identifier", identifier, Setting::SafetyIdentifier);
    let takes_verbosity = takes && task.family.takes_verbosity();
    task.put_if(takes_verbosity, "verbosity", call.verbosity.as_deref(), Setting::Verbosity);
}

#[derive(Serialize)]
struct Format<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<JsonSchema<'a>>,
}

#[derive(Serialize)]
struct JsonSchema<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    schema: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

fn format(task: &mut Task<'_>) {
    let quirks = task.quirks;
    let schema = match &task.call.format {
        None => return,
        Some(OutputFormat::JsonObject) => None,
        Some(OutputFormat::JsonSchema { name, description, schema, strict }) => Some(JsonSchema {
            name: name.as_deref().unwrap_or(SCHEMA_NAME),
            description: description.as_deref(),
            schema,
            strict: *strict,
        }),
    };
    if schema.is_some() && !quirks.json_schema {
        task.lose(Setting::Format);
    }
    match schema.filter(|_| quirks.json_schema) {
        Some(schema) => {
            task.put("response_format", &Format { r#type: "json_schema", json_schema: Some(schema) });
        }
        None if quirks.json_object => {
            task.put("response_format", &Format { r#type: "json_object", json_schema: None });
        }
        None if quirks.json_schema => task.lose(Setting::Format),
        None => {
            if !task.losses.contains(&Loss::Setting(Setting::Format)) {
                task.lose(Setting::Format);
            }
        }
    }
}

#[derive(Serialize)]
struct WireTool<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<WireFunction<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom: Option<WireCustom<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

#[derive(Serialize)]
struct WireCustom<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'a RawValue>,
}

/// A marker as Anthropic writes it and OpenRouter reads it.
#[derive(Clone, Copy, Debug, Serialize)]
struct CacheControl {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

impl From<CacheLifetime> for CacheControl {
    fn from(lifetime: CacheLifetime) -> Self {
        Self { r#type: "ephemeral", ttl: (lifetime == CacheLifetime::Long).then_some("1h") }
    }
}

fn tools(task: &mut Task<'_>) -> Result<(), Unsayable> {
    let call = task.call;
    let mut tools = Vec::with_capacity(call.tools.len());
    for said in &call.tools {
        tools.push(tool(said, task)?);
    }
    server_tools(task);
    if tools.is_empty() {
        // Only a tool that runs at the vendor was to be called, and it is lost.
        if matches!(call.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_))) {
            task.lose(Setting::ToolChoice);
        }
        return Ok(());
    }
    task.put("tools", &tools);
    choice(task);
    match call.parallel_tools {
        Some(wish) if task.quirks.parallel_tool_calls && task.family.takes_parallel_tool_calls() => {
            task.put("parallel_tool_calls", &wish);
        }
        // Several at once are the default.
        Some(false) => task.lose(Setting::ParallelTools),
        _ => {}
    }
    Ok(())
}

fn tool<'a>(tool: &'a Tool, task: &mut Task<'a>) -> Result<WireTool<'a>, Unsayable> {
    let takes_cache = task.quirks.cache_control;
    if tool.cache.is_some() && !takes_cache {
        task.lose(Loss::tool(tool.origin, "cache_control"));
    }
    let cache_control = tool.cache.filter(|_| takes_cache).map(CacheControl::from);
    let (name, description) = (tool.name.as_str(), tool.description.as_deref());
    match &tool.kind {
        ToolKind::Function { parameters } => {
            if tool.strict == Some(true) && !task.quirks.strict_tools {
                task.lose(Loss::tool(tool.origin, "strict"));
            }
            let strict = tool.strict.filter(|_| task.quirks.strict_tools);
            let function = WireFunction { name, description, parameters: parameters.as_deref(), strict };
            Ok(WireTool { r#type: "function", function: Some(function), custom: None, cache_control })
        }
        ToolKind::Custom { format } if task.quirks.platform_fields => {
            let custom = WireCustom { name, description, format: format.as_deref() };
            Ok(WireTool { r#type: "custom", function: None, custom: Some(custom), cache_control })
        }
        ToolKind::Custom { .. } => Err(Unsayable::new(
            Loss::tool(tool.origin, ""),
            "This model's vendor knows no tools that take free text.",
        )),
    }
}

fn choice(task: &mut Task<'_>) {
    #[derive(Serialize)]
    struct Named<'a> {
        r#type: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        function: Option<Name<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        custom: Option<Name<'a>>,
    }
    #[derive(Serialize)]
    struct Name<'a> {
        name: &'a str,
    }
    let call = task.call;
    match &call.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => task.put("tool_choice", "auto"),
        Some(ToolChoice::None) => task.put("tool_choice", "none"),
        Some(_) if !task.quirks.forced_tools => task.lose(Setting::ToolChoice),
        Some(ToolChoice::Required) => task.put("tool_choice", "required"),
        Some(ToolChoice::Named(name)) => {
            let is_custom = call.tools.iter().any(|tool| tool.name == *name && tool.is_custom());
            let named = match is_custom {
                true => Named { r#type: "custom", function: None, custom: Some(Name { name }) },
                false => Named { r#type: "function", function: Some(Name { name }), custom: None },
            };
            task.put("tool_choice", &named);
        }
    }
}

#[derive(Serialize)]
struct WebSearchOptions<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    search_context_size: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_location: Option<UserLocation<'a>>,
}

#[derive(Serialize)]
struct UserLocation<'a> {
    r#type: &'static str,
    approximate: Approximate<'a>,
}

#[derive(Serialize)]
struct Approximate<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<&'a str>,
}

/// Web search is known to the models made for it alone; the other tools to none ("Web search", chat completions).
fn server_tools(task: &mut Task<'_>) {
    let call = task.call;
    for tool in &call.server_tools {
        match &tool.kind {
            ServerToolKind::WebSearch(search) if models::searches(task.model) => {
                if !search.allowed_domains.is_empty() || !search.blocked_domains.is_empty() {
                    task.lose(Loss::tool(tool.origin, "domains"));
                }
                if search.max_uses.is_some() {
                    task.lose(Loss::tool(tool.origin, "max_uses"));
                }
                task.put("web_search_options", &search_options(search));
            }
            _ => task.lose(Loss::tool(tool.origin, "")),
        }
    }
}

fn search_options(search: &WebSearch) -> WebSearchOptions<'_> {
    let user_location = search.location.as_ref().map(|place| UserLocation {
        r#type: "approximate",
        approximate: Approximate {
            city: place.city.as_deref(),
            country: place.country.as_deref(),
            region: place.region.as_deref(),
            timezone: place.timezone.as_deref(),
        },
    });
    WebSearchOptions { search_context_size: search.context_size.as_deref(), user_location }
}

#[cfg(test)]
mod tests;
