//! The timers over sockets; their arithmetic is proven in `watch/tests.rs`.

use futures_util::StreamExt;
use lyss_wire::{Timers, Transport, TransportClass};
use tokio::sync::mpsc;

use super::server::{Server, within};
use super::{SOON, TIMERS, get, read_out, refusal, upstream_to};

/// Says these bytes and falls silent; tells when the client is gone.
async fn silent_after(answer: &'static str) -> (Server, mpsc::UnboundedReceiver<()>) {
    let (closed, seen_closed) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer, _| {
        let closed = closed.clone();
        async move {
            peer.request().await;
            peer.say(answer).await;
            peer.closed().await;
            let _ = closed.send(());
        }
    })
    .await;
    (server, seen_closed)
}

#[tokio::test]
async fn no_head_in_time() {
    let (server, mut closed) = silent_after("").await;
    let upstream = upstream_to(server.address);
    let timers = Timers { first_byte: SOON, ..TIMERS };
    assert_eq!(refusal(&upstream, get(&server.url("/")), timers).await, TransportClass::FirstByteTimeout);
    within(closed.recv()).await.unwrap();
    let timers = Timers { total: SOON, ..TIMERS };
    assert_eq!(refusal(&upstream, get(&server.url("/")), timers).await, TransportClass::TotalTimeout);
    within(closed.recv()).await.unwrap();
}

#[tokio::test]
async fn silence_at_every_place_of_a_body_has_its_class_and_cancels() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    const CHUNK: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n";
    let first_byte = Timers { first_byte: SOON * 3, ..TIMERS };
    let idle = Timers { idle: SOON, ..TIMERS };
    let total = Timers { total: SOON * 3, ..TIMERS };
    for (answer, timers, class) in [
        (HEAD, first_byte, TransportClass::FirstByteTimeout),
        (HEAD, total, TransportClass::TotalTimeout),
        (CHUNK, idle, TransportClass::IdleTimeout),
        (CHUNK, total, TransportClass::TotalTimeout),
    ] {
        let (server, mut closed) = silent_after(answer).await;
        let (_, mut body) = upstream_to(server.address).send(get(&server.url("/")), timers).await.unwrap();
        let end = loop {
            match body.next().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => break error.class,
                None => panic!("a silent body ended well"),
            }
        };
        assert_eq!(end, class);
        // The connection is let go of although the stream is still held.
        within(closed.recv()).await.unwrap();
        assert!(body.next().await.is_none());
    }
}

#[tokio::test]
async fn the_total_ends_an_endless_body() {
    let server = Server::start(|mut peer, _| async move {
        peer.request().await;
        peer.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let chunks = async {
            loop {
                tokio::io::AsyncWriteExt::write_all(&mut peer.stream, b"1\r\nx\r\n").await?;
                tokio::task::yield_now().await;
            }
        };
        let _: std::io::Result<()> = chunks.await;
    })
    .await;
    let timers = Timers { total: SOON * 3, ..TIMERS };
    let (_, body) = upstream_to(server.address).send(get(&server.url("/")), timers).await.unwrap();
    let (text, end) = within(read_out(body)).await;
    assert_eq!(end, Some(TransportClass::TotalTimeout));
    assert!(!text.is_empty());
}
