use std::fs;
use std::path::Path;

use serde_json::{Value, json, value::RawValue};

use super::*;
use crate::conversation::*;
use crate::scan::{PathWords, scan_at};
use crate::{Dialect, google};

fn encoded(call: &ChatCall, model: &str) -> (Value, Vec<String>) {
    use crate::dialect::CallerSide;
    let encoded = encode(call, &Encoding::plain(model)).unwrap();
    let losses = encoded.losses.iter().map(|loss| google::Caller.path(loss)).collect();
    (serde_json::from_slice(&encoded.body).unwrap(), losses)
}

fn refused(call: &ChatCall, model: &str) -> Option<Loss> {
    encode(call, &Encoding::plain(model)).unwrap_err().at
}

fn parsed(body: &[u8]) -> Result<ChatCall, crate::Fault> {
    let path = PathWords { model: Some("gemini-2.5-pro".to_owned()), ..PathWords::default() };
    super::super::parse::parse(&scan_at(Dialect::GoogleGenerate, body.to_vec().into(), path)?)
}

fn talk(turns: Vec<(Role, Vec<Part>)>) -> ChatCall {
    let turns = turns.into_iter().enumerate().map(|(at, (role, parts))| Turn::new(role, parts, at));
    ChatCall { turns: turns.collect(), ..ChatCall::default() }
}

fn text(words: &str) -> Part {
    Part::Text(words.into())
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::ToolCall { id: id.into(), name: name.into(), arguments: arguments.into(), custom: false }
}

fn result(id: &str, words: &str) -> Part {
    Part::ToolResult { id: id.into(), name: None, parts: vec![text(words)], is_error: false }
}

