use std::fs;
use std::path::Path;

use super::*;
use crate::conversation::*;
use crate::scan::{PathWords, scan_at};
use crate::{Dialect, google};

fn ask(body: &str) -> Ask {
    let path = PathWords { model: Some("gemini-2.5-pro".to_owned()), ..PathWords::default() };
    scan_at(Dialect::GoogleGenerate, body.as_bytes().to_vec().into(), path).unwrap()
}

fn read(body: &str) -> ChatCall {
    parse(&ask(body)).unwrap()
}

fn case(name: &str) -> ChatCall {
    read(&fixture(name))
}

fn fixture(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/google");
    fs::read_to_string(root.join(name).join("request.json")).unwrap()
}

fn refused(body: &str) -> Fault {
    parse(&ask(body)).unwrap_err()
}

#[test]
fn roles_and_instructions_are_read_in_either_spelling() {
    let call = case("system-anywhere");
    assert_eq!(call.turns[0].role, Role::System);
    assert_eq!(call.turns[0].origin, Origin::Instructions);
    assert_eq!(call.turns[0].parts.len(), 2);
    // A content without a role is the user's.
    assert_eq!((call.turns[1].role, &call.turns[1].parts), (Role::User, &vec![Part::Text("Hello".into())]));
    let call = case("snake-case");
    assert_eq!(call.turns[0].parts, [Part::Text("Be kind.".into())]);
    assert_eq!((call.top_p, call.stop.as_slice()), (Some(0.5), ["x".to_owned()].as_slice()));
    assert_eq!(call.thinking.unwrap().mode, ThinkingMode::Adaptive);
    assert_eq!(call.tool_choice, Some(ToolChoice::Named("get_time".into())));
    assert!(call.unmapped.is_empty(), "{:?}", call.unmapped);
}

#[test]
fn calls_without_ids_meet_their_results_by_name_and_order() {
    let call = case("tool-results");
    let ids: Vec<_> = call.turns[1]
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::ToolCall { id, .. } => Some(id.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(ids, ["call_1_1", "call_1_2", "call_1_3"]);
    assert_eq!(call.turns[2].role, Role::Tool);
    let texts: Vec<(String, String)> = call.turns[2]
        .parts
        .iter()
        .map(|part| match part {
            Part::ToolResult { id, parts, is_error: false, .. } => match parts.as_slice() {
                [Part::Text(text)] => (id.clone(), text.split_whitespace().collect::<Vec<_>>().join(" ")),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        ("call_1_1", "18 degrees"),
        ("call_1_2", r#"{"temperature":24,"sky":"clear"}"#),
        ("call_1_3", "14:05"),
    ];
    assert_eq!(texts, expected.map(|(id, text)| (id.to_owned(), text.to_owned())));
    // Ids count before order.
    let call = case("tool-results-with-ids");
    let Part::ToolResult { id, .. } = &call.turns[2].parts[0] else { panic!() };
    assert_eq!(id, "w2");
}

#[test]
fn results_say_errors_and_hold_media() {
    let call = case("tool-result-error");
    let Part::ToolResult { parts, is_error, .. } = &call.turns[2].parts[0] else { panic!() };
    assert_eq!((parts.as_slice(), *is_error), ([Part::Text("The service is down.".into())].as_slice(), true));
    let call = case("tool-result-image");
    let Part::ToolResult { parts, .. } = &call.turns[2].parts[0] else { panic!() };
    assert!(matches!(&parts[1], Part::Media(media) if media.mime.as_deref() == Some("image/png")));
}

#[test]
fn media_are_read_by_their_type() {
    let media = |name: &str| {
        let call = case(name);
        let found = call.turns[0].parts.iter().find_map(|part| match part {
            Part::Media(media) => Some(media.clone()),
            _ => None,
        });
        found.unwrap()
    };
    assert_eq!(media("image-data").kind, MediaKind::Image);
    assert_eq!(media("image-url").source, Source::Url("https://images.example.com/cat.jpg".into()));
    assert_eq!(media("pdf").kind, MediaKind::File);
    assert_eq!(media("file-text").source, Source::Text("Naïve notes.".into()));
    assert_eq!(media("audio-input").kind, MediaKind::Audio);
}

#[test]
fn schemas_become_json_schema() {
    let call = case("tools-nested-schema");
    let schema: serde_json::Value = serde_json::from_str(call.tools[0].parameters().unwrap().get()).unwrap();
    assert_eq!(
        schema,
        serde_json::json!({
            "type": "object",
            "properties": {
                "when": {
                    "type": "object",
                    "properties": {
                        "date": {"type": "string", "format": "date"},
                        "hour": {"type": "integer", "minimum": 0, "maximum": 23},
                    },
                    "required": ["date"],
                },
                "guests": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string"},
                            "diet": {"type": ["string", "null"], "enum": ["none", "vegan", null]},
                        },
                        "required": ["name"],
                    },
                    "minItems": 1,
                    "maxItems": 12,
                },
                "note": {"anyOf": [{"type": "string"}, {"type": "number"}]},
            },
            "required": ["when", "guests"],
        })
    );
    let Some(OutputFormat::JsonSchema { schema, .. }) = case("json-schema").format else { panic!() };
    // The order that was asked for.
    assert!(schema.get().find("name").unwrap() < schema.get().find("country").unwrap());
    assert!(matches!(case("json-object").format, Some(OutputFormat::JsonObject)));
}

#[test]
fn choices_of_tools() {
    let of = |name: &str| {
        let call = case(name);
        (call.tool_choice, call.tools.len())
    };
    assert_eq!(of("tool-choice-none"), (Some(ToolChoice::None), 2));
    assert_eq!(of("tool-choice-required"), (Some(ToolChoice::Required), 2));
    assert_eq!(of("tool-choice-named"), (Some(ToolChoice::Named("get_time".into())), 2));
    assert_eq!(of("tool-choice-allowed"), (Some(ToolChoice::Required), 2));
    assert!(case("tool-strict").tools.iter().all(|tool| tool.strict == Some(true)));
    let kinds = case("web-search").server_tools;
    assert!(matches!(
        (&kinds[0].kind, &kinds[1].kind),
        (ServerToolKind::WebSearch(_), ServerToolKind::WebFetch)
    ));
}

#[test]
fn thinking_and_seals() {
    let thinking = case("thinking-budget").thinking.unwrap();
    assert_eq!((thinking.mode, thinking.budget, thinking.show), (ThinkingMode::On, Some(2048), Some(true)));
    assert_eq!(case("thinking-effort").thinking.unwrap().effort, Some(Effort::Low));
    assert!(case("thinking-off").thinking.unwrap().is_off());
    let call = case("thinking-back");
    let Part::Reasoning(thought) = &call.turns[1].parts[0] else { panic!() };
    assert_eq!((thought.text.as_str(), &thought.seal), ("The user asks for weather.", &None));
    let Part::Reasoning(seal) = &call.turns[1].parts[1] else { panic!() };
    assert_eq!(seal.seal, Some(Seal::new(SealKind::Google, "CiQBVKhc7vB6c2lnbmF0dXJlT25l")));
    assert!(matches!(call.turns[1].parts[2], Part::ToolCall { .. }));
}

#[test]
fn a_foreign_seal_comes_back_whole_with_its_thought() {
    let seal = Seal::new(SealKind::AnthropicSignature, "EqQBCgIYAhIM");
    let signature = super::super::wire::signature(&seal);
    let body = serde_json::json!({"contents": [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [
        {"text": "one ", "thought": true},
        {"text": "two", "thought": true, "thoughtSignature": signature},
        {"text": "Answer."},
    ]}]});
    let call = read(&body.to_string());
    let thought = Part::Reasoning(Reasoning { text: "one two".into(), seal: Some(seal) });
    assert_eq!(call.turns[1].parts, [thought, Part::Text("Answer.".into())]);
}

