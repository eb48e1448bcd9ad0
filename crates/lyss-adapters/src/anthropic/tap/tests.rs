use bytes::Bytes;

use super::{EventLook, usage_of_reply};
use crate::dialect::{Tap, Tapped};
use crate::tap::StreamTap;

fn tapped(stream: &str) -> Tapped {
    let mut tap = StreamTap::new(EventLook::default());
    assert_eq!(tap.feed(Bytes::copy_from_slice(stream.as_bytes())), stream.as_bytes());
    tap.tapped().clone()
}

#[test]
fn generated_text_is_counted_and_nothing_else() {
    let stream = concat!(
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\\\"b\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"cd\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"long\"}}\n\n",
        // Without an event line, as some servers write.
        "data: {\"delta\":{\"text\":\"e\",\"type\":\"text_delta\"},\"type\":\"content_block_delta\"}\n\n",
    );
    let seen = tapped(stream);
    assert_eq!((seen.events, seen.generated_bytes), (3, 7));
    assert!(seen.started && seen.content && !seen.ended && seen.usage.is_none());
}

#[test]
fn a_ping_is_no_content_and_an_error_is_a_fault() {
    let seen = tapped("event: ping\ndata: {\"type\": \"ping\"}\n\n: heartbeat\n\n");
    assert!(seen.started && !seen.content);
    let seen = tapped(
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n",
    );
    assert_eq!(seen.fault.unwrap().kind, lyss_domain::FaultKind::Overloaded);
}

#[test]
fn usage_of_an_answer_is_its_own() {
    let body = br#"{"content":[{"type":"tool_use","input":{"usage":{"output_tokens":9}}}],"usage":{"input_tokens":1,"output_tokens":2}}"#;
    let usage = usage_of_reply(body).unwrap();
    assert_eq!((usage.input, usage.output), (1, 2));
    assert!(usage_of_reply(b"<html>").is_none() && usage_of_reply(br#"{"usage":null}"#).is_none());
}
