use serde_json::{Value, json};

use crate::Dialect;
use crate::Fault;
use crate::conversation::{ChatCall, Part, Reasoning, Role, Seal, SealKind, ToolChoice, Turn};
use crate::dialect::{Encoded, Encoding};

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
    let expected = json!([{"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true}]);
    assert_eq!(body["messages"][0]["content"], expected);
}
