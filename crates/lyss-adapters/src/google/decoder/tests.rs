use std::fs;
use std::path::{Path, PathBuf};

use lyss_domain::TokenUsage;
use lyss_wire::{JsonArrayFramer, SseFramer};
use proptest::prelude::*;

use super::*;
use crate::conversation::*;

fn cases() -> Vec<(PathBuf, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/google");
    let paths = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> =
        paths.filter_map(|path| Some((path.clone(), fs::read(path.join("stream.sse")).ok()?))).collect();
    cases.sort();
    assert!(cases.len() >= 18);
    cases
}

fn stream(case: &str) -> Vec<u8> {
    cases().into_iter().find(|(path, _)| path.ends_with(case)).unwrap().1
}

fn events_of(frames: &[SseFrame]) -> Vec<ChatEvent> {
    let mut decoder = GenerateDecoder::default();
    let mut events = Vec::new();
    for frame in frames {
        decoder.feed(frame, &mut events).unwrap();
    }
    decoder.finish(&mut events).unwrap();
    events
}

fn frames(pieces: &[&[u8]]) -> Vec<SseFrame> {
    let mut framer = SseFramer::new(1 << 20);
    let mut frames = Vec::new();
    for piece in pieces {
        framer.feed(piece, &mut frames).unwrap();
    }
    framer.finish(&mut frames).unwrap();
    frames
}

fn decoded(case: &str) -> Vec<ChatEvent> {
    events_of(&frames(&[&stream(case)]))
}

/// The events in a few words, without the head.
fn told(case: &str) -> Vec<String> {
    decoded(case)
        .into_iter()
        .filter_map(|event| {
            Some(match event {
                ChatEvent::Text { choice, text } => format!("{choice} text {text}"),
                ChatEvent::Reasoning { choice, text } => format!("{choice} thought {text}"),
                ChatEvent::ReasoningSeal { choice, seal } => {
                    format!("{choice} seal {:?} {}", seal.kind, seal.data)
                }
                ChatEvent::ToolCallStart { choice, call, name, .. } => format!("{choice} call {call} {name}"),
                ChatEvent::ToolCallArguments { choice, call, text } => format!("{choice} args {call} {text}"),
                ChatEvent::Finish { choice, reason } => format!("{choice} finish {reason:?}"),
                ChatEvent::End => "end".to_owned(),
                ChatEvent::Fault(fault) => format!("fault {} {}", fault.kind, fault.status),
                _ => return None,
            })
        })
        .collect()
}

#[test]
fn streams_are_told_piece_by_piece() {
    let table: [(&str, &[&str]); 9] = [
        (
            "plain-text",
            &["0 text Hello! How", "0 text  can I help", "0 text  you today?", "0 finish Stop", "end"],
        ),
        (
            "tools-parallel",
            &[
                "0 text Let me look.",
                "0 call 0 get_weather",
                r#"0 args 0 {"city":"Paris"}"#,
                "0 call 1 get_weather",
                r#"0 args 1 {"city":"Rome"}"#,
                "0 finish ToolCalls",
                "end",
            ],
        ),
        ("tool-without-arguments", &["0 call 0 list_files", "0 args 0 {}", "0 finish ToolCalls", "end"]),
        (
            "thinking-tools",
            &[
                "0 thought I need the weather.",
                "0 seal Google CiQBVKhc7vB6c2lnbmF0dXJl",
                "0 call 0 get_weather",
                r#"0 args 0 {"city":"Paris"}"#,
                "0 call 1 get_weather",
                r#"0 args 1 {"city":"Rome"}"#,
                "0 finish ToolCalls",
                "end",
            ],
        ),
        ("content-filter", &["0 text The insult", "0 finish ContentFilter", "end"]),
        ("malformed-call", &["0 finish MalformedCall", "end"]),
        ("prompt-blocked", &["0 finish ContentFilter", "end"]),
        ("stream-error", &["0 text Half an", "fault overloaded 503"]),
        (
            "two-candidates",
            &["0 text Re", "1 text Bl", "0 text d.", "1 text ue.", "0 finish Stop", "1 finish Length", "end"],
        ),
    ];
    for (case, expected) in table {
        assert_eq!(told(case), expected, "{case}");
    }
}

