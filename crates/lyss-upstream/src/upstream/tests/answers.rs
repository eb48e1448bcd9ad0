//! What is sent, what comes back, and how it can end.

use std::sync::{Arc, Mutex};

use http::HeaderValue;
use lyss_wire::{Transport, TransportClass};
use tokio::sync::mpsc;

use super::server::{Peer, Server, within};
use super::{TIMERS, get, post, read_out, refusal, upstream_to, whole};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn requests_share_one_connection() {
    let server = Server::answering(OK).await;
    let upstream = upstream_to(server.address);
    for _ in 0..3 {
        assert_eq!(whole(&upstream, get(&server.url("/"))).await, (200, "ok".into()));
    }
    assert_eq!(server.connections(), 1);
    assert_eq!(whole(&upstream.sibling(), get(&server.url("/"))).await, (200, "ok".into()));
    assert_eq!(server.connections(), 2, "a sibling has a pool of its own");
}

#[tokio::test]
async fn a_body_in_pieces_arrives_whole_and_framing_headers_are_ours() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer, _| {
        let seen = seen.clone();
        async move {
            while let Some(request) = peer.request().await {
                seen.send(request).unwrap();
                peer.say(OK).await;
            }
        }
    })
    .await;
    let upstream = upstream_to(server.address);

    let mut request = post(&server.url("/v1/chat?beta=1"), &["{\"model\":\"", "gpt", "\",\"stream\":true}"]);
    for (name, value) in [
        ("host", "elsewhere.example"),
        ("content-length", "3"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("x-kept", "yes"),
    ] {
        request.headers.insert(name, HeaderValue::from_static(value));
    }
    whole(&upstream, request).await;
    let first = requests.recv().await.unwrap();
    assert_eq!(first.body, "{\"model\":\"gpt\",\"stream\":true}");
    let mut lines: Vec<&str> = first.head.trim_end().lines().collect();
    assert_eq!(lines.remove(0), "POST /v1/chat?beta=1 HTTP/1.1");
    lines.sort_unstable();
    let host = format!("host: {}", server.address);
    assert_eq!(lines, ["content-length: 29", &host, "x-kept: yes"]);

    // Many pieces, more than are kept inline, and none at all.
    whole(&upstream, post(&server.url("/"), &["a", "b", "c", "d", "e", "f"])).await;
    assert_eq!(requests.recv().await.unwrap().body, "abcdef");
    whole(&upstream, post(&server.url("/"), &[])).await;
    let empty = requests.recv().await.unwrap();
    assert!(empty.head.contains("content-length: 0\r\n"), "{}", empty.head);
}

#[tokio::test]
async fn a_large_body_in_pieces_arrives_whole() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer, _| {
        let seen = seen.clone();
        async move {
            seen.send(peer.request().await.unwrap().body.len()).unwrap();
            peer.say(OK).await;
        }
    })
    .await;
    let piece: &'static str = Box::leak("x".repeat(1 << 20).into_boxed_str());
    whole(&upstream_to(server.address), post(&server.url("/"), &[piece, "tail", piece])).await;
    assert_eq!(requests.recv().await.unwrap(), (2 << 20) + 4);
}

#[tokio::test]
async fn a_redirect_is_handed_back_not_followed() {
    let elsewhere = Server::answering(OK).await;
    let location: &'static str = Box::leak(
        format!("HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", elsewhere.url("/"))
            .into_boxed_str(),
    );
    let server = Server::answering(location).await;
    let allowed = super::settings(&[server.address, elsewhere.address]);
    let upstream = crate::Upstream::new(&allowed).unwrap();
    let (head, body) = upstream.send(get(&server.url("/")), TIMERS).await.unwrap();
    assert_eq!(head.status, 302);
    assert_eq!(head.headers["location"], elsewhere.url("/"));
    assert_eq!(read_out(body).await, (String::new(), None));
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn bodies_that_end_well() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "hello"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "hello"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx-trailer: 1\r\n\r\n", "x"),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nuntil the end", "until the end"),
        ("HTTP/1.1 204 No Content\r\n\r\n", ""),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", "x"),
        ("HTTP/1.1 200 OK\r\ncontent-encoding: identity\r\ncontent-length: 3\r\n\r\nraw", "raw"),
    ] {
        let server = Server::saying_once(answer).await;
        let (_, body) = whole(&upstream_to(server.address), post(&server.url("/"), &["{}"])).await;
        assert_eq!(body, expected, "{answer:?}");
    }
}

