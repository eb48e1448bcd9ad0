//! What chat refuses: settings of another kind of model, roles and parts it does not know, calls without their results.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{ChatRequest, is_reasoning};
use crate::reading::{flag, given, list, text};
use crate::refusal::{Kind, Refusal};
use crate::request::{Message, Text};
use crate::schema::fitting;
use crate::vendor::Vendor;

const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];
const DEEPSEEK_ROLES: [&str; 4] = ["system", "user", "assistant", "tool"];
const PARTS: [&str; 6] = ["text", "image_url", "input_audio", "file", "refusal", ""];

#[derive(Deserialize)]
struct CallId<'a> {
    #[serde(borrow)]
    id: Text<'a>,
}

pub(super) fn settings(vendor: Vendor, model: &str, request: &ChatRequest<'_>) -> Result<(), Refusal> {
    if model == "o1-pro" {
        return Err(Refusal::new(
            Kind::UnknownModel,
            "This model is only supported in v1/responses and not in v1/chat/completions.",
        )
        .param("model"));
    }
    if vendor == Vendor::DeepSeek {
        return Ok(());
    }
    if !is_reasoning(model) {
        return match request.reasoning_effort.is_some() {
            true => Err(Refusal::invalid("Unrecognized request argument supplied: reasoning_effort")
                .code("unsupported_parameter")),
            false => Ok(()),
        };
    }
    if request.max_tokens.is_some() {
        return Err(Refusal::invalid(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        )
        .param("max_tokens")
        .code("unsupported_parameter"));
    }
    let fixed = [
        ("temperature", request.temperature, 1.0),
        ("top_p", request.top_p, 1.0),
        ("presence_penalty", request.presence_penalty, 0.0),
        ("frequency_penalty", request.frequency_penalty, 0.0),
    ];
    let moved = |(_, given, only): &&(&str, Option<f64>, f64)| {
        given.is_some_and(|given| (given - only).abs() > f64::EPSILON)
    };
    if let Some((param, ..)) = fixed.iter().find(moved) {
        let message = format!(
            "Unsupported value: '{param}' does not support this value with this model. Only the default is supported."
        );
        return Err(Refusal::invalid(message).param(*param).code("unsupported_value"));
    }
    let unsupported = [
        ("logprobs", request.logprobs == Some(true)),
        ("stop", request.stop.is_some_and(|stop| stop.get() != "null")),
    ];
    match unsupported.iter().find(|(_, set)| *set) {
        Some((param, _)) => Err(Refusal::invalid(format!(
            "Unsupported parameter: '{param}' is not supported with this model."
        ))
        .param(*param)
        .code("unsupported_parameter")),
        None => Ok(()),
    }
}

pub(super) fn messages<'m, 'a>(
    vendor: Vendor,
    request: &'m ChatRequest<'a>,
    thinks: bool,
) -> Result<&'m [Message<'a>], Refusal> {
    let messages = request.messages.as_deref().unwrap_or_default();
    if messages.is_empty() {
        return Err(
            Refusal::invalid("The parameter `messages` is required and may not be empty.").param("messages")
        );
    }
    let roles: &[&str] = if vendor == Vendor::DeepSeek { &DEEPSEEK_ROLES } else { &ROLES };
    if let Some(at) = messages.iter().position(|message| !roles.contains(&message.role.as_str())) {
        let role = messages.get(at).map(|message| message.role.as_str()).unwrap_or_default();
        return Err(match vendor {
            Vendor::DeepSeek => Refusal::invalid(format!(
                "Failed to deserialize the JSON body into the target type: messages[{at}].role: unknown variant `{role}`"
            )),
            _ => Refusal::invalid(format!("`{role}` is not a role; use one of {roles:?}."))
                .param(format!("messages[{at}].role"))
                .code("invalid_value"),
        });
    }
    for (at, message) in messages.iter().enumerate() {
        let content = &message.content;
        let strange = content.kinds().find(|kind| !PARTS.contains(kind));
        // DeepSeek reads texts only.
        let strange = strange.or_else(|| {
            content.kinds().find(|kind| vendor == Vendor::DeepSeek && !matches!(*kind, "text" | ""))
        });
        if let Some(kind) = strange {
            return Err(Refusal::invalid(format!(
                "Invalid value: '{kind}' is no type of a content part here."
            ))
            .param(format!("messages[{at}].content"))
            .code("invalid_value"));
        }
    }
    tool_calls(messages)?;
    if thinks && vendor == Vendor::DeepSeek {
        reasoning_came_back(messages)?;
    }
    Ok(messages)
}

