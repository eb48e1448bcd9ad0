use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::Dialect;
use crate::Fault;
use crate::conversation::{
    CacheLifetime, ChatCall, Effort, Location, Loss, Media, MediaKind, Origin, OutputFormat, Part, Reasoning,
    Role, Seal, SealKind, ServerTool, ServerToolKind, Setting, Source, Thinking, ThinkingMode, Tool,
    ToolChoice, ToolKind, Turn, WebSearch,
};
use crate::dialect::{Encoded, Encoding, Unsayable};

fn user(text: &str) -> Turn {
    Turn::new(Role::User, vec![Part::Text(text.into())], 0)
}

fn encode(call: &ChatCall, model: &str, output_limit: Option<u64>) -> Result<Encoded, Fault> {
    super::encode(call, &Encoding { output_limit, ..Encoding::plain(model) })
        .map_err(|unsayable| unsayable.into_fault(Dialect::OpenAiChat.caller().unwrap()))
}

fn call(turns: Vec<Turn>) -> ChatCall {
    ChatCall { model: "asked".into(), turns, ..ChatCall::default() }
}

fn encoded(call: &ChatCall, model: &str) -> (Value, Vec<String>) {
    let Encoded { body, losses, .. } = encode(call, model, None).unwrap();
    let caller = Dialect::OpenAiChat.caller().unwrap();
    (serde_json::from_slice(&body).unwrap(), losses.iter().map(|loss| caller.path(loss)).collect())
}

fn refused(turns: Vec<Turn>) -> Fault {
    encode(&call(turns), "claude-sonnet-5", None).unwrap_err()
}

#[test]
fn the_output_limit_is_the_callers_then_ours_then_the_models() {
    let mut call = call(vec![user("hi")]);
    let limit = |call: &ChatCall, model: &str, ours: Option<u64>| {
        let body: Value = serde_json::from_slice(&encode(call, model, ours).unwrap().body).unwrap();
        body["max_tokens"].as_u64().unwrap()
    };
    for (model, expected) in [
        ("claude-opus-4-20250514", 32_000),
        ("claude-opus-4-1-20250805", 32_000),
        ("claude-opus-4-5-20251101", 64_000),
        ("claude-opus-4-6", 128_000),
        ("claude-sonnet-4-20250514", 64_000),
        ("claude-3-5-haiku-20241022", 8_192),
        ("claude-haiku-4-5", 64_000),
        ("my-own-alias", 4_096),
    ] {
        assert_eq!(limit(&call, model, None), expected, "{model}");
    }
    assert_eq!(limit(&call, "claude-opus-4-6", Some(77)), 77);
    call.max_output_tokens = Some(5);
    assert_eq!(limit(&call, "claude-opus-4-6", Some(77)), 5);
}

#[test]
fn the_target_model_is_written() {
    assert_eq!(encoded(&call(vec![user("hi")]), "claude-sonnet-5").0["model"], "claude-sonnet-5");
}

#[test]
fn broken_arguments_name_their_path() {
    for arguments in ["{broken", "[]", "7", "{} {}"] {
        let calls = ["{}", arguments].map(|arguments| Part::ToolCall {
            id: "a".into(),
            name: "f".into(),
            arguments: arguments.into(),
            custom: false,
        });
        let fault = refused(vec![user("hi"), Turn::new(Role::Assistant, calls.into(), 1)]);
        assert_eq!(
            fault.param.as_deref(),
            Some("messages[1].tool_calls[1].function.arguments"),
            "{arguments}"
        );
    }
}

#[test]
fn a_conversation_without_words_of_the_user_is_refused() {
    let system = || Turn::new(Role::System, vec![Part::Text("be good".into())], 0);
    assert_eq!(refused(vec![system()]).param.as_deref(), Some("messages"));
    assert_eq!(refused(vec![system(), user(" \n")]).status, 400);
}

#[test]
fn signed_reasoning_goes_back_and_unsigned_does_not() {
    let reasoning = |signature: Option<&str>| {
        Part::Reasoning(Reasoning {
            text: "hm".into(),
            seal: signature.map(|data| Seal::new(SealKind::AnthropicSignature, data)),
        })
    };
    let parts = vec![reasoning(Some("sig")), reasoning(None), Part::Text("a".into())];
    let turn = Turn::new(Role::Assistant, parts, 1);
    let (body, losses) = encoded(&call(vec![user("hi"), turn, user("go on")]), "claude-sonnet-5");
    let expected = json!([
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "text", "text": "a"},
    ]);
    assert_eq!(body["messages"][1]["content"], expected);
    assert_eq!(losses, ["messages[1].reasoning"]);
}

