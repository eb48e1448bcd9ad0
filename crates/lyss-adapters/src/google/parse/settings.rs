//! `generationConfig`.

use serde_json::value::RawValue;

use super::super::schema;
use super::{FLAG, LIST, NUMBER, TEXT, count, whole};
use crate::Fault;
use crate::conversation::{ChatCall, Effort, OutputFormat, Thinking, ThinkingMode};
use crate::fields::{Fields, Lost, wrong};

const DEFAULTS: [(&str, &str); 6] = [
    ("candidateCount", "1"),
    ("responseModalities", r#"["TEXT"]"#),
    ("responseLogprobs", "false"),
    ("mediaResolution", r#""MEDIA_RESOLUTION_UNSPECIFIED""#),
    ("enableEnhancedCivicAnswers", "false"),
    ("audioTimestamp", "false"),
];

pub(super) fn read(top: &mut Fields<'_>, call: &mut ChatCall, lost: &mut Lost) -> Result<(), Fault> {
    let Some(raw) = top.raw("generationConfig") else { return Ok(()) };
    let mut config = Fields::open_camel(raw, "generationConfig")?;
    call.temperature = config.take("temperature", NUMBER)?;
    call.top_p = config.take("topP", NUMBER)?;
    // The vendor reads a number with a fraction here too.
    call.top_k = count(&mut config, "topK")?;
    call.max_output_tokens = count(&mut config, "maxOutputTokens")?;
    call.stop = config.take("stopSequences", "a list of strings")?.unwrap_or_default();
    call.presence_penalty = config.take("presencePenalty", NUMBER)?;
    call.frequency_penalty = config.take("frequencyPenalty", NUMBER)?;
    call.seed = whole(&mut config, "seed")?;
    let candidates = count(&mut config, "candidateCount")?.filter(|count| *count > 1);
    call.candidates = candidates.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    let wants_logprobs = config.take("responseLogprobs", FLAG)?.unwrap_or(false);
    let top_logprobs = count(&mut config, "logprobs")?.unwrap_or(0);
    call.logprobs = wants_logprobs.then(|| u32::try_from(top_logprobs).unwrap_or(u32::MAX));
    modalities(&mut config, lost)?;
    call.format = format(&mut config, lost)?;
    if let Some(raw) = config.raw("thinkingConfig") {
        call.thinking = Some(thinking(Fields::open_camel(raw, config.path_of("thinkingConfig"))?, lost)?);
    }
    config.leave(&DEFAULTS, lost);
    Ok(())
}

/// An answer that is asked for without text cannot be had elsewhere; one with pictures beside it can, without them.
fn modalities(config: &mut Fields<'_>, lost: &mut Lost) -> Result<(), Fault> {
    let words: Vec<String> = config.take("responseModalities", LIST)?.unwrap_or_default();
    let is_text = |word: &String| {
        word.eq_ignore_ascii_case("TEXT") || word.eq_ignore_ascii_case("MODALITY_UNSPECIFIED")
    };
    let path = config.path_of("responseModalities");
    if words.iter().all(is_text) {
        return Ok(());
    }
    if words.iter().any(is_text) {
        lost.note(&path);
        return Ok(());
    }
    Err(Fault::bad_request(
        format!("`{path}` asks for an answer without text, which this model's vendor cannot give."),
        Some(&path),
    ))
}

fn format(config: &mut Fields<'_>, lost: &mut Lost) -> Result<Option<OutputFormat>, Fault> {
    let mime: Option<String> = config.take("responseMimeType", TEXT)?;
    let json_schema = config.raw("responseJsonSchema").or_else(|| config.raw("_responseJsonSchema"));
    let own_schema = config.raw("responseSchema");
    match mime.as_deref() {
        None | Some("application/json" | "") => {}
        Some("text/plain") if json_schema.is_none() && own_schema.is_none() => return Ok(None),
        Some(_) => {
            // One word out of a list, as plain text: no other vendor has it.
            lost.note(&config.path_of("responseMimeType"));
            if json_schema.is_some() || own_schema.is_some() {
                lost.note(&config.path_of("responseSchema"));
            }
            return Ok(None);
        }
    }
    let is_object = |raw: &&RawValue| raw.get().starts_with('{');
    let schema = match (json_schema, own_schema) {
        (Some(raw), _) if is_object(&raw) => raw.to_owned(),
        (None, Some(raw)) if is_object(&raw) => schema::to_json_schema(raw),
        (None, None) => return Ok(mime.filter(|mime| !mime.is_empty()).map(|_| OutputFormat::JsonObject)),
        _ => return Err(wrong(&config.path_of("responseSchema"), "a schema object")),
    };
    Ok(Some(OutputFormat::JsonSchema { name: None, description: None, schema, strict: None }))
}

fn thinking(mut config: Fields<'_>, lost: &mut Lost) -> Result<Thinking, Fault> {
    // Unsaid, the thoughts of this dialect stay out of sight.
    let show = config.take("includeThoughts", FLAG)?.unwrap_or(false);
    let mut thinking = Thinking { show: Some(show), ..Thinking::default() };
    match whole(&mut config, "thinkingBudget")? {
        None => {}
        Some(0) => {
            thinking.mode = ThinkingMode::Off;
            thinking.budget = Some(0);
        }
        Some(tokens) => match u64::try_from(tokens) {
            Ok(tokens) => {
                thinking.mode = ThinkingMode::On;
                thinking.budget = Some(tokens);
            }
            Err(_) => thinking.mode = ThinkingMode::Adaptive,
        },
    }
    if let Some(word) = config.take::<String>("thinkingLevel", TEXT)? {
        let word = word.to_ascii_lowercase();
        thinking.effort = match word.as_str() {
            "thinking_level_unspecified" | "" => None,
            word => match Effort::from_word(word) {
                Some(effort) => Some(effort),
                None => {
                    let expected = "`MINIMAL`, `LOW`, `MEDIUM` or `HIGH`";
                    return Err(wrong(&config.path_of("thinkingLevel"), expected));
                }
            },
        };
    }
    config.leave(&[], lost);
    Ok(thinking)
}
