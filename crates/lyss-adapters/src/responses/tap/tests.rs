use bytes::Bytes;
use lyss_domain::{FaultKind, TokenUsage};

use super::EventLook;
use crate::dialect::{Tap, Tapped};
use crate::tap::StreamTap;

const CREATED: &str = "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"usage\":null}}\n\n";
const DELTA: &str = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"delta\":\"a\\\"delta\\\"b\",\"logprobs\":[]}\n\n";
const ARGUMENTS: &str =
    "data: {\"sequence_number\":2,\"type\":\"response.function_call_arguments.delta\",\"delta\":\"{}\"}\n\n";
const DONE: &str = "data: {\"item\":{\"type\":\"message\"},\"type\":\"response.output_item.done\"}\n\n";
const COMPLETED: &str = "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"tools\":[{\"usage\":{}}],\"usage\":{\"input_tokens\":5,\"output_tokens\":7},\"metadata\":{\"usage\":\"x\"}}}\n\n";

fn watch(stream: &str, cut: usize) -> Tapped {
    let bytes = Bytes::copy_from_slice(stream.as_bytes());
    let mut tap = StreamTap::new(EventLook);
    let mut out = tap.feed(bytes.slice(..cut)).to_vec();
    out.extend_from_slice(&tap.feed(bytes.slice(cut..)));
    out.extend_from_slice(&tap.finish());
    assert_eq!(out, stream.as_bytes(), "nothing is changed");
    tap.tapped().clone()
}

#[test]
fn usage_text_and_end_are_seen_wherever_the_stream_is_cut() {
    let stream = [CREATED, DELTA, ARGUMENTS, DONE, COMPLETED].concat();
    for cut in 0..=stream.len() {
        let seen = watch(&stream, cut);
        assert_eq!(seen.usage, Some(TokenUsage { input: 5, output: 7, ..TokenUsage::default() }));
        assert!(seen.started && seen.content && seen.ended && seen.fault.is_none());
        assert_eq!((seen.events, seen.generated_bytes), (2, 13));
    }
}

#[test]
fn only_the_last_event_ends_a_stream() {
    let seen = watch(&[CREATED, DELTA, DONE].concat(), 0);
    assert!(seen.content && !seen.ended);
    let seen = watch(CREATED, 0);
    assert!(seen.started && !seen.content);
    let incomplete = COMPLETED.replace("response.completed", "response.incomplete");
    assert!(watch(&incomplete, 0).ended);
}

#[test]
fn a_failure_and_an_error_are_faults() {
    let failed = "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"Slow down.\"},\"usage\":{\"input_tokens\":1}}}\n\n";
    let seen = watch(failed, 0);
    assert_eq!(seen.fault.as_ref().map(|fault| fault.kind), Some(FaultKind::VendorRateLimited));
    assert!(!seen.ended);
    assert_eq!(seen.usage.map(|usage| usage.input), Some(1));
    let error =
        "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"Oops.\"}\n\n";
    assert_eq!(watch(error, 0).fault.map(|fault| fault.message).as_deref(), Some("Oops."));
}

/// A picture makes the last event longer than is looked into.
#[test]
fn a_last_event_too_long_to_look_into_still_ends_the_stream() {
    let picture = format!("\"output\":[{{\"result\":\"{}\"}}],\"tools\"", "A".repeat(3 << 20));
    let completed = COMPLETED.replace("\"tools\"", &picture);
    let bytes = Bytes::from([CREATED, DELTA, &completed, "data: {\"type\":\"error\"}\n\n"].concat());
    for piece in [7_777, 1 << 16, 5 << 20] {
        let mut tap = StreamTap::new(EventLook);
        let mut out = Vec::new();
        let mut ended_at_last = false;
        for from in (0..bytes.len()).step_by(piece) {
            out.extend_from_slice(&tap.feed(bytes.slice(from..bytes.len().min(from + piece))));
            ended_at_last = tap.tapped().ended;
        }
        assert_eq!(out, bytes);
        // In a single piece the event is whole when it is looked at.
        assert!(ended_at_last && tap.tapped().fault.is_some());
        assert_eq!(tap.tapped().usage.map(|usage| (usage.input, usage.output)), Some((5, 7)));
    }
}

#[test]
fn the_end_of_a_long_event_is_seen_wherever_it_is_cut() {
    for line_end in ["\n", "\r\n", "\r"] {
        let picture = format!("\"output\":[{{\"result\":\"{}\"}}],\"tools\"", "A".repeat(2 << 20));
        let long = COMPLETED.replace("\"tools\"", &picture).replace('\n', line_end);
        let bytes = Bytes::from(format!("{long}{}", DELTA.replace('\n', line_end)));
        let first = 3 << 19;
        for cut in long.len() - 6..long.len() + 6 {
            let mut tap = StreamTap::new(EventLook);
            let mut out = Vec::new();
            for (from, to) in [(0, first), (first, cut), (cut, bytes.len())] {
                out.extend_from_slice(&tap.feed(bytes.slice(from..to)));
            }
            out.extend_from_slice(&tap.finish());
            assert_eq!(out, bytes);
            assert!(tap.tapped().ended && tap.tapped().events == 1, "{line_end:?} cut at {cut}");
        }
    }
}
