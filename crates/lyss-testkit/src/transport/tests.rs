use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, HeaderValue, Method};
use lyss_wire::{
    ByteStream, EncodedRequest, RequestBody, RestOfBody, Timers, Transport, TransportClass, TransportError,
    UploadError,
};
use tokio::time::Instant;

use super::{Answer, ScriptedTransport};

const TIMERS: Timers = Timers {
    connect: Duration::from_secs(2),
    first_byte: Duration::from_secs(60),
    idle: Duration::from_secs(10),
    total: Duration::from_secs(100),
};

fn request() -> EncodedRequest {
    let mut headers = HeaderMap::new();
    headers.insert("x-key", HeaderValue::from_static("value"));
    let mut body = RequestBody::from(Bytes::from_static(b"{\"a\":"));
    body.push(Bytes::from_static(b"1}"));
    EncodedRequest::new(Method::POST, "https://vendor.test/v1".parse().unwrap(), headers, body)
}

async fn next(stream: &mut ByteStream) -> Option<Result<Bytes, TransportError>> {
    poll_fn(|cx| stream.as_mut().poll_next(cx)).await
}

/// Chunks, and the class the stream ended with.
async fn play(answer: Answer) -> (Vec<Bytes>, Option<TransportClass>) {
    let transport = ScriptedTransport::new([answer]);
    let (_, mut stream) = transport.send(request(), TIMERS).await.unwrap();
    let mut chunks = Vec::new();
    let end = loop {
        match next(&mut stream).await {
            Some(Ok(chunk)) => chunks.push(chunk),
            Some(Err(error)) => break Some(error.class),
            None => break None,
        }
    };
    assert!(next(&mut stream).await.is_none());
    drop(stream);
    assert_eq!((transport.cancelled(), transport.left()), (0, 0));
    (chunks, end)
}

#[tokio::test]
async fn what_was_sent_is_kept() {
    let transport = ScriptedTransport::new([Answer::json(200, "{}")]);
    let (head, _) = transport.send(request(), TIMERS).await.unwrap();
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["content-type"], "application/json");
    let sent = transport.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].method, Method::POST);
    assert_eq!(sent[0].uri, "https://vendor.test/v1");
    assert_eq!(sent[0].header("x-key"), Some("value"));
    assert_eq!(sent[0].body, "{\"a\":1}");
}

#[tokio::test(start_paused = true)]
async fn endings() {
    let opened = || Answer::head(200, &[]).chunk("a").chunk("b");
    assert_eq!(play(opened().end()).await, (vec!["a".into(), "b".into()], None));
    assert_eq!(play(opened().cut()).await.1, Some(TransportClass::Cut));
    assert_eq!(play(opened().fail(TransportClass::Protocol)).await.1, Some(TransportClass::Protocol));
    assert_eq!(play(opened().stall()).await.1, Some(TransportClass::IdleTimeout));
    assert_eq!(play(Answer::head(200, &[]).stall()).await.1, Some(TransportClass::FirstByteTimeout));
}

#[tokio::test(start_paused = true)]
async fn pauses_count_against_the_timers() {
    let start = Instant::now();
    let nine = Duration::from_secs(9);
    let script = (0..10).fold(Answer::head(200, &[]), |script, _| script.wait(nine).chunk("x"));
    assert_eq!(play(script.clone().end()).await.0.len(), 10);
    assert_eq!(start.elapsed().as_secs(), 90);
    let lively = script.wait(nine).chunk("x").wait(nine).chunk("late").end();
    assert_eq!(play(lively).await.1, Some(TransportClass::TotalTimeout));
}

