use bytes::BytesMut;
use lyss_domain::{Timestamp, TokenUsage};
use lyss_wire::SseFramer;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::conversation::{Citation, CitedPlace, Media, MediaKind, SealKind, Source, TokenLogprob};
use crate::golden::strangers::any_event;

fn bytes(events: &[ChatEvent], request: &str) -> Vec<u8> {
    let request = Bytes::copy_from_slice(request.as_bytes());
    let rendering =
        Rendering { request, model: "asked".into(), ..Rendering::at(Timestamp::from_millis(9_999)) };
    let mut renderer = ResponseRenderer::new(&rendering);
    let mut out = BytesMut::new();
    for event in events {
        renderer.event(event, &mut out);
    }
    out.to_vec()
}

fn parsed(stream: &[u8]) -> Vec<Value> {
    let mut framer = SseFramer::new(64 << 20);
    let mut frames = Vec::new();
    framer.feed(stream, &mut frames).unwrap();
    framer.finish(&mut frames).unwrap();
    frames.iter().map(|frame| serde_json::from_slice(&frame.data).unwrap()).collect()
}

fn render(events: &[ChatEvent]) -> Vec<Value> {
    let stream = parsed(&bytes(events, ""));
    assert_grammar(&stream);
    stream
}

fn kinds(stream: &[Value]) -> Vec<&str> {
    stream.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

fn text(text: &str) -> ChatEvent {
    ChatEvent::Text { choice: 0, text: text.into() }
}

fn thought(text: &str) -> ChatEvent {
    ChatEvent::Reasoning { choice: 0, text: text.into() }
}

fn start() -> ChatEvent {
    ChatEvent::Start(ReplyHead { id: "msg_1".into(), model: "m".into(), ..ReplyHead::default() })
}

fn call(call: u32, name: &str) -> ChatEvent {
    ChatEvent::ToolCallStart { choice: 0, call, id: format!("call_{call}"), name: name.into(), custom: false }
}

fn arguments(call: u32, text: &str) -> ChatEvent {
    ChatEvent::ToolCallArguments { choice: 0, call, text: text.into() }
}

fn finish(reason: FinishReason) -> ChatEvent {
    ChatEvent::Finish { choice: 0, reason }
}

/// What the reference's order of events demands, and that what is said twice is said alike.
fn assert_grammar(stream: &[Value]) {
    let mut open_item: Option<(u64, Value)> = None;
    let mut open_part: Option<(u64, String)> = None;
    let mut next_item = 0;
    let mut done = Vec::new();
    for (at, event) in stream.iter().enumerate() {
        let kind = event["type"].as_str().unwrap();
        assert_eq!(event["sequence_number"], at, "{kind}");
        let is_terminal =
            ["response.completed", "response.incomplete", "response.failed", "error"].contains(&kind);
        assert!(!is_terminal || at + 1 == stream.len(), "something follows {kind}");
        match kind {
            "error" => assert_eq!(at, 0, "a response that has begun fails as such"),
            "response.created" => assert_eq!(at, 0),
            "response.in_progress" => assert_eq!(at, 1),
            "response.output_item.added" => {
                assert!(open_item.is_none(), "an item in an item");
                assert_eq!(event["output_index"], next_item);
                open_item = Some((next_item, event["item"]["id"].clone()));
                next_item += 1;
            }
            "response.output_item.done" => {
                assert!(open_part.is_none(), "an open part in an item that is done");
                let (index, id) = open_item.take().expect("an item that is done was added");
                assert_eq!(event["output_index"], index);
                assert_eq!(event["item"]["id"], id);
                done.push(event["item"].clone());
            }
            kind if is_terminal => {
                assert_eq!(event["response"]["output"], json!(done), "the output is what was done");
                assert!(open_item.is_none() || kind == "response.failed");
            }
            kind => {
                let (index, id) = open_item.as_ref().expect("inside an item");
                assert_eq!(event["output_index"], *index, "{kind}");
                assert_eq!(event["item_id"], *id, "{kind}");
                assert_part(kind, event, &mut open_part);
            }
        }
    }
    assert!(stream.is_empty() || stream.len() > 1 || stream[0]["type"] == "error");
}

/// A part is added once, filled, said whole and done.
fn assert_part(kind: &str, event: &Value, open: &mut Option<(u64, String)>) {
    let number = event.get("content_index").or(event.get("summary_index"));
    let whole = ["text", "refusal", "arguments", "input"].iter().find_map(|name| event.get(*name));
    if kind.ends_with("part.added") {
        assert!(open.is_none(), "a part in a part");
        *open = Some((number.unwrap().as_u64().unwrap(), String::new()));
    } else if kind.ends_with("part.done") {
        let (at, text) = open.take().expect("a part that is done was added");
        assert_eq!(number.unwrap(), at);
        let part = &event["part"];
        assert_eq!(part.get("text").or(part.get("refusal")).unwrap(), &json!(text));
    } else if kind.contains("function_call_arguments") || kind.contains("custom_tool_call_input") {
        // A call has no parts: its text is gathered as if it had one.
        match event.get("delta") {
            Some(delta) => open.get_or_insert_default().1.push_str(delta.as_str().unwrap()),
            None => assert_eq!(whole.unwrap(), &json!(open.take().unwrap_or_default().1)),
        }
    } else {
        let (at, text) = open.as_mut().expect("inside a part");
        assert_eq!(number.unwrap(), *at);
        match (event.get("delta"), whole) {
            (Some(delta), _) => text.push_str(delta.as_str().unwrap()),
            (None, Some(whole)) => assert_eq!(whole, &json!(text)),
            (None, None) => assert_eq!(kind, "response.output_text.annotation.added"),
        }
    }
}

/// Also what the shared strategy leaves out.
fn more_events() -> impl Strategy<Value = ChatEvent> {
    let seal = prop::sample::select(vec![SealKind::OpenAi, SealKind::Google]);
    let url = || CitedPlace::Url("https://example.com".into());
    let citation = move || Citation { place: url(), title: None, cited_text: None, span: None };
    let image = || Media::new(MediaKind::Image, Source::Data("aGk=".into()), None);
    let tokens = || vec![TokenLogprob { token: "a".into(), ..TokenLogprob::default() }];
    let reasons = vec![FinishReason::Length, FinishReason::ContentFilter, FinishReason::ToolCalls];
    prop_oneof![
        8 => any_event(),
        2 => (0..2_u32, 0..3_u32, any::<bool>()).prop_map(|(choice, call, custom)| {
            ChatEvent::ToolCallStart { choice, call, id: String::new(), name: "f".into(), custom }
        }),
        2 => (0..3_u32, "[{}\"a]{0,3}").prop_map(|(call, text)| arguments(call, &text)),
        1 => seal.prop_map(|kind| ChatEvent::ReasoningSeal { choice: 0, seal: Seal::new(kind, "s") }),
        1 => Just(()).prop_map(move |()| ChatEvent::Citation { choice: 0, citation: citation() }),
        1 => Just(()).prop_map(move |()| ChatEvent::Media { choice: 0, media: image() }),
        1 => Just(()).prop_map(move |()| ChatEvent::Logprobs { choice: 0, tokens: tokens() }),
        1 => prop::sample::select(reasons).prop_map(finish),
    ]
}

proptest! {
    #[test]
    fn the_grammar_holds_whatever_comes(events in prop::collection::vec(more_events(), 0..40)) {
        assert_grammar(&parsed(&bytes(&events, "")));
    }

    /// A stream without an error or an early end tells every text that was given to it, in order.
    #[test]
    fn no_text_is_lost_or_moved(pieces in prop::collection::vec("[a-z]{1,3}", 1..10), calls in 0..3_u32) {
        let mut events = vec![start()];
        for (at, piece) in pieces.iter().enumerate() {
            events.push(text(piece));
            if u32::try_from(at).unwrap() < calls {
                events.push(call(u32::try_from(at).unwrap(), "f"));
                events.push(arguments(u32::try_from(at).unwrap(), "{\"a\":"));
            }
        }
        events.extend((0..calls).rev().map(|call| arguments(call, "1}")));
        events.push(ChatEvent::End);
        let stream = render(&events);
        let told: String = stream.iter()
            .filter(|event| event["type"] == "response.output_text.delta")
            .map(|event| event["delta"].as_str().unwrap())
            .collect();
        prop_assert_eq!(told, pieces.concat());
        let started = pieces.len().min(calls as usize);
        let whole = stream.iter().filter(|event| event["arguments"] == "{\"a\":1}").count();
        prop_assert_eq!(whole, started);
    }
}