#[test]
fn what_no_other_vendor_has_is_named_or_refused() {
    assert_eq!(case("safety-settings").unmapped, ["safetySettings"]);
    assert_eq!(case("metadata").unmapped, ["labels"]);
    assert_eq!(case("service-tier").service_tier.as_deref(), Some("flex"));
    assert_eq!(refused(&fixture("cached-content")).param.as_deref(), Some("cachedContent"));
    assert_eq!(
        refused(&fixture("media-only-answer")).param.as_deref(),
        Some("generationConfig.responseModalities")
    );
    let code = r#"{"contents":[{"role":"model","parts":[{"executableCode":{"code":"1"}}]}]}"#;
    assert_eq!(read(code).unmapped, ["contents[0].parts[0].executableCode"]);
}

#[test]
fn wrong_types_are_told_with_their_path() {
    let table = [
        (r#"{"contents":[]}"#, "contents"),
        (r#"{"contents":[{"role":"system","parts":[]}]}"#, "contents[0].role"),
        (r#"{"contents":[{"parts":[{"text":1}]}]}"#, "contents[0].parts[0].text"),
        (r#"{"contents":[{"parts":[{"hologram":1}]}]}"#, "contents[0].parts[0]"),
        (
            r#"{"contents":[{"parts":[{"functionCall":{"name":"f","args":[]}}]}]}"#,
            "contents[0].parts[0].functionCall.args",
        ),
        (
            r#"{"contents":[{"parts":[]}],"generationConfig":{"temperature":"hot"}}"#,
            "generationConfig.temperature",
        ),
        (
            r#"{"contents":[{"parts":[]}],"tools":[{"functionDeclarations":[{"description":"d"}]}]}"#,
            "tools[0].functionDeclarations[0].name",
        ),
        (
            r#"{"contents":[{"parts":[]}],"toolConfig":{"functionCallingConfig":{"mode":"MAYBE"}}}"#,
            "toolConfig.functionCallingConfig.mode",
        ),
        (r#"{"contents":[{"parts":[]}],"generationConfig":{"topP":1,"top_p":1}}"#, "generationConfig.top_p"),
    ];
    for (body, path) in table {
        assert_eq!(refused(body).param.as_deref(), Some(path), "{body}");
    }
}

#[test]
fn losses_are_named_in_the_callers_words() {
    use crate::dialect::CallerSide;
    let call = case("tools-nested-schema");
    let path = |loss| google::Caller.path(&loss);
    assert_eq!(
        path(Loss::tool(call.tools[0].origin, "parameters")),
        "tools[0].functionDeclarations[0].parameters"
    );
    assert_eq!(path(Loss::tool(case("web-search").server_tools[1].origin, "")), "tools[1]");
    assert_eq!(path(Loss::turn(Origin::Item(3), "reasoning")), "contents[3].reasoning");
    assert_eq!(
        path(Loss::Call { origin: Origin::Item(1), call: 2, what: "arguments" }),
        "contents[1].functionCall[2].args"
    );
    assert_eq!(path(Setting::TopK.into()), "generationConfig.topK");
}