#[test]
fn a_model_that_never_thinks_is_shown_no_thoughts() {
    let seal = Some(Seal::new(SealKind::AnthropicSignature, "sig"));
    let parts = vec![Part::Reasoning(Reasoning { text: "hm".into(), seal }), Part::Text("a".into())];
    let turn = Turn::new(Role::Assistant, parts, 1);
    let (body, losses) = encoded(&call(vec![user("hi"), turn, user("go on")]), "claude-3-5-haiku-20241022");
    assert_eq!(body["messages"][1]["content"], json!([{"type": "text", "text": "a"}]));
    assert_eq!(losses, ["messages[1].reasoning"]);
}

#[test]
fn a_choice_among_no_tools_is_reported() {
    let mut call = call(vec![user("hi")]);
    call.tool_choice = Some(ToolChoice::Required);
    let (body, losses) = encoded(&call, "claude-sonnet-5");
    assert!(body.get("tool_choice").is_none());
    assert_eq!(losses, ["tool_choice"]);
    call.tool_choice = Some(ToolChoice::Auto);
    assert!(encoded(&call, "claude-sonnet-5").1.is_empty());
}

#[test]
fn models_get_the_sampling_fields_they_take() {
    let mut call = call(vec![user("hi")]);
    let sampled = |call: &ChatCall, model: &str| {
        let (body, losses) = encoded(call, model);
        (body["temperature"].as_f64(), body["top_p"].as_f64(), body["top_k"].as_u64(), losses)
    };
    call.temperature = Some(1.7);
    call.top_p = Some(0.5);
    call.top_k = Some(4);
    let lost = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(sampled(&call, "claude-3-haiku"), (Some(1.0), Some(0.5), Some(4), lost(&["temperature"])));
    assert_eq!(
        sampled(&call, "claude-sonnet-4-6"),
        (Some(1.0), None, Some(4), lost(&["temperature", "top_p"]))
    );
    assert_eq!(
        sampled(&call, "claude-opus-4-7"),
        (None, None, None, lost(&["temperature", "top_p", "top_k"]))
    );
    call.temperature = Some(1.0);
    call.top_k = None;
    assert_eq!(sampled(&call, "claude-sonnet-4-6"), (None, Some(0.5), None, lost(&[])));
    call.top_p = None;
    assert_eq!(sampled(&call, "claude-opus-5-5"), (None, None, None, lost(&[])));
}

#[test]
fn results_that_are_errors_say_so() {
    let result = Part::ToolResult { id: "toolu_1".into(), name: None, parts: vec![], is_error: true };
    let (body, _) = encoded(&call(vec![Turn::new(Role::Tool, vec![result], 0)]), "claude-sonnet-5");
    let words = json!([{"type": "text", "text": "The tool failed."}]);
    let expected =
        json!([{"type": "tool_result", "tool_use_id": "toolu_1", "content": words, "is_error": true}]);
    assert_eq!(body["messages"][0]["content"], expected);
}

fn thinking(call: &mut ChatCall, thinking: Thinking) {
    call.thinking = Some(thinking);
}

const fn effort(effort: Effort) -> Thinking {
    Thinking { mode: ThinkingMode::Unsaid, effort: Some(effort), budget: None, show: None }
}

const fn budget(tokens: u64) -> Thinking {
    Thinking { mode: ThinkingMode::On, effort: None, budget: Some(tokens), show: None }
}

fn function(name: &str, schema: &str) -> Tool {
    Tool {
        name: name.into(),
        description: None,
        kind: ToolKind::Function { parameters: Some(RawValue::from_string(schema.into()).unwrap()) },
        strict: None,
        cache: None,
        origin: 0,
    }
}

fn refusal(call: &ChatCall, model: &str) -> Unsayable {
    super::encode(call, &Encoding::plain(model)).unwrap_err()
}

