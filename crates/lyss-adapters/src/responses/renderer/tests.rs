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

pub(crate) fn parsed(stream: &[u8]) -> Vec<Value> {
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
pub(crate) fn assert_grammar(stream: &[Value]) {
    let mut open_item: Option<(u64, Value)> = None;
    let mut open_part: Option<(u64, String)> = None;
    let mut next_item = 0;
    let mut done = Vec::new();
    for (at, event) in stream.iter().enumerate() {
        let kind = event["type"].as_str().unwrap();
        assert_eq!(event["sequence_number"], at, "{kind}");
        let is_terminal = ["response.completed", "response.incomplete", "response.failed"].contains(&kind);
        assert!(!is_terminal || at + 1 == stream.len(), "something follows {kind}");
        match kind {
            "error" => assert_eq!(stream.len() - at, if at == 0 { 1 } else { 2 }, "the error comes last"),
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

#[test]
fn a_short_answer_has_the_events_of_the_reference() {
    let usage = TokenUsage { input: 3, output: 2, ..TokenUsage::default() };
    let events = [
        start(),
        text("Hel"),
        text("lo"),
        finish(FinishReason::Stop),
        ChatEvent::Usage(usage),
        ChatEvent::End,
    ];
    let stream = render(&events);
    assert_eq!(
        kinds(&stream),
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    assert_eq!(
        stream[4],
        json!({"type": "response.output_text.delta", "sequence_number": 4, "output_index": 0,
            "item_id": "msg_msg_1_0", "content_index": 0, "delta": "Hel", "logprobs": []})
    );
    let message = json!({"type": "message", "id": "msg_msg_1_0", "status": "completed", "role": "assistant",
        "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": "Hello"}]});
    assert_eq!(stream[8]["item"], message);
    let response = &stream[9]["response"];
    assert_eq!(response["id"], "resp_msg_1");
    assert_eq!(response["created_at"], 9);
    assert_eq!(response["status"], "completed");
    assert_eq!(response["model"], "m");
    assert_eq!(response["incomplete_details"], Value::Null);
    assert_eq!(response["usage"]["total_tokens"], 5);
    assert_eq!(stream[0]["response"]["status"], "in_progress");
    assert_eq!(stream[0]["response"]["usage"], Value::Null);
}

#[test]
fn calls_that_come_mixed_up_are_told_one_after_the_other() {
    let stream = render(&[
        start(),
        call(0, "a"),
        call(1, "b"),
        arguments(1, "{\"x\":"),
        arguments(0, "{}"),
        arguments(1, "1}"),
        finish(FinishReason::ToolCalls),
        ChatEvent::End,
    ]);
    let done: Vec<_> = stream
        .iter()
        .filter(|event| event["type"] == "response.output_item.done")
        .map(|event| (event["item"]["call_id"].clone(), event["item"]["arguments"].clone()))
        .collect();
    assert_eq!(done, [(json!("call_0"), json!("{}")), (json!("call_1"), json!("{\"x\":1}"))]);
}

#[test]
fn a_call_without_arguments_has_an_empty_object() {
    let stream = render(&[start(), call(0, "now"), ChatEvent::End]);
    let item = &stream.last().unwrap()["response"]["output"][0];
    assert_eq!((&item["arguments"], &item["status"]), (&json!("{}"), &json!("completed")));
}

#[test]
fn seals_travel_as_their_vendor_wrote_them_or_as_a_token() {
    let foreign = Seal::new(SealKind::AnthropicSignature, "sig");
    let own = Seal::new(SealKind::OpenAi, "gAAA");
    let named = Seal { id: Some("rs_9".into()), ..own.clone() };
    let seal = |seal: &Seal| ChatEvent::ReasoningSeal { choice: 0, seal: seal.clone() };
    let late = Seal { id: Some("rs_8".into()), ..own.clone() };
    let stream = render(&[
        start(),
        thought("Hm."),
        seal(&foreign),
        seal(&own),
        seal(&named),
        thought("Hm?"),
        seal(&late),
        text("So."),
        ChatEvent::End,
    ]);
    let output = &stream.last().unwrap()["response"]["output"];
    assert_eq!(output[0]["summary"], json!([{"type": "summary_text", "text": "Hm."}]));
    assert_eq!(output[0]["encrypted_content"], foreign.to_token());
    assert_eq!(output[1]["summary"], json!([]));
    assert_eq!(output[1]["encrypted_content"], "gAAA");
    assert_eq!((&output[2]["id"], &output[2]["encrypted_content"]), (&json!("rs_9"), &json!("gAAA")));
    // Its item had another id by then, and the vendor wants the two together.
    assert_eq!(output[3]["encrypted_content"], late.to_token());
    assert_eq!(output[4]["content"][0]["text"], "So.");
}

#[test]
fn length_and_filters_leave_the_response_incomplete() {
    for (reason, expected) in [
        (FinishReason::Length, "max_output_tokens"),
        (FinishReason::ContentFilter, "content_filter"),
        (FinishReason::Refusal, "content_filter"),
    ] {
        let stream = render(&[start(), text("a"), finish(reason), text("late"), ChatEvent::End]);
        let last = stream.last().unwrap();
        assert_eq!(last["type"], "response.incomplete");
        assert_eq!(last["response"]["status"], "incomplete");
        assert_eq!(last["response"]["incomplete_details"]["reason"], expected);
        assert_eq!(last["response"]["output"][0]["status"], "incomplete");
        assert_eq!(last["response"]["output"][0]["content"][0]["text"], "a");
    }
    let refusal = ChatEvent::Refusal { choice: 0, text: "No.".into() };
    let stream = render(&[start(), refusal, finish(FinishReason::Refusal), ChatEvent::End]);
    let response = &stream.last().unwrap()["response"];
    assert_eq!(response["status"], "completed");
    assert_eq!(response["output"][0]["content"], json!([{"type": "refusal", "refusal": "No."}]));
}

#[test]
fn a_fault_fails_what_has_begun_and_is_an_error_before() {
    let fault = ChatEvent::Fault(Fault::new(lyss_domain::FaultKind::Overloaded, "Too busy."));
    let stream = render(&[start(), text("a"), fault.clone(), text("b"), ChatEvent::End]);
    let last = stream.last().unwrap();
    assert_eq!(last["type"], "response.failed");
    assert_eq!(last["response"]["status"], "failed");
    assert_eq!(last["response"]["error"]["message"], "Too busy.");
    assert_eq!(last["response"]["error"]["code"], "overloaded");
    let error = &stream[stream.len() - 2];
    assert_eq!((&error["type"], &error["error"]["message"]), (&json!("error"), &json!("Too busy.")));
    // What is unfinished is not told as done.
    assert_eq!(last["response"]["output"], json!([]));
    assert_eq!(kinds(&render(&[fault])), ["error"]);
}

#[test]
fn a_citation_backs_the_stretch_before_it() {
    let cite = |url: &str| ChatEvent::Citation {
        choice: 0,
        citation: Citation {
            place: CitedPlace::Url(url.into()),
            title: Some("T".into()),
            cited_text: None,
            span: None,
        },
    };
    let stream =
        render(&[start(), text("Aé."), cite("u1"), cite("u2"), text("B."), cite("u3"), ChatEvent::End]);
    let marks = &stream.last().unwrap()["response"]["output"][0]["content"][0]["annotations"];
    let spans: Vec<_> = (0..3).map(|at| (&marks[at]["start_index"], &marks[at]["end_index"])).collect();
    assert_eq!(spans, [(&json!(0), &json!(3)), (&json!(0), &json!(3)), (&json!(3), &json!(5))]);
    assert_eq!(
        marks[2],
        json!({"type": "url_citation", "start_index": 3, "end_index": 5, "title": "T", "url": "u3"})
    );
}

#[test]
fn tokens_stand_in_pieces_and_in_the_whole() {
    let top = TokenLogprob { token: "b".into(), logprob: -2.0, ..TokenLogprob::default() };
    let token = TokenLogprob { token: "a".into(), logprob: -0.5, bytes: Some(vec![97]), top: vec![top] };
    let stream = render(&[
        start(),
        text("a"),
        ChatEvent::Logprobs { choice: 0, tokens: vec![token.clone()] },
        ChatEvent::End,
    ]);
    let expected = json!([{"token": "a", "bytes": [97], "logprob": -0.5,
        "top_logprobs": [{"token": "b", "bytes": [98], "logprob": -2.0}]}]);
    assert_eq!(stream[5]["logprobs"], expected);
    let told = |events: &[ChatEvent]| render(events).last().unwrap()["response"]["output"].clone();
    let early = ChatEvent::Logprobs { choice: 0, tokens: vec![token] };
    let output = told(&[early.clone(), text("a"), ChatEvent::End]);
    assert_eq!(output[0]["content"][0]["logprobs"], expected);
    assert_eq!(told(&[early, ChatEvent::End]), json!([]));
    assert_eq!(stream.last().unwrap()["response"]["output"][0]["content"][0]["logprobs"], expected);
}

#[test]
fn the_response_repeats_the_request() {
    let request = "{\"model\":\"asked\",\n \"instructions\": \"Be\\nbrief\",\n \"tools\": [ { \"type\": \"function\" } ]}";
    let stream = parsed(&bytes(&[text("a"), ChatEvent::End], request));
    for event in [&stream[0], stream.last().unwrap()] {
        assert_eq!(event["response"]["instructions"], "Be\nbrief");
        assert_eq!(event["response"]["tools"], json!([{"type": "function"}]));
        assert_eq!(event["response"]["model"], "asked");
    }
}

#[test]
fn memory_is_bounded_and_the_pieces_still_go_out() {
    let rendering = Rendering::at(Timestamp::from_millis(0));
    let mut renderer = ResponseRenderer::keeping(&rendering, 1_000);
    let mut out = BytesMut::new();
    for _ in 0..100 {
        renderer.event(&text(&"x".repeat(100)), &mut out);
    }
    renderer.event(&ChatEvent::End, &mut out);
    let stream = parsed(&out);
    let deltas = stream.iter().filter(|event| event["type"] == "response.output_text.delta");
    assert_eq!(deltas.map(|event| event["delta"].as_str().unwrap().len()).sum::<usize>(), 10_000);
    let kept = stream.last().unwrap()["response"]["output"].to_string();
    assert!(kept.len() < 2_000, "{}", kept.len());
}

#[test]
fn an_image_says_its_format_where_it_is_not_the_usual_one() {
    let shown = |mime: &str| {
        let source = Source::Data("aGk=".into());
        let image = Media::new(MediaKind::Image, source, Some(mime.to_owned()));
        let events = [ChatEvent::Media { choice: 0, media: image }, ChatEvent::End];
        String::from_utf8(bytes(&events, "{}")).unwrap()
    };
    assert!(shown("image/jpeg").contains(r#""output_format":"jpeg""#));
    assert!(!shown("image/png").contains("output_format"));
}
