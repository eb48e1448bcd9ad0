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
        vec![start(), start()],
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
