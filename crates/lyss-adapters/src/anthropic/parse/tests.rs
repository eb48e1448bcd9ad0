use serde_json::{Value, json};

use crate::conversation::{
    CacheLifetime, ChatCall, CitedPlace, Effort, Media, MediaKind, Origin, OutputFormat, Part, Role, Seal,
    SealKind, ServerToolKind, Source, Thinking, ThinkingMode, ToolChoice,
};
use crate::{Dialect, Fault, scan};

fn parse(body: &Value) -> Result<ChatCall, Fault> {
    super::parse(&scan(Dialect::AnthropicMessages, body.to_string().into()).unwrap())
}

/// With the fields that every request has.
fn with(more: Value) -> Value {
    let mut body = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn parsed(more: Value) -> ChatCall {
    parse(&with(more)).unwrap()
}

fn said(role: &str, content: Value) -> ChatCall {
    parsed(json!({"messages": [{"role": role, "content": content}]}))
}

#[test]
fn every_setting_has_its_place() {
    let call = parsed(json!({
        "system": "be kind", "stream": true, "temperature": 0.5, "top_p": 0.9, "top_k": 7,
        "stop_sequences": ["x"], "service_tier": "standard_only", "metadata": {"user_id": "u"},
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true},
        "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted"},
        "output_config": {"effort": "max"},
    }));
    assert_eq!(call.turns[0].origin, Origin::Instructions);
    assert_eq!((call.turns[0].role, &call.turns[0].parts[0]), (Role::System, &Part::Text("be kind".into())));
    assert_eq!(
        (call.max_output_tokens, call.temperature, call.top_p, call.top_k),
        (Some(9), Some(0.5), Some(0.9), Some(7))
    );
    assert_eq!(
        (call.stop, call.service_tier.as_deref(), call.user.as_deref()),
        (vec!["x".into()], Some("default"), Some("u"))
    );
    assert_eq!((call.tool_choice, call.parallel_tools), (Some(ToolChoice::Named("f".into())), Some(false)));
    let thinking = Thinking {
        mode: ThinkingMode::On,
        effort: Some(Effort::Max),
        budget: Some(2_000),
        show: Some(false),
    };
    assert_eq!(call.thinking, Some(thinking));
    assert!(call.stream && call.include_usage && call.unmapped.is_empty());
    assert!(parsed(json!({"thinking": {"type": "between_tools"}})).thinking.unwrap().is_off());
}

