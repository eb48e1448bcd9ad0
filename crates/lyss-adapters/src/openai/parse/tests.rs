use serde_json::{Value, json};

use crate::conversation::{
    CacheLifetime, ChatCall, Effort, Media, MediaKind, OutputFormat, Part, Reasoning, Role, Seal, SealKind,
    ServerToolKind, Source, Thinking, ThinkingMode, ToolChoice,
};
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

/// The parts of one message.
fn parts(message: Value) -> Vec<Part> {
    parsed(&json!({"messages": [message]})).turns.remove(0).parts
}

fn media(part: Value) -> Media {
    match parts(json!({"role": "user", "content": [part]})).remove(0) {
        Part::Media(media) => media,
        other => panic!("{other:?}"),
    }
}

#[test]
fn media_in_every_form() {
    let image = media(
        json!({"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AA==", "detail": "low"}}),
    );
    let expected = Media {
        detail: Some("low".into()),
        ..Media::new(MediaKind::Image, Source::Data("AA==".into()), Some("image/jpeg".into()))
    };
    assert_eq!(image, expected);
    let bare = media(json!({"type": "image_url", "image_url": "https://example.org/a.png"}));
    assert_eq!(bare.source, Source::Url("https://example.org/a.png".into()));
    let audio = media(json!({"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}}));
    assert_eq!((audio.kind, audio.mime.as_deref()), (MediaKind::Audio, Some("audio/mpeg")));
    let pdf = media(
        json!({"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}}),
    );
    assert_eq!(
        (pdf.kind, pdf.mime.as_deref(), pdf.name.as_deref()),
        (MediaKind::File, Some("application/pdf"), Some("a.pdf"))
    );
    let bare = media(json!({"type": "file", "file": {"file_data": "AA==", "filename": "a.pdf"}}));
    assert_eq!((bare.source.clone(), bare.mime_or_usual()), (Source::Data("AA==".into()), "application/pdf"));
    let kept = media(json!({"type": "file", "file": {"file_id": "file-1"}}));
    assert_eq!(kept.source, Source::FileId("file-1".into()));
    let film = media(json!({"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}}));
    assert_eq!(film.kind, MediaKind::Video);
    for (part, path) in [
        (json!({"type": "image_url"}), "image_url"),
        (json!({"type": "image_url", "image_url": {"url": 7}}), "image_url.url"),
        (json!({"type": "input_audio", "input_audio": {}}), "input_audio.data"),
        (json!({"type": "file", "file": {"filename": "a"}}), "file.file_data"),
        (json!({"type": "hologram"}), "type"),
    ] {
        let fields = json!({"messages": [{"role": "user", "content": [part]}]});
        assert_eq!(refused(&fields), format!("messages[0].content[0].{path}"));
    }
}

#[test]
fn cache_markers_stand_where_they_stood() {
    let marker = json!({"type": "ephemeral"});
    let hour = json!({"type": "ephemeral", "ttl": "1h"});
    let call = parsed(&json!({
        "messages": [
            {"role": "system", "content": "s", "cache_control": hour},
            {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": marker}, {"type": "text", "text": "b"}]},
            {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "r", "cache_control": marker}]},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f"}, "cache_control": marker},
            {"type": "function", "function": {"name": "g", "cache_control": hour}},
        ],
    }));
    let point = |at: usize| call.turns[at].parts.iter().position(|part| matches!(part, Part::CachePoint(_)));
    assert_eq!((point(0), point(1), point(2)), (Some(1), Some(1), Some(1)));
    assert!(call.turns[0].parts.contains(&Part::CachePoint(CacheLifetime::Long)));
    assert!(matches!(&call.turns[2].parts[0], Part::ToolResult { parts, .. } if parts.len() == 1));
    let caches: Vec<_> = call.tools.iter().map(|tool| tool.cache).collect();
    assert_eq!(caches, [Some(CacheLifetime::Short), Some(CacheLifetime::Long)]);
    assert!(call.unmapped.is_empty());
}

#[test]
fn tool_results_hold_texts_and_images() {
    let image = json!({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}});
    let read = parts(
        json!({"role": "tool", "tool_call_id": "c", "name": "f", "content": [{"type": "text", "text": "t"}, image]}),
    );
    let [Part::ToolResult { id, name, parts, is_error }] = read.as_slice() else { panic!("{read:?}") };
    assert_eq!((id.as_str(), name.as_deref(), *is_error), ("c", Some("f"), false));
    assert!(matches!(parts.as_slice(), [Part::Text(_), Part::Media(_)]));
}

fn thought(text: &str, seal: Option<(SealKind, &str)>) -> Part {
    let seal = seal.map(|(kind, data)| Seal::new(kind, data));
    Part::Reasoning(Reasoning { text: text.into(), seal })
}

#[test]
fn reasoning_under_every_name() {
    let assistant = |fields: Value| {
        let mut message = json!({"role": "assistant", "content": "t"});
        for (name, value) in fields.as_object().unwrap() {
            message[name] = value.clone();
        }
        let mut parts = parts(message);
        assert_eq!(parts.pop(), Some(Part::Text("t".into())));
        parts
    };
    let signed = || vec![thought("r", Some((SealKind::AnthropicSignature, "c2ln")))];
    assert_eq!(assistant(json!({"reasoning_content": "r"})), [thought("r", None)]);
    assert_eq!(assistant(json!({"reasoning": "r", "reasoning_content": ""})), [thought("r", None)]);
    let block = json!({"type": "thinking", "thinking": "r", "signature": "c2ln"});
    let redacted = json!({"type": "redacted_thinking", "data": "ZW5j"});
    assert_eq!(assistant(json!({"thinking_blocks": [block], "reasoning_content": "r"})), signed());
    assert_eq!(
        assistant(json!({"thinking_blocks": [redacted]})),
        [thought("", Some((SealKind::AnthropicRedacted, "ZW5j")))]
    );
    let pieces = json!([
        {"type": "reasoning.text", "text": "r", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.text", "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0},
    ]);
    assert_eq!(assistant(json!({"reasoning_details": pieces, "reasoning": "r"})), signed());
    // A seal whose text was told as plain text alone.
    let bare = json!([{"type": "reasoning.text", "signature": "c2ln", "index": 0}]);
    assert_eq!(assistant(json!({"reasoning_details": bare, "reasoning_content": "r"})), signed());
    let foreign = Seal::new(SealKind::Google, "Z29v").to_token();
    let block = json!({"type": "thinking", "thinking": "", "signature": foreign});
    assert_eq!(
        assistant(json!({"thinking_blocks": [block]})),
        [thought("", Some((SealKind::Google, "Z29v")))]
    );
    let in_content = parts(json!({"role": "assistant", "content": [
        {"type": "thinking", "thinking": [{"type": "text", "text": "r"}]}, {"type": "text", "text": "t"},
    ]}));
    assert_eq!(in_content, [thought("r", None), Part::Text("t".into())]);
}

#[test]
fn a_seal_of_a_call_stands_before_it() {
    let call = |id: &str, extra: Value| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": extra});
    let by_extra = call("c2", json!({"google": {"thought_signature": "Z29v"}}));
    let details =
        json!([{"type": "reasoning.encrypted", "id": "c2", "data": "Z29v", "format": "google-gemini-v1"}]);
    for details in [json!([]), details] {
        let message = json!({
            "role": "assistant", "content": null, "reasoning_details": details,
            "tool_calls": [call("c1", Value::Null), by_extra],
        });
        let parts = parts(message);
        assert!(matches!(&parts[0], Part::ToolCall { id, .. } if id == "c1"), "{parts:?}");
        assert_eq!(parts[1], thought("", Some((SealKind::Google, "Z29v"))));
        assert!(matches!(&parts[2], Part::ToolCall { id, .. } if id == "c2") && parts.len() == 3);
    }
}

#[test]
fn custom_tools_are_free_text() {
    let call = parsed(&json!({
        "messages": [{"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "x", "input": "1+1"}}]}],
        "tools": [{"type": "custom", "custom": {"name": "x", "format": {"type": "text"}}}],
        "tool_choice": {"type": "custom", "custom": {"name": "x"}},
    }));
    let expected = Part::ToolCall { id: "c".into(), name: "x".into(), arguments: "1+1".into(), custom: true };
    assert_eq!(call.turns[0].parts, [expected]);
    assert!(call.tools[0].is_custom());
    assert_eq!(call.tool_choice, Some(ToolChoice::Named("x".into())));
}

#[test]
fn settings_reach_the_call() {
    let call = parsed(&json!({
        "n": 3, "logprobs": true, "top_logprobs": 5, "presence_penalty": 0.5, "frequency_penalty": -1, "seed": -7,
        "verbosity": "low", "service_tier": "flex", "user": "u", "metadata": {"a": "b"}, "store": true,
        "prompt_cache_key": "k", "prompt_cache_retention": "24h", "safety_identifier": "s",
        "web_search_options": {"search_context_size": "high", "user_location": {"type": "approximate", "approximate": {"city": "Oslo"}}},
    }));
    assert_eq!((call.candidates, call.logprobs, call.seed), (Some(3), Some(5), Some(-7)));
    assert_eq!((call.presence_penalty, call.frequency_penalty), (Some(0.5), Some(-1.0)));
    let words = [&call.verbosity, &call.service_tier, &call.user].map(|word| word.as_deref().unwrap());
    assert_eq!(words, ["low", "flex", "u"]);
    let more = &call.passengers;
    assert_eq!((more.store, more.metadata.as_ref().unwrap().get()), (Some(true), r#"{"a":"b"}"#));
    let ServerToolKind::WebSearch(search) = &call.server_tools[0].kind else { panic!() };
    assert_eq!(search.location.as_ref().unwrap().city.as_deref(), Some("Oslo"));
    assert_eq!(search.context_size.as_deref(), Some("high"));
    assert!(call.unmapped.is_empty(), "{:?}", call.unmapped);
    assert_eq!(parsed(&json!({"top_logprobs": 5})).unmapped, ["top_logprobs"]);
}

#[test]
fn every_way_to_ask_for_thinking() {
    let wish = |fields: Value| parsed(&fields).thinking;
    let effort = |effort| Some(Thinking { effort: Some(effort), ..Thinking::default() });
    assert_eq!(wish(json!({})), None);
    for (word, expected) in [("none", Effort::None), ("minimal", Effort::Minimal), ("xhigh", Effort::XHigh)] {
        assert_eq!(wish(json!({"reasoning_effort": word})), effort(expected));
        assert_eq!(wish(json!({"reasoning": {"effort": word}})), effort(expected));
    }
    let budget = Thinking { mode: ThinkingMode::On, budget: Some(2_000), ..Thinking::default() };
    assert_eq!(wish(json!({"thinking": {"type": "enabled", "budget_tokens": 2000}})), Some(budget));
    assert_eq!(wish(json!({"thinking": {"type": "disabled"}})), Some(Thinking::OFF));
    assert_eq!(wish(json!({"enable_thinking": false})), Some(Thinking::OFF));
    let hidden = Thinking { budget: Some(9), show: Some(false), ..Thinking::default() };
    assert_eq!(wish(json!({"reasoning": {"max_tokens": 9, "exclude": true}})), Some(hidden));
    assert_eq!(refused(&json!({"reasoning_effort": "enormous"})), "reasoning_effort");
    assert_eq!(refused(&json!({"thinking": {"type": "maybe"}})), "thinking.type");
}

#[test]
fn formats_of_answers() {
    let format = |format: Value| parsed(&json!({"response_format": format})).format;
    assert!(format(json!({"type": "text"})).is_none());
    assert!(matches!(format(json!({"type": "json_object"})), Some(OutputFormat::JsonObject)));
    let schema = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": true}});
    let Some(OutputFormat::JsonSchema { name, schema, strict, .. }) = format(schema) else { panic!() };
    assert_eq!((name.as_deref(), schema.get(), strict), (Some("n"), r#"{"type":"object"}"#, Some(true)));
    assert_eq!(refused(&json!({"response_format": {"type": "yaml"}})), "response_format.type");
    let wrong = json!({"response_format": {"type": "json_schema", "json_schema": {"schema": 7}}});
    assert_eq!(refused(&wrong), "response_format.json_schema.schema");
}

#[test]
fn instructions_stay_where_they_stand() {
    let call = parsed(&json!({"messages": [
        {"role": "developer", "content": "a"}, {"role": "user", "content": "b"}, {"role": "system", "content": "c"},
    ]}));
    let roles: Vec<_> = call.turns.iter().map(|turn| turn.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::System]);
}
