//! What a response repeats of its request.

use serde_json::Value;

use crate::reading::given;

/// Name, and what stands there if the request did not say; in the reference's order.
const BEFORE_OUTPUT: &[(&str, &str)] =
    &[("instructions", "null"), ("max_output_tokens", "null"), ("max_tool_calls", "null")];
const AFTER_OUTPUT: &[(&str, &str)] = &[
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("prompt_cache_key", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
];
const TAIL: &[(&str, &str)] = &[
    ("store", "true"),
    ("temperature", "1.0"),
    ("text", r#"{"format":{"type":"text"},"verbosity":"medium"}"#),
    ("tool_choice", r#""auto""#),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "1.0"),
    ("truncation", r#""disabled""#),
];
const END: &[(&str, &str)] = &[("user", "null"), ("metadata", "{}")];

pub(super) fn before_output(body: &Value) -> String {
    fields(body, BEFORE_OUTPUT)
}

/// `service_tier` is the tier that served, whatever was asked for.
pub(super) fn after_output(body: &Value) -> String {
    let tier = match given(body, "service_tier").and_then(Value::as_str) {
        Some("flex") => "flex",
        Some("priority") => "priority",
        _ => "default",
    };
    format!("{},\"service_tier\":\"{tier}\",{}", fields(body, AFTER_OUTPUT), fields(body, TAIL))
}

pub(super) fn end(body: &Value) -> String {
    fields(body, END)
}

fn fields(body: &Value, table: &[(&str, &str)]) -> String {
    let field = |(name, default): &(&str, &str)| {
        let value = given(body, name).map_or_else(|| (*default).to_owned(), Value::to_string);
        format!("\"{name}\":{value}")
    };
    table.iter().map(field).collect::<Vec<_>>().join(",")
}
