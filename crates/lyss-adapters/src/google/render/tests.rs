use std::fs;
use std::path::Path;

use lyss_domain::{Timestamp, TokenUsage};
use serde_json::{Value, json};

use super::*;
use crate::conversation::*;

fn shown(reply: &ChatReply) -> Value {
    let rendering =
        Rendering { model: "asked".to_owned(), ..Rendering::at(Timestamp::from_millis(1_700_000_000_000)) };
    serde_json::from_slice(&render(reply, &rendering)).unwrap()
}

fn reply(parts: Vec<Part>, finish: FinishReason) -> ChatReply {
    ChatReply { choices: vec![Choice::new(parts, finish)], ..ChatReply::default() }
}

#[test]
fn a_whole_answer() {
    let seal = |kind| Some(Seal::new(kind, "c2ln"));
    let parts = vec![
        Part::Reasoning(Reasoning { text: "why".into(), seal: seal(SealKind::Google) }),
        Part::ToolCall { id: "a".into(), name: "f".into(), arguments: "{\"x\":1}".into(), custom: false },
        Part::Text("done".into()),
        Part::ToolCall { id: "b".into(), name: "g".into(), arguments: "not json".into(), custom: false },
    ];
    let usage = TokenUsage { input: 2, cache_read: 3, output: 4, audio_input: 1, ..TokenUsage::default() };
    let answer = shown(&ChatReply { usage: Some(usage), ..reply(parts, FinishReason::ToolCalls) });
    assert_eq!(
        answer,
        json!({
            "candidates": [{
                "content": {"role": "model", "parts": [
                    {"text": "why", "thought": true},
                    {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}, "thoughtSignature": "c2ln"},
                    {"text": "done"},
                    {"functionCall": {"id": "b", "name": "g", "args": {"_raw": "not json"}}},
                ]},
                "finishReason": "STOP",
                "index": 0,
            }],
            "usageMetadata": {
                "promptTokenCount": 6,
                "candidatesTokenCount": 4,
                "totalTokenCount": 10,
                "cachedContentTokenCount": 3,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 5},
                    {"modality": "AUDIO", "tokenCount": 1},
                ],
            },
            "modelVersion": "asked",
            "createTime": "2023-11-14T22:13:20Z",
            "responseId": "resp-1700000000",
        })
    );
}

#[test]
fn finish_reasons_in_googles_words() {
    use FinishReason::*;
    let table = [
        (Stop, "STOP"),
        (StopSequence(None), "STOP"),
        (ToolCalls, "STOP"),
        (Length, "MAX_TOKENS"),
        (ContentFilter, "SAFETY"),
        (Refusal, "SAFETY"),
        (Pause, "OTHER"),
        (MalformedCall, "MALFORMED_FUNCTION_CALL"),
    ];
    for (reason, word) in table {
        assert_eq!(shown(&reply(Vec::new(), reason))["candidates"][0]["finishReason"], word);
    }
}

#[test]
fn the_next_turn_of_an_sdk_is_accepted_by_the_vendor_that_answered() {
    // An Anthropic answer, shown to a Google caller, sent back, and read again.
    let seal = Seal::new(SealKind::AnthropicSignature, "EqQBCgIYAhIM");
    let thought = Part::Reasoning(Reasoning { text: "why".into(), seal: Some(seal) });
    let call =
        Part::ToolCall { id: "toolu_1".into(), name: "f".into(), arguments: "{}".into(), custom: false };
    let parts = vec![thought, Part::Text("so".into()), call];
    let answer = shown(&reply(parts.clone(), FinishReason::ToolCalls));
    let body = json!({"contents": [
        {"role": "user", "parts": [{"text": "q"}]},
        answer["candidates"][0]["content"],
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"result": "r"}}}]},
    ]});
    let path = crate::PathWords { model: Some("m".into()), ..crate::PathWords::default() };
    let ask = crate::scan_at(crate::Dialect::GoogleGenerate, body.to_string().into(), path).unwrap();
    let back = super::super::parse::parse(&ask).unwrap();
    assert_eq!(back.turns[1].parts, parts);
    assert!(matches!(&back.turns[2].parts[0], Part::ToolResult { id, .. } if id == "toolu_1"));
}

/// What Google answers, read and written again, says the same to whoever reads it.
#[test]
fn recorded_answers_come_through() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/google");
    let mut seen = 0;
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let Ok(body) = fs::read(path.join("reply.json")) else { continue };
        let once = super::super::decode::decode(&body).unwrap();
        let again = super::super::decode::decode(shown(&once).to_string().as_bytes()).unwrap();
        assert_eq!(format!("{:?}", again.usage), format!("{:?}", once.usage), "{}", path.display());
        for (again, once) in again.choices.iter().zip(&once.choices) {
            assert_eq!(again.finish, once.finish, "{}", path.display());
            assert_eq!(again.safety, once.safety, "{}", path.display());
            assert_eq!(again.logprobs, once.logprobs, "{}", path.display());
            let texts = |choice: &Choice| -> Vec<String> {
                choice.parts.iter().map(|part| format!("{part:?}").replace(' ', "")).collect()
            };
            assert_eq!(texts(again), texts(once), "{}", path.display());
        }
        seen += 1;
    }
    assert!(seen >= 18, "only {seen} answers found");
}
