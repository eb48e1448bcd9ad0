//! OpenAI's chat completions, as OpenAI, Azure and DeepSeek speak them. The words on the wire are in `wire.rs`.
//!
//! Follows OpenAI's API reference ("Create chat completion", "Chat completion chunk object"), Azure OpenAI's REST
//! reference and DeepSeek's API reference.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::answer::{Answer, Ask, compose};
use crate::knobs::{self, Knobs};
use crate::refusal::{Kind, Refusal};
use crate::request::{Message, Parameters, Text, Tool, ToolWish, prompt_tokens, wanted_tools};
use crate::server::Spoken;
use crate::template::{filled, quoted};
use crate::vendor::Vendor;
pub(crate) use check::strict as check_strict;
use frame::Frame;
use wire::Wire;

mod check;
mod frame;
mod wire;

/// Seconds since 1970, in every answer: June 2025. Nothing here reads a clock.
const CREATED: &str = "1750000000";
const MAX_CHOICES: u64 = 4;
/// A small picture, an opened file, a second of sound.
const IMAGE_TOKENS: u64 = 85;
const FILE_TOKENS: u64 = 100;
const AUDIO_TOKENS: u64 = 20;
/// DeepSeek caches prompts in blocks of this many tokens; the sandbox takes every whole block for a hit.
const CACHE_BLOCK_TOKENS: u64 = 64;

#[derive(Deserialize)]
struct ChatRequest<'a> {
    #[serde(borrow, default)]
    model: Text<'a>,
    #[serde(borrow)]
    messages: Option<Vec<Message<'a>>>,
    stream: Option<bool>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    presence_penalty: Option<f64>,
    frequency_penalty: Option<f64>,
    logprobs: Option<bool>,
    #[serde(borrow)]
    stop: Option<&'a RawValue>,
    #[serde(borrow)]
    response_format: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_effort: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<Text<'a>>,
    #[serde(borrow)]
    web_search_options: Option<&'a RawValue>,
    /// DeepSeek's switch.
    #[serde(borrow)]
    thinking: Option<Thinking<'a>>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    n: Option<u64>,
    #[serde(borrow)]
    tools: Option<Vec<ToolEntry<'a>>>,
    #[serde(borrow)]
    tool_choice: Option<&'a RawValue>,
    parallel_tool_calls: Option<bool>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct Thinking<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
}

/// A function, or a custom tool.
#[derive(Deserialize)]
struct ToolEntry<'a> {
    #[serde(borrow)]
    function: Option<Function<'a>>,
    #[serde(borrow)]
    custom: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct NamedChoice<'a> {
    #[serde(borrow)]
    function: Option<Function<'a>>,
    #[serde(borrow)]
    custom: Option<Function<'a>>,
    #[serde(borrow)]
    allowed_tools: Option<AllowedTools<'a>>,
}

#[derive(Deserialize)]
struct AllowedTools<'a> {
    #[serde(borrow)]
    tools: Vec<NamedChoice<'a>>,
}

