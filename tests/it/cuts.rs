//! Every cut point of a recorded stream: one terminal state, one settlement, nothing that looks like success.

use std::time::Duration;

use lyss_domain::{AttemptRecord, FaultKind, Terminal, UsageSource};
use lyss_testkit::transport::{Answer, Script, ScriptedTransport};
use lyss_wire::TransportClass;

use crate::gateway::{Gateway, Told, bodies};

/// A vendor's dialect and what it was recorded to say.
#[derive(Clone, Copy)]
struct Recording {
    provider: &'static str,
    stream: &'static str,
    /// Bytes up to and with the first event that says the stream has begun.
    begun: usize,
    /// Bytes from which on the end marker has passed, with and without the blank line behind it.
    ended: usize,
}

fn openai() -> Recording {
    let stream = bodies::OPENAI_STREAM;
    Recording {
        provider: "openai",
        stream,
        begun: stream.find("\n\n").unwrap() + 2,
        ended: stream.find("[DONE]").unwrap() + 6,
    }
}

fn anthropic() -> Recording {
    let stream = bodies::ANTHROPIC_STREAM;
    Recording {
        provider: "anthropic",
        stream,
        begun: stream.find("\n\n").unwrap() + 2,
        ended: stream.len() - 2,
    }
}

fn event_stream() -> Script {
    Answer::head(200, &[("content-type", "text/event-stream")])
}

/// How the bytes stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stop {
    /// The connection broke.
    Break,
    /// An orderly end of the body, too early.
    End,
}

const STOPS: [Stop; 2] = [Stop::Break, Stop::End];

impl Stop {
    fn after(self, bytes: &'static [u8]) -> Answer {
        let script = event_stream();
        let script = if bytes.is_empty() { script } else { script.chunk(bytes) };
        match self {
            Self::Break => script.cut(),
            Self::End => script.end(),
        }
    }

    /// Whether the end marker has passed within this many bytes.
    fn is_complete(self, recording: Recording, bytes: usize) -> bool {
        match self {
            Self::End => bytes >= recording.ended,
            // An event is over with its blank line.
            Self::Break => bytes == recording.stream.len(),
        }
    }
}

async fn gateway(provider: &str) -> (Gateway, ScriptedTransport) {
    let (gateway, transport) = Gateway::scripted().await;
    gateway.channel("only", provider).await;
    gateway.watch_reservations().await;
    (gateway, transport)
}

fn asked_for_usage() -> String {
    bodies::chat_with("gpt-4o-mini", true, r#","stream_options":{"include_usage":true}"#)
}

/// Nothing of an answer that was cut may look like one that is complete, and a reader must be able to read all of it.
fn assert_cut(told: &Told, place: &str) {
    let text = told.text();
    assert!(!text.contains("[DONE]"), "{place}: a cut answer has an end marker: {text}");
    let last = bodies::events(text).pop().unwrap_or_default();
    let last = last.strip_prefix("data: ").unwrap_or_else(|| panic!("{place}: no event at the end: {text}"));
    let error: serde_json::Value =
        serde_json::from_str(last).unwrap_or_else(|_| panic!("{place}: the last event is no JSON: {text}"));
    assert!(error["error"]["message"].is_string(), "{place}: the last event is no error: {text}");
    assert!(text.ends_with("\n\n"), "{place}: {text}");
    bodies::text_of(text);
}

fn one<'a>(records: &'a [AttemptRecord], told: &Told, place: &str) -> &'a AttemptRecord {
    let mine: Vec<_> = records.iter().filter(|record| record.call == told.call()).collect();
    assert_eq!(mine.len(), 1, "{place}: records");
    mine[0]
}