#[test]
fn what_has_no_place_is_named() {
    let call = parsed(json!({
        "container": "c_1", "inference_geo": "eu", "speed": "fast", "betas": ["x"], "context_management": {"edits": []},
        "metadata": {"user_id": "u", "more": 1}, "mcp_servers": [], "speed2": null,
        "tools": [
            {"name": "f", "input_schema": {"type": "object"}, "eager_input_streaming": true, "defer_loading": false,
                "allowed_callers": ["direct"], "input_examples": [{}]},
            {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"},
        ],
        "messages": [
            {"role": "user", "content": [{"type": "document", "context": "c", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}]},
            {"role": "assistant", "content": [
                {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}, "cache_control": {"type": "ephemeral"}},
                {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
                {"type": "tool_use", "id": "t", "name": "f", "input": {}, "caller": {"type": "direct"}},
            ]},
        ],
    }));
    let mut unmapped = call.unmapped;
    unmapped.sort();
    let expected = [
        "betas",
        "container",
        "context_management",
        "inference_geo",
        "messages[0].content[0].context",
        "messages[1].content[0]",
        "messages[1].content[1]",
        "metadata.more",
        "speed",
        "tools[0].eager_input_streaming",
        "tools[0].input_examples",
        "tools[1]",
    ];
    assert_eq!(unmapped, expected);
    assert_eq!(call.turns[1].parts.len(), 1);
}

#[test]
fn results_stand_in_turns_of_their_own() {
    let result = |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": "ok", "cache_control": {"type": "ephemeral", "ttl": "1h"}});
    let call = said("user", json!([result("a"), result("b"), {"type": "text", "text": "and?"}]));
    let roles: Vec<_> = call.turns.iter().map(|turn| (turn.role, turn.parts.len(), turn.origin)).collect();
    assert_eq!(roles, [(Role::Tool, 4, Origin::Item(0)), (Role::User, 1, Origin::Item(0))]);
    let expected = Part::ToolResult {
        id: "b".into(),
        name: None,
        parts: vec![Part::Text("ok".into())],
        is_error: false,
    };
    assert_eq!(call.turns[0].parts[2], expected);
    assert_eq!(call.turns[0].parts[3], Part::CachePoint(CacheLifetime::Long));
    assert_eq!(said("user", json!([])).turns[0].parts, []);
}

#[test]
fn thoughts_come_with_their_seals_whosever_they_are() {
    let foreign = Seal { kind: SealKind::OpenAi, data: "enc".into(), id: Some("rs_1".into()) };
    let call = said(
        "assistant",
        json!([
            {"type": "thinking", "thinking": "a", "signature": "own"},
            {"type": "thinking", "thinking": "b", "signature": ""},
            {"type": "thinking", "thinking": "c", "signature": foreign.to_token()},
            {"type": "redacted_thinking", "data": "hidden"},
            {"type": "redacted_thinking", "data": Seal::new(SealKind::Google, "AQ==").to_token()},
        ]),
    );
    let seals: Vec<_> = call.turns[0]
        .parts
        .iter()
        .map(|part| match part {
            Part::Reasoning(reasoning) => (reasoning.text.as_str(), reasoning.seal.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        ("a", Some(Seal::new(SealKind::AnthropicSignature, "own"))),
        ("b", None),
        ("c", Some(foreign)),
        ("", Some(Seal::new(SealKind::AnthropicRedacted, "hidden"))),
        ("", Some(Seal::new(SealKind::Google, "AQ=="))),
    ];
    assert_eq!(seals, expected);
}

#[test]
fn media_comes_from_every_source() {
    let media = |block: Value| match said("user", json!([block])).turns.remove(0).parts.remove(0) {
        Part::Media(media) => media,
        other => panic!("{other:?}"),
    };
    let image = |source: Value| media(json!({"type": "image", "source": source}));
    assert_eq!(
        image(json!({"type": "base64", "media_type": "image/png", "data": "AA=="})),
        Media::new(MediaKind::Image, Source::Data("AA==".into()), Some("image/png".into()))
    );
    assert_eq!(
        image(json!({"type": "url", "url": "https://e.com/a"})).source,
        Source::Url("https://e.com/a".into())
    );
    assert_eq!(image(json!({"type": "file", "file_id": "file_1"})).source, Source::FileId("file_1".into()));
    let document = media(json!({"type": "document", "title": "t", "citations": {"enabled": true},
        "source": {"type": "content", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}}));
    assert_eq!(
        (document.source, document.name.as_deref(), document.citable),
        (Source::Text("a\n\nb".into()), Some("t"), true)
    );
    let found = media(json!({"type": "search_result", "title": "t", "source": "https://e.com",
        "content": [{"type": "text", "text": "a"}]}));
    assert_eq!((found.kind, found.source), (MediaKind::File, Source::Text("a".into())));
}

#[test]
fn citations_of_earlier_answers_are_read() {
    let call = said(
        "assistant",
        json!([{"type": "text", "text": "a", "citations": [
            {"type": "web_search_result_location", "url": "https://e.com", "title": "t", "cited_text": "c", "encrypted_index": "x"},
            {"type": "hologram"}]}]),
    );
    let Part::Citation(citation) = &call.turns[0].parts[1] else { panic!() };
    assert_eq!(citation.place, CitedPlace::Url("https://e.com".into()));
    assert_eq!(call.unmapped, ["messages[0].content[0].citations[1]"]);
}

#[test]
fn tools_of_all_kinds_are_read() {
    let call = parsed(json!({"tools": [
        {"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": true,
            "cache_control": {"type": "ephemeral"}},
        {"type": "bash_20250124", "name": "bash"},
        {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool", "max_characters": 100},
        {"type": "computer_20250124", "name": "computer", "display_width_px": 1024, "display_height_px": 768},
        {"type": "web_search_20260318", "name": "web_search", "max_uses": 2, "blocked_domains": ["e.com"],
            "user_location": {"type": "approximate", "city": "Kiel"}},
        {"type": "web_fetch_20250910", "name": "web_fetch"},
        {"type": "code_execution_20250825", "name": "code_execution"},
    ]}));
    let names: Vec<_> = call.tools.iter().map(|tool| (tool.name.as_str(), tool.origin)).collect();
    assert_eq!(names, [("f", 0), ("bash", 1), ("str_replace_based_edit_tool", 2), ("computer", 3)]);
    assert_eq!((call.tools[0].strict, call.tools[0].cache), (Some(true), Some(CacheLifetime::Short)));
    assert!(call.tools[3].description.as_deref().unwrap().contains("1024 pixels wide"));
    let ServerToolKind::WebSearch(search) = &call.server_tools[0].kind else { panic!() };
    assert_eq!((search.max_uses, search.blocked_domains.as_slice()), (Some(2), &["e.com".to_owned()][..]));
    assert_eq!(search.location.as_ref().unwrap().city.as_deref(), Some("Kiel"));
    assert_eq!((call.server_tools[1].origin, call.server_tools[2].origin), (5, 6));
    assert_eq!(call.unmapped, ["tools[2].max_characters"]);
}

#[test]
fn a_format_is_strict_where_elsewhere_it_may_be() {
    let strict = |schema: Value, field: &str| {
        let format = json!({"type": "json_schema", "schema": schema});
        let more = if field == "output_format" {
            json!({field: format})
        } else {
            json!({field: {"format": format}})
        };
        match parsed(more).format {
            Some(OutputFormat::JsonSchema { strict, .. }) => strict,
            other => panic!("{other:?}"),
        }
    };
    let closed =
        json!({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": false});
    let optional = json!({"type": "object", "properties": {"a": {}}, "additionalProperties": false});
    assert_eq!(strict(closed, "output_config"), Some(true));
    assert_eq!(strict(optional, "output_format"), None);
}

#[test]
fn the_whole_requests_cache_point_stands_at_the_end() {
    let call = parsed(json!({"cache_control": {"type": "ephemeral", "ttl": "5m"}}));
    assert_eq!(call.turns[0].parts[1], Part::CachePoint(CacheLifetime::Short));
}

#[test]
fn faults_name_the_field() {
    for (more, path) in [
        (json!({"messages": []}), "messages"),
        (json!({"messages": [{"role": "tool", "content": "x"}]}), "messages[0].role"),
        (json!({"messages": [{"role": "user"}]}), "messages[0].content"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "hologram"}]}]}),
            "messages[0].content[0].type",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
            "messages[0].content[0].text",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "odd"}}]}]}),
            "messages[0].content[0].source.type",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "container_upload", "file_id": "f"}]}]}),
            "messages[0].content[0].type",
        ),
        (json!({"system": [{"type": "image"}]}), "system[0].type"),
        (json!({"system": 7}), "system"),
        (json!({"temperature": "hot"}), "temperature"),
        (json!({"stop_sequences": "x"}), "stop_sequences"),
        (json!({"service_tier": "flex"}), "service_tier"),
        (json!({"tools": [{"name": "f"}]}), "tools[0].input_schema"),
        (json!({"tools": [{"type": "computer_toolset_20260801"}]}), "tools[0].type"),
        (json!({"tool_choice": {"type": "odd"}}), "tool_choice.type"),
        (json!({"tool_choice": "auto"}), "tool_choice"),
        (json!({"thinking": {"type": "enabled"}}), "thinking.budget_tokens"),
        (json!({"output_config": {"effort": "none"}}), "output_config.effort"),
        (json!({"mcp_servers": [{"url": "https://e.com"}]}), "mcp_servers"),
        (json!({"cache_control": {"type": "ephemeral", "ttl": "2h"}}), "cache_control.ttl"),
    ] {
        let fault = parse(&with(more.clone())).unwrap_err();
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some(path)), "{more}");
    }
}