/// Answers one chat call. `knobs` is set as soon as the model is read, so that it holds for a refusal too.
pub(crate) fn chat(
    vendor: Vendor,
    deployment: Option<&str>,
    body: &[u8],
    serial: u64,
    knobs: &mut Knobs,
) -> Result<Spoken, Refusal> {
    let request: ChatRequest<'_> = serde_json::from_slice(body).map_err(|error| {
        Refusal::invalid(format!("The body could not be read as a chat request: {error}"))
    })?;
    let asked = deployment.unwrap_or(request.model.as_str());
    if asked.is_empty() {
        return Err(Refusal::invalid("The parameter `model` is required."));
    }
    let (model, read) = knobs::split(asked).map_err(Refusal::invalid)?;
    *knobs = read;
    if vendor != Vendor::AzureOpenAi && !vendor.models().contains(&model) {
        return Err(Refusal::unknown_model(vendor, model));
    }
    if let Some(kind) = knobs.refuse {
        return Err(Refusal::wished(kind));
    }

    check::settings(vendor, model, &request)?;
    let switched = request.thinking.as_ref().map(|thinking| thinking.kind.as_str());
    let thinks = match (vendor, switched) {
        (Vendor::DeepSeek, Some("enabled")) => true,
        (Vendor::DeepSeek, Some("disabled")) => false,
        (Vendor::DeepSeek, _) => model == "deepseek-reasoner",
        _ => is_reasoning(model),
    };
    let messages = check::messages(vendor, &request, thinks)?;
    let tools = request.tools();
    let mut ask = request.ask(messages, &tools, knobs)?;
    ask.model = model;
    ask.reasons = thinks;
    ask.json = check::wanted_json(vendor, &request)?;
    let stops = request.stop_sequences();
    ask.stop_sequences = stops.iter().map(Text::as_str).collect();
    ask.turned_by(knobs);

    let answers = compose(&ask);
    let prompt_tokens =
        prompt_tokens(messages.iter().map(|m| m.content.text_bytes).sum(), messages.len() as u64);
    let audio = messages.iter().map(|m| m.content.audio).sum::<u64>() * AUDIO_TOKENS;
    let images = messages.iter().map(|m| m.content.images).sum::<u64>() * IMAGE_TOKENS;
    let files = messages.iter().map(|m| m.content.files).sum::<u64>() * FILE_TOKENS;
    let prompt_tokens = prompt_tokens + audio + images + files;
    let wire = wire::of(vendor, ask.reasons);
    let frame = Frame {
        wire,
        model: quoted(model),
        serial,
        usage: usage(vendor, wire, prompt_tokens, audio, &answers),
        tier: match request.service_tier.as_ref().map(Text::as_str) {
            Some("flex") => "flex",
            Some("priority") => "priority",
            _ => "default",
        },
        logprobs: request.logprobs == Some(true),
        searched: request.web_search_options.is_some_and(|options| options.get() != "null"),
    };
    Ok(if request.stream.unwrap_or(false) {
        let include_usage = request.stream_options.and_then(|options| options.include_usage).unwrap_or(false);
        Spoken::streamed(frame.stream(&answers, include_usage), prompt_tokens)
    } else {
        let tokens = answers.iter().map(Answer::tokens).sum();
        Spoken::whole(frame.whole(&answers), tokens, prompt_tokens)
    })
}

