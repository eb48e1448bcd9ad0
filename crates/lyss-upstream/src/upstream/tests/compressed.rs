//! Compressed answers over sockets; what each coding may look like is proven in `coding/tests.rs`.

use futures_util::StreamExt;
use lyss_wire::{ByteStream, Transport, TransportClass};
use tokio::sync::mpsc;

use super::server::{Server, within};
use super::{TIMERS, get, read_out, refusal, upstream_to};
use crate::coding::tests::{flushed, packed};

const KINDS: [(&str, &str); 4] = [("gzip", "gzip"), ("zlib", "deflate"), ("raw", "deflate"), ("br", "br")];

/// Answers every request with this body under this `content-encoding`.
async fn packing(coding: &'static str, body: Vec<u8>) -> Server {
    Server::start(move |mut peer, _| {
        let body = body.clone();
        async move {
            while peer.request().await.is_some() {
                let length = body.len();
                peer.say(&format!(
                    "HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {length}\r\nx-kept: 1\r\n\r\n"
                ))
                .await;
                peer.say_bytes(&body).await;
            }
        }
    })
    .await
}

async fn asked(server: &Server) -> ByteStream {
    let (head, body) = upstream_to(server.address).send(get(&server.url("/")), TIMERS).await.unwrap();
    assert_eq!(head.headers.keys().map(http::HeaderName::as_str).collect::<Vec<_>>(), ["x-kept"]);
    body
}

#[tokio::test]
async fn a_packed_answer_is_handed_on_unpacked_and_its_connection_kept() {
    let text = "{\"text\":\"hallo\"}".repeat(5000);
    for (kind, coding) in KINDS {
        let server = packing(coding, packed(kind, text.as_bytes())).await;
        let upstream = upstream_to(server.address);
        for _ in 0..2 {
            let (head, body) = upstream.send(get(&server.url("/")), TIMERS).await.unwrap();
            assert!(!head.headers.contains_key("content-encoding"));
            assert!(!head.headers.contains_key("content-length"));
            assert_eq!(read_out(body).await, (text.clone(), None), "{kind}");
        }
        assert_eq!(server.connections(), 1, "{kind}");
    }
    let server = packing("gzip, br", packed("br", &packed("gzip", text.as_bytes()))).await;
    assert_eq!(read_out(asked(&server).await).await, (text, None));
}

#[tokio::test]
async fn every_flushed_event_comes_before_the_next_one_is_sent() {
    let events: Vec<String> = (0..20).map(|number| format!("data: {{\"n\":{number}}}\n\n")).collect();
    for (kind, coding) in KINDS {
        let (go, gate) = mpsc::unbounded_channel::<()>();
        let gate = std::sync::Arc::new(tokio::sync::Mutex::new(gate));
        let pieces = flushed(kind, &events.iter().map(String::as_bytes).collect::<Vec<_>>());
        let server = Server::start(move |mut peer, _| {
            let (pieces, gate) = (pieces.clone(), gate.clone());
            async move {
                peer.request().await;
                peer.say(&format!(
                    "HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\nx-kept: 1\r\nconnection: close\r\n\r\n"
                ))
                .await;
                for piece in pieces {
                    gate.lock().await.recv().await;
                    peer.say_bytes(&piece).await;
                }
            }
        })
        .await;
        let (_, mut body) = upstream_to(server.address).send(get(&server.url("/")), TIMERS).await.unwrap();
        for event in &events {
            go.send(()).unwrap();
            assert_eq!(within(body.next()).await.unwrap().unwrap(), event, "{kind}");
        }
        go.send(()).unwrap();
        assert!(within(body.next()).await.is_none());
    }
}

#[tokio::test]
async fn what_cannot_be_unpacked() {
    let text = "hallo ".repeat(100);
    let whole = packed("gzip", text.as_bytes());
    let half = whole[..whole.len() / 2].to_vec();
    let server = packing("gzip", half).await;
    assert_eq!(read_out(asked(&server).await).await.1, Some(TransportClass::Cut));
    let server = packing("br", b"{\"error\":\"said to be brotli\"}".to_vec()).await;
    assert_eq!(read_out(asked(&server).await).await.1, Some(TransportClass::Protocol));
    let server = packing("zstd", whole).await;
    let class = refusal(&upstream_to(server.address), get(&server.url("/")), TIMERS).await;
    assert_eq!(class, TransportClass::Protocol);
}

#[tokio::test]
async fn a_broken_packing_lets_go_of_the_connection() {
    let (closed, mut seen_closed) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer, _| {
        let closed = closed.clone();
        async move {
            peer.request().await;
            peer.say(
                "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1000\r\n\r\nno gzip at all",
            )
            .await;
            peer.closed().await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let (_, mut body) = upstream_to(server.address).send(get(&server.url("/")), TIMERS).await.unwrap();
    assert_eq!(within(body.next()).await.unwrap().unwrap_err().class, TransportClass::Protocol);
    within(seen_closed.recv()).await.unwrap();
    assert!(body.next().await.is_none());
}
