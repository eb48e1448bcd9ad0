//! Bodies that are still on their way from a caller while they are sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use lyss_wire::{EncodedRequest, RestOfBody, Timers, Transport, TransportClass, UploadError, UploadStream};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use super::server::{Server, within};
use super::{SOON, TIMERS, post, read_out, refusal, upstream_to};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const REFUSED: &str = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 5\r\n\r\nlarge";
const PIECE_BYTES: usize = 16 * 1024;
/// hyper asks for another piece while it holds less than this crate's 64 KiB.
const MOST_BYTES: usize = 64 * 1024 + PIECE_BYTES;

fn upload(url: &str, length: Option<u64>, stream: UploadStream) -> EncodedRequest {
    EncodedRequest { rest: Some(RestOfBody { stream, length }), ..post(url, &["head ", "of it "]) }
}

fn of(pieces: Vec<Result<Bytes, UploadError>>) -> UploadStream {
    Box::pin(stream::iter(pieces))
}

fn text(pieces: &[&'static str]) -> UploadStream {
    of(pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect())
}

/// What became of the pieces of a [`counted`] upload.
#[derive(Clone, Default)]
struct Count(Arc<Counters>);

#[derive(Default)]
struct Counters {
    taken: AtomicUsize,
    held: AtomicUsize,
    most_held: AtomicUsize,
}

/// A piece whose memory is counted as long as anybody has it.
struct Held(Vec<u8>, Count);

impl Count {
    fn taken(&self) -> usize {
        self.0.taken.load(Ordering::SeqCst)
    }

    /// The most bytes that were in memory at once.
    fn most_bytes(&self) -> usize {
        self.0.most_held.load(Ordering::SeqCst) * PIECE_BYTES
    }

    fn piece(&self) -> Bytes {
        self.0.taken.fetch_add(1, Ordering::SeqCst);
        let held = self.0.held.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most_held.fetch_max(held, Ordering::SeqCst);
        Bytes::from_owner(Held(vec![b'x'; PIECE_BYTES], self.clone()))
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.1.0.held.fetch_sub(1, Ordering::SeqCst);
    }
}

/// So many pieces of 16 KiB.
fn counted(pieces: usize) -> (UploadStream, Count) {
    let count = Count::default();
    let counter = count.clone();
    (Box::pin(stream::iter(0..pieces).map(move |_| Ok(counter.piece()))), count)
}

/// A stream that a test feeds.
fn fed() -> (mpsc::UnboundedSender<Result<Bytes, UploadError>>, UploadStream) {
    let (feed, pieces) = mpsc::unbounded_channel();
    let pieces =
        stream::unfold(pieces, |mut pieces| async { pieces.recv().await.map(|piece| (piece, pieces)) });
    (feed, Box::pin(pieces))
}

/// Reads until the chunked or sized body is whole, answers, and reports all of it as it came.
async fn recording(end: &'static str) -> (Server, mpsc::UnboundedReceiver<String>) {
    let (seen, requests) = mpsc::unbounded_channel();
    let server = Server::start(move |mut peer, _| {
        let seen = seen.clone();
        async move {
            let mut all = Vec::new();
            let mut whole = false;
            while !whole && matches!(peer.stream.read_buf(&mut all).await, Ok(1..)) {
                whole = all.ends_with(end.as_bytes());
            }
            seen.send(String::from_utf8(all).unwrap()).unwrap();
            if whole {
                peer.say(OK).await;
            }
        }
    })
    .await;
    (server, requests)
}

async fn answer(server: &Server, request: EncodedRequest) -> (u16, String) {
    let (head, body) = within(upstream_to(server.address).send(request, TIMERS)).await.unwrap();
    let (text, end) = within(read_out(body)).await;
    assert_eq!(end, None);
    (head.status.as_u16(), text)
}

#[tokio::test]
async fn a_length_that_is_known_is_said_and_one_that_is_not_makes_chunks() {
    let (server, mut requests) = recording("fin").await;
    let request = upload(&server.url("/"), Some(9), text(&["upload", "", "fin"]));
    assert_eq!(answer(&server, request).await, (200, "ok".into()));
    let sent = requests.recv().await.unwrap();
    assert!(sent.contains("content-length: 20\r\n") && !sent.contains("transfer-encoding"), "{sent}");
    assert!(sent.ends_with("\r\n\r\nhead of it uploadfin"), "{sent}");

    let (server, mut requests) = recording("\r\n0\r\n\r\n").await;
    let request = upload(&server.url("/"), None, text(&["upload", "fin"]));
    assert_eq!(answer(&server, request).await, (200, "ok".into()));
    let sent = requests.recv().await.unwrap();
    assert!(sent.contains("transfer-encoding: chunked\r\n") && !sent.contains("content-length"), "{sent}");
    let (_, body) = sent.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "5\r\nhead \r\n6\r\nof it \r\n6\r\nupload\r\n3\r\nfin\r\n0\r\n\r\n");

    let (server, mut requests) = recording("of it ").await;
    let request = upload(&server.url("/"), Some(0), text(&[]));
    assert_eq!(answer(&server, request).await, (200, "ok".into()));
    assert!(requests.recv().await.unwrap().contains("content-length: 11\r\n"));

    let (server, mut requests) = recording("\r\n\r\n").await;
    let mut request = upload(&server.url("/"), Some(0), text(&[]));
    request.body = lyss_wire::RequestBody::default();
    assert_eq!(answer(&server, request).await, (200, "ok".into()));
    assert!(requests.recv().await.unwrap().contains("content-length: 0\r\n"));
}

