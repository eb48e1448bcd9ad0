//! The dialect against itself and against strangers: recorded requests read and written again, recorded answers decoded
//! and rendered again, and a renderer that holds its grammar whatever comes.

mod assembly;

use std::fs;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use lyss_domain::Timestamp;
use lyss_wire::SseFramer;
use proptest::prelude::*;
use serde_json::{Value, json};

pub(super) use self::assembly::assemble;
use super::{Caller, Count, Pass, Vendor};
use crate::CountSide;
use crate::conversation::{
    ChatCall, ChatEvent, Citation, CitedPlace, FinishReason, Media, MediaKind, Seal, SealKind, Source,
};
use crate::dialect::{CallerSide, Decoder, Dialect, Encoding, PassSide, Rendering, VendorSide};
use crate::golden::strangers::{any_event, any_json};
use crate::{Fault, scan};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/anthropic")
}

fn files(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let text = fs::read(path.join(name)).ok()?;
            Some((path.file_name()?.to_str()?.to_owned(), text))
        })
        .collect();
    files.sort();
    files
}

fn parse(body: &[u8]) -> Result<ChatCall, Fault> {
    Caller.parse(&scan(Dialect::AnthropicMessages, body.to_vec().into())?)
}

fn rendering() -> Rendering {
    Rendering { model: "asked".into(), ..Rendering::at(Timestamp::from_millis(1_700_000_000_000)) }
}

fn decode(stream: &[u8]) -> (Vec<ChatEvent>, Result<(), Fault>) {
    decode_with(Vendor.decoder(), stream)
}

fn decode_with(mut decoder: Box<dyn Decoder>, stream: &[u8]) -> (Vec<ChatEvent>, Result<(), Fault>) {
    let mut framer = SseFramer::new(1 << 20);
    let mut frames = Vec::new();
    framer.feed(stream, &mut frames).unwrap();
    framer.finish(&mut frames).unwrap();
    let mut events = Vec::new();
    for frame in &frames {
        if let Err(fault) = decoder.feed(frame, &mut events) {
            return (events, Err(fault));
        }
    }
    let result = decoder.finish(&mut events);
    (events, result)
}

pub(super) fn render(events: &[ChatEvent]) -> Vec<u8> {
    let mut renderer = Caller.renderer(&rendering());
    let mut out = BytesMut::new();
    for event in events {
        renderer.event(event, &mut out);
    }
    out.to_vec()
}

pub(super) fn values(stream: &[u8]) -> Vec<Value> {
    let mut framer = SseFramer::new(1 << 22);
    let mut frames = Vec::new();
    framer.feed(stream, &mut frames).unwrap();
    framer.finish(&mut frames).unwrap();
    let value = |frame: &lyss_wire::SseFrame| {
        let value: Value = serde_json::from_slice(&frame.data).unwrap();
        assert_eq!(frame.event.as_deref(), value["type"].as_str(), "an event is named as its data");
        value
    };
    frames.iter().map(value).collect()
}

/// What is written of a request read here is read back as the same: nothing is lost in this dialect.
#[test]
fn requests_survive_their_own_dialect() {
    let mut seen = 0;
    for (case, body) in files("request.json") {
        let call = parse(&body).unwrap_or_else(|fault| panic!("{case}: {fault:?}"));
        assert!(call.unmapped.is_empty(), "{case}: {:?}", call.unmapped);
        let encoding = Encoding::plain(&call.model);
        let first = Vendor.encode(&call, &encoding).unwrap_or_else(|refusal| panic!("{case}: {refusal:?}"));
        assert!(first.losses.is_empty(), "{case}: {:?}", first.losses);
        let again = parse(&first.body).unwrap();
        let second = Vendor.encode(&again, &encoding).unwrap();
        assert_eq!(first.body, second.body, "{case}");
        // As values, what was sent and what is written differ in form alone: every field sent is there.
        let sent: Value = serde_json::from_slice(&body).unwrap();
        let written: Value = serde_json::from_slice(&first.body).unwrap();
        for (field, value) in sent.as_object().unwrap() {
            if !matches!(field.as_str(), "messages" | "system") {
                assert_eq!(&written[field], value, "{case}.{field}");
            }
        }
        seen += 1;
    }
    assert!(seen >= 30, "only {seen} requests found");
}

