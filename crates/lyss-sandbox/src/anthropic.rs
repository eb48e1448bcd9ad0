//! Anthropic's messages.
//!
//! Follows Anthropic's API reference ("Create a message", "Streaming messages", "Count tokens in a message", "List
//! models") and its guides "Extended thinking", "Adaptive thinking", "Prompt caching", "Citations", "Web search tool",
//! "Structured outputs" and "Handling stop reasons".

use serde_json::Value;

use crate::answer::{Answer, Ask, compose};
use crate::knobs::{self, Knobs};
use crate::reading::{count, flag, given, list, object, text};
use crate::refusal::{Kind, Refusal};
use crate::request::{Parameters, Tool, ToolWish, wanted_tools};
use crate::schema::fitting;
use crate::server::Spoken;
use crate::template::{filled, quoted};
use crate::vendor::Vendor;
use frame::Frame;
use thinking::Thinking;

mod blocks;
mod check;
mod frame;
mod thinking;
mod tokens;

/// Claude says what it is about to do; a reader must not take a block's index for a tool call's.
const TOOL_OPENING: &str = "Let me look that up.";

const MODEL: &str =
    r#"{"type":"model","id":$model,"display_name":$model,"created_at":"2025-06-15T00:00:00Z"}"#;
const MODELS: &str = r#"{"data":[$data],"has_more":false,"first_id":$first,"last_id":$last}"#;

/// Answers one call. `knobs` is set as soon as the model is read, so that it holds for a refusal too.
pub(crate) fn chat(body: &[u8], serial: u64, knobs: &mut Knobs) -> Result<Spoken, Refusal> {
    let body = object(body)?;
    let model = admitted_model(&body, knobs)?;
    let max_tokens = check::request(&body)?;
    check::messages(&body, model)?;
    let thinking = Thinking::read(&body, model, max_tokens)?;
    thinking::check_history(&body, thinking)?;

    let messages = list(&body, "messages");
    let result = messages.last().and_then(blocks::last_tool_result);
    let declared: Vec<_> = list(&body, "tools").iter().filter_map(tool_of).collect();
    let mut ask = Ask {
        model,
        user_text: messages
            .iter()
            .rfind(|it| text(it, "role") == "user")
            .map(blocks::last_text)
            .unwrap_or_default(),
        tool_result: result.as_deref(),
        tool_opening: TOOL_OPENING,
        max_tokens: usize::try_from(max_tokens).unwrap_or(usize::MAX),
        reasons: thinking != Thinking::Off,
        json: wanted_json(&body)?,
        stop_sequences: list(&body, "stop_sequences").iter().filter_map(Value::as_str).collect(),
        ..Ask::default()
    };
    if result.is_none() {
        let wish = tool_wish(&body, thinking)?;
        ask.tools = wanted_tools(&declared, &wish, knobs.tools).map_err(Refusal::invalid)?;
    }
    ask.turned_by(knobs);

    let answers = compose(&ask);
    let default = Answer::default();
    let answer = answers.first().unwrap_or(&default);
    let searches = list(&body, "tools").iter().any(|tool| text(tool, "type").starts_with("web_search"));
    let prompt = tokens::Prompt::of(&body);
    let frame = Frame {
        model: quoted(model),
        serial,
        prompt,
        answer,
        redacted: knobs.redacted,
        searched: searches && answer.calls.is_empty() && result.is_none(),
        cited: blocks::cited_document(messages),
    };
    let prompt_tokens = prompt.total();
    Ok(match flag(&body, "stream").unwrap_or(false) {
        true => Spoken::streamed(frame.stream(), prompt_tokens),
        false => Spoken::whole(frame.whole(), answer.tokens(), prompt_tokens),
    })
}