fn usage_of(case: &str) -> TokenUsage {
    let last = decoded(case).into_iter().rev().find_map(|event| match event {
        ChatEvent::Usage(usage) => Some(usage),
        _ => None,
    });
    last.unwrap()
}

#[test]
fn usage_is_told_in_disjoint_classes() {
    let none = TokenUsage::default();
    let table = [
        ("plain-text", TokenUsage { input: 5, output: 9, ..none }),
        ("thinking", TokenUsage { input: 8, output: 25, reasoning: 23, ..none }),
        ("cache-usage", TokenUsage { input: 128, cache_read: 1920, output: 8, reasoning: 5, ..none }),
        ("audio-usage", TokenUsage { input: 6, audio_input: 90, output: 4, ..none }),
        ("citations", TokenUsage { input: 42, output: 14, ..none }),
    ];
    for (case, expected) in table {
        assert_eq!(usage_of(case), expected, "{case}");
    }
}

#[test]
fn citations_count_characters() {
    let citations: Vec<_> = decoded("citations")
        .into_iter()
        .filter_map(|event| match event {
            ChatEvent::Citation { citation, .. } => Some(citation),
            _ => None,
        })
        .collect();
    let text = "Die Brücke ist 1 280 m lang. Sie ist rot.";
    let spans: Vec<_> = citations.iter().map(|citation| citation.span.unwrap()).collect();
    assert_eq!(spans, [(0, 28), (29, 41), (29, 41)]);
    assert_eq!(text.chars().count(), 41);
    assert_eq!(citations[0].place, CitedPlace::Url("https://bridges.example.com/golden".into()));
    assert_eq!(citations[2].title.as_deref(), Some("colours.example.com"));
}

#[test]
fn logprobs_safety_and_media() {
    let tokens = decoded("logprobs").into_iter().find_map(|event| match event {
        ChatEvent::Logprobs { tokens, .. } => Some(tokens),
        _ => None,
    });
    let tokens = tokens.unwrap();
    assert_eq!((tokens[0].token.as_str(), tokens[0].top[1].logprob), ("Yes", -2.4));
    let ratings = decoded("prompt-blocked").into_iter().find_map(|event| match event {
        ChatEvent::Safety { ratings, .. } => Some(ratings),
        _ => None,
    });
    let expected = SafetyRating { category: "dangerous".into(), level: SafetyLevel::High, blocked: true };
    assert_eq!(ratings.unwrap(), [expected]);
    let is_image = |event: &ChatEvent| matches!(event, ChatEvent::Media { media, .. } if media.mime.as_deref() == Some("image/png"));
    assert!(decoded("image-output").iter().any(is_image));
}