#[test]
fn thinking_takes_the_form_of_the_model() {
    let told = |thinking: Thinking, model: &str| {
        let mut call = call(vec![user("hi")]);
        call.thinking = Some(thinking);
        let (body, losses) = encoded(&call, model);
        (body["thinking"].clone(), body["output_config"].clone(), losses)
    };
    let none = Value::Null;
    let adaptive = json!({"type": "adaptive"});
    let enabled = |tokens: u64| json!({"type": "enabled", "budget_tokens": tokens});
    for (asked, model, thinking, config) in [
        (effort(Effort::Low), "claude-opus-5-5", adaptive.clone(), json!({"effort": "low"})),
        (effort(Effort::Minimal), "claude-sonnet-5", adaptive.clone(), json!({"effort": "low"})),
        (effort(Effort::XHigh), "claude-opus-4-7", adaptive.clone(), json!({"effort": "xhigh"})),
        (effort(Effort::XHigh), "claude-opus-4-6", adaptive.clone(), json!({"effort": "high"})),
        (effort(Effort::Max), "claude-sonnet-4-6", adaptive.clone(), json!({"effort": "max"})),
        (budget(5_000), "claude-opus-4-7", adaptive.clone(), json!({"effort": "medium"})),
        (budget(5_000), "claude-opus-4-6", enabled(5_000), none.clone()),
        (effort(Effort::Medium), "claude-opus-4-5", enabled(8_192), json!({"effort": "medium"})),
        (effort(Effort::High), "claude-sonnet-4-5", enabled(24_576), none.clone()),
        (budget(100), "claude-haiku-4-5", enabled(1_024), none.clone()),
        (effort(Effort::None), "claude-sonnet-4-5", none.clone(), none.clone()),
        (Thinking::OFF, "claude-opus-4-8", none.clone(), none.clone()),
        (Thinking::OFF, "claude-sonnet-5", json!({"type": "disabled"}), none.clone()),
        (Thinking::OFF, "claude-sonnet-5-5", json!({"type": "between_tools"}), none.clone()),
    ] {
        assert_eq!(told(asked, model), (thinking, config, vec![]), "{asked:?} {model}");
    }
    let lost = vec!["reasoning_effort".to_owned()];
    assert_eq!(
        told(Thinking::OFF, "claude-opus-5-5"),
        (none.clone(), json!({"effort": "low"}), lost.clone())
    );
    assert_eq!(told(effort(Effort::High), "claude-3-5-haiku-20241022"), (none.clone(), none, lost));
    let shown = Thinking { show: Some(true), ..effort(Effort::High) };
    assert_eq!(told(shown, "claude-opus-5").0, json!({"type": "adaptive", "display": "summarized"}));
}

#[test]
fn a_budget_stays_below_the_output_limit() {
    let told = |limit: u64, tokens: u64| {
        let mut call = call(vec![user("hi")]);
        call.max_output_tokens = Some(limit);
        call.thinking = Some(budget(tokens));
        let (body, losses) = encoded(&call, "claude-sonnet-4-5");
        assert_eq!(body["max_tokens"], limit, "the caller's limit holds");
        (body["thinking"]["budget_tokens"].as_u64(), losses.len())
    };
    assert_eq!(told(10_000, 4_096), (Some(4_096), 0));
    assert_eq!(told(10_000, 20_000), (Some(8_000), 1));
    assert_eq!(told(1_200, 1_024), (Some(1_024), 0));
    assert_eq!(told(1_024, 1_024), (None, 1));
}

