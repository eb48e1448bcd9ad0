//! The input: a text, or a list of items, each looked at as the vendor does.

use serde_json::Value;

use crate::reading::{given, list, text};
use crate::refusal::{Kind, Refusal};
use crate::request::prompt_tokens;
use crate::seal::Sealer;

pub(super) struct Input<'a> {
    pub(super) user_text: &'a str,
    pub(super) prompt_tokens: u64,
    last: Option<&'a Value>,
}

/// A small picture, an opened file, a second of sound.
const IMAGE_TOKENS: u64 = 85;
const FILE_TOKENS: u64 = 100;
const AUDIO_TOKENS: u64 = 20;
const ROLES: [&str; 4] = ["user", "assistant", "system", "developer"];

impl<'a> Input<'a> {
    pub(super) fn read(body: &'a Value) -> Result<Self, Refusal> {
        let instructions = text(body, "instructions");
        let mut bytes = instructions.len() as u64;
        let mut messages = u64::from(!instructions.is_empty());
        let mut extra = 0;
        let items = match given(body, "input") {
            Some(Value::String(said)) => {
                let prompt_tokens = prompt_tokens(bytes + said.len() as u64, messages + 1);
                return Ok(Self { user_text: said, prompt_tokens, last: None });
            }
            Some(Value::Array(items)) if !items.is_empty() => items,
            Some(Value::Array(_)) | None => {
                return Err(Refusal::invalid(
                    "One of 'input' or 'previous_response_id' or 'prompt' must be provided.",
                )
                .param("input")
                .code("missing_required_parameter"));
            }
            Some(_) => {
                return Err(Refusal::invalid("Invalid type for 'input': expected a string or an array.")
                    .param("input")
                    .code("invalid_type"));
            }
        };
        let mut user_text = "";
        for (index, item) in items.iter().enumerate() {
            check_item(index, item, items.get(index + 1))?;
            messages += 1;
            let said = weigh(item, &mut bytes, &mut extra);
            if kind_of(item) == "message" && text(item, "role") == "user" {
                user_text = said;
            }
        }
        check_calls(items)?;
        let prompt_tokens = prompt_tokens(bytes, messages) + extra;
        Ok(Self { user_text, prompt_tokens, last: items.last() })
    }

    /// What the tool said, where its output is the last item.
    pub(super) fn tool_result(&self) -> Option<String> {
        let last = self.last.filter(|last| kind_of(last).ends_with("call_output"))?;
        Some(match last.get("output") {
            Some(Value::String(said)) => said.clone(),
            Some(Value::Array(parts)) => parts.iter().map(|part| text(part, "text")).collect(),
            _ => String::new(),
        })
    }
}

/// A message needs no type.
fn kind_of(item: &Value) -> &str {
    match text(item, "type") {
        "" => "message",
        kind => kind,
    }
}

/// Adds the item's bytes of text and the tokens of what is no text; returns its last text.
fn weigh<'a>(item: &'a Value, bytes: &mut u64, extra: &mut u64) -> &'a str {
    let mut last = "";
    for field in ["content", "output", "arguments", "input"] {
        match item.get(field) {
            Some(Value::String(said)) => {
                *bytes += said.len() as u64;
                last = said;
            }
            Some(Value::Array(parts)) => {
                for part in parts {
                    match text(part, "type") {
                        "input_image" => *extra += IMAGE_TOKENS,
                        "input_file" => *extra += FILE_TOKENS,
                        "input_audio" => *extra += AUDIO_TOKENS,
                        _ => {
                            last = text(part, "text");
                            *bytes += last.len() as u64;
                        }
                    }
                }
            }
            _ => {}
        }
    }
    last
}