fn call_ids<'a>(message: &Message<'a>) -> Vec<Text<'a>> {
    let calls = message.tool_calls.map(RawValue::get).unwrap_or("[]");
    let calls: Vec<CallId<'a>> = serde_json::from_str(calls).unwrap_or_default();
    calls.into_iter().map(|call| call.id).collect()
}

/// Results follow their calls at once, each call has one, and there is none without a call.
fn tool_calls(messages: &[Message<'_>]) -> Result<(), Refusal> {
    let mut open: Vec<Text<'_>> = Vec::new();
    let mut answered = false;
    for (at, message) in messages.iter().enumerate() {
        if message.role.as_str() == "tool" {
            let before = open.len();
            open.retain(|id| *id != message.tool_call_id);
            if open.len() == before && !(answered && message.tool_call_id.as_str().is_empty()) {
                return Err(Refusal::invalid(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
                )
                .param(format!("messages.[{at}].role")));
            }
            answered = true;
            continue;
        }
        unanswered(&open)?;
        answered = false;
        open = call_ids(message);
    }
    unanswered(&open)
}

fn unanswered(open: &[Text<'_>]) -> Result<(), Refusal> {
    if open.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = open.iter().map(Text::as_str).collect();
    Err(Refusal::invalid(format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. \
         These had no response: {}",
        ids.join(", ")
    ))
    .param("messages"))
}

/// DeepSeek's guide "Thinking mode": between a question and its answer, what was thought comes back with every call.
fn reasoning_came_back(messages: &[Message<'_>]) -> Result<(), Refusal> {
    let turn = messages.iter().rposition(|message| message.role.as_str() == "user").unwrap_or(0);
    let missing = |(at, message): &(usize, &Message<'_>)| {
        *at > turn
            && message.role.as_str() == "assistant"
            && !call_ids(message).is_empty()
            && message.reasoning_content.is_none()
    };
    match messages.iter().enumerate().find(missing) {
        Some((at, _)) => Err(Refusal::invalid(format!(
            "Missing `reasoning_content` field in the assistant message at message index {at}; in thinking mode it must \
             be passed back."
        ))),
        None => Ok(()),
    }
}

/// `response_format`: the JSON that fits it.
pub(super) fn wanted_json(vendor: Vendor, request: &ChatRequest<'_>) -> Result<Option<String>, Refusal> {
    let Some(format) = request.response_format else { return Ok(None) };
    let format: Value = serde_json::from_str(format.get()).unwrap_or_default();
    match text(&format, "type") {
        "text" => Ok(None),
        "" if format.is_null() => Ok(None),
        "json_object" => {
            let messages = request.messages.as_deref().unwrap_or_default();
            match messages.iter().any(|message| message.content.says_json) {
                true => Ok(Some(r#"{"answer":"sample"}"#.to_owned())),
                false => Err(Refusal::invalid(
                    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
                )
                .param("messages")),
            }
        }
        "json_schema" if vendor == Vendor::DeepSeek => {
            Err(Refusal::invalid("This response_format type is unavailable now"))
        }
        "json_schema" => {
            let wrapped = given(&format, "json_schema").cloned().unwrap_or_default();
            if text(&wrapped, "name").is_empty() {
                return Err(Refusal::invalid(
                    "Missing required parameter: 'response_format.json_schema.name'.",
                )
                .param("response_format.json_schema.name")
                .code("missing_required_parameter"));
            }
            let schema = given(&wrapped, "schema").cloned().unwrap_or_default();
            strict(flag(&wrapped, "strict"), &schema, "response_format")?;
            Ok(Some(fitting(&schema).to_string()))
        }
        other => Err(Refusal::invalid(format!("Invalid value: '{other}'."))
            .param("response_format.type")
            .code("invalid_value")),
    }
}

/// In strict mode every object says that it has no more properties, and requires all it has.
pub(crate) fn strict(strict_mode: Option<bool>, schema: &Value, param: &'static str) -> Result<(), Refusal> {
    let invalid = |what: &str| {
        Err(Refusal::invalid(format!("Invalid schema: {what}.")).param(param).code("invalid_json_schema"))
    };
    if strict_mode != Some(true) {
        return Ok(());
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            return invalid("'additionalProperties' is required to be supplied and to be false");
        }
        let required: Vec<_> = list(schema, "required").iter().filter_map(Value::as_str).collect();
        if properties.keys().any(|name| !required.contains(&name.as_str())) {
            return invalid("'required' is required to be supplied and to hold every key in properties");
        }
        for property in properties.values() {
            strict(strict_mode, property, param)?;
        }
    }
    match schema.get("items") {
        Some(items) => strict(strict_mode, items, param),
        None => Ok(()),
    }
}