pub(crate) fn models(vendor: Vendor) -> Vec<u8> {
    let wire = wire::of(vendor, false);
    let entries: Vec<_> = vendor.models().iter().map(|model| model_entry(wire, model)).collect();
    filled(r#"{"object":"list","data":[$data]}"#, &[("data", &entries.join(","))]).into_bytes()
}

pub(crate) fn model(vendor: Vendor, id: &str) -> Result<Vec<u8>, Refusal> {
    match vendor.models().iter().find(|model| **model == id) {
        Some(model) => Ok(model_entry(wire::of(vendor, false), model).into_bytes()),
        None => Err(Refusal::unknown_model(vendor, id)),
    }
}

/// A failure inside a stream that began well.
pub(crate) fn error_event(vendor: Vendor, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(&Refusal::wished(Kind::Server).body(vendor, ""));
    out.extend_from_slice(b"\n\n");
}

/// The models that think before they answer, and refuse the settings of those that do not.
pub(crate) fn is_reasoning(model: &str) -> bool {
    let numbered =
        model.strip_prefix('o').and_then(|rest| rest.chars().next()).is_some_and(|c| c.is_ascii_digit());
    numbered || (model.starts_with("gpt-5") && !model.contains("chat"))
}

fn model_entry(wire: &Wire, model: &str) -> String {
    filled(wire.model, &[("model", &quoted(model)), ("created", CREATED)])
}

fn usage(vendor: Vendor, wire: &Wire, prompt_tokens: u64, audio: u64, answers: &[Answer]) -> String {
    let completion = answers.iter().map(Answer::tokens).sum::<usize>() as u64;
    let reasoning = answers.iter().map(|answer| answer.thoughts.len()).sum::<usize>();
    let cached = match vendor {
        Vendor::DeepSeek => prompt_tokens / CACHE_BLOCK_TOKENS * CACHE_BLOCK_TOKENS,
        // OpenAI caches prompts from here on, in larger blocks.
        _ if prompt_tokens >= 1024 => prompt_tokens / 128 * 128,
        _ => 0,
    };
    let slots = [
        ("prompt", &*prompt_tokens.to_string()),
        ("completion", &completion.to_string()),
        ("total", &(prompt_tokens + completion).to_string()),
        ("reasoning", &reasoning.to_string()),
        ("audio", &audio.to_string()),
        ("hit", &cached.to_string()),
        ("miss", &(prompt_tokens - cached).to_string()),
    ];
    filled(wire.usage, &slots)
}

impl<'a> ChatRequest<'a> {
    fn tools(&self) -> Vec<Tool<'_>> {
        let entries = self.tools.as_deref().unwrap_or_default();
        entries.iter().filter_map(ToolEntry::tool).collect()
    }

    /// `stop`: one, or several.
    fn stop_sequences(&self) -> Vec<Text<'a>> {
        let Some(stop) = self.stop.map(RawValue::get) else { return Vec::new() };
        match serde_json::from_str::<Text<'a>>(stop) {
            Ok(one) => vec![one],
            Err(_) => serde_json::from_str(stop).unwrap_or_default(),
        }
    }

    /// All but what depends on the model.
    fn ask<'b>(
        &self,
        messages: &'b [Message<'a>],
        tools: &[Tool<'b>],
        knobs: &Knobs,
    ) -> Result<Ask<'b>, Refusal> {
        let choices = self.n.unwrap_or(1);
        if !(1..=MAX_CHOICES).contains(&choices) {
            return Err(Refusal::invalid(format!("The parameter `n` must be between 1 and {MAX_CHOICES}.")));
        }
        let max_tokens = self.max_completion_tokens.or(self.max_tokens);
        if max_tokens == Some(0) {
            return Err(Refusal::invalid("The parameter `max_tokens` must be at least 1."));
        }
        let result = messages.last().filter(|message| matches!(message.role.as_str(), "tool" | "function"));
        let user = messages.iter().rfind(|message| message.role.as_str() == "user");
        let tools = match result {
            Some(_) => Vec::new(),
            None => wanted_tools(tools, &self.tool_wish()?, knobs.tools).map_err(Refusal::invalid)?,
        };
        Ok(Ask {
            user_text: user.map_or("", |message| message.content.text.as_str()),
            tool_result: result.map(|message| message.content.text.as_str()),
            tools,
            choices: usize::try_from(choices).unwrap_or(1),
            max_tokens: max_tokens.unwrap_or(usize::MAX),
            ..Ask::default()
        })
    }

    fn tool_wish(&self) -> Result<ToolWish<'a>, Refusal> {
        let any = ToolWish::Any { parallel: self.parallel_tool_calls.unwrap_or(true) };
        let Some(choice) = self.tool_choice.map(RawValue::get) else { return Ok(any) };
        if let Some(name) = serde_json::from_str::<NamedChoice<'_>>(choice).ok().and_then(NamedChoice::name) {
            return Ok(ToolWish::Named(name));
        }
        match choice {
            r#""none""# => Ok(ToolWish::Nothing),
            r#""auto""# | r#""required""# | "null" => Ok(any),
            _ => Err(Refusal::invalid("The parameter `tool_choice` could not be read.")),
        }
    }
}

impl ToolEntry<'_> {
    fn tool(&self) -> Option<Tool<'_>> {
        let function = self.function.as_ref();
        let function =
            function.map(|it| Tool { name: it.name.as_str(), parameters: Parameters::raw(it.parameters) });
        let custom = self.custom.as_ref();
        function.or(custom.map(|it| Tool { name: it.name.as_str(), parameters: Parameters::Free }))
    }
}

impl<'a> NamedChoice<'a> {
    /// Of several that are allowed, the first.
    fn name(self) -> Option<Text<'a>> {
        let named = self.function.or(self.custom).map(|function| function.name);
        named.or_else(|| self.allowed_tools?.tools.into_iter().next()?.name())
    }
}