fn check_item(index: usize, item: &Value, next: Option<&Value>) -> Result<(), Refusal> {
    let missing = |field: &str| {
        Refusal::invalid(format!("Missing required parameter: 'input[{index}].{field}'."))
            .param(format!("input[{index}].{field}"))
            .code("missing_required_parameter")
    };
    match kind_of(item) {
        "message" => check_message(index, item),
        "function_call" | "custom_tool_call" => {
            let payload = if kind_of(item) == "function_call" { "arguments" } else { "input" };
            let fields = ["call_id", "name", payload];
            match fields.iter().find(|field| item.get(**field).is_none_or(|value| !value.is_string())) {
                Some(field) => Err(missing(field)),
                None => Ok(()),
            }
        }
        "function_call_output" | "custom_tool_call_output" => {
            if text(item, "call_id").is_empty() {
                return Err(missing("call_id"));
            }
            match item.get("output") {
                Some(Value::String(_) | Value::Array(_)) => Ok(()),
                _ => Err(missing("output")),
            }
        }
        "reasoning" => check_reasoning(index, item, next),
        "item_reference" => Err(not_found(text(item, "id"))),
        "web_search_call"
        | "file_search_call"
        | "code_interpreter_call"
        | "image_generation_call"
        | "computer_call"
        | "computer_call_output"
        | "local_shell_call"
        | "local_shell_call_output"
        | "mcp_call"
        | "mcp_list_tools"
        | "mcp_approval_request"
        | "mcp_approval_response"
        | "compaction" => Ok(()),
        other => Err(Refusal::invalid(format!("Invalid value: '{other}' is no type of an item."))
            .param(format!("input[{index}].type"))
            .code("invalid_value")),
    }
}

fn check_message(index: usize, item: &Value) -> Result<(), Refusal> {
    let role = text(item, "role");
    if !ROLES.contains(&role) {
        return Err(Refusal::invalid(format!("Invalid value: '{role}'. Supported values are: {ROLES:?}."))
            .param(format!("input[{index}].role"))
            .code("invalid_value"));
    }
    match item.get("content") {
        Some(Value::String(_) | Value::Array(_)) => {}
        _ => {
            return Err(Refusal::invalid(format!("Missing required parameter: 'input[{index}].content'."))
                .param(format!("input[{index}].content"))
                .code("missing_required_parameter"));
        }
    }
    let allowed: &[&str] = match role {
        "assistant" => &["output_text", "refusal"],
        _ => &["input_text", "input_image", "input_file", "input_audio"],
    };
    let parts = list(item, "content");
    match parts.iter().position(|part| !allowed.contains(&text(part, "type"))) {
        None => Ok(()),
        Some(at) => {
            let kind = parts.get(at).map(|part| text(part, "type")).unwrap_or_default();
            Err(Refusal::invalid(format!("Invalid value: '{kind}'. Supported values are: {allowed:?}."))
                .param(format!("input[{index}].content[{at}].type"))
                .code("invalid_value"))
        }
    }
}

fn check_reasoning(index: usize, item: &Value, next: Option<&Value>) -> Result<(), Refusal> {
    let id = text(item, "id");
    if item.get("summary").is_none_or(|summary| !summary.is_array()) {
        return Err(Refusal::invalid(format!("Missing required parameter: 'input[{index}].summary'."))
            .param(format!("input[{index}].summary"))
            .code("missing_required_parameter"));
    }
    match given(item, "encrypted_content").and_then(Value::as_str) {
        Some(sealed) if !Sealer::OpenAi.locked(sealed) => {
            return Err(Refusal::invalid(format!(
                "The encrypted content for item {id} could not be verified. It could not be decrypted or parsed."
            ))
            .code("invalid_encrypted_content"));
        }
        Some(_) => {}
        None if !id.starts_with("rs_sandbox") => return Err(not_found(id)),
        None => {}
    }
    match next {
        Some(_) => Ok(()),
        None => Err(Refusal::invalid(format!(
            "Item '{id}' of type 'reasoning' was provided without its required following item."
        ))
        .param("input")),
    }
}

fn not_found(id: &str) -> Refusal {
    let message = format!(
        "Item with id '{id}' not found. Items are not kept when `store` is false; leave it out or send it whole."
    );
    Refusal::new(Kind::UnknownPath, message).param("input")
}

/// Every output needs its call before it, every call its output after it.
fn check_calls(items: &[Value]) -> Result<(), Refusal> {
    let of = |output: bool| {
        items.iter().enumerate().filter(move |(_, item)| match output {
            true => matches!(kind_of(item), "function_call_output" | "custom_tool_call_output"),
            false => matches!(kind_of(item), "function_call" | "custom_tool_call"),
        })
    };
    for (at, output) in of(true) {
        let id = text(output, "call_id");
        if !of(false).any(|(before, call)| before < at && text(call, "call_id") == id) {
            return Err(Refusal::invalid(format!(
                "No tool call found for function call output with call_id {id}."
            ))
            .param("input"));
        }
    }
    for (at, call) in of(false) {
        let id = text(call, "call_id");
        if !of(true).any(|(after, output)| after > at && text(output, "call_id") == id) {
            return Err(
                Refusal::invalid(format!("No tool output found for function call {id}.")).param("input")
            );
        }
    }
    Ok(())
}
