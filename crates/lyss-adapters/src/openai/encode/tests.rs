use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::conversation::{ChatCall, Loss, OutputFormat, Part, Role, Seal, SealKind, Turn};
use crate::dialect::{CallerSide, Encoding, Unsayable};
use crate::openai::{Caller, encode::encode};
use crate::quirks::{EffortField, Quirks, ReasoningBack};
use crate::{Dialect, scan};

fn parsed(request: &Value) -> ChatCall {
    let ask = scan(Dialect::OpenAiChat, request.to_string().into_bytes().into()).unwrap();
    Caller.parse(&ask).unwrap()
}

fn request(fields: &Value) -> Value {
    let mut request = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in fields.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

fn written(call: &ChatCall, model: &str, quirks: &Quirks) -> Result<(Value, Vec<String>), Unsayable> {
    let encoded = encode(call, &Encoding { model, output_limit: None, quirks })?;
    let losses = encoded.losses.iter().map(|loss| Caller.path(loss)).collect();
    Ok((serde_json::from_slice(&encoded.body).unwrap(), losses))
}

/// The body and the losses of a request with these fields, towards a vendor of these quirks.
fn sent(fields: &Value, model: &str, quirks: &Quirks) -> (Value, Vec<String>) {
    written(&parsed(&request(fields)), model, quirks).unwrap()
}

const PLAIN: Quirks = Quirks::OPENAI;
/// A vendor that takes all there is.
const GREEDY: Quirks =
    Quirks { reasoning: ReasoningBack::Details, cache_control: true, top_k: true, ..Quirks::OPENAI };

fn weather() -> Value {
    json!([{"type": "function", "function": {"name": "w", "strict": true}, "cache_control": {"type": "ephemeral"}}])
}

#[test]
fn nothing_is_lost_on_the_way_to_a_vendor_that_takes_everything() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/openai");
    let mut seen = 0;
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path().join("request.json");
        let Ok(text) = fs::read(&path) else { continue };
        let mut first = parsed(&serde_json::from_slice(&text).unwrap());
        // Shown elsewhere, and changed on purpose.
        if path.to_string_lossy().contains("image") || path.to_string_lossy().contains("file-text") {
            continue;
        }
        let unmapped = std::mem::take(&mut first.unmapped);
        let model = if first.server_tools.is_empty() { "m" } else { "m-search" };
        first.model = model.to_owned();
        let (body, losses) = written(&first, model, &GREEDY).unwrap();
        assert!(losses.is_empty(), "{}: {losses:?}", path.display());
        let second = parsed(&body);
        assert_eq!(settled(&first), settled(&second), "{}\nunmapped: {unmapped:?}", path.display());
        seen += 1;
    }
    assert!(seen >= 35, "only {seen} requests found");
}

/// A call as text, without what may differ: numbers of messages that said nothing, how often a text was cut, and what a
/// thinking budget comes to.
fn settled(call: &ChatCall) -> String {
    let turns: Vec<_> = call.turns.iter().filter(|turn| !turn.parts.is_empty()).map(parts_of).collect();
    let settings = format!(
        "{:?}",
        (
            (&call.tools, &call.server_tools, &call.tool_choice, call.parallel_tools),
            (call.max_output_tokens, call.temperature, call.top_p, call.top_k, call.seed, &call.stop),
            (call.presence_penalty, call.frequency_penalty, call.candidates, call.logprobs, &call.format),
            (call.thinking.and_then(|wish| wish.effort_or_budget()), &call.verbosity, &call.service_tier),
            (call.stream, &call.user, &call.passengers),
        )
    );
    // The id of a long call is changed on purpose, and narrowed tools are counted anew.
    let settings = settings.replace("origin: 1", "origin: 0");
    format!("{turns:?} {settings}")
}

fn parts_of(turn: &Turn) -> (Role, Vec<Part>) {
    let mut parts: Vec<Part> = Vec::new();
    for part in &turn.parts {
        match (parts.last_mut(), part) {
            (Some(Part::Text(text)), Part::Text(more)) => text.push_str(more),
            (_, Part::ToolCall { name, arguments, custom, .. }) => parts.push(Part::ToolCall {
                id: String::new(),
                name: name.clone(),
                arguments: arguments.clone(),
                custom: *custom,
            }),
            (_, Part::ToolResult { parts: inner, .. }) => parts.push(Part::ToolResult {
                id: String::new(),
                name: None,
                parts: parts_of(&Turn::new(Role::Tool, inner.clone(), 0)).1,
                is_error: false,
            }),
            (_, part) => parts.push(part.clone()),
        }
    }
    (turn.role, parts)
}

