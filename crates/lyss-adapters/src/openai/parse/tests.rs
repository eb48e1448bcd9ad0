use serde_json::{Value, json};

use crate::conversation::{ChatCall, Part, ToolChoice};
use crate::{Dialect, Fault, scan};

/// As the line does it: scanned, then parsed.
fn parse(body: &[u8]) -> Result<ChatCall, Fault> {
    super::parse(&scan(Dialect::OpenAiChat, body.to_vec().into())?)
}

/// A valid body with some fields replaced.
fn body(fields: &Value) -> Vec<u8> {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.to_string().into_bytes()
}

fn parsed(fields: &Value) -> ChatCall {
    parse(&body(fields)).unwrap()
}

/// The field a refusal names.
fn refused(fields: &Value) -> String {
    let fault = parse(&body(fields)).unwrap_err();
    assert_eq!(fault.status, 400);
    assert!(!fault.message.is_empty());
    fault.param.unwrap_or_default()
}

#[test]
fn a_wrong_type_names_its_path() {
    for (fields, path) in [
        (json!({"model": 7}), "model"),
        (json!({"model": null}), "model"),
        (json!({"messages": {}}), "messages"),
        (json!({"messages": []}), "messages"),
        (json!({"messages": [7]}), "messages[0]"),
        (json!({"messages": [{"content": "x"}]}), "messages[0].role"),
        (json!({"messages": [{"role": "wizard"}]}), "messages[0].role"),
        (json!({"messages": [{"role": "user", "content": 7}]}), "messages[0].content"),
        (json!({"messages": [{"role": "user", "content": [{"text": "x"}]}]}), "messages[0].content[0].type"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
            "messages[0].content[0].text",
        ),
        (json!({"messages": [{"role": "tool", "content": "x"}]}), "messages[0].tool_call_id"),
        (
            json!({"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": {}}}]}]}),
            "messages[0].tool_calls[0].function.arguments",
        ),
        (json!({"tools": [{"type": "shell"}]}), "tools[0].type"),
        (json!({"tools": [{"type": "custom"}]}), "tools[0].custom"),
        (json!({"tools": [{"type": "custom", "custom": {"name": 1}}]}), "tools[0].custom.name"),
        (json!({"tools": [{"type": "function"}]}), "tools[0].function"),
        (
            json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": "{}"}}]}),
            "tools[0].function.parameters",
        ),
        (json!({"tool_choice": "perhaps"}), "tool_choice"),
        (json!({"tool_choice": 1}), "tool_choice"),
        (json!({"tool_choice": {"type": "function"}}), "tool_choice.function"),
        (json!({"max_tokens": -1}), "max_tokens"),
        (json!({"max_completion_tokens": 1.5}), "max_completion_tokens"),
        (json!({"temperature": "hot"}), "temperature"),
        (json!({"stop": [1]}), "stop"),
        (json!({"stream": "yes"}), "stream"),
        (json!({"stream_options": {"include_usage": 1}}), "stream_options.include_usage"),
    ] {
        assert_eq!(refused(&fields), path, "{fields}");
    }
}

#[test]
fn a_body_that_is_no_object_is_refused() {
    for body in [&b""[..], b"[]", b"7", b"null", b"{\"model\":", b"\xff\xfe", b"{}{}"] {
        assert_eq!(parse(body).unwrap_err().status, 400);
    }
}

#[test]
fn what_the_vendor_cannot_take_is_refused_by_name() {
    assert_eq!(refused(&json!({"modalities": ["text", "audio"]})), "modalities");
    assert_eq!(refused(&json!({"functions": []})), "functions");
    assert_eq!(refused(&json!({"function_call": "auto"})), "function_call");
    assert_eq!(
        refused(&json!({"messages": [{"role": "function", "name": "f", "content": "x"}]})),
        "messages[0].role"
    );
    let legacy =
        json!({"messages": [{"role": "assistant", "function_call": {"name": "f", "arguments": ""}}]});
    assert_eq!(refused(&legacy), "messages[0].function_call");
}

