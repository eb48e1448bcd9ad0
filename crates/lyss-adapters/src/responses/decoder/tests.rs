use bytes::Bytes;
use lyss_wire::SseFramer;
use serde_json::{Value, json};

use super::*;
use crate::FinishReason;

fn feed(events: &[Value]) -> (Vec<ChatEvent>, Result<(), Fault>) {
    let mut decoder = ResponseDecoder::default();
    let mut out = Vec::new();
    let mut framer = SseFramer::new(1 << 20);
    let mut frames = Vec::new();
    for event in events {
        framer.feed(&Bytes::from(format!("data: {event}\n\n")), &mut frames).unwrap();
    }
    let mut result = Ok(());
    for frame in &frames {
        result = result.and(decoder.feed(frame, &mut out));
    }
    (out, result)
}

fn told(events: &[Value]) -> Vec<String> {
    let (out, result) = feed(events);
    result.unwrap();
    out.iter()
        .map(|event| match event {
            ChatEvent::Start(head) => format!("start {}", head.id),
            ChatEvent::Text { text, .. } => format!("text {text}"),
            ChatEvent::Reasoning { text, .. } => format!("reasoning {text}"),
            ChatEvent::ReasoningSeal { seal, .. } => format!("seal {} {:?}", seal.data, seal.id),
            ChatEvent::Refusal { text, .. } => format!("refusal {text}"),
            ChatEvent::ToolCallStart { call, id, name, custom, .. } => {
                format!("call {call} {id} {name} {custom}")
            }
            ChatEvent::ToolCallArguments { call, text, .. } => format!("arguments {call} {text}"),
            ChatEvent::Finish { reason, .. } => format!("finish {reason:?}"),
            ChatEvent::Citation { citation, .. } => format!("citation {:?}", citation.span),
            ChatEvent::Logprobs { tokens, .. } => format!("tokens {}", tokens.len()),
            ChatEvent::Media { media, .. } => format!("media {:?}", media.mime),
            ChatEvent::Usage(usage) => format!("usage {}", usage.total()),
            other => format!("{other:?}"),
        })
        .collect()
}

fn message() -> Value {
    json!({"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Hello", "annotations": [
        {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 5}]}]})
}

fn completed(output: &Value) -> Value {
    json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": output,
        "usage": {"input_tokens": 2, "output_tokens": 3}}})
}

#[test]
fn what_is_said_again_and_again_is_told_once() {
    let events = [
        json!({"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}),
        json!({"type": "response.in_progress", "response": {"id": "resp_1"}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "msg_1", "content": []}}),
        json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "msg_1", "delta": "Hel"}),
        json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "msg_1", "delta": "lo"}),
        json!({"type": "response.output_text.annotation.added", "output_index": 0, "content_index": 0, "annotation_index": 0,
            "annotation": {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 5}}),
        json!({"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "Hello"}),
        json!({"type": "response.content_part.done", "output_index": 0, "content_index": 0, "part": message()["content"][0]}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": message()}),
        completed(&json!([message()])),
        json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "late"}),
    ];
    let expected =
        ["start resp_1", "text Hel", "text lo", "citation Some((0, 5))", "finish Stop", "usage 5", "End"];
    assert_eq!(told(&events), expected);
}

#[test]
fn what_comes_whole_only_is_told_all_the_same() {
    let expected = ["start resp_1", "text Hello", "citation Some((0, 5))", "finish Stop", "usage 5", "End"];
    let created = json!({"type": "response.created", "response": {"id": "resp_1"}});
    let done =
        json!({"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "Hello"});
    let item = json!({"type": "response.output_item.done", "output_index": 0, "item": message()});
    let last = completed(&json!([message()]));
    assert_eq!(told(&[created.clone(), done, last.clone()]), expected);
    assert_eq!(told(&[created, item, last.clone()]), expected);
    assert_eq!(told(&[last]), expected);
}

#[test]
fn reasoning_has_a_blank_line_between_its_parts_and_then_its_seal() {
    let delta = |at: u64, text: &str| json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": at, "delta": text});
    let item = json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA", "summary": [
        {"type": "summary_text", "text": "One."}, {"type": "summary_text", "text": "Two."}]});
    let done = json!({"type": "response.output_item.done", "output_index": 0, "item": item});
    let events = [delta(0, "On"), delta(0, "e."), delta(1, "Two."), done.clone(), done.clone()];
    let expected = ["reasoning On", "reasoning e.", "reasoning \n\nTwo.", "seal gAAA Some(\"rs_1\")"];
    assert_eq!(told(&events), expected);
    assert_eq!(told(&[done]), ["reasoning One.", "reasoning \n\nTwo.", "seal gAAA Some(\"rs_1\")"]);
}

#[test]
fn calls_are_counted_whatever_stands_between() {
    let added = |at: u64, kind: &str, name: &str| {
        json!({"type": "response.output_item.added", "output_index": at,
            "item": {"type": kind, "id": format!("fc_{at}"), "call_id": format!("call_{at}"), "name": name, "arguments": ""}})
    };
    let events = [
        added(0, "reasoning", ""),
        added(1, "function_call", "f"),
        json!({"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{}"}),
        json!({"type": "response.function_call_arguments.done", "output_index": 1, "arguments": "{}"}),
        added(3, "custom_tool_call", "g"),
        json!({"type": "response.custom_tool_call_input.done", "item_id": "fc_3", "input": "x"}),
        completed(&json!([])),
    ];
    assert_eq!(
        told(&events),
        [
            "call 0 call_1 f false",
            "arguments 0 {}",
            "call 1 call_3 g true",
            "arguments 1 x",
            "start resp_1",
            "finish ToolCalls",
            "usage 5",
            "End"
        ]
    );
}

#[test]
fn failures_are_faults_and_no_ends() {
    for event in [
        json!({"type": "error", "code": "server_error", "message": "Oops.", "param": null}),
        json!({"type": "error", "error": {"type": "server_error", "code": "server_error", "message": "Oops."}}),
        json!({"type": "response.failed", "response": {"id": "r", "status": "failed",
            "error": {"code": "server_error", "message": "Oops."}}}),
    ] {
        let (out, result) = feed(&[event, completed(&json!([]))]);
        result.unwrap();
        assert!(matches!(out.last(), Some(ChatEvent::Fault(fault)) if fault.message == "Oops."), "{out:?}");
    }
    let cut = feed(&[json!({"type": "response.output_text.done", "output_index": 0, "text": "Hello"})]).0;
    assert!(!cut.iter().any(|event| matches!(event, ChatEvent::End)));
}

#[test]
fn an_incomplete_response_says_why() {
    let event = json!({"type": "response.incomplete", "response": {"id": "r", "status": "incomplete", "output": [],
        "incomplete_details": {"reason": "content_filter"}}});
    let (out, _) = feed(&[event]);
    assert!(
        out.iter()
            .any(|event| matches!(event, ChatEvent::Finish { reason: FinishReason::ContentFilter, .. }))
    );
}

#[test]
fn a_flood_of_items_is_a_fault() {
    let events: Vec<_> = (0..2_000_u64)
        .map(|at| json!({"type": "response.output_text.delta", "output_index": at, "content_index": 0, "delta": "x"}))
        .collect();
    assert_eq!(feed(&events).1.unwrap_err().kind, FaultKind::Protocol);
}
