use bytes::BytesMut;
use lyss_domain::{Timestamp, TokenUsage};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::ChatRenderer;
use crate::Fault;
use crate::conversation::{
    ChatEvent, Citation, CitedPlace, FinishReason, Media, MediaKind, ReplyHead, SafetyLevel, SafetyRating,
    Seal, SealKind, Source, TokenLogprob,
};
use crate::dialect::{Renderer, Rendering};

fn render(include_usage: bool, events: &[ChatEvent]) -> String {
    let rendering = Rendering { include_usage, ..Rendering::at(Timestamp::from_millis(9_999)) };
    let mut renderer = ChatRenderer::new(&rendering);
    let mut out = BytesMut::new();
    for event in events {
        renderer.event(event, &mut out);
    }
    String::from_utf8(out.to_vec()).unwrap()
}

fn text(text: &str) -> ChatEvent {
    ChatEvent::Text { choice: 0, text: text.into() }
}

fn start() -> ChatEvent {
    ChatEvent::Start(ReplyHead { id: "msg_1".into(), model: "m".into(), ..ReplyHead::default() })
}

fn stop() -> ChatEvent {
    ChatEvent::Finish { choice: 0, reason: FinishReason::Stop }
}

fn usage(output: u64) -> ChatEvent {
    ChatEvent::Usage(TokenUsage { output, ..TokenUsage::default() })
}

#[test]
fn the_bytes_of_a_short_stream() {
    let head = r#"data: {"id":"chatcmpl-msg_1","object":"chat.completion.chunk","created":9,"model":"m","choices":["#;
    let expected = [
        r#"{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]}"#,
        r#"{"index":0,"delta":{"content":"a\n\"b\""},"logprobs":null,"finish_reason":null}]}"#,
        r#"{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}"#,
    ]
    .map(|rest| format!("{head}{rest}\n\n"))
    .concat();
    let stream = render(false, &[start(), text("a\n\"b\""), usage(3), stop(), ChatEvent::End]);
    assert_eq!(stream, format!("{expected}data: [DONE]\n\n"));
}