fn sealed(words: &str, kind: SealKind) -> Part {
    Part::Reasoning(Reasoning { text: words.into(), seal: Some(Seal::new(kind, "c2ln")) })
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

#[test]
fn roles_are_merged_and_the_user_begins() {
    let call = talk(vec![
        (Role::System, vec![text("a")]),
        (Role::Assistant, vec![text("b")]),
        (Role::User, vec![text("c"), text("")]),
        (Role::System, vec![text("d")]),
        (Role::User, vec![text("e")]),
        (Role::Assistant, vec![text("")]),
    ]);
    let (body, losses) = encoded(&call, "gemini-2.5-pro");
    assert_eq!(
        body,
        json!({
            "systemInstruction": {"parts": [{"text": "a"}, {"text": "d"}]},
            "contents": [
                {"role": "user", "parts": [{"text": " "}]},
                {"role": "model", "parts": [{"text": "b"}]},
                {"role": "user", "parts": [{"text": "c"}, {"text": "e"}]},
            ],
        })
    );
    assert!(losses.is_empty());
    let (body, _) = encoded(&talk(vec![(Role::System, vec![text("a")])]), "gemini-2.5-pro");
    assert_eq!(body["contents"], json!([{"role": "user", "parts": [{"text": " "}]}]));
}

#[test]
fn results_follow_their_calls_in_order_and_by_name() {
    let call = talk(vec![
        (Role::User, vec![text("q")]),
        (Role::Assistant, vec![call("a", "f", r#"{"x":1}"#), call("b", "g", "")]),
        (Role::Tool, vec![result("b", "[1]")]),
        (Role::User, vec![text("hurry")]),
        (Role::Tool, vec![result("a", r#"{"ok":true}"#)]),
    ]);
    let (body, _) = encoded(&call, "gemini-2.5-flash");
    assert_eq!(
        body["contents"],
        json!([
            {"role": "user", "parts": [{"text": "q"}]},
            {"role": "model", "parts": [
                {"functionCall": {"name": "f", "args": {"x": 1}}},
                {"functionCall": {"name": "g", "args": {}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "f", "response": {"ok": true}}},
                {"functionResponse": {"name": "g", "response": {"output": "[1]"}}},
                {"text": "hurry"},
            ]},
        ])
    );
    // The third generation wants ids back, and a signature on the first call of a step.
    let (body, _) = encoded(&call, "gemini-3-pro-preview");
    assert_eq!(
        body["contents"][1]["parts"],
        json!([
            {
                "functionCall": {"id": "a", "name": "f", "args": {"x": 1}},
                "thoughtSignature": "skip_thought_signature_validator",
            },
            {"functionCall": {"id": "b", "name": "g", "args": {}}},
        ])
    );
    assert_eq!(body["contents"][2]["parts"][0]["functionResponse"]["id"], "a");
}

#[test]
fn media_of_a_result_stand_inside_it_or_behind_all_results() {
    let image =
        || Part::Media(Media::new(MediaKind::Image, Source::Data("QQ==".into()), Some("image/png".into())));
    let with_image = |id: &str| Part::ToolResult {
        id: id.into(),
        name: None,
        parts: vec![text("a"), image()],
        is_error: false,
    };
    let call = talk(vec![
        (Role::User, vec![text("q")]),
        (Role::Assistant, vec![call("a", "f", ""), call("b", "f", "")]),
        (Role::Tool, vec![with_image("a"), result("b", "b")]),
    ]);
    let kinds = |model: &str| -> Vec<String> {
        let (body, _) = encoded(&call, model);
        let parts = body["contents"][2]["parts"].as_array().unwrap().clone();
        parts.iter().map(|part| part.as_object().unwrap().keys().next().unwrap().clone()).collect()
    };
    assert_eq!(kinds("gemini-2.5-pro"), ["functionResponse", "functionResponse", "inlineData"]);
    assert_eq!(kinds("gemini-3.5-flash"), ["functionResponse", "functionResponse"]);
    let (body, _) = encoded(&call, "gemini-3.5-flash");
    assert_eq!(
        body["contents"][2]["parts"][0]["functionResponse"]["parts"],
        json!([{"inlineData": {"mimeType": "image/png", "data": "QQ=="}}])
    );
}

#[test]
fn results_that_look_like_wrappers_are_wrapped_again() {
    let wrapped = |words: &str, is_error| {
        let mut turns = vec![(Role::Assistant, vec![call("a", "f", "{}")])];
        let parts = vec![text(words)];
        turns.push((Role::Tool, vec![Part::ToolResult { id: "a".into(), name: None, parts, is_error }]));
        encoded(&talk(turns), "gemini-2.5-pro").0["contents"][2]["parts"][0]["functionResponse"]["response"]
            .clone()
    };
    assert_eq!(wrapped("plain", false), json!({"output": "plain"}));
    assert_eq!(wrapped(r#"{"output":1}"#, false), json!({"output": {"output": 1}}));
    assert_eq!(wrapped("down", true), json!({"error": "down"}));
    assert_eq!(wrapped(r#"{"why":1}"#, true), json!({"error": {"why": 1}}));
}

#[test]
fn own_seals_go_back_to_their_parts_and_foreign_reasoning_is_lost() {
    let turn = |parts: Vec<Part>| {
        let (body, losses) =
            encoded(&talk(vec![(Role::User, vec![text("q")]), (Role::Assistant, parts)]), "gemini-3-pro");
        (body["contents"][1]["parts"].clone(), losses)
    };
    let (parts, losses) =
        turn(vec![sealed("", SealKind::Google), text("t"), call("a", "f", "{}"), call("b", "f", "{}")]);
    assert_eq!(parts[1]["thoughtSignature"], "c2ln");
    assert!(parts[0].get("thoughtSignature").is_none() && parts[2].get("thoughtSignature").is_none());
    assert!(losses.is_empty());
    let (parts, _) = turn(vec![sealed("", SealKind::Google), text("t"), sealed("", SealKind::Google)]);
    assert_eq!(
        parts,
        json!([{"text": "t", "thoughtSignature": "c2ln"}, {"text": "", "thoughtSignature": "c2ln"}])
    );
    let (parts, _) = turn(vec![sealed("thought", SealKind::Google), call("a", "f", "{}")]);
    assert_eq!(parts[0], json!({"text": "thought", "thought": true}));
    assert_eq!(parts[1]["thoughtSignature"], "c2ln");
    let (parts, losses) = turn(vec![sealed("thought", SealKind::AnthropicSignature), text("t")]);
    assert_eq!((parts, losses), (json!([{"text": "t"}]), vec!["contents[1].reasoning".to_owned()]));
}

#[test]
fn media_stand_as_data_or_address() {
    let media = |kind, source| Part::Media(Media::new(kind, source, None));
    let part = |media: Part, model: &str| {
        encoded(&talk(vec![(Role::User, vec![media])]), model).0["contents"][0]["parts"][0].clone()
    };
    let image = || media(MediaKind::Image, Source::Url("https://x.example/a.jpg".into()));
    assert_eq!(
        part(image(), "gemini-2.5-pro"),
        json!({"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x.example/a.jpg"}})
    );
    assert_eq!(
        refused(&talk(vec![(Role::User, vec![image()])]), "gemini-2.0-flash"),
        Some(Loss::turn(Origin::Item(0), "image"))
    );
    assert_eq!(
        part(media(MediaKind::Audio, Source::Data("QQ==".into())), "gemini-2.0-flash"),
        json!({"inlineData": {"mimeType": "audio/wav", "data": "QQ=="}})
    );
    assert_eq!(
        part(media(MediaKind::File, Source::Text("words".into())), "gemini-2.5-pro"),
        json!({"text": "words"})
    );
    let film = media(MediaKind::Video, Source::Url("https://www.youtube.com/watch?v=x".into()));
    assert_eq!(
        part(film, "gemini-2.0-flash"),
        json!({"fileData": {"fileUri": "https://www.youtube.com/watch?v=x"}})
    );
    let kept = talk(vec![(Role::User, vec![media(MediaKind::File, Source::FileId("file-1".into()))])]);
    assert_eq!(refused(&kept, "gemini-2.5-pro"), Some(Loss::turn(Origin::Item(0), "file")));
}

#[test]
fn tools_and_their_choice() {
    let schema = r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"type":["string","null"],"pattern":"x"}},"additionalProperties":false}"##;
    let mut call = talk(vec![(Role::User, vec![text("q")])]);
    call.tools = vec![function("f", schema)];
    call.tool_choice = Some(ToolChoice::Named("f".into()));
    call.server_tools = vec![ServerTool {
        kind: ServerToolKind::WebSearch(WebSearch::default()),
        origin: super::super::names::whole_tool(1),
    }];
    let (body, losses) = encoded(&call, "gemini-2.5-pro");
    let schema: Value = serde_json::from_str(schema).unwrap();
    assert_eq!(
        body["tools"],
        json!([{"functionDeclarations": [{"name": "f", "parametersJsonSchema": schema}]}])
    );
    assert_eq!(
        body["toolConfig"],
        json!({"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}})
    );
    assert_eq!(losses, ["tools[1]"]);
    let (body, losses) = encoded(&call, "gemini-3.5-flash");
    assert_eq!(body["tools"][1], json!({"googleSearch": {}}));
    assert_eq!(body["toolConfig"]["includeServerSideToolInvocations"], true);
    assert!(losses.is_empty());
    // Before JSON Schema was read, the vendor's own form; what that cannot say is a loss.
    call.server_tools.clear();
    let (body, losses) = encoded(&call, "gemini-1.5-pro");
    assert_eq!(
        body["tools"][0]["functionDeclarations"][0]["parameters"],
        json!({"type": "OBJECT", "properties": {"a": {"type": "STRING", "nullable": true, "pattern": "x"}}})
    );
    assert_eq!(losses, ["tools[0].functionDeclarations[0].parameters"]);
    call.tools[0].name = "has space".into();
    assert_eq!(refused(&call, "gemini-2.5-pro"), Some(Loss::tool(0, "name")));
}

#[test]
fn thinking_is_told_in_each_familys_way() {
    let asked = |thinking: Thinking, model: &str| {
        let mut call = talk(vec![(Role::User, vec![text("q")])]);
        call.thinking = Some(thinking);
        let (body, losses) = encoded(&call, model);
        (body["generationConfig"]["thinkingConfig"].clone(), losses.len())
    };
    let effort = |effort| Thinking { effort: Some(effort), ..Thinking::default() };
    let budget = |tokens| Thinking { budget: Some(tokens), mode: ThinkingMode::On, ..Thinking::default() };
    let table = [
        (
            effort(Effort::High),
            "gemini-2.5-pro",
            json!({"includeThoughts": true, "thinkingBudget": 24576}),
            0,
        ),
        (
            effort(Effort::Max),
            "gemini-2.5-flash",
            json!({"includeThoughts": true, "thinkingBudget": 24576}),
            0,
        ),
        (budget(40_000), "gemini-2.5-pro", json!({"includeThoughts": true, "thinkingBudget": 32768}), 1),
        (Thinking::OFF, "gemini-2.5-flash", json!({"thinkingBudget": 0}), 0),
        (Thinking::OFF, "gemini-2.5-pro", json!({"includeThoughts": false, "thinkingBudget": 128}), 1),
        (
            effort(Effort::Medium),
            "gemini-3-pro-preview",
            json!({"includeThoughts": true, "thinkingLevel": "high"}),
            0,
        ),
        (
            effort(Effort::Medium),
            "gemini-3.1-pro-preview",
            json!({"includeThoughts": true, "thinkingLevel": "medium"}),
            0,
        ),
        (budget(1_000), "gemini-3.5-flash", json!({"includeThoughts": true, "thinkingLevel": "low"}), 0),
        (
            effort(Effort::None),
            "gemini-3-flash-preview",
            json!({"includeThoughts": false, "thinkingLevel": "minimal"}),
            1,
        ),
        (effort(Effort::Low), "gemini-2.0-flash", Value::Null, 1),
        (Thinking::OFF, "gemini-2.0-flash", Value::Null, 0),
        (
            Thinking { mode: ThinkingMode::Adaptive, show: Some(false), ..Thinking::default() },
            "gemini-2.5-pro",
            json!({"includeThoughts": false, "thinkingBudget": -1}),
            0,
        ),
    ];
    for (thinking, model, expected, losses) in table {
        assert_eq!(asked(thinking, model), (expected, losses), "{thinking:?} {model}");
    }
}

#[test]
fn settings_beyond_the_vendors_bounds_are_losses() {
    let mut call = talk(vec![(Role::User, vec![text("q")])]);
    call.stop = (0..7).map(|n| n.to_string()).collect();
    call.seed = Some(1 << 40);
    call.candidates = Some(20);
    call.presence_penalty = Some(1.0);
    call.logprobs = Some(0);
    call.user = Some("u".into());
    call.unmapped = vec!["x".into()];
    let (body, mut losses) = encoded(&call, "gemini-3.5-flash");
    losses.sort();
    assert_eq!(
        losses,
        [
            "generationConfig.candidateCount",
            "generationConfig.presencePenalty",
            "generationConfig.seed",
            "generationConfig.stopSequences",
            "user",
            "x"
        ]
    );
    assert_eq!(
        body["generationConfig"],
        json!({"stopSequences": ["0", "1", "2", "3", "4"], "candidateCount": 8, "responseLogprobs": true})
    );
}

#[test]
fn what_has_no_meaning_here_is_refused() {
    let broken = talk(vec![(Role::Assistant, vec![call("a", "f", "{")])]);
    let at = Loss::Call { origin: Origin::Item(0), call: 0, what: "arguments" };
    assert_eq!(refused(&broken, "gemini-2.5-pro"), Some(at));
    let lonely = talk(vec![(Role::Tool, vec![result("nobody", "x")])]);
    assert_eq!(refused(&lonely, "gemini-2.5-pro"), Some(Loss::turn(Origin::Item(0), "tool_call_id")));
}

/// Every recorded request, read and written for this vendor again, reads the same: nothing is lost on the way.
#[test]
fn reading_and_writing_lose_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/google");
    let mut seen = 0;
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let Ok(body) = fs::read(path.join("request.json")) else { continue };
        let Ok(call) = parsed(&body) else { continue };
        for model in ["gemini-2.5-flash", "gemini-3.5-flash"] {
            let once = encode(&call, &Encoding::plain(model)).unwrap();
            let again = parsed(&once.body).unwrap();
            let twice = encode(&again, &Encoding::plain(model)).unwrap();
            let (once, twice): (Value, Value) =
                (serde_json::from_slice(&once.body).unwrap(), serde_json::from_slice(&twice.body).unwrap());
            assert_eq!(once, twice, "{} {model}", path.display());
        }
        seen += 1;
    }
    assert!(seen >= 35, "only {seen} requests found");
}
