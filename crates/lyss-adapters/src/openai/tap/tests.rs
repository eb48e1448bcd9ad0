use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::dialect::Tap;
use crate::tap::{MAX_EVENT_BYTES, StreamTap};

const ROLE: &str =
    r#"data: {"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"usage":null}"#;
const TEXT: &str = r#"data: {"id":"c","choices":[{"index":0,"delta":{"content":"say \"usage\": {\"prompt_tokens\":9} 两"}}],"usage":null}"#;
const TOOL: &str = r#"data: {"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"look","arguments":"{\"a\":1}"}}]}}]}"#;
const STOP: &str = r#"data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const USAGE: &str = r#"data: {"id":"c","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":2}}}"#;
const DONE: &str = "data: [DONE]";

fn stream(line_end: &str) -> String {
    let blank = format!("{line_end}{line_end}");
    let events = [": hi", ROLE, TEXT, TOOL, STOP, USAGE, DONE];
    events.iter().map(|event| format!("{event}{blank}")).collect()
}

fn run(input: &str, cuts: &[usize], hide: bool) -> (String, Tapped) {
    let mut tap = StreamTap::new(ChunkLook { hide_usage: hide });
    let mut out = Vec::new();
    let mut from = 0;
    for cut in cuts.iter().copied().chain([input.len()]) {
        let cut = cut.clamp(from, input.len());
        out.extend_from_slice(&tap.feed(Bytes::copy_from_slice(&input.as_bytes()[from..cut])));
        from = cut;
    }
    out.extend_from_slice(&tap.finish());
    (String::from_utf8(out).unwrap(), tap.tapped().clone())
}

fn assert_seen(seen: &Tapped, context: &str) {
    let usage = TokenUsage { input: 5, cache_read: 2, output: 3, ..TokenUsage::default() };
    assert_eq!(seen.usage, Some(usage), "{context}");
    assert_eq!((seen.events, seen.content, seen.ended), (2, true, true), "{context}");
    assert!(seen.fault.is_none(), "{context}");
}

#[test]
fn any_split_passes_every_byte_and_sees_the_same() {
    for line_end in ["\n", "\r\n", "\r"] {
        let input = stream(line_end);
        for cut in 0..=input.len() {
            let (out, seen) = run(&input, &[cut], false);
            assert_eq!(out, input);
            assert_seen(&seen, &format!("{line_end:?} cut at {cut}"));
        }
    }
}

#[test]
fn any_split_takes_out_the_usage_chunk_and_nothing_else() {
    for line_end in ["\n", "\r\n"] {
        let input = stream(line_end);
        let expected = input.replace(&format!("{USAGE}{line_end}{line_end}"), "");
        for cut in 0..=input.len() {
            let (out, seen) = run(&input, &[cut], true);
            assert_eq!(out, expected, "{line_end:?} cut at {cut}");
            assert_seen(&seen, &format!("{line_end:?} cut at {cut}"));
        }
    }
}

#[test]
fn a_stream_cut_anywhere_never_looks_ended() {
    let input = stream("\n");
    let done = input.len() - 2 - DONE.len();
    for cut in 0..=done {
        let (out, seen) = run(std::str::from_utf8(&input.as_bytes()[..cut]).unwrap_or(""), &[], false);
        assert!(input.starts_with(&out));
        assert!(!seen.ended, "cut at {cut}");
    }
}

#[test]
fn whole_events_pass_without_a_copy() {
    let bytes = Bytes::from(stream("\n"));
    let mut tap = StreamTap::new(ChunkLook { hide_usage: false });
    let out = tap.feed(bytes.clone());
    assert_eq!(out.as_ptr(), bytes.as_ptr());
    assert!(tap.feed(Bytes::from_static(b"data: {")).is_empty(), "an unfinished event waits");
    assert_eq!(tap.feed(Bytes::from_static(b"}\n\n")), "data: {}\n\n");
}

#[test]
fn usage_beside_a_choice_stays() {
    let input = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\
        \"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
    let (out, seen) = run(input, &[], true);
    assert_eq!(out, input);
    assert_eq!(seen.usage.unwrap().output, 2);
}

#[test]
fn an_error_in_the_stream_is_a_fault() {
    let (_, seen) =
        run("data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\"}}\n\n", &[], false);
    assert!(seen.fault.is_some());
    assert!(!seen.ended);
}

#[test]
fn an_error_is_seen_beside_choices_and_without_its_name() {
    let fault = |data: &str| run(&format!("data: {data}\n\n"), &[], false).1.fault.map(|fault| fault.kind);
    let beside = r#"{"error":{"code":429,"message":"slow"},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}"#;
    assert_eq!(fault(beside), Some(lyss_domain::FaultKind::VendorRateLimited));
    let unnamed = r#"{"object":"error","message":"too long","code":400}"#;
    assert_eq!(fault(unnamed), Some(lyss_domain::FaultKind::BadRequest));
    assert_eq!(fault(r#"{"choices":[{"delta":{"content":"an \"error\": {}"}}],"error":null}"#), None);
}

#[test]
fn an_endless_event_is_bounded() {
    for hide in [false, true] {
        let mut tap = StreamTap::new(ChunkLook { hide_usage: hide });
        let mut passed = 0;
        let pieces = MAX_EVENT_BYTES / 100_000 + 20;
        for _ in 0..pieces {
            passed += tap.feed(Bytes::from(vec![b'x'; 100_000])).len();
            assert!(tap.carry.capacity() <= 2 * MAX_EVENT_BYTES + 200_000);
        }
        assert!(!tap.at_boundary());
        passed += tap.feed(Bytes::from_static(b"\n\ndata: [DONE]\n\n")).len();
        assert_eq!(passed, pieces * 100_000 + 16);
        assert!(tap.tapped().ended && tap.at_boundary());
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_pass_unchanged(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..12),
    ) {
        let mut tap = StreamTap::new(ChunkLook { hide_usage: false });
        let mut out = Vec::new();
        for chunk in &chunks {
            out.extend_from_slice(&tap.feed(Bytes::from(chunk.clone())));
        }
        out.extend_from_slice(&tap.finish());
        prop_assert_eq!(out, chunks.concat());
    }
}

#[test]
fn a_compound_answers_usage_is_the_sum_and_no_models_share() {
    let share = r#"{"model":"a","usage":{"prompt_tokens":3,"completion_tokens":1}}"#;
    for answer in [
        format!(
            r#"{{"usage":{{"prompt_tokens":9,"completion_tokens":4}},"usage_breakdown":{{"models":[{share}]}}}}"#
        ),
        format!(
            r#"{{"usage_breakdown":{{"models":[{share}]}},"usage":{{"prompt_tokens":9,"completion_tokens":4}}}}"#
        ),
    ] {
        let sum = TokenUsage { input: 9, output: 4, ..TokenUsage::default() };
        assert_eq!(usage_of_reply(answer.as_bytes()), Some(sum), "{answer}");
    }
    // A chunk whose own usage is empty may tell it under the vendor's name.
    let told = r#"{"usage":null,"x_groq":{"usage":{"prompt_tokens":9,"completion_tokens":4}}}"#;
    assert_eq!(usage_of_reply(told.as_bytes()).map(|usage| usage.input), Some(9));
}