#[test]
fn ids_are_the_vendors_or_made_and_never_twice() {
    let ids = |case: &str| -> Vec<String> {
        decoded(case)
            .into_iter()
            .filter_map(|event| match event {
                ChatEvent::ToolCallStart { id, .. } => Some(id),
                _ => None,
            })
            .collect()
    };
    assert_eq!(ids("thinking-tools"), ["k3v9x2ab", "k3v9x2ac"]);
    let made = ids("tools-parallel");
    assert_eq!(made, ids("tools-parallel"));
    assert!(
        made[0] != made[1] && made.iter().all(|id| id.len() == 21 && id.starts_with("call_")),
        "{made:?}"
    );
    let same = br#"{"candidates":[{"content":{"parts":[{"functionCall":{"id":"x","name":"f"}},{"functionCall":{"id":"x","name":"f"}}]}}]}"#;
    let mut events = Vec::new();
    GenerateDecoder::default().read(same, &mut events).unwrap();
    let starts: HashSet<_> = events
        .iter()
        .filter_map(|event| match event {
            ChatEvent::ToolCallStart { id, .. } => Some(id.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(starts.len(), 2);
}

#[test]
fn an_end_needs_a_finish_reason_of_every_candidate() {
    let ends =
        |bytes: &[u8]| events_of(&frames(&[bytes])).iter().any(|event| matches!(event, ChatEvent::End));
    let whole = stream("two-candidates");
    assert!(ends(&whole));
    let cut = whole.len() - 120;
    assert!(!ends(&whole[..whole[..cut].windows(4).rposition(|four| four == b"\r\n\r\n").unwrap() + 4]));
    assert!(!ends(b""));
    assert!(!ends(b"data: {\"candidates\":[]}\n\n"));
}

#[test]
fn a_finish_that_every_chunk_repeats_is_told_once() {
    let chunk = |text: &str| {
        format!(
            "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"{text}\"}}]}},\"finishReason\":\"STOP\"}}]}}\n\n"
        )
    };
    let bytes = chunk("a") + &chunk("b");
    let events = events_of(&frames(&[bytes.as_bytes()]));
    let finishes = events.iter().filter(|event| matches!(event, ChatEvent::Finish { .. })).count();
    assert_eq!(finishes, 1);
    assert!(matches!(events.last(), Some(ChatEvent::End)));
}

#[test]
fn a_cut_stream_is_a_beginning_of_the_whole() {
    for (path, stream) in cases() {
        let whole: Vec<_> = events_of(&frames(&[&stream])).iter().map(|event| format!("{event:?}")).collect();
        for end in 0..stream.len() {
            let mut decoder = GenerateDecoder::default();
            let mut events = Vec::new();
            let mut is_broken = false;
            for frame in frames(&[&stream[..end]]) {
                is_broken |= decoder.feed(&frame, &mut events).is_err();
            }
            let cut: Vec<_> = events.iter().map(|event| format!("{event:?}")).collect();
            assert!(whole.starts_with(&cut), "{} cut at {end}", path.display());
            let before = events.len();
            decoder.finish(&mut events).unwrap();
            assert!(!is_broken || events.len() == before, "nothing is told behind a fault");
        }
    }
}

/// The same chunks as one JSON array, split anywhere, say the same.
#[test]
fn an_array_says_what_events_say() {
    for (path, stream) in cases() {
        let events = frames(&[&stream]);
        let data: Vec<_> =
            events.iter().map(|frame| String::from_utf8(frame.data.clone()).unwrap()).collect();
        let array = format!("[{}\n]", data.join("\n,\r\n"));
        let whole = format!("{:?}", events_of(&events));
        for by in [1, 7, 4_096] {
            let mut framer = JsonArrayFramer::new(1 << 20);
            let mut elements = Vec::new();
            for piece in array.as_bytes().chunks(by) {
                framer.feed(piece, &mut elements).unwrap();
            }
            framer.finish(&mut elements);
            assert!(framer.is_closed());
            assert_eq!(format!("{:?}", events_of(&elements)), whole, "{}", path.display());
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut events = Vec::new();
        let _ = GenerateDecoder::default().read(&bytes, &mut events);
    }

    #[test]
    fn odd_chunks_are_survived(index in any::<u32>(), text in ".{0,8}", name in "[a-z]{0,3}", from in any::<i64>()) {
        let chunk = serde_json::json!({"candidates": [{
            "index": index,
            "content": {"parts": [{"text": text}, {"functionCall": {"name": name, "args": [text]}}]},
            "groundingMetadata": {
                "groundingChunks": [{"web": {"uri": text}}],
                "groundingSupports": [{"segment": {"startIndex": from, "endIndex": from}, "groundingChunkIndices": [0, 9]}],
            },
            "finishReason": name,
        }]});
        let mut events = Vec::new();
        GenerateDecoder::default().read(chunk.to_string().as_bytes(), &mut events).unwrap();
    }
}

#[test]
fn calls_in_pieces_are_put_together() {
    let calls: Vec<_> = decoded("call-in-pieces")
        .into_iter()
        .filter_map(|event| match event {
            ChatEvent::ToolCallStart { call, name, .. } => Some(format!("{call} {name}")),
            ChatEvent::ToolCallArguments { call, text, .. } => Some(format!("{call} {text}")),
            _ => None,
        })
        .collect();
    assert_eq!(
        calls,
        [
            "0 list_doors",
            "0 {}",
            "1 open_doors",
            r#"1 {"doors":[{"name":"garden"}]}"#,
            "2 wait",
            r#"2 {"seconds":2.5}"#
        ]
    );
}

#[test]
fn a_usage_object_without_counts_counts_nothing() {
    let whole = stream("call-in-pieces");
    let at = whole.windows(2).position(|two| two == b"\n\n").unwrap() + 2;
    let events = events_of(&frames(&[&whole[..at]]));
    assert!(!events.iter().any(|event| matches!(event, ChatEvent::Usage(_))), "{events:?}");
}
