use lyss_domain::{Timestamp, TokenUsage};
use serde_json::{Value, json};

use super::render;
use crate::conversation::{
    ChatReply, Choice, Citation, CitedPlace, FinishReason, Media, MediaKind, Part, Reasoning, ReplyHead,
    SafetyLevel, SafetyRating, Seal, SealKind, Source, TokenLogprob,
};
use crate::dialect::Rendering;

fn rendered(choices: Vec<Choice>, usage: Option<TokenUsage>) -> Value {
    let reply = ChatReply {
        head: ReplyHead { id: "chatcmpl-9".into(), model: "m".into(), ..ReplyHead::default() },
        choices,
        usage,
    };
    let rendering = Rendering::at(Timestamp::from_millis(1_999));
    serde_json::from_slice(&render(&reply, &rendering)).unwrap()
}

#[test]
fn every_token_class_is_counted_once() {
    let usage = TokenUsage {
        input: 1,
        cache_read: 10,
        cache_write: 100,
        cache_write_long: 1_000,
        audio_input: 10_000,
        output: 3,
        reasoning: 2,
        audio_output: 40,
    };
    let expected = json!({
        "prompt_tokens": 11_111, "completion_tokens": 43, "total_tokens": 11_154,
        "prompt_tokens_details": {"cached_tokens": 10, "audio_tokens": 10_000, "cache_write_tokens": 1_100},
        "completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 40},
    });
    assert_eq!(rendered(vec![], Some(usage))["usage"], expected);
    assert!(rendered(vec![], None).get("usage").is_none());
}

#[test]
fn content_is_null_beside_calls_and_refusals_and_else_text() {
    let choice = |part: Option<Part>| {
        let choice = Choice::new(part.into_iter().collect(), FinishReason::Pause);
        rendered(vec![choice], None)["choices"][0].clone()
    };
    let call =
        Part::ToolCall { id: "c".into(), name: "f".into(), arguments: "{ broken".into(), custom: false };
    let with_call = choice(Some(call));
    assert_eq!(with_call["message"]["content"], Value::Null);
    assert_eq!(with_call["message"]["tool_calls"][0]["function"]["arguments"], "{ broken");
    let refused = choice(Some(Part::Refusal("no".into())));
    assert_eq!(
        (&refused["message"]["content"], &refused["message"]["refusal"]),
        (&Value::Null, &json!("no"))
    );
    let empty = choice(None);
    assert_eq!(empty["message"]["content"], "");
    assert_eq!((&empty["finish_reason"], &empty["logprobs"]), (&json!("stop"), &Value::Null));
    assert!(
        empty["message"].get("tool_calls").is_none() && empty["message"].get("reasoning_content").is_none()
    );
}

#[test]
fn choices_are_numbered_in_order() {
    let choice = |text: &str| Choice::new(vec![Part::Text(text.into())], FinishReason::Length);
    let body = rendered(vec![choice("a"), choice("b")], None);
    assert_eq!(
        (&body["choices"][1]["index"], &body["choices"][1]["message"]["content"]),
        (&json!(1), &json!("b"))
    );
    assert_eq!(
        (&body["id"], &body["created"], &body["object"]),
        (&json!("chatcmpl-9"), &json!(1), &json!("chat.completion"))
    );
}

fn message(parts: Vec<Part>) -> Value {
    rendered(vec![Choice::new(parts, FinishReason::Stop)], None)["choices"][0]["message"].clone()
}

fn thought(text: &str, seal: Option<Seal>) -> Part {
    Part::Reasoning(Reasoning { text: text.into(), seal })
}

fn called(id: &str) -> Part {
    Part::ToolCall { id: id.into(), name: "f".into(), arguments: "{}".into(), custom: false }
}

#[test]
fn reasoning_stands_plain_and_its_seals_in_details() {
    let plain = message(vec![thought("r", None), Part::Text("t".into())]);
    assert_eq!((&plain["reasoning_content"], plain.get("reasoning_details")), (&json!("r"), None));
    let signed = Seal::new(SealKind::AnthropicSignature, "s");
    let redacted = Seal::new(SealKind::AnthropicRedacted, "d");
    let sealed =
        message(vec![thought("a", Some(signed)), thought("", Some(redacted)), Part::Text("t".into())]);
    assert_eq!(sealed["reasoning_content"], "a");
    assert_eq!(
        sealed["reasoning_details"],
        json!([
            {"type": "reasoning.text", "text": "a", "signature": "s", "format": "anthropic-claude-v1", "index": 0},
            {"type": "reasoning.encrypted", "data": "d", "format": "anthropic-claude-v1", "index": 1},
        ])
    );
}

