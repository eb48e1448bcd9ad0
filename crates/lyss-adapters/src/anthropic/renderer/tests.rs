use lyss_domain::TokenUsage;
use serde_json::{Value, json};

use crate::Fault;
use crate::anthropic::tests::{assemble, render, values};
use crate::conversation::{ChatEvent, Citation, CitedPlace, FinishReason, ReplyHead, Seal, SealKind};

fn text(text: &str) -> ChatEvent {
    ChatEvent::Text { choice: 0, text: text.into() }
}

fn thought(text: &str) -> ChatEvent {
    ChatEvent::Reasoning { choice: 0, text: text.into() }
}

fn seal(kind: SealKind, data: &str) -> ChatEvent {
    ChatEvent::ReasoningSeal { choice: 0, seal: Seal::new(kind, data) }
}

fn call(call: u32) -> ChatEvent {
    ChatEvent::ToolCallStart { choice: 0, call, id: format!("call_{call}"), name: "f".into(), custom: false }
}

fn arguments(call: u32, text: &str) -> ChatEvent {
    ChatEvent::ToolCallArguments { choice: 0, call, text: text.into() }
}

fn names(events: &[ChatEvent]) -> Vec<String> {
    values(&render(events)).iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

fn content(mut events: Vec<ChatEvent>) -> Value {
    events.push(ChatEvent::End);
    assemble(&values(&render(&events)))["content"].clone()
}

#[test]
fn an_answer_begins_with_the_usage_so_far_and_ends_with_all_of_it() {
    let usage = |input, output| {
        ChatEvent::Usage(TokenUsage { input, output, cache_read: 3, ..TokenUsage::default() })
    };
    let head = ReplyHead { id: "chatcmpl-1".into(), model: "gpt".into(), ..ReplyHead::default() };
    let events = [
        ChatEvent::Start(head),
        usage(7, 0),
        text("a"),
        text("b"),
        ChatEvent::Finish { choice: 0, reason: FinishReason::StopSequence(Some("x".into())) },
        usage(8, 2),
        ChatEvent::End,
        text("late"),
    ];
    let told = values(&render(&events));
    let start = &told[0]["message"];
    assert_eq!(
        (&start["id"], &start["model"], &start["role"]),
        (&json!("msg_chatcmpl-1"), &json!("gpt"), &json!("assistant"))
    );
    assert_eq!((&start["content"], &start["usage"]["input_tokens"]), (&json!([]), &json!(7)));
    let delta = &told[told.len() - 2];
    assert_eq!(delta["delta"], json!({"stop_reason": "stop_sequence", "stop_sequence": "x"}));
    let expected = json!({"input_tokens": 8, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 3, "output_tokens": 2});
    assert_eq!(delta["usage"], expected);
    let expected = [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(names(&events), expected);
}

#[test]
fn an_empty_answer_still_has_its_frame() {
    assert_eq!(names(&[ChatEvent::End]), ["message_start", "message_delta", "message_stop"]);
    // An error before anything was shown stands alone.
    assert_eq!(names(&[ChatEvent::Fault(Fault::bad_request("no", None)), ChatEvent::End]), ["error"]);
}

#[test]
fn thoughts_end_with_a_signature_whosever_it_is() {
    let token = Seal::new(SealKind::Google, "AQ==").to_token();
    let told = content(vec![
        thought("a"),
        seal(SealKind::AnthropicSignature, "s"),
        thought("b"),
        seal(SealKind::Google, "AQ=="),
        seal(SealKind::Google, "AQ=="),
        thought("c"),
        seal(SealKind::AnthropicRedacted, "d"),
        thought("e"),
        text("f"),
    ]);
    let thinking =
        |text: &str, signature: &str| json!({"type": "thinking", "thinking": text, "signature": signature});
    let expected = json!([
        thinking("a", "s"),
        thinking("b", &token),
        {"type": "redacted_thinking", "data": token},
        thinking("c", ""),
        {"type": "redacted_thinking", "data": "d"},
        thinking("e", ""),
        {"type": "text", "text": "f"},
    ]);
    assert_eq!(told, expected);
}

#[test]
fn what_comes_while_a_call_is_unfinished_waits() {
    let told = content(vec![
        call(0),
        arguments(0, "{\"a\":"),
        call(1),
        arguments(1, "{\"b\":2}"),
        text("between"),
        arguments(0, "1} rest"),
        arguments(0, "more"),
        call(2),
        ChatEvent::Finish { choice: 0, reason: FinishReason::ToolCalls },
    ]);
    let tool = |at: u32, input: Value| json!({"type": "tool_use", "id": format!("call_{at}"), "name": "f", "input": input});
    let expected = json!([
        tool(0, json!({"a": 1})),
        tool(1, json!({"b": 2})),
        {"type": "text", "text": "between"},
        tool(2, json!({})),
    ]);
    assert_eq!(told, expected);
}

#[test]
fn arguments_that_are_no_object_are_wrapped() {
    let told = content(vec![
        call(0),
        arguments(0, " null"),
        call(1),
        arguments(1, "[1,"),
        arguments(1, "2]"),
        ChatEvent::Finish { choice: 0, reason: FinishReason::Stop },
    ]);
    assert_eq!((&told[0]["input"], &told[1]["input"]), (&json!({}), &json!({"_raw": "[1,2]"})));
}

#[test]
fn calls_that_merely_stopped_wait_for_results() {
    let events = [call(0), ChatEvent::Finish { choice: 0, reason: FinishReason::Stop }, ChatEvent::End];
    assert_eq!(assemble(&values(&render(&events)))["stop_reason"], "tool_use");
}

#[test]
fn a_citation_stands_in_the_text_it_backs() {
    let cited = ChatEvent::Citation {
        choice: 0,
        citation: Citation {
            place: CitedPlace::Document { index: 1, unit: "page", from: 2, to: 3 },
            title: Some("t".into()),
            cited_text: Some("c".into()),
            span: None,
        },
    };
    let told =
        content(vec![cited.clone(), text("a"), cited, ChatEvent::Text { choice: 1, text: "other".into() }]);
    let expected = json!([{"type": "text", "text": "a", "citations": [
        {"type": "page_location", "cited_text": "c", "document_index": 1, "document_title": "t",
            "start_page_number": 2, "end_page_number": 3}]}]);
    assert_eq!(told, expected);
}

#[test]
fn what_waits_is_bounded() {
    let piece = "x".repeat(1 << 20);
    let mut events = vec![call(0), arguments(0, "{\"a\":"), call(1)];
    events.extend((0..20).map(|_| arguments(1, &piece)));
    events.push(ChatEvent::End);
    assert_eq!(names(&events).last().unwrap(), "error");
}
