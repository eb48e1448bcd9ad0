//! Recorded conversations through the seam, and the same streams cut and split everywhere.
//!
//! Every folder of `tests/fixtures/<dialect>/` is a case; a file that is not there is not asked for. An OpenAI caller's
//! request (`openai-request.json` where the folder is another dialect's) gives `anthropic.json` or `encoded.json` and
//! `losses.json`; `reply.json` (the vendor's) gives `openai.json`; `stream.sse` (the vendor's) gives `openai.sse`.

pub(crate) mod strangers;

use std::fs;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use lyss_domain::Timestamp;
use lyss_wire::SseFramer;
use proptest::prelude::*;
use serde_json::Value;

use self::strangers::{any_event, any_json, replace_one};
use crate::dialect::{CallerSide, Dialect, Encoding, Rendering, VendorSide};
use crate::{ChatCall, ChatEvent, Fault, scan};

const EVENT_BYTES: usize = 1 << 20;
const FOLDERS: [(&str, Dialect, &str); 2] = [
    ("anthropic", Dialect::AnthropicMessages, "anthropic.json"),
    ("openai", Dialect::OpenAiChat, "encoded.json"),
];

/// An OpenAI caller's request.
const fn request_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenAiChat => "request.json",
        _ => "openai-request.json",
    }
}

struct Case {
    path: PathBuf,
    dialect: Dialect,
    encoded_name: &'static str,
}

impl Case {
    fn file(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.path.join(name)).ok()
    }

    fn json(&self, name: &str) -> Option<Value> {
        self.file(name).map(|text| serde_json::from_slice(&text).unwrap())
    }
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let mut cases = Vec::new();
    for (folder, dialect, encoded_name) in FOLDERS {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                cases.push(Case { path, dialect, encoded_name });
            }
        }
    }
    cases
}

fn caller() -> &'static dyn CallerSide {
    Dialect::OpenAiChat.caller().unwrap()
}

fn parse(body: &[u8]) -> Result<ChatCall, Fault> {
    caller().parse(&scan(Dialect::OpenAiChat, body.to_vec().into())?)
}

fn vendor(dialect: Dialect) -> &'static dyn VendorSide {
    dialect.vendor().unwrap()
}

fn rendering() -> Rendering {
    Rendering { include_usage: true, ..Rendering::at(Timestamp::from_millis(1_700_000_000_000)) }
}

/// What a reader of the stream sees: the events, rendered one by one, with the pieces given.
fn decode(dialect: Dialect, pieces: &[&[u8]]) -> (Vec<ChatEvent>, Result<(), Fault>) {
    let mut framer = SseFramer::new(EVENT_BYTES);
    let mut decoder = vendor(dialect).decoder();
    let mut frames = Vec::new();
    let mut events = Vec::new();
    for piece in pieces {
        framer.feed(piece, &mut frames).unwrap();
    }
    framer.finish(&mut frames).unwrap();
    let mut result = Ok(());
    for frame in &frames {
        result = result.and(decoder.feed(frame, &mut events));
    }
    (events, result.and(decoder.finish(&mut Vec::new())))
}

fn render(events: &[ChatEvent]) -> Vec<u8> {
    let mut renderer = caller().renderer(&rendering());
    let mut out = BytesMut::new();
    for event in events {
        renderer.event(event, &mut out);
    }
    out.to_vec()
}

/// A rendered stream as values; the end marker as the string it is.
fn values(stream: &[u8]) -> Vec<Value> {
    let mut framer = SseFramer::new(EVENT_BYTES);
    let mut frames = Vec::new();
    framer.feed(stream, &mut frames).unwrap();
    framer.finish(&mut frames).unwrap();
    let value = |data: &[u8]| match data {
        b"[DONE]" => Value::from("[DONE]"),
        json => serde_json::from_slice(json).unwrap(),
    };
    frames.iter().map(|frame| value(&frame.data)).collect()
}