#[test]
fn blocks_are_written_as_they_were_sent() {
    for case in
        ["tool-results", "tool-result-image", "tool-result-error", "thinking-back", "file-text", "pdf"]
    {
        let body = fs::read(folder().join(case).join("request.json")).unwrap();
        let call = parse(&body).unwrap();
        let encoded = Vendor.encode(&call, &Encoding::plain(&call.model)).unwrap();
        let as_blocks = |mut value: Value| {
            // A string is short for one text block.
            fn spread(content: &mut Value) {
                if let Some(text) = content.as_str() {
                    *content = json!([{"type": "text", "text": text}]);
                }
                for block in content.as_array_mut().into_iter().flatten() {
                    if block["type"] == "tool_result" {
                        spread(&mut block["content"]);
                    }
                }
            }
            value["messages"].as_array_mut().unwrap().iter_mut().for_each(|message| {
                spread(&mut message["content"]);
            });
            value["messages"].clone()
        };
        let sent = as_blocks(serde_json::from_slice(&body).unwrap());
        assert_eq!(as_blocks(serde_json::from_slice(&encoded.body).unwrap()), sent, "{case}");
    }
}

/// The vendor's own words, apart from what only it can say.
fn comparable(message: &Value) -> Value {
    let content: Vec<Value> = message["content"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|block| {
            matches!(block["type"].as_str(), Some("text" | "tool_use" | "thinking" | "redacted_thinking"))
                && block["text"] != ""
        })
        .map(|block| {
            let mut block = block.clone();
            block.as_object_mut().unwrap().remove("citations");
            block
        })
        .collect();
    json!({"content": content, "stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"],
        "input_tokens": message["usage"]["input_tokens"], "output_tokens": message["usage"]["output_tokens"],
        "cache_read": message["usage"]["cache_read_input_tokens"], "model": message["model"], "id": message["id"]})
}

fn is_odd(case: &str) -> bool {
    // What is not known is passed over, and a reason nobody knows is an end; an explanation is shown as text.
    matches!(case, "unknown-things" | "content-filter")
}

#[test]
fn answers_survive_their_own_dialect() {
    let mut seen = 0;
    for (case, body) in files("reply.json") {
        let reply = Vendor.decode(&body).unwrap();
        let rendered: Value = serde_json::from_slice(&Caller.render(&reply, &rendering())).unwrap();
        let mut sent: Value = serde_json::from_slice(&body).unwrap();
        if is_odd(&case) {
            continue;
        }
        if sent["usage"]["cache_read_input_tokens"].is_null() {
            sent["usage"]["cache_read_input_tokens"] = 0.into();
        }
        assert_eq!(comparable(&rendered), comparable(&sent), "{case}");
        seen += 1;
    }
    assert!(seen >= 12, "only {seen} replies found");
}

/// Rendered anew, a stream tells the same answer as before, and the same as the whole answer beside it.
#[test]
fn streams_survive_their_own_dialect() {
    let mut seen = 0;
    for (case, stream) in files("stream.sse") {
        let (events, result) = decode(&stream);
        result.unwrap();
        let rendered = values(&render(&events));
        let told = assemble(&rendered);
        // The older recordings' streams tell something else than the whole answers beside them.
        let is_other = folder().join(&case).join("openai.json").exists();
        let Some(body) = fs::read(folder().join(&case).join("reply.json")).ok().filter(|_| !is_other) else {
            continue;
        };
        let whole = Vendor.decode(&body).unwrap();
        let whole: Value = serde_json::from_slice(&Caller.render(&whole, &rendering())).unwrap();
        // Texts in a row are one block in a stream, and citations close none.
        let joined = |message: &Value| {
            let mut message = comparable(message);
            let mut texts: Vec<Value> = Vec::new();
            for block in message["content"].as_array().unwrap() {
                match texts.last_mut() {
                    Some(last) if last["type"] == "text" && block["type"] == "text" => {
                        let text =
                            format!("{}{}", last["text"].as_str().unwrap(), block["text"].as_str().unwrap());
                        last["text"] = text.into();
                    }
                    _ => texts.push(block.clone()),
                }
            }
            message["content"] = texts.into();
            message
        };
        assert_eq!(joined(&told), joined(&whole), "{case}");
        assert_eq!(rendered.last().unwrap()["type"], "message_stop", "{case}");
        seen += 1;
    }
    assert!(seen >= 8, "only {seen} streams found");
}

