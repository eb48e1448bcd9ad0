//! The recordings of `tests/fixtures/responses/`, written from the API reference, through both sides.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use lyss_domain::Timestamp;
use lyss_wire::SseFramer;
use serde_json::Value;

use super::{Caller, Vendor};
use crate::conversation::{Part, Reasoning, Seal};
use crate::dialect::{CallerSide, Dialect, Encoding, Rendering, VendorSide};
use crate::{ChatEvent, FinishReason, scan};

pub(super) fn files(name: &str) -> BTreeMap<String, Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/responses");
    let folders = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let file = |path: PathBuf| {
        let case = path.file_name()?.to_str()?.to_owned();
        Some((case, fs::read(path.join(name)).ok()?))
    };
    folders.filter_map(file).collect()
}

fn events(stream: &[u8]) -> Vec<ChatEvent> {
    let (mut frames, mut events) = (Vec::new(), Vec::new());
    let mut framer = SseFramer::new(1 << 20);
    framer.feed(stream, &mut frames).unwrap();
    framer.finish(&mut frames).unwrap();
    let mut decoder = Vendor.decoder();
    for frame in &frames {
        decoder.feed(frame, &mut events).unwrap();
    }
    decoder.finish(&mut events).unwrap();
    events
}

pub(super) fn rendering() -> Rendering {
    Rendering::at(Timestamp::from_millis(1_763_996_400_000))
}

/// What an answer comes down to, whole or streamed.
#[derive(Debug, Default, PartialEq)]
struct Told {
    text: String,
    refusal: String,
    thoughts: String,
    seals: Vec<String>,
    calls: BTreeMap<String, (String, String, bool)>,
    images: usize,
    citations: Vec<Option<(u64, u64)>>,
    tokens: Vec<String>,
    finish: Option<FinishReason>,
    usage: Option<lyss_domain::TokenUsage>,
}

/// A seal as the caller would send it back: taken out of the token it may have travelled in.
fn unwrapped(seal: &Seal) -> String {
    Seal::from_token(&seal.data).unwrap_or_else(|| seal.clone()).to_token()
}

fn told_by_reply(body: &[u8]) -> Told {
    let reply = Vendor.decode(body).unwrap();
    let mut told = Told { usage: reply.usage, ..Told::default() };
    let choice = &reply.choices[0];
    for part in &choice.parts {
        match part {
            Part::Text(text) => told.text.push_str(text),
            Part::Refusal(text) => told.refusal.push_str(text),
            Part::Reasoning(Reasoning { text, seal }) => {
                told.thoughts.push_str(text);
                told.seals.extend(seal.as_ref().map(unwrapped));
            }
            Part::ToolCall { id, name, arguments, custom } => {
                told.calls.insert(id.clone(), (name.clone(), arguments.clone(), *custom));
            }
            Part::Media(_) => told.images += 1,
            Part::Citation(citation) => told.citations.push(citation.span),
            other => panic!("{other:?}"),
        }
    }
    told.tokens = choice.logprobs.iter().map(|token| token.token.clone()).collect();
    told.finish = Some(choice.finish.clone());
    told
}

fn told_by_stream(stream: &[u8]) -> Told {
    let mut told = Told::default();
    let mut ids = Vec::new();
    for event in events(stream) {
        match event {
            ChatEvent::Text { text, .. } => told.text.push_str(&text),
            ChatEvent::Refusal { text, .. } => told.refusal.push_str(&text),
            ChatEvent::Reasoning { text, .. } => told.thoughts.push_str(&text),
            ChatEvent::ReasoningSeal { seal, .. } => told.seals.push(unwrapped(&seal)),
            ChatEvent::ToolCallStart { id, name, custom, .. } => {
                told.calls.insert(id.clone(), (name, String::new(), custom));
                ids.push(id);
            }
            ChatEvent::ToolCallArguments { call, text, .. } => {
                told.calls.get_mut(&ids[call as usize]).unwrap().1.push_str(&text);
            }
            ChatEvent::Media { .. } => told.images += 1,
            ChatEvent::Citation { citation, .. } => told.citations.push(citation.span),
            ChatEvent::Logprobs { tokens, .. } => {
                told.tokens.extend(tokens.into_iter().map(|token| token.token))
            }
            ChatEvent::Finish { reason, .. } => told.finish = Some(reason),
            ChatEvent::Usage(usage) => told.usage = Some(usage),
            _ => {}
        }
    }
    told
}

#[test]
fn a_stream_tells_what_the_whole_answer_tells() {
    let streams = files("stream.sse");
    let replies = files("reply.json");
    assert!(replies.len() >= 18, "only {} replies found", replies.len());
    for (case, reply) in replies {
        assert_eq!(told_by_stream(&streams[&case]), told_by_reply(&reply), "{case}");
    }
}

