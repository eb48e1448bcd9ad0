use lyss_domain::{Timestamp, TokenUsage};
use serde_json::{Value, json};

use crate::conversation::{
    ChatReply, Choice, Citation, CitedPlace, FinishReason, Media, MediaKind, Part, Reasoning, ReplyHead,
    Seal, SealKind, Source,
};
use crate::dialect::Rendering;

fn rendered(reply: &ChatReply) -> Value {
    let rendering =
        Rendering { model: "asked".into(), ..Rendering::at(Timestamp::from_millis(1_700_000_000_000)) };
    serde_json::from_slice(&super::render(reply, &rendering)).unwrap()
}

fn reply(parts: Vec<Part>, finish: FinishReason) -> ChatReply {
    ChatReply { choices: vec![Choice::new(parts, finish)], ..ChatReply::default() }
}

fn content(parts: Vec<Part>) -> Value {
    rendered(&reply(parts, FinishReason::Stop))["content"].clone()
}

fn call(arguments: &str, custom: bool) -> Part {
    Part::ToolCall { id: "call_1".into(), name: "f".into(), arguments: arguments.into(), custom }
}

#[test]
fn an_answer_of_another_vendor_is_a_message() {
    let mut answer = reply(vec![Part::Text("hi".into())], FinishReason::Stop);
    answer.head =
        ReplyHead { id: "resp_1".into(), service_tier: Some("default".into()), ..ReplyHead::default() };
    answer.usage = Some(TokenUsage {
        input: 10,
        cache_read: 20,
        cache_write: 3,
        cache_write_long: 4,
        audio_input: 5,
        output: 30,
        reasoning: 12,
        audio_output: 1,
    });
    // More than one answer has no place.
    answer.choices.push(Choice::new(vec![Part::Text("other".into())], FinishReason::Length));
    let expected = json!({
        "id": "msg_resp_1", "type": "message", "role": "assistant", "model": "asked",
        "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 15, "cache_creation_input_tokens": 7, "cache_read_input_tokens": 20,
            "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
            "output_tokens": 31, "output_tokens_details": {"thinking_tokens": 12}, "service_tier": "standard"},
    });
    assert_eq!(rendered(&answer), expected);
    let empty = rendered(&ChatReply::default());
    assert_eq!((&empty["content"], &empty["stop_reason"]), (&json!([]), &json!("end_turn")));
    assert!(empty["id"].as_str().unwrap().starts_with("msg_"));
}

#[test]
fn reasons_have_one_word_each() {
    use FinishReason as R;
    for (reason, word) in [
        (R::Stop, "end_turn"),
        (R::StopSequence(Some("x".into())), "stop_sequence"),
        (R::Length, "max_tokens"),
        (R::ToolCalls, "tool_use"),
        (R::ContentFilter, "refusal"),
        (R::Refusal, "refusal"),
        (R::Pause, "pause_turn"),
        (R::MalformedCall, "end_turn"),
    ] {
        let answer = rendered(&reply(vec![], reason.clone()));
        assert_eq!(answer["stop_reason"], word);
        assert_eq!(answer["stop_sequence"].is_string(), word == "stop_sequence");
        assert_eq!(answer["stop_details"]["type"] == "refusal", word == "refusal");
    }
    assert_eq!(rendered(&reply(vec![call("{}", false)], R::Stop))["stop_reason"], "tool_use");
}

#[test]
fn arguments_are_always_an_object_and_nothing_of_them_is_lost() {
    let input = |arguments: &str, custom| content(vec![call(arguments, custom)])[0]["input"].clone();
    assert_eq!(input(r#"{"a":1.50}"#, false), json!({"a": 1.5}));
    for nothing in ["", " ", "null"] {
        assert_eq!(input(nothing, false), json!({}));
    }
    for broken in ["{\"a\":", "[1]", "7", "{} {}"] {
        assert_eq!(input(broken, false), json!({"_raw": broken}));
    }
    assert_eq!(input("SELECT 1", true), json!({"input": "SELECT 1"}));
}

#[test]
fn thoughts_stand_with_their_seals() {
    let thought = |text: &str, seal: Option<Seal>| {
        content(vec![Part::Reasoning(Reasoning { text: text.into(), seal })])
    };
    let thinking =
        |text: &str, signature: &str| json!({"type": "thinking", "thinking": text, "signature": signature});
    let redacted = |data: &str| json!({"type": "redacted_thinking", "data": data});
    assert_eq!(thought("a", Some(Seal::new(SealKind::AnthropicSignature, "s"))), json!([thinking("a", "s")]));
    assert_eq!(thought("", Some(Seal::new(SealKind::AnthropicSignature, "s"))), json!([thinking("", "s")]));
    assert_eq!(thought("", Some(Seal::new(SealKind::AnthropicRedacted, "d"))), json!([redacted("d")]));
    let foreign = Seal { kind: SealKind::OpenAi, data: "e".into(), id: Some("rs_1".into()) };
    assert_eq!(thought("a", Some(foreign.clone())), json!([thinking("a", &foreign.to_token())]));
    assert_eq!(thought("", Some(foreign.clone())), json!([redacted(&foreign.to_token())]));
    assert_eq!(thought("a", None), json!([thinking("a", "")]));
    assert_eq!(thought("", None), json!([]));
}

#[test]
fn citations_refusals_and_images_find_a_place() {
    let citation = Citation {
        place: CitedPlace::Url("https://e.com".into()),
        title: None,
        cited_text: None,
        span: None,
    };
    let image = |source| Part::Media(Media::new(MediaKind::Image, source, None));
    let parts = vec![
        Part::Text("a".into()),
        call("{}", false),
        Part::Citation(citation),
        Part::Refusal("no".into()),
        image(Source::Url("https://e.com/i.png".into())),
        image(Source::Data("AA==".into())),
    ];
    let content = content(parts);
    assert_eq!(content[0]["citations"][0]["url"], "https://e.com");
    assert_eq!(content[0]["citations"][0]["type"], "web_search_result_location");
    assert_eq!(content[2], json!({"type": "text", "text": "no"}));
    assert_eq!(content[3]["text"], "![](https://e.com/i.png)");
    assert_eq!(content.as_array().unwrap().len(), 4);
}
