//! OpenAI's responses, as OpenAI and Azure speak them.
//!
//! Follows OpenAI's API reference ("Create a model response", "Streaming events") and its guides "Reasoning models",
//! "Structured outputs" and "Function calling". Nothing is stored: a response refers to an earlier one only by items.

use serde_json::Value;

use crate::answer::{Answer, Ask, compose};
use crate::knobs::{self, Knobs};
use crate::openai::is_reasoning;
use crate::reading::{count, flag, given, list, map, object, text, typed};
use crate::refusal::{Kind, Refusal};
use crate::request::{Parameters, Tool, ToolWish, wanted_tools};
use crate::schema::fitting;
use crate::server::Spoken;
use crate::vendor::Vendor;
use frame::Frame;

mod echo;
mod events;
mod frame;
mod input;

/// A failure inside a stream that began well; `before` events were sent.
pub(crate) fn error_event(before: usize, out: &mut Vec<u8>) {
    let event = format!(
        "event: error\ndata: {{\"type\":\"error\",\"sequence_number\":{before},\"code\":\"server_error\",\"message\":\"Something failed on our side while answering.\",\"param\":null}}\n\n"
    );
    out.extend_from_slice(event.as_bytes());
}

pub(crate) fn respond(
    vendor: Vendor,
    body: &[u8],
    serial: u64,
    knobs: &mut Knobs,
) -> Result<Spoken, Refusal> {
    let body = object(body)?;
    let asked = text(&body, "model");
    if asked.is_empty() {
        return Err(Refusal::invalid("Missing required parameter: 'model'.")
            .param("model")
            .code("missing_required_parameter"));
    }
    let (model, read) = knobs::split(asked).map_err(Refusal::invalid)?;
    *knobs = read;
    if vendor != Vendor::AzureOpenAi && !vendor.models().contains(&model) {
        return Err(Refusal::unknown_model(vendor, model));
    }
    if let Some(kind) = knobs.refuse {
        return Err(Refusal::wished(kind));
    }
    let reasons = is_reasoning(model);
    check(&body, model, reasons)?;
    let input = input::Input::read(&body)?;
    let result = input.tool_result();

    let declared = list(&body, "tools");
    let tools: Vec<_> = declared.iter().filter_map(tool_of).collect();
    let most = count(&body, "max_output_tokens").and_then(|most| usize::try_from(most).ok());
    let mut ask = Ask {
        model,
        user_text: input.user_text,
        tool_result: result.as_deref(),
        max_tokens: most.unwrap_or(usize::MAX),
        reasons,
        json: wanted_json(&body)?,
        ..Ask::default()
    };
    if result.is_none() {
        ask.tools = wanted_tools(&tools, &wish(&body)?, knobs.tools).map_err(Refusal::invalid)?;
    }
    ask.turned_by(knobs);

    let answers = compose(&ask);
    let default = Answer::default();
    let answer = answers.first().unwrap_or(&default);
    let includes = |what: &str| list(&body, "include").iter().any(|item| item == what);
    let searches = declared.iter().any(|tool| text(tool, "type").starts_with("web_search"));
    let frame = Frame {
        body: &body,
        model,
        serial,
        answer,
        prompt_tokens: input.prompt_tokens,
        summarises: map(&body, "reasoning").is_some_and(|reasoning| {
            ["summary", "generate_summary"]
                .iter()
                .any(|name| reasoning.get(*name).is_some_and(Value::is_string))
        }),
        encrypts: includes("reasoning.encrypted_content"),
        logprobs: includes("message.output_text.logprobs"),
        // A model that calls functions searches nothing, and an answer in JSON cites nothing.
        searched: searches && answer.calls.is_empty() && ask.json.is_none(),
    };
    let prompt_tokens = input.prompt_tokens;
    Ok(match flag(&body, "stream").unwrap_or(false) {
        false => Spoken::whole(frame.whole().into_bytes(), answer.tokens(), prompt_tokens),
        true => Spoken { names_events: true, ..Spoken::streamed(events::stream(&frame), prompt_tokens) },
    })
}