#[test]
fn every_quirk_has_its_use() {
    let strict = |fields: &Value, quirks: Quirks| sent(fields, "m", &quirks);
    let (body, _) =
        strict(&json!({"max_tokens": 5}), Quirks { output_limit_field: Some("max_new_tokens"), ..PLAIN });
    assert_eq!(body["max_new_tokens"], 5);
    let (body, _) = strict(&json!({"stream": true}), Quirks { stream_options: false, ..PLAIN });
    assert!(body["stream"] == true && body.get("stream_options").is_none());
    let schema =
        json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}});
    let (body, losses) = strict(&schema, Quirks { json_schema: false, ..PLAIN });
    assert_eq!(
        (&body["response_format"], losses),
        (&json!({"type": "json_object"}), vec!["response_format".to_owned()])
    );
    let neither = Quirks { json_schema: false, json_object: false, ..PLAIN };
    let (body, losses) = strict(&schema, neither);
    assert!(body.get("response_format").is_none());
    assert_eq!(losses, ["response_format"]);
    let tools = json!({"tools": weather(), "tool_choice": "required", "parallel_tool_calls": false});
    let (body, losses) = strict(
        &tools,
        Quirks { forced_tools: false, strict_tools: false, parallel_tool_calls: false, ..PLAIN },
    );
    assert_eq!(body["tools"][0], json!({"type": "function", "function": {"name": "w"}}));
    assert!(body.get("tool_choice").is_none() && body.get("parallel_tool_calls").is_none());
    assert_eq!(
        losses,
        ["tools[0].cache_control", "tools[0].function.strict", "tool_choice", "parallel_tool_calls"]
    );
    let (body, losses) = strict(&tools, GREEDY);
    assert_eq!(body["tools"][0]["cache_control"], json!({"type": "ephemeral"}));
    assert!(losses.is_empty());
    let sampling =
        json!({"n": 2, "logprobs": true, "presence_penalty": 1, "seed": 7, "top_k": 3, "user": "u"});
    let poor = Quirks {
        candidates: false,
        logprobs: false,
        penalties: false,
        seed_field: None,
        platform_fields: false,
        ..PLAIN
    };
    let (body, losses) = strict(&sampling, poor);
    assert_eq!(body, json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]}));
    assert_eq!(losses, ["top_k", "presence_penalty", "seed", "n", "logprobs", "user"]);
    let (body, losses) = strict(&sampling, Quirks { seed_field: Some("random_seed"), ..GREEDY });
    assert_eq!((&body["random_seed"], &body["top_k"], &body["n"]), (&json!(7), &json!(3), &json!(2)));
    assert!(losses.is_empty());
}