#[tokio::test(start_paused = true)]
async fn answers_without_a_head() {
    let transport = ScriptedTransport::new([Answer::failing(TransportClass::Dns), Answer::silent()]);
    transport.push(Answer::json(200, "{}").after(Duration::from_secs(61)));
    for class in [TransportClass::Dns, TransportClass::FirstByteTimeout, TransportClass::FirstByteTimeout] {
        let error = transport.send(request(), TIMERS).await.map(|_| ()).unwrap_err();
        assert_eq!(error.class, class);
    }
    assert_eq!(transport.cancelled(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_early_counts_as_cancelled() {
    let opened = Answer::head(200, &[]).chunk("a");
    let transport = ScriptedTransport::new([opened.clone().end(), Answer::silent(), opened.end()]);

    let (_, mut stream) = transport.send(request(), TIMERS).await.unwrap();
    next(&mut stream).await.unwrap().unwrap();
    drop(stream);
    assert_eq!(transport.cancelled(), 1);

    let waited = tokio::time::timeout(Duration::from_secs(1), transport.send(request(), TIMERS)).await;
    assert!(waited.is_err());
    assert_eq!(transport.cancelled(), 2);

    let (_, mut stream) = transport.send(request(), TIMERS).await.unwrap();
    while next(&mut stream).await.is_some() {}
    drop(stream);
    assert_eq!(transport.cancelled(), 2);
}

/// Brings these pieces, and afterwards an end or nothing at all.
struct Pieces {
    left: VecDeque<Result<Bytes, UploadError>>,
    stalls: bool,
}

impl Stream for Pieces {
    type Item = Result<Bytes, UploadError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.left.pop_front() {
            None if self.stalls => Poll::Pending,
            piece => Poll::Ready(piece),
        }
    }
}

fn upload(length: Option<u64>, pieces: &[Result<&'static str, UploadError>], stalls: bool) -> EncodedRequest {
    let left = pieces.iter().map(|piece| piece.map(Bytes::from)).collect();
    let rest = RestOfBody { stream: Box::pin(Pieces { left, stalls }), length };
    EncodedRequest { rest: Some(rest), ..request() }
}

#[tokio::test(start_paused = true)]
async fn a_streamed_body_is_read_whole_before_the_answer() {
    let broken = TransportClass::UploadBroken;
    for (length, pieces, stalls, end, body) in [
        (None, &[Ok("one "), Ok("two")][..], false, None, "{\"a\":1}one two"),
        (Some(7), &[Ok("one "), Ok("two")], false, None, "{\"a\":1}one two"),
        (Some(8), &[Ok("one "), Ok("two")], false, Some(broken), "{\"a\":1}one two"),
        (Some(2), &[Ok("one "), Ok("two")], false, Some(broken), "{\"a\":1}one "),
        (None, &[Ok("one "), Err(UploadError)], false, Some(broken), "{\"a\":1}one "),
        (None, &[Ok("one ")], true, Some(TransportClass::TotalTimeout), "{\"a\":1}one "),
    ] {
        let transport = ScriptedTransport::new([Answer::json(200, "{}")]);
        let sent = transport.send(upload(length, pieces, stalls), TIMERS).await;
        assert_eq!(
            sent.map(|(head, _)| head.status.as_u16()).map_err(|error| Some(error.class)),
            match end {
                None => Ok(200),
                class => Err(class),
            }
        );
        assert_eq!(transport.sent()[0].body, body);
    }
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_reads_nothing_of_a_streamed_body() {
    let transport = ScriptedTransport::new([Answer::json(413, "{}").before_the_upload()]);
    let (head, _) = transport.send(upload(None, &[Ok("one")], true), TIMERS).await.unwrap();
    assert_eq!(head.status, 413);
    assert_eq!(transport.sent()[0].body, "{\"a\":1}");
}

#[tokio::test(start_paused = true)]
async fn an_upload_given_up_counts_as_cancelled() {
    let transport = ScriptedTransport::new([Answer::json(200, "{}")]);
    let waited =
        tokio::time::timeout(Duration::from_secs(1), transport.send(upload(None, &[], true), TIMERS)).await;
    assert!(waited.is_err());
    assert_eq!(transport.cancelled(), 1);
}
