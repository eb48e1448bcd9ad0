use lyss_domain::{FaultKind, TokenUsage};
use lyss_wire::SseFrame;
use serde_json::{Value, json};

use super::MessagesDecoder;
use crate::Fault;
use crate::conversation::{ChatEvent, FinishReason};
use crate::dialect::Decoder;

fn decode(events: &[Value]) -> (Vec<ChatEvent>, Result<(), Fault>) {
    let mut decoder = MessagesDecoder::default();
    let mut out = Vec::new();
    for event in events {
        let frame = SseFrame { event: None, data: event.to_string().into_bytes() };
        if let Err(fault) = decoder.feed(&frame, &mut out) {
            return (out, Err(fault));
        }
    }
    (out, Ok(()))
}

fn start() -> Value {
    json!({"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {"input_tokens": 3}}})
}

fn text_block(index: u64) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}})
}

fn text(index: u64, text: &str) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}})
}

fn stop(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

#[test]
fn events_out_of_order_are_a_protocol_fault() {
    for events in [
        vec![text_block(0)],
        vec![json!({"type": "message_stop"})],
        vec![start(), text_block(0), start()],
        vec![start(), text(0, "a")],
        vec![start(), stop(0)],
        vec![start(), text_block(0), text_block(0)],
        vec![start(), text_block(0), stop(0), text(0, "late")],
        vec![start(), json!({"type": "content_block_delta"})],
        vec![json!({"type": "message_start"})],
        vec![json!("not an object")],
    ] {
        let (_, result) = decode(&events);
        assert_eq!(result.unwrap_err().kind, FaultKind::Protocol, "{events:?}");
    }
}

#[test]
fn nothing_is_read_behind_the_end_or_a_fault() {
    let end = json!({"type": "message_stop"});
    let (events, result) = decode(&[start(), end, text(7, "late"), json!({"type": "error"})]);
    result.unwrap();
    assert!(matches!(events.last(), Some(ChatEvent::End)));
    let mut decoder = MessagesDecoder::default();
    let mut out = Vec::new();
    let bad = SseFrame { event: None, data: b"\xff".to_vec() };
    decoder.feed(&bad, &mut out).unwrap_err();
    decoder.feed(&SseFrame { event: None, data: start().to_string().into_bytes() }, &mut out).unwrap();
    assert!(out.is_empty());
}

#[test]
fn open_blocks_are_bounded() {
    let events: Vec<_> = std::iter::once(start()).chain((0..300).map(text_block)).collect();
    assert_eq!(decode(&events).1.unwrap_err().kind, FaultKind::Protocol);
    let one_by_one: Vec<_> =
        std::iter::once(start()).chain((0..300).flat_map(|at| [text_block(at), stop(at)])).collect();
    decode(&one_by_one).1.unwrap();
}

#[test]
fn arguments_given_whole_are_told_once() {
    let tool = json!({"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}});
    let (events, result) = decode(&[
        start(),
        json!({"type": "content_block_start", "index": 0, "content_block": tool}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{\"a\":1}"}}),
        stop(0),
    ]);
    result.unwrap();
    let arguments: String = events
        .iter()
        .filter_map(|event| match event {
            ChatEvent::ToolCallArguments { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(arguments, r#"{"a":1}"#);
}

#[test]
fn later_usage_replaces_what_it_names() {
    let usage = json!({"input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 1,
        "cache_creation_input_tokens": 30, "cache_creation": {"ephemeral_1h_input_tokens": 20}});
    let (events, _) = decode(&[
        json!({"type": "message_start", "message": {"usage": usage}}),
        json!({"type": "message_delta", "delta": {"stop_reason": null}, "usage": {"output_tokens": 4}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9, "input_tokens": 6}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": "many"}}),
    ]);
    let last = events.iter().rev().find_map(|event| match event {
        ChatEvent::Usage(usage) => Some(*usage),
        _ => None,
    });
    let expected = TokenUsage {
        input: 6,
        cache_read: 7,
        cache_write: 10,
        cache_write_long: 20,
        output: 9,
        ..TokenUsage::default()
    };
    assert_eq!(last, Some(expected));
    let finishes: Vec<_> = events.iter().filter(|event| matches!(event, ChatEvent::Finish { .. })).collect();
    assert!(matches!(finishes.as_slice(), [ChatEvent::Finish { choice: 0, reason: FinishReason::Stop }]));
}

#[test]
fn an_error_without_words_is_still_a_fault() {
    let (events, result) = decode(&[json!({"type": "error"})]);
    result.unwrap();
    assert!(matches!(events.as_slice(), [ChatEvent::Fault(fault)] if fault.kind == FaultKind::VendorError));
}

#[test]
fn thoughts_and_their_seals_come_in_order() {
    use crate::conversation::SealKind;
    let thinking = |index: u64, signature: &str| {
        json!({"type": "content_block_start", "index": index,
            "content_block": {"type": "thinking", "thinking": "", "signature": signature}})
    };
    let delta =
        |index: u64, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let token = crate::conversation::Seal::new(SealKind::Google, "AQ==").to_token();
    let (events, result) = decode(&[
        start(),
        thinking(0, ""),
        delta(0, json!({"type": "thinking_delta", "thinking": "a"})),
        delta(0, json!({"type": "signature_delta", "signature": "own"})),
        stop(0),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "redacted_thinking", "data": "hidden"}}),
        stop(1),
        // Some servers give the signature in the block's start, whole.
        thinking(2, "given"),
        stop(2),
        thinking(3, ""),
        delta(3, json!({"type": "signature_delta", "signature": token})),
        stop(3),
        text_block(4),
        delta(4, json!({"type": "signature_delta", "signature": "stray"})),
    ]);
    result.unwrap();
    let told: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            ChatEvent::Reasoning { text, .. } => Some((None, text.clone())),
            ChatEvent::ReasoningSeal { seal, .. } => Some((Some(seal.kind), seal.data.clone())),
            _ => None,
        })
        .collect();
    let expected = [
        (None, "a".to_owned()),
        (Some(SealKind::AnthropicSignature), "own".to_owned()),
        (Some(SealKind::AnthropicRedacted), "hidden".to_owned()),
        (Some(SealKind::AnthropicSignature), "given".to_owned()),
        (Some(SealKind::Google), "AQ==".to_owned()),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_refusal_is_told_with_its_reason_and_the_tier_in_openais_words() {
    let message = json!({"type": "message_start", "message": {"usage": {"service_tier": "standard", "input_tokens": 1}}});
    let details = json!({"type": "refusal", "category": "bio", "explanation": "Not this."});
    let usage = json!({"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}});
    let (events, _) = decode(&[
        message,
        json!({"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}, "usage": usage}),
    ]);
    assert!(matches!(&events[0], ChatEvent::Start(head) if head.service_tier.as_deref() == Some("default")));
    let words: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            ChatEvent::Refusal { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(words, ["Not this."]);
    let usage = events.iter().rev().find_map(|event| match event {
        ChatEvent::Usage(usage) => Some(*usage),
        _ => None,
    });
    assert_eq!(usage.map(|usage| (usage.input, usage.output, usage.reasoning)), Some((1, 9, 4)));
    assert!(matches!(events.last(), Some(ChatEvent::Finish { reason: FinishReason::Refusal, .. })));
}

#[test]
fn a_start_said_twice_is_one_start() {
    let (events, result) = decode(&[start(), start(), text_block(0), text(0, "a"), stop(0)]);
    assert!(result.is_ok());
    let starts = events.iter().filter(|event| matches!(event, ChatEvent::Start(_))).count();
    assert_eq!(starts, 1, "{events:?}");
}

#[test]
fn what_stands_in_the_start_is_told() {
    let message = json!({"id": "msg_1", "model": "m", "stop_reason": "tool_use", "content": [
        {"type": "code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": {"stdout": "4"}},
        {"type": "text", "text": "so"},
        {"type": "tool_use", "id": "toolu_1", "name": "find_customer", "input": {"number": 4}},
        {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
    ]});
    let begin = json!({"type": "message_start", "message": message});
    let (events, result) = decode(&[begin, json!({"type": "message_stop"})]);
    assert!(result.is_ok());
    let told: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            ChatEvent::Text { text, .. } => Some(text.clone()),
            ChatEvent::ToolCallStart { call, name, .. } => Some(format!("{call} {name}")),
            ChatEvent::ToolCallArguments { call, text, .. } => Some(format!("{call} {text}")),
            ChatEvent::Finish { reason, .. } => Some(format!("{reason:?}")),
            ChatEvent::End => Some("end".to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["so", "0 find_customer", r#"0 {"number":4}"#, "1 now", "1 {}", "ToolCalls", "end"]);
}
