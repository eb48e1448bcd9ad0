use std::fs;
use std::path::Path;

use super::*;
use crate::conversation::*;

fn reply(case: &str) -> ChatReply {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/google");
    decode(&fs::read(root.join(case).join("reply.json")).unwrap()).unwrap()
}

#[test]
fn a_whole_answer_keeps_parts_in_their_order() {
    let answer = reply("thinking-tools");
    assert_eq!(answer.head.id, "mAskafHkM5CxkdUPn6Tl2Ag");
    assert_eq!(answer.head.model, "gemini-2.5-pro");
    let choice = &answer.choices[0];
    let seal = Some(Seal::new(SealKind::Google, "CiQBVKhc7vB6c2lnbmF0dXJl"));
    assert_eq!(choice.parts[0], Part::Reasoning(Reasoning { text: "I need the weather.".into(), seal }));
    let Part::ToolCall { id, arguments, .. } = &choice.parts[1] else { panic!() };
    assert_eq!(
        (id.as_str(), arguments.replace(char::is_whitespace, "")),
        ("k3v9x2ab", r#"{"city":"Paris"}"#.into())
    );
    assert_eq!((choice.parts.len(), &choice.finish), (3, &FinishReason::ToolCalls));
}

#[test]
fn every_recorded_answer_is_read() {
    let table = [
        ("plain-text", FinishReason::Stop, 1),
        ("max-tokens", FinishReason::Length, 1),
        ("content-filter", FinishReason::ContentFilter, 1),
        ("malformed-call", FinishReason::MalformedCall, 0),
        ("prompt-blocked", FinishReason::ContentFilter, 0),
        ("server-tool", FinishReason::Stop, 2),
        ("unknown-things", FinishReason::Stop, 1),
        ("image-output", FinishReason::Stop, 2),
        ("citation-sources", FinishReason::Stop, 2),
    ];
    for (case, finish, parts) in table {
        let answer = reply(case);
        assert_eq!((&answer.choices[0].finish, answer.choices[0].parts.len()), (&finish, parts), "{case}");
    }
    assert_eq!(reply("two-candidates").choices.len(), 2);
    assert_eq!(reply("logprobs").choices[0].logprobs.len(), 2);
}

#[test]
fn what_is_no_answer_is_a_fault() {
    for body in ["", "{}", "[]", "<html>", r#"{"candidates":7}"#, r#"{"promptFeedback":{}}"#] {
        assert!(decode(body.as_bytes()).is_err(), "{body}");
    }
    let error = r#"[{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]"#;
    assert_eq!(decode(error.as_bytes()).unwrap_err().kind, lyss_domain::FaultKind::Overloaded);
}