#[test]
fn requests_are_encoded_as_recorded() {
    let mut seen = 0;
    for case in cases() {
        let Some(request) = case.file(request_name(case.dialect)) else { continue };
        let Some(expected) = case.json(case.encoded_name) else { continue };
        let name = case.path.display();
        let call = parse(&request).unwrap();
        let encoded = vendor(case.dialect).encode(&call, &Encoding::plain(&call.model)).unwrap();
        let body: Value = serde_json::from_slice(&encoded.body).unwrap();
        assert_eq!(body, expected, "{name}");
        if let Some(losses) = case.file("losses.json") {
            let mut reported: Vec<_> = encoded.losses.iter().map(|loss| caller().path(loss)).collect();
            let mut losses: Vec<String> = serde_json::from_slice(&losses).unwrap();
            reported.sort();
            losses.sort();
            assert_eq!(reported, losses, "{name}");
        }
        seen += 1;
    }
    assert!(seen >= 8, "only {seen} requests found");
}

#[test]
fn replies_are_rendered_as_recorded() {
    let mut seen = 0;
    for case in cases() {
        let Some(reply) = case.file("reply.json") else { continue };
        let Some(expected) = case.json("openai.json") else { continue };
        let reply = vendor(case.dialect).decode(&reply).unwrap();
        let rendered: Value = serde_json::from_slice(&caller().render(&reply, &rendering())).unwrap();
        assert_eq!(rendered, expected, "{}", case.path.display());
        seen += 1;
    }
    assert!(seen >= 10, "only {seen} replies found");
}

#[test]
fn streams_are_rendered_as_recorded() {
    let mut seen = 0;
    for case in cases() {
        let Some(stream) = case.file("stream.sse") else { continue };
        let Some(expected) = case.file("openai.sse") else { continue };
        let name = case.path.display();
        let (events, result) = decode(case.dialect, &[&stream]);
        result.unwrap();
        assert_eq!(values(&render(&events)), values(&expected), "{name}");
        seen += 1;
    }
    assert!(seen >= 15, "only {seen} streams found");
}

/// Cut anywhere, a stream yields a beginning of what the whole yields, and is complete only with its end marker.
#[test]
fn a_cut_stream_is_a_beginning_of_the_whole() {
    for case in cases() {
        let Some(stream) = case.file("stream.sse") else { continue };
        let (whole, _) = decode(case.dialect, &[&stream]);
        let whole: Vec<_> = whole.iter().map(|event| format!("{event:?}")).collect();
        for end in 0..stream.len() {
            let (events, result) = decode(case.dialect, &[&stream[..end]]);
            // The last event may be cut within its data, which then cannot be read.
            let cut: Vec<_> = events.iter().map(|event| format!("{event:?}")).collect();
            assert!(whole.starts_with(&cut), "{} cut at {end}", case.path.display());
            let terminals =
                events.iter().filter(|event| matches!(event, ChatEvent::End | ChatEvent::Fault(_))).count();
            assert!(terminals + usize::from(result.is_err()) <= 1, "{} cut at {end}", case.path.display());
        }
    }
}

/// One chunk per choice says why it finished, nothing stands behind the terminal, deltas of a call follow its start.
fn assert_grammar(rendered: &[u8]) {
    let chunks = values(rendered);
    let is_terminal = |chunk: &Value| chunk == "[DONE]" || chunk.get("error").is_some();
    let terminal = chunks.iter().position(is_terminal);
    assert!(terminal.is_none_or(|at| at + 1 == chunks.len()), "something follows the end");
    let mut finished = Vec::new();
    let mut started = Vec::new();
    let mut opened = Vec::new();
    for choice in chunks.iter().filter_map(|chunk| chunk.get("choices")?.get(0)) {
        let index = choice["index"].clone();
        assert!(!finished.contains(&index), "a chunk behind the finish");
        let is_role = choice["delta"].get("role").is_some();
        assert_eq!(is_role, !opened.contains(&index), "the role comes first and once");
        opened.push(index.clone());
        for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let key = (index.clone(), call["index"].clone());
            assert_eq!(call.get("id").is_some(), !started.contains(&key), "a call starts once, and first");
            started.push(key);
        }
        if !choice["finish_reason"].is_null() {
            finished.push(index);
        }
    }
    if chunks.last().is_some_and(|chunk| chunk == "[DONE]") {
        assert!(opened.iter().all(|choice| finished.contains(choice)), "an unfinished choice");
    }
}

