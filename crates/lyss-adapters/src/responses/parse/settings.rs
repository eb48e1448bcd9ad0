//! What stands beside the conversation.

use serde_json::value::RawValue;

use super::{COUNT, FLAG, TEXT};
use crate::Fault;
use crate::conversation::{ChatCall, Effort, OutputFormat, Passengers, Thinking};
use crate::fields::{Fields, Lost, wrong};

/// What lives at the vendor between two calls is not there for another vendor.
pub(super) fn refuse_kept_state(top: &mut Fields<'_>) -> Result<(), Fault> {
    const KEPT: [(&str, &str); 3] = [
        ("previous_response_id", "Answers are kept"),
        ("conversation", "Conversations are kept"),
        ("prompt", "Prompts are kept"),
    ];
    for (name, what) in KEPT {
        if top.raw(name).is_some() {
            let message = format!(
                "`{name}`: {what} only with a channel that speaks responses itself; send the whole conversation in \
                 `input`."
            );
            return Err(Fault::bad_request(message, Some(name)));
        }
    }
    if top.take::<bool>("background", FLAG)? == Some(true) {
        let message = "`background`: Answers are made in the background only with a channel that speaks responses itself.";
        return Err(Fault::bad_request(message, Some("background")));
    }
    Ok(())
}

/// `include` and `top_logprobs`. Sealed reasoning is always included, so asking for it needs no saying.
pub(super) fn logprobs(top: &mut Fields<'_>, lost: &mut Lost) -> Result<Option<u32>, Fault> {
    let mut wanted = false;
    let include: Vec<String> = top.take("include", "a list of strings")?.unwrap_or_default();
    for (at, name) in include.iter().enumerate() {
        match name.as_str() {
            "message.output_text.logprobs" => wanted = true,
            "reasoning.encrypted_content" => {}
            _ => lost.note(&format!("include[{at}]")),
        }
    }
    let alternatives = top.take::<u32>("top_logprobs", COUNT)?.unwrap_or(0);
    Ok((wanted || alternatives > 0).then_some(alternatives))
}

pub(super) fn thinking(top: &mut Fields<'_>, lost: &mut Lost) -> Result<Option<Thinking>, Fault> {
    const EFFORTS: &str = "one of `none`, `minimal`, `low`, `medium`, `high`, `xhigh`";
    let Some(raw) = top.raw("reasoning") else { return Ok(None) };
    let mut reasoning = Fields::open(raw, "reasoning")?;
    let effort = match reasoning.take::<String>("effort", EFFORTS)? {
        None => None,
        Some(word) => Some(Effort::from_word(&word).ok_or_else(|| wrong("reasoning.effort", EFFORTS))?),
    };
    let older: Option<String> = reasoning.take("generate_summary", TEXT)?;
    let summary = reasoning.take::<String>("summary", TEXT)?.or(older);
    // Others show their thoughts as they are, or summed up as they like.
    if summary.as_deref() == Some("concise") {
        lost.note("reasoning.summary");
    }
    reasoning.leave(&[], lost);
    let show = summary.map(|word| word != "none");
    let said = effort.is_some() || show.is_some();
    Ok(said.then_some(Thinking { effort, show, ..Thinking::default() }))
}

/// `text.format` and `text.verbosity`.
pub(super) fn text(top: &mut Fields<'_>, call: &mut ChatCall, lost: &mut Lost) -> Result<(), Fault> {
    let Some(raw) = top.raw("text") else { return Ok(()) };
    let mut text = Fields::open(raw, "text")?;
    call.verbosity = text.take::<String>("verbosity", TEXT)?.filter(|word| word != "medium");
    if let Some(raw) = text.raw("format") {
        let mut format = Fields::open(raw, "text.format")?;
        call.format = output_format(&mut format)?;
        format.leave(&[], lost);
    }
    text.leave(&[], lost);
    Ok(())
}

fn output_format(format: &mut Fields<'_>) -> Result<Option<OutputFormat>, Fault> {
    let kind: String = format.require("type", TEXT)?;
    match kind.as_str() {
        "text" => Ok(None),
        "json_object" => Ok(Some(OutputFormat::JsonObject)),
        "json_schema" => {
            let schema: &RawValue = format.require("schema", "a JSON schema object")?;
            if !schema.get().starts_with('{') {
                return Err(wrong("text.format.schema", "a JSON schema object"));
            }
            Ok(Some(OutputFormat::JsonSchema {
                name: format.take("name", TEXT)?,
                description: format.take("description", TEXT)?,
                schema: schema.to_owned(),
                strict: format.take("strict", FLAG)?,
            }))
        }
        _ => Err(wrong("text.format.type", "`text`, `json_object` or `json_schema` for this model's vendor")),
    }
}

/// `store: false` asks for what happens anyway.
pub(super) fn passengers(top: &mut Fields<'_>) -> Result<Passengers, Fault> {
    let metadata = match top.raw("metadata") {
        Some(raw) if !raw.get().starts_with('{') => return Err(wrong("metadata", "an object of strings")),
        raw => raw.filter(|raw| raw.get().split_whitespace().collect::<String>() != "{}"),
    };
    Ok(Passengers {
        store: top.take::<bool>("store", FLAG)?.filter(|store| *store),
        metadata: metadata.map(ToOwned::to_owned),
        prompt_cache_key: top.take("prompt_cache_key", TEXT)?,
        prompt_cache_retention: top.take("prompt_cache_retention", TEXT)?,
        safety_identifier: top.take("safety_identifier", TEXT)?,
    })
}

pub(super) fn stream_options(top: &mut Fields<'_>, lost: &mut Lost) -> Result<(), Fault> {
    if let Some(raw) = top.raw("stream_options") {
        Fields::open(raw, "stream_options")?.leave(&[("include_obfuscation", "false")], lost);
    }
    Ok(())
}
