//! The settings of a request that are more than one plain value.

use serde_json::value::RawValue;

use super::{COUNT, FLAG, LIST, NUMBER, OBJECT, TEXT, read};
use crate::Fault;
use crate::conversation::{Effort, OutputFormat, Thinking, ThinkingMode};
use crate::fields::{Fields, Lost, wrong};

const EFFORTS: &str = "one of `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`";

pub(super) fn max_output_tokens(top: &mut Fields<'_>) -> Result<Option<u64>, Fault> {
    let legacy = top.take("max_tokens", COUNT)?;
    Ok(top.take("max_completion_tokens", COUNT)?.or(legacy))
}

/// Zero is the default and says nothing.
pub(super) fn penalty(top: &mut Fields<'_>, name: &str) -> Result<Option<f64>, Fault> {
    Ok(top.take::<f64>(name, NUMBER)?.filter(|penalty| *penalty != 0.0))
}

pub(super) fn stop(top: &mut Fields<'_>) -> Result<Vec<String>, Fault> {
    const EXPECTED: &str = "a string or a list of strings";
    match top.raw("stop") {
        None => Ok(Vec::new()),
        Some(raw) if raw.get().starts_with('"') => read(raw, "stop", EXPECTED).map(|one| vec![one]),
        Some(raw) => read(raw, "stop", EXPECTED),
    }
}

pub(super) fn include_usage(top: &mut Fields<'_>, lost: &mut Lost) -> Result<bool, Fault> {
    let Some(raw) = top.raw("stream_options") else { return Ok(false) };
    let mut options = Fields::open(raw, "stream_options")?;
    let include = options.take("include_usage", FLAG)?.unwrap_or(false);
    options.leave(&[("include_obfuscation", "false")], lost);
    Ok(include)
}

/// `logprobs` and how many alternatives; the number without the flag stays behind and is reported.
pub(super) fn logprobs(top: &mut Fields<'_>) -> Result<Option<u32>, Fault> {
    match top.take("logprobs", FLAG)? {
        Some(true) => Ok(Some(top.take("top_logprobs", COUNT)?.unwrap_or(0))),
        _ => Ok(None),
    }
}

/// Sound may be asked for of OpenAI alone, and an answer without it would be another one. Images are only reported:
/// models that make them do so unasked.
pub(super) fn refuse_spoken_answers(top: &mut Fields<'_>, lost: &mut Lost) -> Result<(), Fault> {
    let modalities: Vec<String> = top.take("modalities", "a list of strings")?.unwrap_or_default();
    if modalities.iter().any(|wanted| wanted == "audio") {
        let message = "`modalities`: spoken answers cannot be had from this model's vendor.";
        return Err(Fault::bad_request(message, Some("modalities")));
    }
    if modalities.iter().any(|wanted| wanted != "text") {
        lost.note("modalities");
    }
    Ok(())
}

pub(super) fn format(top: &mut Fields<'_>, lost: &mut Lost) -> Result<Option<OutputFormat>, Fault> {
    let Some(raw) = top.raw("response_format") else { return Ok(None) };
    let mut format = Fields::open(raw, "response_format")?;
    let kind: String = format.require("type", TEXT)?;
    let read = match kind.as_str() {
        "text" => None,
        "json_object" => {
            // Together, Fireworks: a schema beside the plain wish.
            match format.raw("schema").filter(|raw| raw.get().starts_with('{')) {
                Some(schema) => Some(schema_format(schema, None, None, None)),
                None => Some(OutputFormat::JsonObject),
            }
        }
        "json_schema" => {
            let raw: &RawValue = format.require("json_schema", OBJECT)?;
            let mut fields = Fields::open(raw, "response_format.json_schema")?;
            let name = fields.take("name", TEXT)?;
            let description = fields.take("description", TEXT)?;
            let strict = fields.take("strict", FLAG)?;
            let read = match fields.raw("schema") {
                Some(raw) if !raw.get().starts_with('{') => {
                    return Err(wrong(&fields.path_of("schema"), "a JSON schema object"));
                }
                Some(schema) => schema_format(schema, name, description, strict),
                None => OutputFormat::JsonObject,
            };
            fields.leave(&[], lost);
            Some(read)
        }
        _ => return Err(wrong("response_format.type", "`text`, `json_object` or `json_schema`")),
    };
    format.leave(&[], lost);
    Ok(read)
}

