use lyss_domain::Timestamp;
use lyss_wire::{JsonArrayFramer, SseFramer};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::conversation::*;

fn rendering(framing: Framing) -> Rendering {
    Rendering {
        framing,
        model: "asked".to_owned(),
        ..Rendering::at(Timestamp::from_millis(1_700_000_000_000))
    }
}

fn rendered(events: &[ChatEvent], framing: Framing) -> Vec<u8> {
    let mut renderer = GenerateRenderer::new(&rendering(framing));
    let mut out = BytesMut::new();
    for event in events {
        renderer.event(event, &mut out);
    }
    out.to_vec()
}

fn chunks(events: &[ChatEvent]) -> Vec<Value> {
    let mut frames = Vec::new();
    let mut framer = SseFramer::new(1 << 24);
    framer.feed(&rendered(events, Framing::Events), &mut frames).unwrap();
    framer.finish(&mut frames).unwrap();
    frames.iter().map(|frame| serde_json::from_slice(&frame.data).unwrap()).collect()
}

fn text(words: &str) -> ChatEvent {
    ChatEvent::Text { choice: 0, text: words.into() }
}

fn thought(words: &str) -> ChatEvent {
    ChatEvent::Reasoning { choice: 0, text: words.into() }
}

fn seal(kind: SealKind) -> ChatEvent {
    ChatEvent::ReasoningSeal { choice: 0, seal: Seal::new(kind, "c2ln") }
}

fn call(call: u32, name: &str) -> ChatEvent {
    ChatEvent::ToolCallStart { choice: 0, call, id: format!("id{call}"), name: name.into(), custom: false }
}

fn arguments(call: u32, text: &str) -> ChatEvent {
    ChatEvent::ToolCallArguments { choice: 0, call, text: text.into() }
}

fn finish(reason: FinishReason) -> ChatEvent {
    ChatEvent::Finish { choice: 0, reason }
}

/// All parts of the first candidate, in their order.
fn parts(chunks: &[Value]) -> Vec<Value> {
    let of =
        |chunk: &Value| chunk["candidates"][0]["content"]["parts"].as_array().cloned().unwrap_or_default();
    chunks.iter().flat_map(of).collect()
}

fn joined(chunks: &[Value], is_thought: bool) -> String {
    let wanted = |part: &&Value| part.get("thought").is_some() == is_thought;
    parts(chunks).iter().filter(wanted).filter_map(|part| part["text"].as_str()).collect()
}

#[test]
fn the_last_chunk_holds_content_reason_and_usage() {
    let head = ReplyHead { id: "r1".into(), model: "served".into(), ..ReplyHead::default() };
    let usage = TokenUsage { input: 3, output: 5, reasoning: 2, ..TokenUsage::default() };
    let chunks = chunks(&[
        ChatEvent::Start(head),
        text("Hel"),
        text("lo"),
        finish(FinishReason::Length),
        ChatEvent::Usage(usage),
        ChatEvent::End,
    ]);
    assert_eq!(joined(&chunks, false), "Hello");
    let last = chunks.last().unwrap();
    assert_eq!(
        *last,
        json!({
            "candidates": [{
                "content": {"parts": [{"text": "o"}], "role": "model"},
                "finishReason": "MAX_TOKENS",
                "index": 0,
            }],
            "usageMetadata": {
                "promptTokenCount": 3,
                "candidatesTokenCount": 3,
                "totalTokenCount": 8,
                "thoughtsTokenCount": 2,
            },
            "modelVersion": "served",
            "createTime": "2023-11-14T22:13:20Z",
            "responseId": "r1",
        })
    );
    // What comes first goes at once, but for its last character.
    assert_eq!(chunks[0]["candidates"][0]["content"]["parts"][0]["text"], "He");
}