#[test]
fn citations_are_carried_with_their_places() {
    for case in ["citations", "server-tool"] {
        let (events, _) = decode(&fs::read(folder().join(case).join("stream.sse")).unwrap());
        let streamed: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                ChatEvent::Citation { citation, .. } => Some(citation.clone()),
                _ => None,
            })
            .collect();
        let reply = Vendor.decode(&fs::read(folder().join(case).join("reply.json")).unwrap()).unwrap();
        let whole: Vec<_> = reply.choices[0]
            .parts
            .iter()
            .filter_map(|part| match part {
                crate::conversation::Part::Citation(citation) => Some(citation.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(streamed, whole, "{case}");
        let told = assemble(&values(&render(&events)));
        let shown: usize = told["content"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|block| block["citations"].as_array())
            .map(Vec::len)
            .sum();
        assert_eq!(shown, whole.len(), "{case}");
        assert!(whole.iter().all(|citation| citation.span.is_some()));
    }
    let (events, _) = decode(&fs::read(folder().join("citations/stream.sse")).unwrap());
    let first = events.iter().find_map(|event| match event {
        ChatEvent::Citation { citation, .. } => Some(citation.clone()),
        _ => None,
    });
    let expected = Citation {
        place: CitedPlace::Document { index: 0, unit: "char", from: 0, to: 25 },
        title: Some("opening hours".into()),
        cited_text: Some("The harbour opens at six.".into()),
        span: Some((12, 43)),
    };
    assert_eq!(first, Some(expected));
}

/// What other vendors stream is an answer of this dialect too.
#[test]
fn streams_of_others_are_told_in_this_dialect() {
    let mut seen = 0;
    for dialect in Dialect::ALL {
        let name = match dialect {
            Dialect::OpenAiChat => "openai",
            Dialect::OpenAiResponses => "responses",
            Dialect::GoogleGenerate => "google",
            Dialect::AnthropicMessages => continue,
        };
        let Some(vendor) = dialect.vendor() else { continue };
        let Ok(folders) = fs::read_dir(folder().join("..").join(name)) else { continue };
        for case in folders.map(|entry| entry.unwrap().path()) {
            let Ok(stream) = fs::read(case.join("stream.sse")) else { continue };
            let (events, _) = decode_with(vendor.decoder(), &stream);
            let told = assemble(&values(&render(&events)));
            let ended = events.iter().any(|event| matches!(event, ChatEvent::End));
            assert_eq!(ended, told["stop_reason"].is_string(), "{}", case.display());
            let text: String = events
                .iter()
                .filter_map(|event| match event {
                    ChatEvent::Text { choice: 0, text } | ChatEvent::Refusal { choice: 0, text } => {
                        Some(text.as_str())
                    }
                    _ => None,
                })
                .collect();
            let blocks = told["content"].as_array().into_iter().flatten();
            let shown: String = blocks.filter_map(|block| block["text"].as_str()).collect();
            assert_eq!(shown, text, "{}", case.display());
            seen += 1;
        }
    }
    assert!(seen >= 5, "only {seen} streams found");
}

#[test]
fn a_tap_sees_what_a_decoder_reads() {
    for (case, stream) in files("stream.sse") {
        let (events, _) = decode(&stream);
        for size in [1, 7, 4_096] {
            let mut tap = Pass.tap(true);
            let mut passed = Vec::new();
            for piece in stream.chunks(size) {
                passed.extend_from_slice(&tap.feed(bytes::Bytes::copy_from_slice(piece)));
            }
            passed.extend_from_slice(&tap.finish());
            assert_eq!(passed, stream, "{case}");
            let seen = tap.tapped();
            let usage = events.iter().rev().find_map(|event| match event {
                ChatEvent::Usage(usage) => Some(*usage),
                _ => None,
            });
            assert_eq!(seen.usage, usage, "{case}");
            assert_eq!(seen.ended, events.iter().any(|event| matches!(event, ChatEvent::End)), "{case}");
            let fault = events.iter().any(|event| matches!(event, ChatEvent::Fault(_)));
            assert_eq!(seen.fault.is_some(), fault, "{case}");
            assert!(seen.started, "{case}");
        }
    }
}

#[test]
fn tokens_are_counted_of_the_prompt_alone() {
    let body = fs::read(folder().join("thinking-budget/request.json")).unwrap();
    let mut call = parse(&body).unwrap();
    call.stop = vec!["x".into()];
    call.user = Some("u".into());
    call.stream = true;
    let encoded = Count.question(&call, &Encoding::plain("claude-sonnet-4-5")).unwrap();
    let written: Value = serde_json::from_slice(&encoded.body).unwrap();
    let fields: Vec<_> = written.as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields, ["messages", "model", "thinking"]);
    assert_eq!(Count.render(2_095), r#"{"input_tokens":2095}"#);
    assert_eq!(Count.read(br#"{"input_tokens": 2095, "context_management": null}"#).unwrap(), 2_095);
    for bad in [&b""[..], b"{}", b"[]", b"{\"input_tokens\":-1}"] {
        Count.read(bad).unwrap_err();
    }
    let fault =
        Count.read(br#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#).unwrap_err();
    assert_eq!(fault.kind, lyss_domain::FaultKind::Overloaded);
}

/// Any event at all, those the shared strangers do not know among them.
fn event() -> impl Strategy<Value = ChatEvent> {
    let text = "[a-z\"\\\\{}\u{0}é]{0,4}";
    let kind = prop::sample::select(vec![
        SealKind::AnthropicSignature,
        SealKind::AnthropicRedacted,
        SealKind::OpenAi,
        SealKind::Google,
    ]);
    prop_oneof![
        8 => any_event(),
        1 => (0..2_u32, kind, text).prop_map(|(choice, kind, data)| ChatEvent::ReasoningSeal {
            choice,
            seal: Seal::new(kind, data)
        }),
        1 => text.prop_map(|url| ChatEvent::Citation {
            choice: 0,
            citation: Citation { place: CitedPlace::Url(url), title: None, cited_text: None, span: None }
        }),
        1 => text.prop_map(|url| ChatEvent::Media {
            choice: 0,
            media: Media::new(MediaKind::Image, Source::Url(url), None)
        }),
        1 => (0..3_u32, any::<bool>()).prop_map(|(call, custom)| ChatEvent::ToolCallStart {
            choice: 0,
            call,
            id: String::new(),
            name: "f".into(),
            custom
        }),
        1 => (0..2_u32).prop_map(|choice| ChatEvent::Finish { choice, reason: FinishReason::ContentFilter }),
    ]
}

proptest! {
    #[test]
    fn the_renderer_holds_its_grammar(events in prop::collection::vec(event(), 0..32)) {
        let rendered = values(&render(&events));
        assemble(&rendered);
        let terminal = events.iter().find(|event| matches!(event, ChatEvent::End | ChatEvent::Fault(_)));
        let last = rendered.last().map(|event| event["type"].as_str().unwrap().to_owned());
        match terminal {
            Some(ChatEvent::End) => prop_assert_eq!(last.as_deref(), Some("message_stop")),
            Some(_) => prop_assert_eq!(last.as_deref(), Some("error")),
            None => prop_assert!(!matches!(last.as_deref(), Some("message_stop" | "error"))),
        }
    }

    /// Calls interleaved in any way arrive whole, in the order they began.
    #[test]
    fn interleaved_calls_arrive_whole(order in prop::collection::vec(0..3_usize, 0..40), by in 1..5_usize) {
        let inputs = [json!({"a": [1, {"b": "}{\""}]}), json!({}), json!({"é": "\\"})];
        let texts = inputs.each_ref().map(Value::to_string);
        let mut pieces = texts.each_ref().map(|text| {
            text.chars().collect::<Vec<_>>().chunks(by).map(|piece| piece.iter().collect::<String>()).collect::<Vec<_>>()
        });
        pieces.iter_mut().for_each(|pieces| pieces.reverse());
        let mut events: Vec<_> = (0..3).map(|call| ChatEvent::ToolCallStart {
            choice: 0, call, id: format!("call_{call}"), name: "f".into(), custom: false,
        }).collect();
        for at in order.into_iter().chain([2, 1, 0].into_iter().cycle().take(150)) {
            if let Some(text) = pieces[at].pop() {
                events.push(ChatEvent::ToolCallArguments { choice: 0, call: u32::try_from(at).unwrap(), text });
            }
        }
        events.push(ChatEvent::Finish { choice: 0, reason: FinishReason::ToolCalls });
        events.push(ChatEvent::End);
        let told = assemble(&values(&render(&events)));
        for (at, input) in inputs.iter().enumerate() {
            prop_assert_eq!(&told["content"][at]["input"], input);
            prop_assert_eq!(&told["content"][at]["id"], &json!(format!("call_{at}")));
        }
    }

    #[test]
    fn any_request_is_survived(value in any_json(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for body in [value.to_string().into_bytes(), bytes] {
            if let Ok(call) = parse(&body)
                && let Ok(encoded) = Vendor.encode(&call, &Encoding::plain("claude-opus-5-5"))
            {
                serde_json::from_slice::<Value>(&encoded.body).unwrap();
            }
            let _ = Pass.read_usage(&body);
        }
    }
}

proptest! {
    // Each walks all recordings.
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Recorded requests with one value inside them replaced by another.
    #[test]
    fn distorted_requests_are_survived(which in any::<prop::sample::Index>(), by in any_json()) {
        for (_, body) in files("request.json") {
            let mut value: Value = serde_json::from_slice(&body).unwrap();
            crate::golden::strangers::replace_one(&mut value, which, &by);
            if let Ok(call) = parse(value.to_string().as_bytes())
                && let Ok(encoded) = Vendor.encode(&call, &Encoding::plain(&call.model))
            {
                serde_json::from_slice::<Value>(&encoded.body).unwrap();
            }
        }
    }
}
