//! What a response repeats of its request.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::value::RawValue;

/// The fields, and what stands there when the request does not say: the vendor's defaults.
const FIELDS: [(&str, &str); 18] = [
    ("background", "false"),
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("prompt_cache_key", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("temperature", "1.0"),
    ("text", r#"{"format":{"type":"text"},"verbosity":"medium"}"#),
    ("tool_choice", r#""auto""#),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "1.0"),
    ("truncation", r#""disabled""#),
    ("user", "null"),
];

/// The fields as JSON, each with a comma before it. `store` is false whatever was asked: nothing is kept.
pub(super) fn of(request: &Bytes, service_tier: Option<&str>) -> Vec<u8> {
    let said: BTreeMap<&str, &RawValue> = serde_json::from_slice(request).unwrap_or_default();
    let value = |name: &str| said.get(name).map(|raw| raw.get()).filter(|value| *value != "null");
    let mut out = br#","store":false"#.to_vec();
    for (name, default) in FIELDS {
        push(&mut out, name, value(name).unwrap_or(default));
    }
    let tier = service_tier.map(|tier| serde_json::Value::from(tier).to_string());
    let asked = value("service_tier").filter(|tier| *tier != r#""auto""#);
    push(&mut out, "service_tier", tier.as_deref().or(asked).unwrap_or(r#""default""#));
    out
}

fn push(out: &mut Vec<u8>, name: &str, json: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    compact(json, out);
}

/// Without the blanks between the values: a line end would break an event's line.
fn compact(json: &str, out: &mut Vec<u8>) {
    let (mut in_string, mut escaped) = (false, false);
    for byte in json.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
        } else if byte == b'"' {
            in_string = true;
        } else if byte.is_ascii_whitespace() {
            continue;
        }
        out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn echo(request: &str, tier: Option<&str>) -> Value {
        let fields = of(&Bytes::copy_from_slice(request.as_bytes()), tier);
        assert!(!fields.contains(&b'\n'));
        serde_json::from_str(&format!("{{{}}}", std::str::from_utf8(&fields[1..]).unwrap())).unwrap()
    }

    #[test]
    fn what_was_asked_stands_there_and_else_the_default() {
        let request = "{\n \"model\": \"m\",\n \"tools\": [\n {\"type\": \"function\", \"name\": \"a \\\" \\n b\"}\n ],\n \"temperature\": 0.2, \"user\": null, \"store\": true}";
        let echo = echo(request, Some("flex"));
        assert_eq!(echo["tools"], json!([{"type": "function", "name": "a \" \n b"}]));
        assert_eq!(echo["temperature"], 0.2);
        assert_eq!(echo["top_p"], 1.0);
        assert_eq!(echo["user"], Value::Null);
        assert_eq!(echo["store"], false);
        assert_eq!(echo["service_tier"], "flex");
        assert_eq!(echo["tool_choice"], "auto");
        assert!(echo.get("model").is_none());
    }

    #[test]
    fn a_request_that_is_not_there_is_all_defaults() {
        let echo = echo("", None);
        assert_eq!(echo["parallel_tool_calls"], true);
        assert_eq!(echo["text"]["format"]["type"], "text");
        assert_eq!(echo["service_tier"], "default");
    }
}
