//! A server that does with each connection what the test says, byte for byte.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Listens until dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// One accepted connection.
pub(super) struct Peer<S = TcpStream> {
    pub(super) stream: S,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Seen {
    /// Request line and headers, as they came.
    pub(super) head: String,
    pub(super) body: String,
}

impl Server {
    /// `serve` is given each connection and its number, from 0.
    pub(super) async fn start<F, D>(serve: F) -> Self
    where
        F: Fn(Peer, usize) -> D + Send + 'static,
        D: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(Peer::new(stream), number));
            }
        });
        Self { address, accepted, task }
    }

    /// Answers every request with these bytes and keeps the connection.
    pub(super) async fn answering(answer: &'static str) -> Self {
        Self::start(move |mut peer, _| async move {
            while peer.request().await.is_some() {
                peer.say(answer).await;
            }
        })
        .await
    }

    /// Reads one request, answers with these bytes and closes.
    pub(super) async fn saying_once(answer: &'static str) -> Self {
        Self::start(move |mut peer, _| async move {
            peer.request().await;
            peer.say(answer).await;
        })
        .await
    }

    pub(super) fn connections(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// The next request, or `None` when the client closed. The body is read by `content-length` only.
    pub(super) async fn request(&mut self) -> Option<Seen> {
        let head_end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.fill().await?;
        };
        let head = String::from_utf8(self.buffer.drain(..head_end).collect()).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |text| text.parse::<usize>().unwrap());
        while self.buffer.len() < length {
            self.fill().await?;
        }
        let body = String::from_utf8(self.buffer.drain(..length).collect()).unwrap();
        Some(Seen { head, body })
    }

    pub(super) async fn say(&mut self, text: &str) {
        self.say_bytes(text.as_bytes()).await;
    }

    pub(super) async fn say_bytes(&mut self, bytes: &[u8]) {
        // The client may be gone already, which is what some tests are about.
        let _ = self.stream.write_all(bytes).await;
        let _ = self.stream.flush().await;
    }

    /// Waits until the client closes or resets.
    pub(super) async fn closed(&mut self) {
        while self.fill().await.is_some() {}
    }

    async fn fill(&mut self) -> Option<()> {
        let read = self.stream.read_buf(&mut self.buffer).await;
        matches!(read, Ok(1..)).then_some(())
    }
}

/// The event, or a failed test after a time no healthy machine needs.
pub(super) async fn within<F: Future>(event: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), event).await.expect("the event never came")
}