#[test]
fn the_recordings_tell_what_was_written_in_them() {
    let replies = files("reply.json");
    let told = |case: &str| told_by_reply(&replies[case]);
    assert_eq!(told("plain-text").text, "The sky is blue because air scatters short waves more.");
    let calls = told("tools-parallel").calls;
    assert_eq!(calls["call_9vTz"], ("get_weather".into(), r#"{"city":"Bergen"}"#.into(), false));
    assert_eq!(told("tools-parallel").finish, Some(FinishReason::ToolCalls));
    assert_eq!(
        told("thinking").thoughts,
        "**Factoring**\n\n3599 is 3600 less 1.\n\n**Conclusion**\n\nSo 59 times 61."
    );
    assert_eq!(told("thinking-tools").seals.len(), 2);
    let redacted = told("redacted-thinking");
    assert_eq!((redacted.thoughts.as_str(), redacted.seals.len()), ("", 1));
    assert_eq!(told("reasoning-text").thoughts, "We add two and two.");
    assert_eq!(told("refusal").refusal, "I’m sorry, but I can’t help with that.");
    assert_eq!(told("max-tokens").finish, Some(FinishReason::Length));
    assert_eq!(told("content-filter").finish, Some(FinishReason::ContentFilter));
    assert_eq!(told("prompt-blocked").finish, Some(FinishReason::ContentFilter));
    let usage = told("cache-usage").usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.output), (86, 1_920, 30));
    assert_eq!(told("citations").citations, [Some((0, 22)), Some((24, 41))]);
    assert_eq!(told("logprobs").tokens, ["Yes", ",", " é"]);
    assert_eq!(told("image-output").images, 1);
    assert_eq!(told("server-tool").text, "High tide is at six, and the answer is 42.");
    assert!(told("custom-tool").calls["call_py"].2);
    assert_eq!(told("unknown-things").text, "Known.");
    assert_eq!(told("unicode").text, "Grüße aus 東京 👩‍👩‍👧 — “so”\u{2028}and\tso\\n");
}

#[test]
fn errors_inside_a_stream_are_faults_and_no_ends() {
    let streams = files("stream.sse");
    for (case, kind) in [
        ("stream-error", lyss_domain::FaultKind::VendorError),
        ("failed", lyss_domain::FaultKind::VendorRateLimited),
        ("error-flat", lyss_domain::FaultKind::BadRequest),
    ] {
        let events = events(&streams[case]);
        assert!(!events.iter().any(|event| matches!(event, ChatEvent::End)), "{case}");
        assert!(matches!(events.last(), Some(ChatEvent::Fault(fault)) if fault.kind == kind), "{case}");
    }
}

/// Decoded and written again, an answer says the same: what this dialect says it can also be told.
#[test]
fn an_answer_survives_being_written_again() {
    for (case, reply) in files("reply.json") {
        let decoded = Vendor.decode(&reply).unwrap();
        let again = Caller.render(&decoded, &rendering());
        assert_eq!(told_by_reply(&again), told_by_reply(&reply), "{case}");
        let (before, after): (Value, Value) =
            (serde_json::from_slice(&reply).unwrap(), serde_json::from_slice(&again).unwrap());
        for field in ["id", "model", "created_at", "status", "incomplete_details", "usage"] {
            // A field the vendor added is no field of ours.
            if case != "unknown-things" {
                assert_eq!(after[field], before[field], "{case}: {field}");
            }
        }
    }
    for (case, stream) in files("stream.sse") {
        let mut renderer = Caller.renderer(&rendering());
        let mut out = BytesMut::new();
        for event in events(&stream) {
            renderer.event(&event, &mut out);
        }
        assert_eq!(told_by_stream(&out), told_by_stream(&stream), "{case}");
    }
}

/// Same dialect in and out: nothing but a setting's default is lost on the way through the canonical form.
#[test]
fn a_request_survives_being_written_again() {
    let requests = files("request.json");
    assert!(requests.len() >= 30, "only {} requests found", requests.len());
    for (case, request) in requests {
        let parse = |body: Vec<u8>| {
            let call = Caller.parse(&scan(Dialect::OpenAiResponses, body.into()).unwrap()).unwrap();
            (format!("{:?}", call.turns), call)
        };
        let (turns, call) = parse(request);
        let encoded = match Vendor.encode(&call, &Encoding::plain(&call.model)) {
            Ok(encoded) => encoded,
            Err(refused) => {
                assert_eq!(case, "audio-input", "{refused:?}");
                continue;
            }
        };
        let losses: Vec<_> = encoded.losses.iter().map(|loss| Caller.path(loss)).collect();
        match case.as_str() {
            // What the vendor itself searched for cannot be sent to another one.
            "server-tool-history" => assert_eq!(losses, ["input[1]"]),
            _ => assert!(losses.is_empty(), "{case}: {losses:?}"),
        }
        let (turns_again, again) = parse(encoded.body.to_vec());
        if case != "empty-contents" && case != "server-tool-history" {
            let items = |text: &str| text.split("Item(").count();
            assert_eq!(items(&turns_again), items(&turns), "{case}");
        }
        let settings = |call: &crate::ChatCall| {
            format!(
                "{:?}",
                (
                    (&call.tools, &call.server_tools, &call.tool_choice, call.parallel_tools, &call.format),
                    (call.max_output_tokens, call.temperature, call.top_p, call.logprobs, call.thinking),
                    (&call.verbosity, &call.service_tier, &call.user, &call.passengers, &call.unmapped),
                )
            )
        };
        if case != "server-tool-history" && case != "allowed-tools" {
            assert_eq!(settings(&again), settings(&call), "{case}");
        }
    }
}
