use std::fs;
use std::path::Path;

use bytes::Bytes;
use lyss_domain::FaultKind;

use super::*;
use crate::dialect::Tap;
use crate::tap::StreamTap;

fn tapped(case: &str, by: usize) -> Tapped {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/google");
    let stream = fs::read(root.join(case).join("stream.sse")).unwrap();
    let mut tap = StreamTap::new(ChunkLook);
    let mut passed = Vec::new();
    for piece in stream.chunks(by) {
        passed.extend_from_slice(&tap.feed(Bytes::copy_from_slice(piece)));
    }
    passed.extend_from_slice(&tap.finish());
    assert_eq!(passed, stream, "every byte passes");
    tap.tapped().clone()
}

#[test]
fn usage_text_and_the_end_are_seen() {
    for by in [1, 13, 1 << 20] {
        let seen = tapped("thinking", by);
        assert!(seen.started && seen.content && seen.ended);
        let usage = seen.usage.unwrap();
        assert_eq!((usage.input, usage.output, usage.reasoning), (8, 25, 23));
        assert_eq!(seen.events, 3);
        assert_eq!(seen.generated_bytes, "**Adding**\\n\\nTwo and two are four.Four.".len() as u64);
    }
    // The arguments' JSON counts, with its brackets and the name.
    let seen = tapped("tools-parallel", 64);
    assert!(seen.generated_bytes > "Let me look.".len() as u64 + 40);
}

#[test]
fn only_a_finish_reason_ends_a_stream() {
    assert!(tapped("prompt-blocked", 9).ended);
    let seen = tapped("stream-error", 9);
    assert!(!seen.ended && seen.content);
    assert_eq!(seen.fault.unwrap().kind, FaultKind::Overloaded);
    let mut tap = StreamTap::new(ChunkLook);
    let talk =
        r#"data: {"candidates":[{"content":{"parts":[{"text":"\"finishReason\":\"STOP\" \"error\":{"}]}}]}"#;
    tap.feed(Bytes::from(format!("{talk}\n\n")));
    assert!(!tap.tapped().ended && tap.tapped().fault.is_none());
    // A tool's arguments may have any names.
    let call = r#"data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"finishReason":"x","error":{"a":1}}}}]}}]}"#;
    tap.feed(Bytes::from(format!("{call}\n\n")));
    assert!(!tap.tapped().ended && tap.tapped().fault.is_none());
}

#[test]
fn a_whole_answer_tells_its_usage() {
    let body = br#"{"candidates":[{"content":{"parts":[{"text":"\"usageMetadata\":{}"}]}}],"usageMetadata":{"promptTokenCount":3,"totalTokenCount":5}}"#;
    let usage = usage_of_reply(body).unwrap();
    assert_eq!((usage.input, usage.output), (3, 2));
    assert_eq!(usage_of_reply(b"{}"), None);
}