#[tokio::test]
async fn bodies_that_do_not() {
    for (answer, text, class) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhell", "hell", TransportClass::Cut),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhell\r\n", "hell", TransportClass::Cut),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhell", "hell", TransportClass::Cut),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhell\r\nzz\r\n",
            "hell",
            TransportClass::Protocol,
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n", "", TransportClass::Cut),
    ] {
        let server = Server::saying_once(answer).await;
        let (_, body) =
            upstream_to(server.address).send(get(&server.url("/")), TIMERS).await.expect("the head is fine");
        assert_eq!(read_out(body).await, (text.into(), Some(class)), "{answer:?}");
    }
}

#[tokio::test]
async fn a_reset_inside_the_body_is_a_cut() {
    let server = Server::start(|mut peer: Peer, _| async move {
        peer.request().await;
        peer.say("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx").await;
        // An unread byte and no lingering: the close becomes a reset.
        peer.stream.set_zero_linger().unwrap();
    })
    .await;
    let (_, body) = upstream_to(server.address).send(get(&server.url("/")), TIMERS).await.unwrap();
    assert_eq!(read_out(body).await.1, Some(TransportClass::Cut));
}

#[tokio::test]
async fn heads_that_are_none() {
    let large: &'static str =
        Box::leak(format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(66 * 1024)).into_boxed_str());
    let unwanted = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n";
    for (answer, class) in [
        ("", TransportClass::Reset),
        ("HTTP/1.1 200 OK\r\nconte", TransportClass::Reset),
        ("220 mail.example ESMTP ready\r\n\r\n", TransportClass::Protocol),
        ("HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n", TransportClass::Protocol),
        ("HTTP/1.1 200 OK\r\nbad header\r\n\r\n", TransportClass::Protocol),
        (large, TransportClass::Protocol),
        (unwanted, TransportClass::Protocol),
    ] {
        let server = Server::saying_once(answer).await;
        let found = refusal(&upstream_to(server.address), get(&server.url("/")), TIMERS).await;
        assert_eq!(found, class, "{:?}", &answer[..answer.len().min(60)]);
    }
}

#[tokio::test]
async fn a_head_just_below_the_limit_is_read() {
    let answer: &'static str = Box::leak(
        format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "y".repeat(60 * 1024))
            .into_boxed_str(),
    );
    let server = Server::answering(answer).await;
    assert_eq!(whole(&upstream_to(server.address), get(&server.url("/"))).await, (200, String::new()));
}

#[tokio::test]
async fn dropping_the_stream_closes_the_connection() {
    let (closed, mut seen_closed) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer, _| {
        let closed = closed.clone();
        async move {
            peer.request().await;
            peer.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n").await;
            peer.closed().await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let upstream = upstream_to(server.address);
    let (_, mut body) = upstream.send(get(&server.url("/")), TIMERS).await.unwrap();
    let chunk = futures_util::StreamExt::next(&mut body).await.unwrap().unwrap();
    assert_eq!(chunk, "x");
    drop(body);
    within(seen_closed.recv()).await.unwrap();
}

#[tokio::test]
async fn dropping_the_send_before_a_head_closes_the_connection() {
    let (event, mut events) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer, _| {
        let event = event.clone();
        async move {
            peer.request().await;
            event.send("request").unwrap();
            peer.closed().await;
            event.send("closed").unwrap();
        }
    })
    .await;
    let upstream = Arc::new(upstream_to(server.address));
    let url = server.url("/");
    let sending = tokio::spawn(async move { upstream.send(get(&url), TIMERS).await.is_ok() });
    assert_eq!(within(events.recv()).await, Some("request"));
    sending.abort();
    assert_eq!(within(events.recv()).await, Some("closed"));
}

#[tokio::test]
async fn neither_header_values_nor_bodies_reach_a_log() {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    // While there is only one subscriber, tracing asks the thread that comes by an event first whether anybody listens,
    // and keeps the answer; here that is another test's thread, which knows of none.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let server =
        Server::answering("HTTP/1.1 200 OK\r\nset-cookie: canary\r\ncontent-length: 6\r\n\r\ncanary").await;
    let upstream = upstream_to(server.address);
    let mut request = post(&server.url("/path?key=canary"), &["canary"]);
    request.headers.insert("authorization", HeaderValue::from_static("Bearer canary"));
    whole(&upstream, request).await;
    refusal(&upstream, get("http://canary:canary@127.0.0.1:1/"), TIMERS).await;

    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("127.0.0.1"), "the log is not listening: {text}");
    assert!(!text.contains("canary"), "{text}");
}
