use lyss_domain::FaultKind;
use lyss_wire::SseFrame;
use serde_json::{Value, json};

use super::ChatDecoder;
use crate::Fault;
use crate::conversation::ChatEvent;
use crate::dialect::Decoder;

fn decode(chunks: &[Value]) -> (Vec<ChatEvent>, Result<(), Fault>) {
    let mut decoder = ChatDecoder::default();
    let mut events = Vec::new();
    for chunk in chunks {
        let data = chunk.as_str().map_or_else(|| chunk.to_string(), ToOwned::to_owned).into_bytes();
        if let Err(fault) = decoder.feed(&SseFrame { event: None, data }, &mut events) {
            return (events, Err(fault));
        }
    }
    (events, Ok(()))
}

fn call(delta: &Value) -> Value {
    json!({"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": [delta]}}]})
}

#[test]
fn a_call_never_begun_is_a_protocol_fault() {
    let (_, result) = decode(&[call(&json!({"index": 0, "function": {"arguments": "{}"}}))]);
    assert_eq!(result.unwrap_err().kind, FaultKind::Protocol);
}

#[test]
fn calls_without_an_index_go_on_with_the_latest() {
    let (events, result) = decode(&[
        call(&json!({"id": "a", "function": {"name": "f", "arguments": "{"}})),
        call(&json!({"function": {"arguments": "}"}})),
        call(&json!({"id": "b", "function": {"name": "g"}})),
        call(&json!({"id": "b", "function": {"arguments": "{}"}})),
    ]);
    result.unwrap();
    let calls: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            ChatEvent::ToolCallStart { call, id, .. } => Some((*call, id.as_str())),
            ChatEvent::ToolCallArguments { call, text, .. } => Some((*call, text.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(calls, [(0, "a"), (0, "{"), (0, "}"), (1, "b"), (1, "{}")]);
}

#[test]
fn floods_are_refused() {
    let calls: Vec<_> = (0..1_000)
        .map(|at| call(&json!({"index": at, "id": at.to_string(), "function": {"name": "f"}})))
        .collect();
    assert_eq!(decode(&calls).1.unwrap_err().kind, FaultKind::Protocol);
    let choice = json!({"choices": [{"index": 4_000_000_000_u32, "delta": {"content": "x"}}]});
    assert_eq!(decode(&[choice]).1.unwrap_err().kind, FaultKind::Protocol);
}

#[test]
fn nothing_is_read_behind_the_end() {
    let late = json!({"choices": [{"delta": {"content": "late"}}]});
    let (events, result) = decode(&[json!("[DONE]"), late, json!("{broken")]);
    result.unwrap();
    assert!(matches!(events.as_slice(), [ChatEvent::End]));
}

#[test]
fn unreadable_usage_costs_no_content() {
    let odd = json!({"choices": [{"delta": {"content": "x"}}], "usage": {"prompt_tokens": -1}});
    let (events, result) = decode(&[odd]);
    result.unwrap();
    assert!(events.iter().any(ChatEvent::is_content));
    assert!(!events.iter().any(|event| matches!(event, ChatEvent::Usage(_))));
}