#[test]
fn a_seal_of_googles_stands_on_its_call() {
    let seal = Some(Seal::new(SealKind::Google, "s"));
    let message = message(vec![called("a"), thought("", seal), called("b")]);
    assert_eq!(message["tool_calls"][1]["extra_content"], json!({"google": {"thought_signature": "s"}}));
    assert!(message["tool_calls"][0].get("extra_content").is_none());
    assert_eq!(
        (&message["reasoning_details"][0]["id"], message.get("reasoning_content")),
        (&json!("b"), None)
    );
}

#[test]
fn a_citation_without_a_place_backs_the_text_before_it() {
    let cite = |span| {
        let place = CitedPlace::Url("https://a.example/".into());
        Part::Citation(Citation { place, title: None, cited_text: Some("w".into()), span })
    };
    let text = |text: &str| Part::Text(text.into());
    let message = message(vec![text("né"), cite(None), cite(Some((0, 1))), text("xyz"), cite(None)]);
    let spans: Vec<_> = message["annotations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| {
            (
                a["url_citation"]["start_index"].as_u64().unwrap(),
                a["url_citation"]["end_index"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(spans, [(0, 2), (0, 1), (2, 5)]);
    assert_eq!(message["annotations"][0]["url_citation"]["title"], "");
}

#[test]
fn media_probabilities_and_ratings() {
    let image = Media::new(MediaKind::Image, Source::Data("AA==".into()), Some("image/png".into()));
    let audio = Media::new(MediaKind::Audio, Source::Data("BB==".into()), None);
    let mut choice = Choice::new(vec![Part::Media(image), Part::Media(audio)], FinishReason::ContentFilter);
    choice.safety = vec![SafetyRating { category: "hate".into(), level: SafetyLevel::High, blocked: true }];
    choice.logprobs =
        vec![TokenLogprob { token: "a".into(), logprob: -0.5, bytes: Some(vec![97]), top: vec![] }];
    let shown = rendered(vec![choice], None)["choices"][0].clone();
    assert_eq!(
        shown["message"]["images"],
        json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}, "index": 0}])
    );
    assert_eq!(
        shown["message"]["audio"],
        json!({"id": "audio-chatcmpl-9", "data": "BB==", "expires_at": 3_601, "transcript": ""})
    );
    assert_eq!(shown["content_filter_results"], json!({"hate": {"filtered": true, "severity": "high"}}));
    assert_eq!(
        shown["logprobs"],
        json!({"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}], "refusal": null})
    );
}

#[test]
fn every_finish_has_its_word() {
    for (finish, word) in [
        (FinishReason::Stop, "stop"),
        (FinishReason::StopSequence(Some("x".into())), "stop"),
        (FinishReason::Length, "length"),
        (FinishReason::ToolCalls, "tool_calls"),
        (FinishReason::ContentFilter, "content_filter"),
        (FinishReason::Refusal, "content_filter"),
        (FinishReason::Pause, "stop"),
        (FinishReason::MalformedCall, "stop"),
    ] {
        let body = rendered(vec![Choice::new(vec![Part::Text("t".into())], finish.clone())], None);
        assert_eq!(body["choices"][0]["finish_reason"], word, "{finish:?}");
    }
    let declined = Choice::new(vec![Part::Refusal("no".into())], FinishReason::Refusal);
    assert_eq!(rendered(vec![declined], None)["choices"][0]["finish_reason"], "stop");
}

#[test]
fn the_head_is_the_vendors_else_ours() {
    let head = ReplyHead {
        created: Some(7),
        service_tier: Some("flex".into()),
        system_fingerprint: Some("fp".into()),
        ..ReplyHead::default()
    };
    let rendering = Rendering { model: "asked".into(), ..Rendering::at(Timestamp::from_millis(1_999)) };
    let reply = ChatReply { head, choices: vec![], usage: None };
    let body: Value = serde_json::from_slice(&render(&reply, &rendering)).unwrap();
    let expected = json!({
        "id": "chatcmpl-7", "object": "chat.completion", "created": 7, "model": "asked", "choices": [],
        "service_tier": "flex", "system_fingerprint": "fp",
    });
    assert_eq!(body, expected);
}

#[test]
fn a_custom_tool_is_called_with_text() {
    let call = Part::ToolCall { id: "c".into(), name: "f".into(), arguments: "1+1".into(), custom: true };
    let expected = json!([{"id": "c", "type": "custom", "custom": {"name": "f", "input": "1+1"}}]);
    assert_eq!(message(vec![call])["tool_calls"], expected);
}