fn schema_format(
    schema: &RawValue,
    name: Option<String>,
    description: Option<String>,
    strict: Option<bool>,
) -> OutputFormat {
    OutputFormat::JsonSchema { name, description, schema: schema.to_owned(), strict }
}

/// `reasoning_effort` (OpenAI), `reasoning` (OpenRouter), `thinking` (Anthropic, DeepSeek), `enable_thinking` and
/// `thinking_budget` (Qwen). Where several are sent, each adds what the ones before left open.
pub(super) fn thinking(top: &mut Fields<'_>, lost: &mut Lost) -> Result<Option<Thinking>, Fault> {
    let mut wish = Thinking::default();
    if let Some(word) = top.take::<String>("reasoning_effort", TEXT)? {
        wish.effort = effort(&word, "reasoning_effort")?;
    }
    if let Some(raw) = top.raw("reasoning") {
        open_router(Fields::open(raw, "reasoning")?, &mut wish, lost)?;
    }
    if let Some(raw) = top.raw("thinking") {
        anthropic(Fields::open(raw, "thinking")?, &mut wish, lost)?;
    }
    if let Some(is_on) = top.take::<bool>("enable_thinking", FLAG)? {
        wish.mode = if is_on { ThinkingMode::On } else { ThinkingMode::Off };
    }
    wish.budget = wish.budget.or(top.take("thinking_budget", COUNT)?);
    // OpenRouter's older way to hide it.
    wish.show = wish.show.or(top.take("include_reasoning", FLAG)?);
    Ok(Some(wish).filter(|wish| *wish != Thinking::default()))
}

/// `default` (Groq) is no wish.
fn effort(word: &str, path: &str) -> Result<Option<Effort>, Fault> {
    match word {
        "default" => Ok(None),
        word => Effort::from_word(word).map(Some).ok_or_else(|| wrong(path, EFFORTS)),
    }
}

fn open_router(mut fields: Fields<'_>, wish: &mut Thinking, lost: &mut Lost) -> Result<(), Fault> {
    if let Some(word) = fields.take::<String>("effort", TEXT)? {
        wish.effort = effort(&word, "reasoning.effort")?;
    }
    wish.budget = fields.take("max_tokens", COUNT)?;
    if let Some(is_on) = fields.take::<bool>("enabled", FLAG)? {
        wish.mode = if is_on { ThinkingMode::On } else { ThinkingMode::Off };
    }
    wish.show = fields.take::<bool>("exclude", FLAG)?.map(|is_hidden| !is_hidden);
    // What the responses dialect calls it.
    if fields.take::<String>("summary", TEXT)?.is_some() {
        wish.show = wish.show.or(Some(true));
    }
    fields.leave(&[], lost);
    Ok(())
}

fn anthropic(mut fields: Fields<'_>, wish: &mut Thinking, lost: &mut Lost) -> Result<(), Fault> {
    wish.mode = match fields.require::<String>("type", TEXT)?.as_str() {
        "enabled" => ThinkingMode::On,
        "disabled" => ThinkingMode::Off,
        "adaptive" | "auto" => ThinkingMode::Adaptive,
        _ => return Err(wrong("thinking.type", "`enabled`, `disabled` or `adaptive`")),
    };
    wish.budget = wish.budget.or(fields.take("budget_tokens", COUNT)?);
    if let Some(display) = fields.take::<String>("display", TEXT)? {
        wish.show = Some(display != "omitted");
    }
    fields.leave(&[("clear_thinking", "true")], lost);
    Ok(())
}

/// The names of a list of strings, for fields that hold nothing else.
pub(super) fn words(fields: &mut Fields<'_>, name: &str) -> Result<Vec<String>, Fault> {
    Ok(fields.take(name, LIST)?.unwrap_or_default())
}