#[test]
fn media_that_a_vendor_cannot_read_are_refused_by_their_place() {
    let part = |part: Value| json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, part]}]});
    let image = part(json!({"type": "image_url", "image_url": {"url": "https://example.org/x.png"}}));
    let audio = part(json!({"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}}));
    let file = part(json!({"type": "file", "file": {"file_data": "data:application/pdf;base64,AA=="}}));
    let film = part(json!({"type": "video_url", "video_url": {"url": "https://example.org/x.mp4"}}));
    let at_url = part(json!({"type": "file", "file": {"file_data": "https://example.org/x.pdf"}}));
    let foreign = part(json!({"type": "file", "file": {"file_id": "file_011CNha8iCJcU1wXNR6q4V8w"}}));
    let blind = Quirks { images: false, audio: false, files: false, ..PLAIN };
    for (fields, quirks, what) in [
        (&image, &blind, "image"),
        (&audio, &blind, "audio"),
        (&file, &blind, "file"),
        (&film, &PLAIN, "video"),
        (&at_url, &PLAIN, "file"),
        (&foreign, &PLAIN, "file"),
    ] {
        let refused = written(&parsed(&request(fields)), "m", quirks).unwrap_err();
        assert_eq!(refused.into_fault(&Caller).param, Some(format!("messages[0].{what}")));
    }
    let router = Quirks { platform_fields: false, ..PLAIN };
    let (body, _) = sent(&at_url, "m", &router);
    assert_eq!(body["messages"][0]["content"][1]["file"]["file_data"], "https://example.org/x.pdf");
    assert_eq!(sent(&audio, "m", &PLAIN).0["messages"][0]["content"][1]["input_audio"]["format"], "mp3");
}

#[test]
fn what_reasoning_models_refuse_is_dropped_and_named() {
    let fields = json!({
        "temperature": 0.5, "top_p": 0.5, "presence_penalty": 1, "frequency_penalty": 1, "logprobs": true,
        "stop": "x", "max_tokens": 9, "tools": weather(), "parallel_tool_calls": false, "verbosity": "low",
    });
    let all = ["temperature", "top_p", "presence_penalty", "frequency_penalty", "stop", "logprobs"];
    let quirks = Quirks { cache_control: true, ..PLAIN };
    for model in ["o4-mini", "gpt-5-mini"] {
        let (body, losses) = sent(&fields, model, &quirks);
        assert!(all.iter().all(|name| body.get(*name).is_none()), "{model}");
        assert!(all.iter().all(|name| losses.iter().any(|loss| loss == name)), "{model}: {losses:?}");
        assert_eq!(body["max_completion_tokens"], 9);
        let is_o = model.starts_with('o');
        assert_eq!(body.get("parallel_tool_calls").is_none(), is_o);
        assert_eq!(body.get("verbosity").is_none(), is_o);
    }
    let (_, losses) = sent(&json!({"temperature": 0.5}), "gpt-5.1", &PLAIN);
    assert!(losses.is_empty(), "does not reason unless told to");
    let (_, losses) = sent(&json!({"temperature": 0.5, "reasoning_effort": "low"}), "gpt-5.1", &PLAIN);
    assert_eq!(losses, ["temperature"]);
    assert!(sent(&json!({"temperature": 0.5}), "gpt-4o", &PLAIN).1.is_empty());
}

#[test]
fn effort_is_told_in_the_words_a_model_knows() {
    let told = |model: &str, quirks: &Quirks, wish: Value| {
        let (body, losses) = sent(&wish, model, quirks);
        let word = body.get("reasoning_effort").and_then(Value::as_str).unwrap_or_default().to_owned();
        (word, losses.iter().any(|loss| loss == "reasoning_effort"))
    };
    let said = |word: &str, is_lost: bool| (word.to_owned(), is_lost);
    let effort = |word: &str| json!({"reasoning_effort": word});
    assert_eq!(told("o3", &PLAIN, effort("medium")), said("medium", false));
    assert_eq!(told("o3", &PLAIN, effort("none")), said("low", true));
    assert_eq!(told("gpt-5", &PLAIN, effort("none")), said("minimal", true));
    assert_eq!(told("gpt-5.1", &PLAIN, effort("minimal")), said("low", true));
    assert_eq!(told("gpt-5", &PLAIN, effort("xhigh")), said("high", true));
    assert_eq!(told("gpt-5.2", &PLAIN, effort("xhigh")), said("xhigh", false));
    assert_eq!(told("gpt-5.1", &PLAIN, effort("none")), said("none", false));
    assert_eq!(told("gpt-4o", &PLAIN, effort("high")), said("", true));
    assert_eq!(told("gpt-4o", &PLAIN, effort("none")), said("", false));
    assert_eq!(
        told("gpt-5", &PLAIN, json!({"thinking": {"type": "enabled", "budget_tokens": 900}})),
        said("low", false)
    );
    assert_eq!(told("gpt-5.1", &PLAIN, json!({"thinking": {"type": "enabled"}})), said("medium", false));
    let groq = Quirks { platform_fields: false, ..PLAIN };
    assert_eq!(told("openai/gpt-oss-120b", &groq, effort("xhigh")), said("high", true));
    assert_eq!(told("qwen/qwen3-32b", &groq, effort("none")), said("none", false));
}

#[test]
fn thinking_stands_where_the_vendor_looks_for_it() {
    let told = |effort: EffortField, wish: Value| {
        let quirks = Quirks { effort, platform_fields: false, ..PLAIN };
        let (mut body, losses) = sent(&wish, "m", &quirks);
        let fields = body.as_object_mut().unwrap();
        fields.remove("model");
        fields.remove("messages");
        (body, losses.len())
    };
    let high = || json!({"reasoning_effort": "high"});
    let off = || json!({"reasoning_effort": "none"});
    use EffortField::{
        EnableThinking, Nowhere, ReasoningObject, TemplateArguments, ThinkingType, ThinkingTypeAndEffort,
    };
    for (field, wish, expected, losses) in [
        (ReasoningObject, high(), json!({"reasoning": {"effort": "high"}}), 0),
        (ReasoningObject, off(), json!({"reasoning": {"enabled": false}}), 0),
        (
            ReasoningObject,
            json!({"thinking": {"type": "enabled", "budget_tokens": 5}, "include_reasoning": false}),
            json!({"reasoning": {"max_tokens": 5, "exclude": true}}),
            0,
        ),
        (
            ReasoningObject,
            json!({"reasoning": {"enabled": true}}),
            json!({"reasoning": {"enabled": true}}),
            0,
        ),
        (ThinkingType, high(), json!({"thinking": {"type": "enabled"}}), 1),
        (ThinkingType, off(), json!({"thinking": {"type": "disabled"}}), 0),
        (ThinkingType, json!({"thinking": {"type": "adaptive"}}), json!({}), 0),
        (
            ThinkingTypeAndEffort,
            high(),
            json!({"thinking": {"type": "enabled"}, "reasoning_effort": "high"}),
            0,
        ),
        (ThinkingTypeAndEffort, off(), json!({"thinking": {"type": "disabled"}}), 0),
        (EnableThinking, high(), json!({"enable_thinking": true, "thinking_budget": 24_576}), 0),
        (EnableThinking, off(), json!({"enable_thinking": false}), 0),
        (TemplateArguments, off(), json!({"chat_template_kwargs": {"enable_thinking": false}}), 0),
        (Nowhere, high(), json!({}), 1),
    ] {
        assert_eq!(told(field, wish.clone()), (expected, losses), "{field:?} {wish}");
    }
}

fn sealed_call() -> ChatCall {
    parsed(&request(&json!({"messages": [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "t", "reasoning_details": [
            {"type": "reasoning.text", "text": "r", "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0},
            {"type": "reasoning.encrypted", "id": "c1", "data": "Z29v", "format": "google-gemini-v1", "index": 1},
        ], "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
    ]})))
}

#[test]
fn reasoning_goes_back_as_the_vendor_wants_it() {
    let sealed = sealed_call();
    let back = |call: &ChatCall, reasoning: ReasoningBack| {
        let quirks = Quirks { reasoning, ..PLAIN };
        let (body, losses) = written(call, "m", &quirks).unwrap();
        (body["messages"][1].clone(), losses)
    };
    let (message, losses) = back(&sealed, ReasoningBack::Details);
    assert_eq!(
        message["reasoning_details"],
        json!([
            {"type": "reasoning.text", "text": "r", "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0},
            {"type": "reasoning.encrypted", "data": "Z29v", "id": "c1", "format": "google-gemini-v1", "index": 1},
        ])
    );
    assert!(losses.is_empty());
    // A turn with calls must have the key, and nobody else's reasoning goes into it.
    let (message, losses) = back(&sealed, ReasoningBack::Content);
    assert_eq!(
        (&message["reasoning_content"], losses),
        (&json!(""), vec!["messages[1].reasoning".to_owned()])
    );
    let (message, losses) = back(&sealed, ReasoningBack::Dropped);
    assert!(message.get("reasoning_content").is_none() && message.get("reasoning_details").is_none());
    assert_eq!(losses, ["messages[1].reasoning"]);
    let plain = parsed(&request(&json!({"messages": [
        {"role": "user", "content": "q"}, {"role": "assistant", "content": "t", "reasoning_content": "r"},
    ]})));
    let (message, losses) = back(&plain, ReasoningBack::Content);
    assert_eq!((&message["reasoning_content"], losses.len()), (&json!("r"), 0));
}

#[test]
fn a_seal_of_any_vendor_survives_the_round() {
    for kind in
        [SealKind::AnthropicSignature, SealKind::AnthropicRedacted, SealKind::OpenAi, SealKind::Google]
    {
        let id = (kind == SealKind::OpenAi).then(|| "rs_1".to_owned());
        let seal = Seal { kind, data: "ZGF0YQ==".to_owned(), id };
        let mut call = parsed(&request(&json!({})));
        let reasoning = crate::conversation::Reasoning { text: String::new(), seal: Some(seal) };
        let parts = vec![Part::Reasoning(reasoning), Part::Text("t".into())];
        call.turns.push(Turn::new(Role::Assistant, parts, 1));
        let (body, _) = written(&call, "m", &GREEDY).unwrap();
        assert_eq!(parsed(&body).turns[1].parts, call.turns[1].parts);
    }
}

#[test]
fn images_of_tool_results_stand_behind_the_last_of_them() {
    let text = fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/fixtures/openai/tool-result-image/request.json"),
    );
    let call = parsed(&serde_json::from_slice(&text.unwrap()).unwrap());
    let (body, losses) = written(&call, "m", &PLAIN).unwrap();
    let messages = body["messages"].as_array().unwrap();
    let roles: Vec<_> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "user", "user"]);
    assert_eq!((&messages[2]["content"], &messages[3]["content"]), (&json!("page 1"), &json!("")));
    assert_eq!(messages[4]["content"].as_array().unwrap().len(), 2);
    assert_eq!(messages[4]["content"][1]["image_url"]["url"], "https://shots.example.com/2.png");
    assert!(losses.is_empty());
}

#[test]
fn what_no_vendor_of_this_dialect_can_say_is_refused_or_named() {
    let custom = parsed(&request(&json!({"tools": [{"type": "custom", "custom": {"name": "c"}}]})));
    let compatible = Quirks { platform_fields: false, ..PLAIN };
    assert_eq!(written(&custom, "m", &compatible).unwrap_err().at, Some(Loss::tool(0, "")));
    assert!(written(&custom, "m", &PLAIN).is_ok());
    let (body, losses) =
        sent(&json!({"tools": [{"type": "web_search"}, {"type": "code_interpreter"}]}), "gpt-4o", &PLAIN);
    assert!(body.get("tools").is_none() && body.get("web_search_options").is_none());
    assert_eq!(losses, ["tools[0]", "tools[1]"]);
    assert_eq!(sent(&json!({"web_search_options": {}}), "gpt-4o", &PLAIN).1, ["web_search_options"]);
    let mut failed = parsed(&request(&json!({})));
    let result = Part::ToolResult { id: "c".into(), name: None, parts: vec![], is_error: true };
    failed.turns.push(Turn::new(Role::Tool, vec![result], 1));
    assert_eq!(written(&failed, "m", &PLAIN).unwrap().1, ["messages[1].is_error"]);
}

#[test]
fn mistral_gets_the_same_short_id_on_both_sides() {
    let quirks = Quirks { nine_character_ids: true, ..PLAIN };
    let (body, _) = written(&sealed_call(), "m", &quirks).unwrap();
    let id = body["messages"][1]["tool_calls"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 9);
    let mut call = sealed_call();
    let result = Part::ToolResult { id: "c1".into(), name: None, parts: vec![], is_error: false };
    call.turns.push(Turn::new(Role::Tool, vec![result], 2));
    assert_eq!(written(&call, "m", &quirks).unwrap().0["messages"][2]["tool_call_id"], id.as_str());
}

#[test]
fn json_mode_always_comes_with_a_word_about_json() {
    let read = |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).unwrap();
    let first = |text: &str, format, quirks: &crate::Quirks| {
        let turns = vec![Turn::new(Role::User, vec![Part::Text(text.into())], 0)];
        let call = ChatCall { turns, format: Some(format), ..ChatCall::default() };
        let encoding = Encoding { model: "m", output_limit: None, quirks };
        let encoded = super::encode(&call, &encoding).unwrap();
        let body = read(&encoded.body);
        (body["messages"][0]["content"].to_string(), body["messages"].as_array().unwrap().len())
    };
    let openai = crate::Quirks::OPENAI;
    let (said, messages) = first("Where is Paris?", OutputFormat::JsonObject, &openai);
    assert!(said.contains("JSON") && messages == 2, "{said}");
    assert_eq!(first("Paris as json", OutputFormat::JsonObject, &openai).1, 1);
    let without = crate::Quirks { json_schema: false, ..openai };
    let schema =
        serde_json::value::RawValue::from_string(r#"{"type":"object","title":"City"}"#.into()).unwrap();
    let format = OutputFormat::JsonSchema { name: None, description: None, schema, strict: None };
    assert!(first("Where is Paris?", format, &without).0.contains("City"));
}