/// Everything that reads what strangers wrote.
fn read_everything(bytes: &[u8]) {
    let body = bytes::Bytes::copy_from_slice(bytes);
    if let Ok(call) = parse(bytes) {
        for (_, dialect, _) in FOLDERS {
            if let Ok(encoded) = vendor(dialect).encode(&call, &Encoding::plain("m")) {
                serde_json::from_slice::<&serde_json::value::RawValue>(&encoded.body).unwrap();
            }
        }
    }
    for (_, dialect, _) in FOLDERS {
        let side = vendor(dialect);
        if let Ok(reply) = side.decode(bytes) {
            serde_json::from_slice::<Value>(&caller().render(&reply, &rendering())).unwrap();
        }
        for status in [400, 401, 404, 429, 500] {
            let status = http::StatusCode::from_u16(status).unwrap();
            let fault = side.read_fault(status, &http::HeaderMap::new(), &body);
            serde_json::from_slice::<Value>(&caller().render_fault(&fault)).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn the_renderer_holds_its_grammar(events in prop::collection::vec(any_event(), 0..24)) {
        assert_grammar(&render(&events));
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_everything(&bytes);
        for (_, dialect, _) in FOLDERS {
            assert_grammar(&render(&decode(dialect, &[&bytes]).0));
        }
    }

    #[test]
    fn any_json_is_survived(values in prop::collection::vec(any_json(), 1..6)) {
        let mut stream = Vec::new();
        for value in &values {
            read_everything(value.to_string().as_bytes());
            stream.extend_from_slice(format!("data: {value}\n\n").as_bytes());
        }
        for (_, dialect, _) in FOLDERS {
            assert_grammar(&render(&decode(dialect, &[&stream]).0));
        }
    }
}

proptest! {
    // Each walks all recordings.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_split_yields_the_same_events(seed in any::<u64>(), pieces in 2..40_usize) {
        for case in cases() {
            let Some(stream) = case.file("stream.sse") else { continue };
            let mut state = seed | 1;
            let mut ends: Vec<_> = (1..pieces).map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                usize::try_from(state % (stream.len() as u64 + 1)).unwrap()
            }).collect();
            ends.sort_unstable();
            ends.push(stream.len());
            let mut from = 0;
            let split: Vec<_> = ends.into_iter().map(|end| {
                let piece = &stream[from..end];
                from = end;
                piece
            }).collect();
            let (whole, _) = decode(case.dialect, &[&stream]);
            let (events, _) = decode(case.dialect, &split);
            prop_assert_eq!(format!("{:?}", events), format!("{:?}", whole));
        }
    }

    /// Recorded events in any order and with any of them missing.
    #[test]
    fn shuffled_events_are_survived(order in prop::collection::vec(any::<prop::sample::Index>(), 0..40)) {
        for case in cases() {
            let Some(stream) = case.file("stream.sse") else { continue };
            let stream = String::from_utf8(stream).unwrap();
            let events: Vec<_> = stream.split_inclusive("\n\n").collect();
            let shuffled: String = order.iter().map(|at| *at.get(&events)).collect();
            assert_grammar(&render(&decode(case.dialect, &[shuffled.as_bytes()]).0));
        }
    }

    /// Recorded objects with one value inside them replaced by another.
    #[test]
    fn distorted_recordings_are_survived(which in any::<prop::sample::Index>(), by in any_json()) {
        for case in cases() {
            for name in [request_name(case.dialect), "reply.json"] {
                let Some(mut value) = case.json(name) else { continue };
                replace_one(&mut value, which, &by);
                read_everything(value.to_string().as_bytes());
            }
            let Some(stream) = case.file("stream.sse") else { continue };
            let distorted: String = String::from_utf8(stream).unwrap().lines().map(|line| {
                let data = line.strip_prefix("data: ").and_then(|data| serde_json::from_str::<Value>(data).ok());
                let Some(mut value) = data else { return format!("{line}\n") };
                replace_one(&mut value, which, &by);
                format!("data: {value}\n")
            }).collect();
            assert_grammar(&render(&decode(case.dialect, &[distorted.as_bytes()]).0));
        }
    }
}