pub(crate) fn count_tokens(body: &[u8], knobs: &mut Knobs) -> Result<Spoken, Refusal> {
    let body = object(body)?;
    let model = admitted_model(&body, knobs)?;
    check::messages(&body, model)?;
    let answer = format!(r#"{{"input_tokens":{}}}"#, tokens::Prompt::of(&body).total());
    Ok(Spoken::whole(answer.into_bytes(), 0, 0))
}

fn admitted_model<'a>(body: &'a Value, knobs: &mut Knobs) -> Result<&'a str, Refusal> {
    let asked = text(body, "model");
    if asked.is_empty() {
        return Err(Refusal::invalid("model: Field required"));
    }
    let (model, read) = knobs::split(asked).map_err(Refusal::invalid)?;
    *knobs = read;
    if !Vendor::Anthropic.models().contains(&model) {
        return Err(Refusal::unknown_model(Vendor::Anthropic, model));
    }
    match knobs.refuse {
        Some(kind) => Err(Refusal::wished(kind)),
        None => Ok(model),
    }
}

/// Tools of a type of their own run at the vendor's.
fn tool_of(tool: &Value) -> Option<Tool<'_>> {
    matches!(text(tool, "type"), "" | "custom")
        .then(|| Tool { name: text(tool, "name"), parameters: Parameters::read(given(tool, "input_schema")) })
}

fn tool_wish(body: &Value, thinking: Thinking) -> Result<ToolWish<'_>, Refusal> {
    let Some(choice) = given(body, "tool_choice") else { return Ok(ToolWish::Any { parallel: true }) };
    let kind = text(choice, "type");
    if thinking != Thinking::Off && matches!(kind, "any" | "tool") {
        return Err(Refusal::invalid("Thinking may not be enabled when tool_choice forces tool use."));
    }
    match kind {
        "none" => Ok(ToolWish::Nothing),
        "tool" => Ok(ToolWish::Named(text(choice, "name").into())),
        "auto" | "any" => {
            Ok(ToolWish::Any { parallel: !flag(choice, "disable_parallel_tool_use").unwrap_or(false) })
        }
        _ => Err(Refusal::invalid("tool_choice.type: must be 'auto', 'any', 'tool' or 'none'")),
    }
}

/// `output_config.format`, or the beta's `output_format`.
fn wanted_json(body: &Value) -> Result<Option<String>, Refusal> {
    let format = given(body, "output_config").and_then(|config| given(config, "format"));
    let Some(format) = format.or_else(|| given(body, "output_format")) else { return Ok(None) };
    match (text(format, "type"), given(format, "schema")) {
        ("json_schema", Some(schema)) if schema.is_object() => {
            check::output_schema(schema)?;
            Ok(Some(fitting(schema).to_string()))
        }
        ("json_schema", _) => Err(Refusal::invalid("output_config.format.schema: Field required")),
        _ => Err(Refusal::invalid("output_config.format.type: Input should be 'json_schema'")),
    }
}

pub(crate) fn models() -> Vec<u8> {
    let models = Vendor::Anthropic.models();
    let entries: Vec<_> = models.iter().map(|model| filled(MODEL, &[("model", &quoted(model))])).collect();
    let edge = |model: Option<&&str>| quoted(model.copied().unwrap_or_default());
    let slots =
        [("data", &*entries.join(",")), ("first", &edge(models.first())), ("last", &edge(models.last()))];
    filled(MODELS, &slots).into_bytes()
}

pub(crate) fn model(id: &str) -> Result<Vec<u8>, Refusal> {
    if !Vendor::Anthropic.models().contains(&id) {
        return Err(Refusal::unknown_model(Vendor::Anthropic, id));
    }
    Ok(filled(MODEL, &[("model", &quoted(id))]).into_bytes())
}

/// A failure inside a stream that began well.
pub(crate) fn error_event(request_id: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: error\ndata: ");
    out.extend_from_slice(&Refusal::wished(Kind::Overloaded).body(Vendor::Anthropic, request_id));
    out.extend_from_slice(b"\n\n");
}

/// As many as the request allows, checked already.
fn max_tokens(body: &Value) -> Result<u64, Refusal> {
    match (given(body, "max_tokens"), count(body, "max_tokens")) {
        (None, _) => Err(Refusal::invalid("max_tokens: Field required")),
        (_, None) => Err(Refusal::invalid("max_tokens: Input should be a valid integer")),
        (_, Some(0)) => Err(Refusal::invalid("max_tokens: must be at least 1")),
        (_, Some(max_tokens)) => Ok(max_tokens),
    }
}