#[tokio::test]
async fn twenty_mebibytes_go_through_at_the_vendors_pace() {
    const COUNT: usize = (20 << 20) / PIECE_BYTES;
    for length in [None, Some(20 << 20)] {
        let server = Server::start(|mut peer, _| async move {
            let mut read = 0;
            let mut buffer = vec![0; PIECE_BYTES];
            // The chunks' own framing is some more than this.
            while read < 20 << 20 {
                let Ok(count @ 1..) = peer.stream.read(&mut buffer).await else { return };
                read += count;
                if read < 1 << 20 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            peer.say(OK).await;
            peer.closed().await;
        })
        .await;
        let (stream, count) = counted(COUNT);
        assert_eq!(answer(&server, upload(&server.url("/"), length, stream)).await, (200, "ok".into()));
        assert_eq!(count.taken(), COUNT);
        assert!(count.most_bytes() <= MOST_BYTES, "{} bytes in memory", count.most_bytes());
    }
}

#[tokio::test]
async fn a_vendor_that_does_not_read_stops_the_upload() {
    let server = Server::start(|mut peer, _| async move {
        tokio::time::sleep(SOON * 4).await;
        peer.closed().await;
    })
    .await;
    let (stream, count) = counted(usize::MAX);
    let timers = Timers { total: SOON * 2, ..TIMERS };
    let class = refusal(&upstream_to(server.address), upload(&server.url("/"), None, stream), timers).await;
    assert_eq!(class, TransportClass::TotalTimeout);
    assert!(count.most_bytes() <= MOST_BYTES, "{} bytes in memory", count.most_bytes());
    // What is sent and not read is in the kernel's buffers, which grow to some MiB on loopback.
    assert!(count.taken() * PIECE_BYTES < 64 << 20, "{} pieces for a vendor that reads none", count.taken());
}

#[tokio::test]
async fn a_vendor_that_answers_early_is_heard() {
    // Answers and keeps reading; answers and closes, which resets what is still written.
    for closes in [false, true] {
        for _ in 0..20 {
            let server = Server::start(move |mut peer, _| async move {
                let mut some = [0; 1000];
                peer.stream.read_exact(&mut some).await.unwrap();
                peer.say(REFUSED).await;
                if !closes {
                    peer.closed().await;
                }
            })
            .await;
            let (stream, count) = counted(1 << 16);
            let request = upload(&server.url("/"), Some(1 << 30), stream);
            assert_eq!(answer(&server, request).await, (413, "large".into()), "closes: {closes}");
            assert!(count.taken() < 1 << 16, "the upload was not ended");
        }
    }
}

#[tokio::test]
async fn an_answer_is_heard_although_the_next_write_fails_first() {
    let (feed, stream) = fed();
    let feed = std::sync::Mutex::new(Some(feed));
    let server = Server::start(move |mut peer, _| {
        let feed = feed.lock().unwrap().take().unwrap();
        async move {
            let mut some = [0; 16];
            peer.stream.read_exact(&mut some).await.unwrap();
            // All in one go, so that on this one thread nobody looks at the sockets between the close and the write.
            peer.say(REFUSED).await;
            drop(peer);
            for _ in 0..100 {
                let _ = feed.send(Ok(Bytes::from(vec![b'x'; PIECE_BYTES])));
            }
            std::future::pending::<()>().await;
        }
    })
    .await;
    let request = upload(&server.url("/"), Some(1 << 30), stream);
    let upstream = upstream_to(server.address);
    // A task, since the runtime looks at the sockets before it comes back to the test itself.
    let sending =
        tokio::spawn(async move { upstream.send(request, TIMERS).await.map(|(head, _)| head.status) });
    assert_eq!(within(sending).await.unwrap().unwrap(), 413);
}

#[tokio::test]
async fn a_vendor_that_answers_before_anything_was_uploaded_is_heard() {
    let server = Server::saying_once(REFUSED).await;
    let (_feed, stream) = fed();
    let request = upload(&server.url("/"), None, stream);
    assert_eq!(answer(&server, request).await, (413, "large".into()));
}

#[tokio::test]
async fn an_upload_that_breaks_off_gives_the_request_up() {
    for (length, rest) in [
        (None, vec![Ok(Bytes::from_static(b"part")), Err(UploadError)]),
        (Some(100), vec![Ok(Bytes::from_static(b"part")), Err(UploadError)]),
        (Some(100), vec![Ok(Bytes::from_static(b"part"))]),
        (Some(3), vec![Ok(Bytes::from_static(b"part"))]),
        (None, vec![Err(UploadError)]),
    ] {
        let (server, mut requests) = recording("\r\n0\r\n\r\n").await;
        let request = upload(&server.url("/"), length, of(rest));
        let class = within(refusal(&upstream_to(server.address), request, TIMERS)).await;
        assert_eq!(class, TransportClass::UploadBroken);
        // The vendor sees the connection end, and no end of a body.
        let sent = within(requests.recv()).await.unwrap();
        assert!(!sent.ends_with("0\r\n\r\n"), "{sent}");
    }
}

#[tokio::test]
async fn an_upload_that_breaks_off_behind_an_early_head_says_so() {
    let server = Server::start(|mut peer, _| async move {
        peer.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n").await;
        peer.closed().await;
    })
    .await;
    let (feed, stream) = fed();
    feed.send(Ok(Bytes::from_static(b"part"))).unwrap();
    let request = upload(&server.url("/"), None, stream);
    let (_, mut body) = within(upstream_to(server.address).send(request, TIMERS)).await.unwrap();
    assert_eq!(within(body.next()).await.unwrap().unwrap(), "one");
    feed.send(Err(UploadError)).unwrap();
    assert_eq!(within(body.next()).await.unwrap().unwrap_err().class, TransportClass::UploadBroken);
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn an_answer_goes_on_while_the_upload_does() {
    let server = Server::start(|mut peer, _| async move {
        peer.say("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\none").await;
        let mut all = Vec::new();
        while !all.ends_with(b"last\r\n0\r\n\r\n") {
            peer.stream.read_buf(&mut all).await.unwrap();
        }
        peer.say("two").await;
        peer.closed().await;
    })
    .await;
    let (feed, stream) = fed();
    let request = upload(&server.url("/"), None, stream);
    let (_, mut body) = within(upstream_to(server.address).send(request, TIMERS)).await.unwrap();
    assert_eq!(within(body.next()).await.unwrap().unwrap(), "one");
    let later = async {
        tokio::time::sleep(SOON).await;
        feed.send(Ok(Bytes::from_static(b"last"))).unwrap();
        drop(feed);
    };
    let (piece, ()) = within(async { tokio::join!(body.next(), later) }).await;
    assert_eq!(piece.unwrap().unwrap(), "two");
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn the_first_byte_is_waited_for_from_the_uploads_end_on() {
    let server = Server::start(|mut peer, _| async move { peer.closed().await }).await;
    let (feed, stream) = fed();
    let request = upload(&server.url("/"), None, stream);
    let timers = Timers { first_byte: SOON, ..TIMERS };
    let upstream = upstream_to(server.address);
    let started = tokio::time::Instant::now();
    let slow = async {
        for _ in 0..4 {
            tokio::time::sleep(SOON).await;
            feed.send(Ok(Bytes::from_static(b"slow"))).unwrap();
        }
        drop(feed);
    };
    let (class, ()) = tokio::join!(refusal(&upstream, request, timers), slow);
    assert_eq!(class, TransportClass::FirstByteTimeout);
    assert!(started.elapsed() >= SOON * 5, "{:?}", started.elapsed());
    assert!(started.elapsed() < SOON * 50);

    let (_feed, stream) = fed();
    let timers = Timers { total: SOON, ..TIMERS };
    let class = refusal(&upstream, upload(&server.url("/"), None, stream), timers).await;
    assert_eq!(class, TransportClass::TotalTimeout);
}

#[tokio::test]
async fn a_connection_serves_the_next_request_after_an_upload() {
    let server = Server::answering(OK).await;
    let upstream = upstream_to(server.address);
    for _ in 0..3 {
        let request = upload(&server.url("/"), Some(6), text(&["upload"]));
        let (_, body) = upstream.send(request, TIMERS).await.unwrap();
        assert_eq!(read_out(body).await, ("ok".into(), None));
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn an_upload_that_was_begun_is_not_sent_again() {
    // The second request over a kept connection finds it closed without an answer, after its head was read.
    let server = Server::start(|mut peer, _| async move {
        peer.request().await;
        peer.say(OK).await;
        let mut some = [0; 16];
        let _ = peer.stream.read_exact(&mut some).await;
    })
    .await;
    let upstream = upstream_to(server.address);
    super::whole(&upstream, super::get(&server.url("/"))).await;
    let (stream, count) = counted(4);
    let request = upload(&server.url("/"), Some(1 << 16), stream);
    assert_eq!(within(refusal(&upstream, request, TIMERS)).await, TransportClass::Reset);
    assert!(count.taken() > 0);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn an_upload_survives_a_kept_connection_that_died_unused() {
    let server = Server::start(|mut peer, _| async move {
        peer.request().await;
        peer.say(OK).await;
    })
    .await;
    let upstream = upstream_to(server.address);
    super::whole(&upstream, super::get(&server.url("/"))).await;
    tokio::time::sleep(SOON).await;
    let request = upload(&server.url("/"), Some(6), text(&["upload"]));
    let (_, body) = within(upstream.send(request, TIMERS)).await.unwrap();
    assert_eq!(read_out(body).await, ("ok".into(), None));
    assert_eq!(server.connections(), 2);
}