#[test]
fn calls_are_written_whole_and_in_order() {
    let chunks = chunks(&[
        call(0, "f"),
        call(1, "g"),
        arguments(1, r#"{"b":"}"#),
        arguments(0, r#"{"a":"#),
        arguments(1, r#""}"#),
        arguments(0, "\n 1}"),
        call(2, "broken"),
        arguments(2, r#"{"x":"#),
        call(3, "bare"),
        finish(FinishReason::ToolCalls),
        ChatEvent::End,
    ]);
    let calls: Vec<Value> = parts(&chunks).iter().map(|part| part["functionCall"].clone()).collect();
    assert_eq!(
        calls,
        [
            json!({"id": "id0", "name": "f", "args": {"a": 1}}),
            json!({"id": "id1", "name": "g", "args": {"b": "}"}}),
            json!({"id": "id2", "name": "broken", "args": {"_raw": "{\"x\":"}}),
            json!({"id": "id3", "name": "bare", "args": {}}),
        ]
    );
    assert_eq!(chunks.last().unwrap()["candidates"][0]["finishReason"], "STOP");
}

#[test]
fn seals_stand_where_the_sdk_brings_them_back() {
    // Google's own: on the part that follows, or on the last text.
    let own = chunks(&[
        thought("why"),
        seal(SealKind::Google),
        call(0, "f"),
        arguments(0, "{}"),
        text("so"),
        seal(SealKind::Google),
        ChatEvent::End,
    ]);
    let sealed: Vec<Value> =
        parts(&own).into_iter().filter(|part| part.get("thoughtSignature").is_some()).collect();
    assert_eq!(
        sealed,
        [
            json!({"functionCall": {"id": "id0", "name": "f", "args": {}}, "thoughtSignature": "c2ln"}),
            json!({"text": "o", "thoughtSignature": "c2ln"}),
        ]
    );
    // Another's: on the thought, and read back from there.
    let foreign = chunks(&[thought("why"), seal(SealKind::AnthropicSignature), text("so"), ChatEvent::End]);
    let part = parts(&foreign).into_iter().find(|part| part.get("thoughtSignature").is_some()).unwrap();
    assert_eq!(part["thought"], true);
    assert_eq!(
        super::super::wire::seal(part["thoughtSignature"].as_str().unwrap()),
        Seal::new(SealKind::AnthropicSignature, "c2ln")
    );
    assert_eq!(joined(&foreign, true), "why");
    // A redacted thought has no words, and no empty ones either.
    let redacted = chunks(&[seal(SealKind::AnthropicRedacted), text("so"), ChatEvent::End]);
    assert!(parts(&redacted)[0].get("text").is_none());
}

#[test]
fn citations_safety_and_media() {
    let citation = Citation {
        place: CitedPlace::Url("https://a.example".into()),
        title: Some("A".into()),
        cited_text: None,
        span: Some((1, 4)),
    };
    let rating = SafetyRating { category: "hate".into(), level: SafetyLevel::High, blocked: true };
    let image = Media::new(MediaKind::Image, Source::Data("QQ==".into()), Some("image/png".into()));
    let chunks = chunks(&[
        text("éabc"),
        ChatEvent::Citation { choice: 0, citation },
        ChatEvent::Media { choice: 0, media: image },
        ChatEvent::Safety { choice: 0, ratings: vec![rating] },
        finish(FinishReason::ContentFilter),
        ChatEvent::End,
    ]);
    let last = &chunks.last().unwrap()["candidates"][0];
    assert_eq!(
        last["groundingMetadata"],
        json!({
            "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}],
            "groundingSupports": [{
                "segment": {"startIndex": 2, "endIndex": 5, "text": "abc"},
                "groundingChunkIndices": [0],
            }],
        })
    );
    assert_eq!(
        last["safetyRatings"],
        json!([{"category": "HARM_CATEGORY_HATE_SPEECH", "probability": "HIGH", "blocked": true}])
    );
    assert_eq!(last["content"]["parts"][0]["inlineData"], json!({"mimeType": "image/png", "data": "QQ=="}));
}

#[test]
fn an_array_is_one_json_text() {
    let events = [text("Hello"), text(" you"), finish(FinishReason::Stop), ChatEvent::End];
    let array: Vec<Value> = serde_json::from_slice(&rendered(&events, Framing::Array)).unwrap();
    assert_eq!(array, chunks(&events));
    let broken = [text("Hello"), ChatEvent::Fault(crate::Fault::bad_request("no", None)), ChatEvent::End];
    let array: Vec<Value> = serde_json::from_slice(&rendered(&broken, Framing::Array)).unwrap();
    assert_eq!(joined(&array, false), "Hello");
    assert_eq!(array.last().unwrap()["error"]["status"], "INVALID_ARGUMENT");
}

fn any_event() -> impl Strategy<Value = ChatEvent> {
    let words = "[a-z\"\\\\{}\u{0}é]{0,4}";
    let choice = 0..3_u32;
    let kind = prop::sample::select(vec![SealKind::Google, SealKind::OpenAi, SealKind::AnthropicRedacted]);
    let reason = prop::sample::select(vec![FinishReason::Stop, FinishReason::Pause, FinishReason::Length]);
    prop_oneof![
        (words, words).prop_map(|(id, model)| ChatEvent::Start(ReplyHead {
            id,
            model,
            ..ReplyHead::default()
        })),
        (choice.clone(), words).prop_map(|(choice, text)| ChatEvent::Text { choice, text }),
        (choice.clone(), words).prop_map(|(choice, text)| ChatEvent::Reasoning { choice, text }),
        (choice.clone(), words).prop_map(|(choice, text)| ChatEvent::Refusal { choice, text }),
        (choice.clone(), kind, words).prop_map(|(choice, kind, data)| ChatEvent::ReasoningSeal {
            choice,
            seal: Seal::new(kind, data)
        }),
        (choice.clone(), 0..3_u32, words).prop_map(|(choice, call, name)| ChatEvent::ToolCallStart {
            choice,
            call,
            id: "id".into(),
            name,
            custom: false
        }),
        (choice.clone(), 0..3_u32, words).prop_map(|(choice, call, text)| ChatEvent::ToolCallArguments {
            choice,
            call,
            text
        }),
        (choice.clone(), words, 0..9_u64, 0..9_u64).prop_map(|(choice, uri, from, to)| ChatEvent::Citation {
            choice,
            citation: Citation {
                place: CitedPlace::Url(uri),
                title: None,
                cited_text: None,
                span: Some((from, to))
            }
        }),
        (choice.clone(), words).prop_map(|(choice, text)| ChatEvent::Media {
            choice,
            media: Media::new(MediaKind::Image, Source::FileId(text), None)
        }),
        (choice.clone(), words).prop_map(|(choice, token)| ChatEvent::Logprobs {
            choice,
            tokens: vec![TokenLogprob { token, logprob: -1.0, ..TokenLogprob::default() }]
        }),
        (choice.clone(), reason).prop_map(|(choice, reason)| ChatEvent::Finish { choice, reason }),
        Just(()).prop_map(|()| ChatEvent::Usage(TokenUsage::default())),
        Just(()).prop_map(|()| ChatEvent::End),
        Just(()).prop_map(|()| ChatEvent::Fault(crate::Fault::bad_request("no", None))),
    ]
}

/// One terminal and nothing behind it, no empty text, one finish reason a candidate, arguments always objects.
fn assert_grammar(chunks: &[Value]) {
    let is_terminal = |chunk: &Value| {
        chunk.get("error").is_some()
            || chunk["candidates"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one.get("finishReason").is_some()))
    };
    let terminal = chunks.iter().position(is_terminal);
    assert!(terminal.is_none_or(|at| at + 1 == chunks.len()), "something follows the end");
    for candidate in chunks.iter().filter_map(|chunk| chunk["candidates"].as_array()).flatten() {
        assert!(candidate["index"].is_u64());
        let parts = candidate["content"]["parts"].as_array().cloned().unwrap_or_default();
        for part in parts {
            assert_ne!(part.get("text"), Some(&json!("")));
            assert_ne!(part, json!({}));
            if let Some(call) = part.get("functionCall") {
                assert!(call["args"].is_object());
            }
        }
    }
    if let Some(last) = chunks.last().filter(|chunk| is_terminal(chunk) && chunk.get("error").is_none()) {
        let all = last["candidates"].as_array().unwrap();
        assert!(all.iter().all(|one| one.get("finishReason").is_some()));
    }
}

proptest! {
    #[test]
    fn the_grammar_is_held_whatever_comes(events in prop::collection::vec(any_event(), 0..24)) {
        let chunks = chunks(&events);
        assert_grammar(&chunks);
        // Text is neither lost nor changed up to the finish, the end or an error.
        let mut expected = String::new();
        for event in &events {
            match event {
                ChatEvent::Text { choice: 0, text } | ChatEvent::Refusal { choice: 0, text } => expected.push_str(text),
                ChatEvent::Finish { choice: 0, .. } | ChatEvent::End | ChatEvent::Fault(_) => break,
                _ => {}
            }
        }
        let is_over = events.iter().any(|event| matches!(event, ChatEvent::End | ChatEvent::Fault(_)));
        let mut found = String::new();
        for candidate in chunks.iter().filter_map(|chunk| chunk["candidates"].as_array()).flatten() {
            for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
                if candidate["index"] == 0 && part.get("thought").is_none() {
                    found.push_str(part["text"].as_str().unwrap_or_default());
                }
            }
        }
        if is_over {
            prop_assert_eq!(found, expected);
        } else {
            prop_assert!(expected.starts_with(&found));
        }
    }

    #[test]
    fn both_framings_say_the_same(events in prop::collection::vec(any_event(), 0..24)) {
        let mut elements = Vec::new();
        let mut framer = JsonArrayFramer::new(1 << 24);
        framer.feed(&rendered(&events, Framing::Array), &mut elements).unwrap();
        framer.finish(&mut elements);
        let array: Vec<Value> =
            elements.iter().map(|element| serde_json::from_slice(&element.data).unwrap()).collect();
        prop_assert_eq!(array, chunks(&events));
        let is_over = events.iter().any(|event| matches!(event, ChatEvent::End | ChatEvent::Fault(_)));
        prop_assert_eq!(framer.is_closed(), true);
        prop_assert!(!is_over || rendered(&events, Framing::Array).ends_with(b"\n]"));
    }
}
