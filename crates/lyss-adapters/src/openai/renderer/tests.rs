use bytes::BytesMut;
use lyss_domain::{Timestamp, TokenUsage};

use super::ChatRenderer;
use crate::Fault;
use crate::conversation::{ChatEvent, FinishReason, ReplyHead};
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
