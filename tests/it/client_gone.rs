//! A caller that hangs up: the vendor's work stops with it, and what was said is charged, once.

use std::future::Future;
use std::time::Duration;

use lyss_domain::{FaultKind, Terminal, UsageSource};
use lyss_quota::Unit;
use lyss_sandbox::Vendor;
use lyss_testkit::transport::{Answer, Script, ScriptedTransport};

use crate::gateway::process::Served;
use crate::gateway::{Gateway, bodies, next, stream_of, until};

/// A recorded stream, an event a piece, with a breath before each: what is readable at once is one piece.
fn in_events(stream: &'static str) -> Script {
    let begin = Answer::head(200, &[("content-type", "text/event-stream")]);
    let events = bodies::events(stream).into_iter();
    events.fold(begin, |script, event| script.wait(Duration::from_millis(5)).chunk(format!("{event}\n\n")))
}

/// Drops a call once its request was sent.
async fn hang_up_early<T>(call: impl Future<Output = T>, transport: &ScriptedTransport, sent: usize) {
    tokio::select! {
        _ = call => panic!("there is an answer"),
        () = until("the request is sent", || transport.sent().len() == sent) => {}
    }
}

/// Hangs up after each number of pieces.
async fn hang_up_anywhere(provider: &str, stream: &'static str) {
    let (gateway, transport) = Gateway::scripted().await;
    gateway.channel("only", provider).await;
    gateway.watch_reservations().await;
    let mut total_tokens = 0;
    let mut pieces = 0;
    let mut left = 0;
    let mut is_over = false;
    while !is_over {
        transport.push(in_events(stream).stall());
        let cancelled = transport.cancelled();
        let (head, mut relay) = stream_of(gateway.chat(&bodies::chat("gpt-4o-mini", true)).await);
        assert!(gateway.reserved() > 0, "a call under way holds its bound");
        let mut heard = String::new();
        for _ in 0..pieces {
            heard.push_str(std::str::from_utf8(&next(&mut relay).await.unwrap()).unwrap());
        }
        is_over = heard.contains("[DONE]");
        drop(relay);

        assert_eq!(transport.cancelled(), cancelled + 1, "{pieces}: the vendor goes on");
        assert_eq!(gateway.reserved(), 0, "{pieces}: something stays reserved");
        let records = gateway.records_of(head.call).await;
        assert_eq!(records.len(), 1, "{pieces}: records");
        let record = &records[0];
        let events = heard.matches("Zoë").count() + heard.matches("yes").count();
        // The vendor's end may have been read before the caller left, since what is readable is gathered.
        if is_over || record.terminal == Terminal::Complete {
            assert_eq!((record.terminal, record.fault), (Terminal::Complete, None));
            assert_eq!(record.usage_source, UsageSource::Provider);
            assert_eq!((record.usage.prompt(), record.usage.completion()), (11, 4));
        } else {
            left += 1;
            assert_eq!(record.terminal, Terminal::ClientGone, "{pieces}");
            assert_eq!(record.fault, Some(FaultKind::ClientGone), "{pieces}");
            assert!(record.usage.completion() >= events as u64, "{pieces}: {events} events were delivered");
            assert!(record.usage.prompt() > 0, "{pieces}: the prompt was read");
        }
        total_tokens += i64::try_from(record.usage.total()).unwrap();
        assert_eq!(gateway.posted(Unit::Tokens), total_tokens, "{pieces}: the quota and the records agree");
        pieces += 1;
        assert_eq!(gateway.posted(Unit::Requests), pieces, "a call that was begun counts");
    }
    assert!(left > 2, "the caller left before the vendor's end {left} times");
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passed_stream_may_be_left_after_any_event() {
    hang_up_anywhere("openai", bodies::OPENAI_STREAM).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_converted_stream_may_be_left_after_any_event() {
    hang_up_anywhere("anthropic", bodies::ANTHROPIC_STREAM).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_may_be_left_before_its_answer_begins() {
    let (gateway, transport) = Gateway::scripted().await;
    gateway.channel("only", "openai").await;
    gateway.watch_reservations().await;
    let comment = Answer::head(200, &[("content-type", "text/event-stream")]).chunk(": wait\n\n").stall();
    let half = Answer::head(200, &[]).chunk(&bodies::OPENAI_WHOLE.as_bytes()[..100]).stall();
    let error = Answer::head(500, &[]).chunk("half an err").stall();
    let waits = [
        (true, Answer::silent()),
        (true, comment),
        (false, Answer::silent()),
        (false, half),
        (false, error.clone()),
        (true, error),
    ];
    for (calls, (stream, answer)) in waits.into_iter().enumerate() {
        transport.push(answer);
        hang_up_early(gateway.chat(&bodies::chat("gpt-4o-mini", stream)), &transport, calls + 1).await;
        assert_eq!(transport.cancelled(), calls + 1, "call {calls}: the vendor goes on");
        assert_eq!(gateway.reserved(), 0, "call {calls}: something stays reserved");
        let records = gateway.records().await;
        assert_eq!(records.len(), calls + 1);
        assert!(records.iter().all(|record| record.terminal == Terminal::ClientGone));
    }
    gateway.close().await;
}

/// While the second channel is being tried, the first one's attempt stands as it ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_may_be_left_during_its_second_attempt() {
    let (gateway, transport) = Gateway::scripted().await;
    for name in ["first", "second"] {
        gateway.channel(name, "openai").await;
    }
    gateway.watch_reservations().await;
    transport.push(Answer::json(503, "{}"));
    transport.push(Answer::silent());
    hang_up_early(gateway.chat(&bodies::chat("gpt-4o-mini", true)), &transport, 2).await;
    let records = gateway.records().await;
    let ends: Vec<_> = records.iter().map(|record| (record.ordinal, record.terminal)).collect();
    assert_eq!(ends, [(0, Terminal::Refused), (1, Terminal::ClientGone)]);
    assert_eq!((gateway.reserved(), gateway.posted(Unit::Requests)), (0, 1));
    gateway.close().await;
}

/// Over sockets: the vendor sees the connection close.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_closed_in_mid_stream_closes_the_vendors() {
    let served = Served::open(&[]).await;
    for (vendor, model) in [(Vendor::OpenAi, "gpt-4o-mini"), (Vendor::Anthropic, "claude-haiku-4-5")] {
        let mut reply = served.chat(&bodies::chat(&format!("{model}+words=5000+gap_ms=5"), true)).await;
        assert_eq!(reply.status, 200);
        reply.read_until(r#""delta":{"content""#).await;
        drop(reply);
        until("the vendor's stream is closed", || served.sandbox.stats(vendor).streams_aborted == 1).await;
        assert_eq!(served.sandbox.stats(vendor).open_streams, 0);
    }
    let records = served.records(2).await;
    assert!(records.iter().all(|record| record.terminal == Terminal::ClientGone));
    assert!(records.iter().all(|record| record.usage.completion() > 0));
}

/// Nothing is written to a silent stream, so only the closed socket itself can tell.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_closed_while_the_vendor_is_silent_is_noticed() {
    let served = Served::open(&[]).await;
    let mut silent = served.chat(&bodies::chat("gpt-4o-mini+stall_events=3", true)).await;
    silent.read_until("data: ").await;
    drop(silent);
    let aborted = || served.sandbox.stats(Vendor::OpenAi).streams_aborted;
    until("the silent stream is closed", || aborted() == 1).await;

    // A whole answer that is still being waited for.
    let body = bodies::chat("gpt-4o-mini+first_ms=60000", false);
    let waiting = served.chat(&body);
    tokio::select! {
        _ = waiting => panic!("there is an answer"),
        () = until("the vendor has the request", || served.sandbox.stats(Vendor::OpenAi).requests == 2) => {}
    }
    until("the waiting call is closed", || aborted() == 2).await;
    let records = served.records(2).await;
    assert!(records.iter().all(|record| record.terminal == Terminal::ClientGone));
}