/// Cuts after every byte, in both ways, with one channel.
async fn cut_everywhere(recording: Recording, complete: impl Fn(&Told, &str)) {
    let (gateway, transport) = gateway(recording.provider).await;
    let mut told = Vec::new();
    for stop in STOPS {
        for bytes in 0..=recording.stream.len() {
            transport.push(stop.after(&recording.stream.as_bytes()[..bytes]));
            let answer = gateway.ask(&asked_for_usage()).await;
            assert_eq!(gateway.reserved(), 0, "{stop:?} after {bytes}: something stays reserved");
            told.push((stop, bytes, answer));
        }
    }
    assert_eq!(transport.left(), 0);
    let records = gateway.records().await;
    assert_eq!(records.len(), told.len());
    for (stop, bytes, told) in &told {
        let place = format!("{stop:?} after {bytes}");
        let record = one(&records, told, &place);
        if stop.is_complete(recording, *bytes) {
            assert_eq!((record.terminal, record.fault), (Terminal::Complete, None), "{place}");
            assert_eq!(record.usage_source, UsageSource::Provider, "{place}");
            assert_eq!((record.usage.prompt(), record.usage.completion()), (11, 4), "{place}");
            assert_eq!(told.text().matches("[DONE]").count(), 1, "{place}");
            complete(told, &place);
        } else if told.status == 200 {
            assert!(*bytes + 2 >= recording.begun, "{place}: nothing to answer with");
            assert_eq!(record.terminal, Terminal::UpstreamCut, "{place}");
            assert!(record.fault.is_some(), "{place}");
            assert_cut(told, &place);
        } else {
            assert!(*bytes <= recording.begun, "{place}: an answer that has begun was refused");
            assert_eq!((told.status, record.terminal), (502, Terminal::Refused), "{place}");
            assert!(told.json()["error"]["message"].is_string(), "{place}");
            assert_eq!(record.usage.total(), 0, "{place}: charged for nothing");
        }
    }
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passed_stream_is_cut_anywhere_and_never_looks_complete() {
    cut_everywhere(openai(), |told, place| {
        let sent = bodies::OPENAI_STREAM.as_bytes();
        let same =
            told.body == sent || told.body == sent[..sent.len() - 2] || told.body == sent[..sent.len() - 1];
        assert!(same, "{place}: {}", told.text());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_converted_stream_is_cut_anywhere_and_never_looks_complete() {
    cut_everywhere(anthropic(), |told, place| {
        assert_eq!(bodies::text_of(told.text()), bodies::STREAMED_TEXT, "{place}");
    })
    .await;
}

/// Splits the whole stream after every byte.
async fn split_everywhere(recording: Recording, body: &str) -> Vec<Told> {
    let (gateway, transport) = gateway(recording.provider).await;
    let mut told = Vec::new();
    for bytes in 1..recording.stream.len() {
        let (first, rest) = recording.stream.as_bytes().split_at(bytes);
        transport.push(event_stream().chunk(first).chunk(rest).end());
        told.push(gateway.ask(body).await);
        assert_eq!(gateway.reserved(), 0, "split after {bytes}");
    }
    let records = gateway.records().await;
    for told in &told {
        let record = one(&records, told, "split");
        assert_eq!((record.terminal, record.usage_source), (Terminal::Complete, UsageSource::Provider));
        assert_eq!((record.usage.prompt(), record.usage.completion()), (11, 4));
    }
    gateway.close().await;
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passed_stream_is_the_same_bytes_however_it_was_split() {
    for told in split_everywhere(openai(), &asked_for_usage()).await {
        assert_eq!(told.text(), bodies::OPENAI_STREAM);
    }
    let without = bodies::events(bodies::OPENAI_STREAM)
        .into_iter()
        .filter(|event| !event.contains("prompt_tokens"))
        .map(|event| format!("{event}\n\n"))
        .collect::<String>();
    for told in split_everywhere(openai(), &bodies::chat("gpt-4o-mini", true)).await {
        assert_eq!(told.text(), without, "the usage that only we asked for is taken out");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_converted_stream_says_the_same_however_it_was_split() {
    let mut first: Option<String> = None;
    for told in split_everywhere(anthropic(), &asked_for_usage()).await {
        assert_eq!(bodies::text_of(told.text()), bodies::STREAMED_TEXT);
        assert_eq!(told.text().matches("[DONE]").count(), 1);
        // `created` stands still with the clock, and the vendor's id is in the answer's.
        assert_eq!(told.text(), first.get_or_insert_with(|| told.text().to_owned()));
    }
}

/// A stream that stops before it began is answered by another channel, and both attempts are on record.
/// Longer than a channel is left out for its failures, and than the budget of retries needs to fill again.
const FORGIVEN: Duration = Duration::from_secs(60);

async fn fails_over(recording: Recording) {
    let (gateway, transport) = gateway(recording.provider).await;
    gateway.channel("second", recording.provider).await;
    let mut told = Vec::new();
    for stop in STOPS {
        for bytes in 0..recording.begun - 2 {
            gateway.clock.advance(FORGIVEN);
            transport.push(stop.after(&recording.stream.as_bytes()[..bytes]));
            transport.push(Stop::End.after(recording.stream.as_bytes()));
            let answer = gateway.ask(&asked_for_usage()).await;
            assert_eq!((answer.status, answer.head.attempts), (200, 2), "{stop:?} after {bytes}");
            assert_eq!(bodies::text_of(answer.text()), bodies::STREAMED_TEXT);
            assert_eq!((gateway.reserved(), transport.left()), (0, 0));
            told.push(answer);
        }
    }
    let records = gateway.records().await;
    for told in &told {
        let mine: Vec<_> = records.iter().filter(|record| record.call == told.call()).collect();
        let [failed, answered] = mine[..] else { panic!("{} records of one call", mine.len()) };
        assert_eq!((failed.ordinal, failed.terminal, failed.usage.total()), (0, Terminal::Refused, 0));
        assert_eq!((answered.ordinal, answered.terminal), (1, Terminal::Complete));
        assert_ne!(failed.channel, answered.channel);
        assert_eq!(Some(answered.channel), told.head.channel);
    }
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passed_stream_that_never_began_is_answered_by_another_channel() {
    fails_over(openai()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_converted_stream_that_never_began_is_answered_by_another_channel() {
    fails_over(anthropic()).await;
}

/// Some vendors begin with text at once: half of that event is nothing a caller could have read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_cut_within_its_first_text_is_answered_by_another_channel() {
    let (gateway, transport) = gateway("openai").await;
    gateway.channel("second", "openai").await;
    let event =
        r#"data: {"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":"Zoë says"}}]}"#;
    for stop in STOPS {
        for bytes in 1..event.len() {
            gateway.clock.advance(FORGIVEN);
            transport.push(stop.after(&event.as_bytes()[..bytes]));
            transport.push(Stop::End.after(bodies::OPENAI_STREAM.as_bytes()));
            let told = gateway.ask(&asked_for_usage()).await;
            assert_eq!(told.text(), bodies::OPENAI_STREAM, "{stop:?} after {bytes}");
            assert_eq!(told.head.attempts, 2, "{stop:?} after {bytes}");
        }
    }
    assert_eq!(gateway.reserved(), 0);
    gateway.close().await;
}

/// An error object that the vendor did not end with a blank line before it closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_at_the_very_end_of_a_stream_can_be_read() {
    let (gateway, transport) = gateway("openai").await;
    let begun = &bodies::OPENAI_STREAM[..openai().begun];
    transport.push(event_stream().chunk(begun).chunk(r#"data: {"error":{"message":"It broke."}}"#).end());
    let told = gateway.ask(&asked_for_usage()).await;
    assert_cut(&told, "error at the end");
    assert_eq!(told.text().matches("It broke.").count(), 1);
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_answer_is_cut_anywhere_and_never_looks_complete() {
    let (gateway, transport) = gateway("openai").await;
    let whole = bodies::OPENAI_WHOLE.as_bytes();
    let length = whole.len().to_string();
    for bytes in 0..=whole.len() {
        let script = Answer::head(200, &[("content-length", &length)]).chunk(&whole[..bytes]);
        let is_whole = bytes == whole.len();
        transport.push(if is_whole { script.end() } else { script.cut() });
        let told = gateway.ask(&bodies::chat("gpt-4o-mini", false)).await;
        assert_eq!(told.status, if is_whole { 200 } else { 502 }, "cut after {bytes}");
        assert_eq!(is_whole, told.body == whole);
        assert_eq!(gateway.reserved(), 0);
    }
    let records = gateway.records().await;
    assert_eq!(records.len(), whole.len() + 1);
    assert_eq!(records.iter().filter(|record| record.terminal == Terminal::Complete).count(), 1);
    assert_eq!(gateway.posted(lyss_quota::Unit::Tokens), 15, "only the whole one is charged");
    gateway.close().await;
}

/// Silence in the middle: the idle timer ends it, and the record says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_falls_silent_times_out_with_an_error_event() {
    for recording in [openai(), anthropic()] {
        let (gateway, transport) = gateway(recording.provider).await;
        let channel = gateway.office.management.all_channels(&gateway.office.scope).await.unwrap().remove(0);
        let idle = Some(std::time::Duration::from_millis(30));
        gateway.office.edit_channel(channel.id, |channel| channel.timeouts.idle = idle).await;
        for bytes in [recording.begun, recording.begun + 7, recording.stream.len() / 2] {
            transport.push(event_stream().chunk(&recording.stream.as_bytes()[..bytes]).stall());
            let told = gateway.ask(&asked_for_usage()).await;
            assert_eq!(told.status, 200);
            assert_cut(&told, "silence");
            let records = gateway.records_of(told.call()).await;
            assert_eq!(records.len(), 1);
            assert_eq!(
                (records[0].terminal, records[0].fault),
                (Terminal::TimedOut, Some(FaultKind::IdleTimeout))
            );
        }
        assert_eq!(gateway.reserved(), 0);
        gateway.close().await;
    }
}

/// An error object of the vendor inside the stream ends it: shown once, never followed by an end marker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_inside_a_stream_is_shown_once_and_ends_it() {
    let said = [
        (
            openai(),
            "data: {\"error\":{\"message\":\"It broke.\",\"type\":\"server_error\",\"code\":null}}\n\n",
        ),
        (
            anthropic(),
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"It broke.\"}}\n\n",
        ),
    ];
    for (recording, error) in said {
        let (gateway, transport) = gateway(recording.provider).await;
        // Behind the first text.
        let at = recording.stream.find("Zoë").unwrap();
        let at = at + recording.stream[at..].find("\n\n").unwrap() + 2;
        for ending in [Stop::End, Stop::Break] {
            let script = event_stream().chunk(&recording.stream.as_bytes()[..at]).chunk(error);
            transport.push(if ending == Stop::End { script.end() } else { script.fail(TransportClass::Cut) });
            let told = gateway.ask(&asked_for_usage()).await;
            assert_cut(&told, "error event");
            assert_eq!(told.text().matches("It broke.").count(), 1);
            assert_eq!(told.text().matches("\"error\"").count(), 1);
            let records = gateway.records_of(told.call()).await;
            assert_eq!(records.len(), 1);
            assert_eq!(
                (records[0].terminal, records[0].fault),
                (Terminal::UpstreamCut, Some(FaultKind::VendorError))
            );
            assert!(records[0].usage.completion() >= 1, "what was said is charged");
        }
        assert_eq!(gateway.reserved(), 0);
        gateway.close().await;
    }
}