#[test]
fn fields_without_a_form_are_reported_and_defaults_are_not() {
    let call = parsed(&json!({
        "n": 2, "logit_bias": {"1": 2}, "store": false, "seed": null, "presence_penalty": 0,
        "response_format": {"type": "text"}, "reasoning_effort": "low",
        "stream_options": {"include_usage": true, "include_obfuscation": true},
        "messages": [
            {"role": "user", "name": "ann", "content": [{"type": "text", "text": "a", "cache_control": {}}]},
            {"role": "assistant", "audio": {"id": "x"}, "content": "b", "function_call": null},
        ],
    }));
    let mut unmapped = call.unmapped;
    unmapped.sort();
    let expected =
        ["logit_bias", "messages[0].name", "messages[1].audio", "stream_options.include_obfuscation"];
    assert_eq!(unmapped, expected);
    assert!(call.include_usage);
}

#[test]
fn reported_paths_are_few_short_and_printable() {
    let mut message = json!({"role": "user", "content": "hi"});
    for at in 0..500 {
        message[format!("x\r\nSet-Cookie: {at}{}", "y".repeat(500))] = json!(1);
    }
    let call = parsed(&json!({"messages": [message]}));
    assert_eq!(call.unmapped.len(), 64);
    assert!(call.unmapped.iter().all(|path| path.len() <= 100 && path.bytes().all(|b| b.is_ascii_graphic())));
}

#[test]
fn every_form_of_tool_choice() {
    let tools = json!([{"type": "function", "function": {"name": "a"}}, {"function": {"name": "b"}}]);
    let choice = |choice: Value| parsed(&json!({"tools": tools, "tool_choice": choice}));
    assert_eq!(choice(Value::Null).tool_choice, None);
    assert_eq!(choice(json!("auto")).tool_choice, Some(ToolChoice::Auto));
    assert_eq!(choice(json!("none")).tool_choice, Some(ToolChoice::None));
    assert_eq!(choice(json!("required")).tool_choice, Some(ToolChoice::Required));
    let named = choice(json!({"type": "function", "function": {"name": "a"}}));
    assert_eq!(named.tool_choice, Some(ToolChoice::Named("a".into())));
    let allowed = choice(json!({
        "type": "allowed_tools",
        "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "b"}}]},
    }));
    assert_eq!(allowed.tool_choice, Some(ToolChoice::Required));
    assert_eq!(allowed.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn json_that_passes_through_keeps_its_bytes() {
    let schema = r#"{ "type":"object", "n": 1.10, "z":1, "a":1e2 }"#;
    let body = format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":"h"}}],"tools":[{{"function":{{"name":"f","parameters":{schema}}}}}]}}"#
    );
    let call = parse(body.as_bytes()).unwrap();
    assert_eq!(call.tools[0].parameters().unwrap().get(), schema);
}

#[test]
fn the_newer_output_limit_wins() {
    let call = parsed(&json!({"max_tokens": 5, "max_completion_tokens": 7}));
    assert_eq!(call.max_output_tokens, Some(7));
    assert_eq!(parsed(&json!({"max_tokens": 5, "max_completion_tokens": null})).max_output_tokens, Some(5));
}

#[test]
fn a_turn_keeps_the_order_of_its_parts() {
    let call = parsed(&json!({"messages": [{
        "role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "b"}],
        "reasoning_content": "r", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f"}}],
    }]}));
    let parts = &call.turns[0].parts;
    assert!(matches!(&parts[0], Part::Reasoning(reasoning) if reasoning.text == "r"));
    assert!(matches!(&parts[1], Part::Text(text) if text == "a"));
    assert!(matches!(&parts[2], Part::Refusal(text) if text == "b"));
    assert!(
        matches!(&parts[3], Part::ToolCall { id, name, arguments, .. } if id == "c" && name == "f" && arguments.is_empty())
    );
}