#[test]
fn usage_is_told_once_and_last_and_only_when_asked_for() {
    let events = [start(), usage(1), text("a"), stop(), usage(7), ChatEvent::End];
    assert!(!render(false, &events).contains("usage"));
    let told = render(true, &events);
    assert_eq!(told.matches("completion_tokens\":").count(), 1);
    let last = told.strip_suffix("data: [DONE]\n\n").unwrap().trim_end().lines().last().unwrap();
    assert!(
        last.contains(r#""choices":[],"usage":{"prompt_tokens":0,"completion_tokens":7,"total_tokens":7"#)
    );
}

#[test]
fn a_stream_without_its_end_marker_has_no_done() {
    assert!(!render(true, &[start(), text("a"), stop(), usage(1)]).contains("[DONE]"));
}

#[test]
fn nothing_follows_a_fault_and_a_fault_is_no_end() {
    let stream =
        render(true, &[start(), ChatEvent::Fault(Fault::bad_request("no", None)), text("a"), ChatEvent::End]);
    assert!(stream.ends_with("data: {\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}\n\n"));
    assert!(!stream.contains("[DONE]"));
}

#[test]
fn arguments_of_a_call_never_begun_are_left_out() {
    let arguments = ChatEvent::ToolCallArguments { choice: 0, call: 3, text: "{}".into() };
    assert!(!render(false, &[start(), arguments, stop(), ChatEvent::End]).contains("tool_calls"));
}

#[test]
fn a_choice_the_vendor_forgot_to_finish_is_finished() {
    let call =
        ChatEvent::ToolCallStart { choice: 0, call: 0, id: "c".into(), name: "f".into(), custom: false };
    let stream = render(false, &[start(), call, ChatEvent::End]);
    assert_eq!(stream.matches(r#""finish_reason":"tool_calls""#).count(), 1);
    let twice = render(false, &[start(), stop(), stop(), text("late"), ChatEvent::End]);
    assert_eq!(twice.matches(r#""finish_reason":"stop""#).count(), 1);
    assert!(!twice.contains("late"));
}

#[test]
fn a_flood_of_choices_is_bounded() {
    let events: Vec<_> = (0..10_000).map(|choice| ChatEvent::Text { choice, text: "x".into() }).collect();
    assert_eq!(render(false, &events).matches("\"role\"").count(), super::MAX_CHOICES);
}

/// The deltas of choice 0 behind the role, without the finish.
fn deltas(events: &[ChatEvent]) -> Vec<Value> {
    let all = [&[start()], events].concat();
    let stream = render(false, &all);
    let chunks = stream.split_terminator("\n\n").map(|line| line.strip_prefix("data: ").unwrap().to_owned());
    chunks.skip(1).map(|json| serde_json::from_str::<Value>(&json).unwrap()["choices"][0].clone()).collect()
}

fn seal(kind: SealKind) -> ChatEvent {
    ChatEvent::ReasoningSeal { choice: 0, seal: Seal::new(kind, "s") }
}

fn thought(text: &str) -> ChatEvent {
    ChatEvent::Reasoning { choice: 0, text: text.into() }
}

fn called(call: u32, custom: bool) -> ChatEvent {
    ChatEvent::ToolCallStart { choice: 0, call, id: format!("c{call}"), name: "f".into(), custom }
}

#[test]
fn a_seal_is_told_with_the_text_it_seals() {
    let read = deltas(&[
        thought("a"),
        thought("b"),
        seal(SealKind::AnthropicSignature),
        thought("c"),
        seal(SealKind::AnthropicRedacted),
        text("t"),
    ]);
    let read: Vec<_> = read.iter().map(|choice| choice["delta"].clone()).collect();
    assert_eq!(
        read,
        [
            json!({"reasoning_content": "a"}),
            json!({"reasoning_content": "b"}),
            json!({"reasoning_details": [{"type": "reasoning.text", "text": "ab", "signature": "s", "format": "anthropic-claude-v1", "index": 0}]}),
            json!({"reasoning_content": "c"}),
            json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "s", "format": "anthropic-claude-v1", "index": 1}]}),
            json!({"content": "t"}),
        ]
    );
}

#[test]
fn a_seal_of_googles_waits_for_its_call() {
    let detail = |id: Option<&str>| {
        let mut detail =
            json!({"type": "reasoning.encrypted", "data": "s", "format": "google-gemini-v1", "index": 0});
        if let Some(id) = id {
            detail["id"] = json!(id);
        }
        json!([detail])
    };
    let read = deltas(&[thought("a"), seal(SealKind::Google), called(0, false)]);
    assert_eq!(read[1]["delta"]["reasoning_details"], detail(Some("c0")));
    let call = &read[1]["delta"]["tool_calls"][0];
    assert_eq!(call["extra_content"], json!({"google": {"thought_signature": "s"}}));
    let read = deltas(&[seal(SealKind::Google), text("t")]);
    assert_eq!(
        (&read[0]["delta"]["reasoning_details"], &read[1]["delta"]["content"]),
        (&detail(None), &json!("t"))
    );
    let read = deltas(&[seal(SealKind::Google), stop()]);
    assert_eq!((read.len(), &read[0]["delta"]["reasoning_details"]), (2, &detail(None)));
}

#[test]
fn reasoning_kept_for_a_seal_is_bounded() {
    let long = "x".repeat(super::state::MAX_KEPT_BYTES / 2 + 1);
    let read = deltas(&[
        thought(&long),
        thought(&long),
        seal(SealKind::AnthropicSignature),
        thought("b"),
        seal(SealKind::AnthropicSignature),
    ]);
    assert!(read[2]["delta"]["reasoning_details"][0].get("text").is_none());
    assert_eq!(read[4]["delta"]["reasoning_details"][0]["text"], "b");
}

#[test]
fn custom_calls_stream_their_text() {
    let more = ChatEvent::ToolCallArguments { choice: 0, call: 0, text: "1+1".into() };
    let read = deltas(&[called(0, true), more]);
    let calls: Vec<_> = read.iter().map(|choice| choice["delta"]["tool_calls"][0].clone()).collect();
    assert_eq!(
        calls,
        [
            json!({"index": 0, "id": "c0", "type": "custom", "custom": {"name": "f", "input": ""}}),
            json!({"index": 0, "custom": {"input": "1+1"}}),
        ]
    );
}

#[test]
fn what_stands_beside_the_text() {
    let citation = Citation {
        place: CitedPlace::Url("https://a.example/".into()),
        title: Some("A".into()),
        cited_text: None,
        span: None,
    };
    let media = Media::new(MediaKind::Image, Source::Url("https://a.example/i.png".into()), None);
    let tokens = vec![TokenLogprob { token: "n".into(), logprob: -1.5, bytes: None, top: vec![] }];
    let ratings = vec![SafetyRating { category: "hate".into(), level: SafetyLevel::Low, blocked: false }];
    let read = deltas(&[
        text("né"),
        ChatEvent::Citation { choice: 0, citation },
        ChatEvent::Media { choice: 0, media: media.clone() },
        ChatEvent::Media { choice: 0, media },
        ChatEvent::Logprobs { choice: 0, tokens: tokens.clone() },
        ChatEvent::Refusal { choice: 0, text: "no".into() },
        ChatEvent::Logprobs { choice: 0, tokens },
        ChatEvent::Safety { choice: 0, ratings },
        ChatEvent::Finish { choice: 0, reason: FinishReason::Refusal },
    ]);
    let cited = &read[1]["delta"]["annotations"][0]["url_citation"];
    assert_eq!((&cited["start_index"], &cited["end_index"]), (&json!(0), &json!(2)));
    assert_eq!(read[3]["delta"]["images"][0]["index"], 1);
    assert_eq!((&read[4]["delta"], &read[4]["logprobs"]["content"][0]["token"]), (&json!({}), &json!("n")));
    assert_eq!(
        (&read[6]["logprobs"]["content"], &read[6]["logprobs"]["refusal"][0]["logprob"]),
        (&Value::Null, &json!(-1.5))
    );
    assert_eq!(read[7]["content_filter_results"], json!({"hate": {"filtered": false, "severity": "low"}}));
    assert_eq!(read[8]["finish_reason"], "stop");
}

#[test]
fn the_head_of_every_chunk() {
    let head = ReplyHead {
        id: "chatcmpl-x".into(),
        created: Some(7),
        service_tier: Some("flex".into()),
        system_fingerprint: Some("fp".into()),
        ..ReplyHead::default()
    };
    let rendering = Rendering { model: "asked".into(), ..Rendering::at(Timestamp::from_millis(9_999)) };
    let mut renderer = ChatRenderer::new(&rendering);
    let mut out = BytesMut::new();
    renderer.event(&ChatEvent::Start(head), &mut out);
    assert!(out.starts_with(
        br#"data: {"id":"chatcmpl-x","object":"chat.completion.chunk","created":7,"model":"asked","service_tier":"flex","system_fingerprint":"fp","choices":["#
    ));
}

/// Any event, in any order: every kind, three choices, three calls.
fn any_event() -> impl Strategy<Value = ChatEvent> {
    (0..15_u8, 0..3_u32, 0..3_u32, "[a-z\"\u{0}é]{0,3}").prop_map(|(kind, choice, call, text)| match kind {
        0 => start(),
        1 => ChatEvent::Text { choice, text },
        2 => ChatEvent::Reasoning { choice, text },
        3 => ChatEvent::ReasoningSeal { choice, seal: Seal::new(SealKind::Google, text) },
        4 => ChatEvent::ReasoningSeal { choice, seal: Seal::new(SealKind::OpenAi, text) },
        5 => ChatEvent::Refusal { choice, text },
        6 => ChatEvent::ToolCallStart { choice, call, id: "i".into(), name: text, custom: call == 1 },
        7 => ChatEvent::ToolCallArguments { choice, call, text },
        8 => ChatEvent::Media { choice, media: Media::new(MediaKind::Audio, Source::Data(text), None) },
        9 => ChatEvent::Media { choice, media: Media::new(MediaKind::Image, Source::Text(text), None) },
        10 => ChatEvent::Citation {
            choice,
            citation: Citation { place: CitedPlace::Url(text), title: None, cited_text: None, span: None },
        },
        11 => ChatEvent::Logprobs {
            choice,
            tokens: vec![TokenLogprob { token: text, ..TokenLogprob::default() }],
        },
        12 => ChatEvent::Safety {
            choice,
            ratings: vec![SafetyRating { category: text, level: SafetyLevel::Low, blocked: false }],
        },
        13 => ChatEvent::Finish { choice, reason: FinishReason::Stop },
        _ => {
            if call == 0 {
                ChatEvent::End
            } else {
                usage(3)
            }
        }
    })
}

proptest! {
    #[test]
    fn any_events_make_a_stream_of_the_dialect(events in prop::collection::vec(any_event(), 0..30)) {
        let stream = render(true, &events);
        let mut opened = std::collections::BTreeSet::new();
        let mut finished = std::collections::BTreeSet::new();
        let mut calls = std::collections::BTreeSet::new();
        let lines: Vec<_> = stream.split_terminator("\n\n").collect();
        for (at, line) in lines.iter().enumerate() {
            let data = line.strip_prefix("data: ").unwrap();
            if data == "[DONE]" {
                prop_assert_eq!(at + 1, lines.len());
                prop_assert_eq!(&opened, &finished);
                break;
            }
            let chunk: Value = serde_json::from_str(data).unwrap();
            let Some(choice) = chunk["choices"].get(0) else { continue };
            let index = choice["index"].as_u64().unwrap();
            prop_assert_eq!(choice["delta"].get("role").is_some(), opened.insert(index));
            prop_assert!(!finished.contains(&index));
            for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
                let is_new = calls.insert((index, call["index"].as_u64().unwrap()));
                prop_assert_eq!(call.get("id").is_some(), is_new);
            }
            if !choice["finish_reason"].is_null() {
                finished.insert(index);
            }
        }
    }
}