#[test]
fn thinking_gives_way_to_what_it_does_not_go_with() {
    let mut forced = call(vec![user("hi")]);
    forced.tools = vec![function("f", r#"{"type":"object"}"#)];
    forced.tool_choice = Some(ToolChoice::Required);
    forced.thinking = Some(budget(2_000));
    let (body, losses) = encoded(&forced, "claude-sonnet-4-5");
    assert_eq!((&body["tool_choice"]["type"], body.get("thinking")), (&json!("any"), None));
    assert_eq!(losses, ["reasoning_effort"]);
    // It thinks unasked: nothing was asked for, so nothing is lost.
    forced.thinking = None;
    let (body, losses) = encoded(&forced, "claude-opus-5");
    assert_eq!(body["thinking"], json!({"type": "disabled"}));
    assert!(losses.is_empty());
    // It cannot be forced at all.
    let (body, losses) = encoded(&forced, "claude-opus-5-5");
    assert_eq!(body["tool_choice"], json!({"type": "auto"}));
    assert_eq!(body["system"][0]["text"], "Answer by calling one of the tools.");
    assert_eq!(losses, ["tool_choice"]);

    let tool_call =
        || Part::ToolCall { id: "a".into(), name: "f".into(), arguments: "{}".into(), custom: false };
    let result = || Part::ToolResult { id: "a".into(), name: None, parts: vec![], is_error: false };
    let mut stripped = call(vec![
        user("hi"),
        Turn::new(Role::Assistant, vec![tool_call()], 1),
        Turn::new(Role::Tool, vec![result()], 2),
    ]);
    thinking(&mut stripped, budget(2_000));
    let (body, losses) = encoded(&stripped, "claude-sonnet-4-5");
    assert!(body.get("thinking").is_none());
    assert_eq!(losses, ["reasoning_effort"]);
    // A model that thinks adaptively does not mind.
    assert_eq!(encoded(&stripped, "claude-opus-5").0["thinking"], json!({"type": "adaptive"}));
    // Nor does any where the thinking came back.
    let seal = Some(Seal::new(SealKind::AnthropicRedacted, "data"));
    stripped.turns[1].parts.insert(0, Part::Reasoning(Reasoning { text: String::new(), seal }));
    let (body, losses) = encoded(&stripped, "claude-sonnet-4-5");
    assert_eq!(body["thinking"]["type"], "enabled");
    assert_eq!(body["messages"][1]["content"][0], json!({"type": "redacted_thinking", "data": "data"}));
    assert!(losses.is_empty());
}

#[test]
fn sampling_is_narrow_while_thinking() {
    let mut call = call(vec![user("hi")]);
    thinking(&mut call, budget(2_000));
    call.temperature = Some(0.2);
    call.top_p = Some(0.97);
    call.top_k = Some(3);
    let (body, losses) = encoded(&call, "claude-sonnet-4-20250514");
    assert_eq!((body.get("temperature"), body.get("top_k")), (None, None));
    assert_eq!(body["top_p"], 0.97);
    assert_eq!(losses, ["temperature", "top_k"]);
}

#[test]
fn a_last_turn_of_the_assistants_is_trimmed_or_answered() {
    let turns = || vec![user("hi"), Turn::new(Role::Assistant, vec![Part::Text("It is \n".into())], 1)];
    let (body, losses) = encoded(&call(turns()), "claude-sonnet-4-5");
    assert_eq!(body["messages"][1]["content"][0]["text"], "It is");
    assert!(losses.is_empty());
    let (body, losses) = encoded(&call(turns()), "claude-opus-4-6");
    assert_eq!(
        body["messages"][2],
        json!({"role": "user", "content": [{"type": "text", "text": "Continue."}]})
    );
    assert_eq!(losses, ["messages[1].prefill"]);
    // The vendor wants the user first.
    let greeting = Turn::new(Role::Assistant, vec![Part::Text("Hello!".into())], 0);
    let (body, _) = encoded(&call(vec![greeting, user("hi")]), "claude-sonnet-5");
    assert_eq!(body["messages"][0]["role"], "user");
}

#[test]
fn results_come_before_words_and_cache_points_stay_with_their_parts() {
    let result = |id: &str| Part::ToolResult { id: id.into(), name: None, parts: vec![], is_error: false };
    let turns = vec![
        Turn::new(Role::User, vec![Part::Text("look".into()), Part::CachePoint(CacheLifetime::Long)], 0),
        Turn::new(Role::Tool, vec![result("a"), result("b"), Part::CachePoint(CacheLifetime::Short)], 1),
    ];
    let (body, losses) = encoded(&call(turns), "claude-sonnet-5");
    let expected = json!([
        {"type": "tool_result", "tool_use_id": "a"},
        {"type": "tool_result", "tool_use_id": "b", "cache_control": {"type": "ephemeral"}},
        // What lives longer may not stand behind what lives shorter.
        {"type": "text", "text": "look", "cache_control": {"type": "ephemeral"}},
    ]);
    assert_eq!(body["messages"][0]["content"], expected);
    assert_eq!(losses, ["messages[0].cache_control"]);
}

#[test]
fn the_last_four_cache_points_are_kept() {
    let part = |text: &str| [Part::Text(text.into()), Part::CachePoint(CacheLifetime::Short)];
    let mut call = call(vec![
        Turn { role: Role::System, parts: part("a").into(), origin: Origin::Instructions },
        Turn::new(Role::User, [part("b"), part("c"), part("d"), part("e")].concat(), 0),
    ]);
    call.tools = vec![Tool { cache: Some(CacheLifetime::Long), ..function("f", r#"{"type":"object"}"#) }];
    let (body, losses) = encoded(&call, "claude-sonnet-5");
    assert!(
        body["tools"][0].get("cache_control").is_none() && body["system"][0].get("cache_control").is_none()
    );
    let kept = body["messages"][0]["content"].as_array().unwrap();
    assert!(kept.iter().all(|block| block["cache_control"] == json!({"type": "ephemeral"})));
    assert_eq!(losses, ["tools[0].cache_control", "messages.cache_control"]);
}

#[test]
fn images_and_documents_are_written_as_what_they_are() {
    let told = |media: Media| {
        let call = call(vec![Turn::new(Role::User, vec![Part::Media(media)], 0)]);
        super::encode(&call, &Encoding::plain("claude-sonnet-5")).map(|encoded| {
            let body: Value = serde_json::from_slice(&encoded.body).unwrap();
            body["messages"][0]["content"][0].clone()
        })
    };
    let data = |kind, data: &str, mime: Option<&str>| {
        Media::new(kind, Source::Data(data.into()), mime.map(str::to_owned))
    };
    let jpeg = "/9j/4AAQSkZJRgABAQ";
    let image =
        json!({"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": jpeg}});
    // A wrong word is put right where the bytes are certain.
    for mime in [None, Some("image/png"), Some("image/jpg")] {
        assert_eq!(told(data(MediaKind::Image, jpeg, mime)).unwrap(), image);
    }
    assert_eq!(told(data(MediaKind::File, jpeg, None)).unwrap(), image);
    let webp = "UklGRiQAAABXRUJQVlA4";
    assert_eq!(told(data(MediaKind::Image, webp, None)).unwrap()["source"]["media_type"], "image/webp");
    let wave = "UklGRiQAAABXQVZFZm10";
    told(data(MediaKind::Image, wave, Some("image/heic"))).unwrap_err();
    let pdf = told(data(MediaKind::File, "JVBERi0xLjQ=", None)).unwrap();
    assert_eq!(pdf["source"]["media_type"], "application/pdf");
    let text =
        Media { name: Some("a.txt".into()), ..data(MediaKind::File, "R3LDvMOfZQ==", Some("text/plain")) };
    assert_eq!(
        told(text).unwrap(),
        json!({"type": "document", "title": "a.txt", "source": {"type": "text", "media_type": "text/plain", "data": "Grüße"}})
    );
    let url = |kind, url: &str| Media::new(kind, Source::Url(url.into()), None);
    assert_eq!(
        told(url(MediaKind::File, "https://example.com/a.pdf")).unwrap(),
        json!({"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}})
    );
    for bad in [
        url(MediaKind::File, "https://example.com/a.csv"),
        url(MediaKind::Image, "gs://bucket/a.png"),
        data(MediaKind::Image, "AAAA", Some("image/heic")),
        data(MediaKind::File, "AAAA", Some("application/zip")),
        data(MediaKind::File, "/w==", Some("text/plain")),
        data(MediaKind::Audio, "AAAA", None),
        data(MediaKind::Video, "AAAA", None),
        Media::new(MediaKind::File, Source::FileId("file-1".into()), None),
    ] {
        let kind = bad.kind.as_str();
        assert_eq!(told(bad).unwrap_err().at, Some(Loss::turn(Origin::Item(0), kind)));
    }
}

#[test]
fn a_schema_is_bound_where_the_model_takes_it_and_told_where_not() {
    let schema = |text: &str| OutputFormat::JsonSchema {
        name: Some("n".into()),
        description: None,
        schema: RawValue::from_string(text.into()).unwrap(),
        strict: Some(true),
    };
    let closed = r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}"#;
    let mut call = call(vec![user("hi")]);
    call.format = Some(schema(closed));
    let (body, losses) = encoded(&call, "claude-sonnet-4-5");
    let expected: Value = serde_json::from_str(closed).unwrap();
    assert_eq!(body["output_config"]["format"], json!({"type": "json_schema", "schema": expected}));
    assert!(losses.is_empty() && body.get("system").is_none());
    let (body, losses) = encoded(&call, "claude-3-5-haiku-20241022");
    assert!(body.get("output_config").is_none());
    assert!(body["system"][0]["text"].as_str().unwrap().contains(closed));
    assert_eq!(losses, ["response_format"]);
    call.format = Some(schema(r##"{"type":"object","properties":{"a":{"$ref":"#"}}}"##));
    assert!(encoded(&call, "claude-sonnet-4-5").0["system"][0]["text"].as_str().unwrap().contains("$ref"));
    call.format = Some(OutputFormat::JsonObject);
    let (body, losses) = encoded(&call, "claude-sonnet-4-5");
    assert!(body["system"][0]["text"].as_str().unwrap().contains("JSON object"));
    assert_eq!(losses, ["response_format"]);
}

#[test]
fn tools_are_typed_named_and_strict_where_they_can_be() {
    let mut call = call(vec![user("hi")]);
    call.tools = vec![function("a", "{}"), function("b", r#"{"properties":{}}"#)];
    call.tools[1].strict = Some(true);
    let (body, _) = encoded(&call, "claude-sonnet-5");
    assert_eq!(body["tools"][0]["input_schema"], json!({"type": "object", "properties": {}}));
    let closed = json!({"type": "object", "properties": {}, "additionalProperties": false});
    assert_eq!((&body["tools"][1]["input_schema"], &body["tools"][1]["strict"]), (&closed, &json!(true)));
    let (body, losses) = encoded(&call, "claude-sonnet-4-20250514");
    assert!(body["tools"][1].get("strict").is_none());
    assert_eq!(losses, ["tools[0].function.strict"]);
    call.tools = vec![function("a.b", "{}")];
    assert_eq!(refusal(&call, "claude-sonnet-5").at, Some(Loss::tool(0, "name")));
    call.tools = vec![Tool { kind: ToolKind::Custom { format: None }, ..function("a", "{}") }];
    assert_eq!(refusal(&call, "claude-sonnet-5").at, Some(Loss::tool(0, "")));
}

#[test]
fn calls_of_old_turns_are_declared_and_none_may_be_made() {
    let call_of =
        |id: &str| Part::ToolCall { id: id.into(), name: "f".into(), arguments: "{}".into(), custom: false };
    let turn = Turn::new(Role::Assistant, vec![call_of("a|b"), call_of("a/b"), call_of("")], 1);
    let (body, _) = encoded(&call(vec![user("hi"), turn, user("go on")]), "claude-sonnet-5");
    assert_eq!(body["tools"], json!([{"name": "f", "input_schema": {"type": "object", "properties": {}}}]));
    assert_eq!(body["tool_choice"], json!({"type": "none"}));
    let ids: std::collections::BTreeSet<_> = body["messages"][1]["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| block["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 3, "distinct ids stay distinct");
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    assert!(ids.iter().all(|id| id.chars().all(is_allowed)));
}

#[test]
fn server_tools_are_written_in_the_version_every_model_takes() {
    let mut call = call(vec![user("hi")]);
    let location = Location { country: Some("DE".into()), ..Location::default() };
    call.server_tools = vec![
        ServerTool {
            kind: ServerToolKind::WebSearch(WebSearch {
                allowed_domains: vec!["a.example".into()],
                blocked_domains: vec!["b.example".into()],
                max_uses: Some(2),
                location: Some(location),
                context_size: Some("low".into()),
            }),
            origin: 0,
        },
        ServerTool { kind: ServerToolKind::WebFetch, origin: 1 },
        ServerTool { kind: ServerToolKind::CodeExecution, origin: 2 },
    ];
    let (body, losses) = encoded(&call, "claude-sonnet-5");
    let expected = json!([
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2, "allowed_domains": ["a.example"],
            "user_location": {"type": "approximate", "country": "DE"}},
        {"type": "web_fetch_20250910", "name": "web_fetch"},
        {"type": "code_execution_20250825", "name": "code_execution"},
    ]);
    assert_eq!(body["tools"], expected);
    assert_eq!(losses.len(), 2, "{losses:?}");
}

#[test]
fn settings_of_others_are_lost_by_name() {
    let mut call = call(vec![user("hi")]);
    call.seed = Some(1);
    call.presence_penalty = Some(0.5);
    call.frequency_penalty = Some(0.0);
    call.logprobs = Some(3);
    call.verbosity = Some("low".into());
    call.service_tier = Some("flex".into());
    call.max_output_tokens = Some(1_000_000);
    call.passengers.store = Some(true);
    call.passengers.safety_identifier = Some("person-1".into());
    let (body, mut losses) = encoded(&call, "claude-sonnet-5");
    losses.sort();
    let expected = [
        "logprobs",
        "max_completion_tokens",
        "presence_penalty",
        "seed",
        "service_tier",
        "store",
        "top_logprobs",
        "verbosity",
    ];
    assert_eq!(losses, expected);
    assert_eq!(body["max_tokens"], 128_000);
    assert_eq!(body["metadata"], json!({"user_id": "person-1"}));
    call.service_tier = Some("default".into());
    assert_eq!(encoded(&call, "claude-sonnet-5").0["service_tier"], "standard_only");
    call.candidates = Some(2);
    assert_eq!(refusal(&call, "claude-sonnet-5").at, Some(Loss::Setting(Setting::Candidates)));
}