/// What is refused before the input is looked at.
fn check(body: &Value, model: &str, reasons: bool) -> Result<(), Refusal> {
    typed(
        body,
        &[
            ("stream", Value::is_boolean),
            ("tools", Value::is_array),
            ("include", Value::is_array),
            ("instructions", Value::is_string),
            ("max_output_tokens", Value::is_u64),
            ("temperature", Value::is_number),
            ("top_p", Value::is_number),
            ("metadata", Value::is_object),
            ("store", Value::is_boolean),
            ("parallel_tool_calls", Value::is_boolean),
            ("reasoning", Value::is_object),
            ("text", Value::is_object),
        ],
    )?;
    let unsupported = |param: &'static str| {
        Refusal::invalid(format!("Unsupported parameter: '{param}' is not supported with this model."))
            .param(param)
            .code("unsupported_parameter")
    };
    for param in ["messages", "max_tokens", "max_completion_tokens", "response_format", "n", "stop", "seed"] {
        if given(body, param).is_some() {
            return Err(Refusal::invalid(format!("Unknown parameter: '{param}'."))
                .param(param)
                .code("unknown_parameter"));
        }
    }
    for param in ["temperature", "top_p"] {
        if reasons && given(body, param).is_some_and(|value| value.as_f64() != Some(1.0)) {
            return Err(unsupported(param));
        }
    }
    if !reasons && map(body, "reasoning").is_some_and(|it| it.get("effort").is_some_and(|it| !it.is_null())) {
        return Err(unsupported("reasoning.effort"));
    }
    if model == "o1-pro" && flag(body, "stream") == Some(true) {
        return Err(unsupported("stream").code("unsupported_value"));
    }
    if count(body, "max_output_tokens").is_some_and(|most| most < 16) {
        return Err(Refusal::invalid("Invalid 'max_output_tokens': integer below minimum value of 16.")
            .param("max_output_tokens")
            .code("integer_below_min_value"));
    }
    let previous = text(body, "previous_response_id");
    if !previous.is_empty() {
        return Err(Refusal::invalid(format!("Previous response with id '{previous}' not found."))
            .param("previous_response_id")
            .code("previous_response_not_found"));
    }
    match list(body, "tools").iter().position(|tool| text(tool, "type").is_empty()) {
        Some(at) => Err(Refusal::invalid(format!("Missing required parameter: 'tools[{at}].type'."))
            .param(format!("tools[{at}].type"))
            .code("missing_required_parameter")),
        None => check_functions(list(body, "tools")),
    }
}

/// Chat's shape of a function, with its `function` object, is not this dialect's.
fn check_functions(tools: &[Value]) -> Result<(), Refusal> {
    let nameless =
        |tool: &Value| matches!(text(tool, "type"), "function" | "custom") && text(tool, "name").is_empty();
    match tools.iter().position(nameless) {
        Some(at) => Err(Refusal::invalid(format!("Missing required parameter: 'tools[{at}].name'."))
            .param(format!("tools[{at}].name"))
            .code("missing_required_parameter")),
        None => Ok(()),
    }
}

fn tool_of(tool: &Value) -> Option<Tool<'_>> {
    let parameters = match text(tool, "type") {
        "function" => Parameters::read(given(tool, "parameters")),
        "custom" => Parameters::Free,
        _ => return None,
    };
    Some(Tool { name: text(tool, "name"), parameters })
}

fn wish(body: &Value) -> Result<ToolWish<'_>, Refusal> {
    let any = ToolWish::Any { parallel: flag(body, "parallel_tool_calls").unwrap_or(true) };
    let invalid = |what: &str| {
        Refusal::invalid(format!("Invalid value: '{what}' is no tool choice."))
            .param("tool_choice")
            .code("invalid_value")
    };
    match given(body, "tool_choice") {
        None => Ok(any),
        Some(Value::String(word)) => match word.as_str() {
            "auto" | "required" => Ok(any),
            "none" => Ok(ToolWish::Nothing),
            other => Err(invalid(other)),
        },
        Some(choice) => match text(choice, "type") {
            "function" | "custom" if !text(choice, "name").is_empty() => {
                Ok(ToolWish::Named(text(choice, "name").into()))
            }
            "allowed_tools" => {
                let first = list(choice, "tools").first().map(|tool| text(tool, "name")).unwrap_or_default();
                Ok(ToolWish::Named(first.into()))
            }
            kind if kind.starts_with("web_search") => Ok(ToolWish::Nothing),
            other => Err(invalid(other)),
        },
    }
}

/// `text.format`.
fn wanted_json(body: &Value) -> Result<Option<String>, Refusal> {
    let Some(format) = body.get("text").and_then(|text| given(text, "format")) else { return Ok(None) };
    match text(format, "type") {
        "text" => Ok(None),
        "json_object" => Ok(Some(r#"{"answer":"sample"}"#.to_owned())),
        "json_schema" => match (text(format, "name"), map(format, "schema")) {
            ("", _) => Err(Refusal::invalid("Missing required parameter: 'text.format.name'.")
                .param("text.format.name")
                .code("missing_required_parameter")),
            (_, None) => Err(Refusal::invalid("Missing required parameter: 'text.format.schema'.")
                .param("text.format.schema")
                .code("missing_required_parameter")),
            (_, Some(_)) => {
                let schema = given(format, "schema").unwrap_or(&Value::Null);
                crate::openai::check_strict(flag(format, "strict"), schema, "text.format.schema")?;
                Ok(Some(fitting(schema).to_string()))
            }
        },
        other => Err(Refusal::new(Kind::Invalid, format!("Invalid value: '{other}'."))
            .param("text.format.type")
            .code("invalid_value")),
    }
}
