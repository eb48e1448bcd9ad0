//! A small HTTP/1.1 client: one connection a request, bytes as they come.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::CEILING;

/// An answer whose body may still be arriving. Dropping it closes the socket.
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    stream: TcpStream,
    /// Read from the socket, not yet decoded.
    raw: Vec<u8>,
    /// Decoded body so far.
    pub(crate) body: Vec<u8>,
    framing: Framing,
}

enum Framing {
    /// Bytes still to come.
    Length(usize),
    Chunked,
    Done,
}

/// Sends one request and reads the head of its answer.
pub(crate) async fn send(to: SocketAddr, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Reply {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    if method != "GET" {
        head.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    raw(to, &[head.as_bytes(), body].concat()).await
}

/// Sends these bytes and reads the head of what is answered.
pub(crate) async fn raw(to: SocketAddr, bytes: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(to).await.expect("the service listens");
    stream.set_nodelay(true).unwrap();
    // The service may answer, and close, before it has read everything.
    drop(stream.write_all(bytes).await);
    Reply::open(stream).await
}

/// The same with a virtual key, as the SDKs send it.
pub(crate) async fn post(to: SocketAddr, path: &str, key: &str, body: &str) -> Reply {
    let authorization = format!("authorization: Bearer {key}");
    send(to, "POST", path, &[authorization.as_str()], body.as_bytes()).await
}

pub(crate) async fn get(to: SocketAddr, path: &str, headers: &[&str]) -> Reply {
    let mut reply = send(to, "GET", path, headers, b"").await;
    reply.finish().await;
    reply
}

impl Reply {
    async fn open(mut stream: TcpStream) -> Self {
        let mut raw = Vec::new();
        let end = loop {
            if let Some(at) = raw.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at;
            }
            assert!(read(&mut stream, &mut raw).await, "the connection closed before an answer");
        };
        let head = String::from_utf8(raw.drain(..end + 4).collect()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut reply = Self { status, headers, stream, raw, body: Vec::new(), framing: Framing::Chunked };
        if let Some(length) = reply.header("content-length") {
            reply.framing = Framing::Length(length.parse().unwrap());
        }
        reply
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Reads on until the body holds a text; the rest stays to be read.
    pub(crate) async fn read_until(&mut self, text: &str) {
        while !self.text().contains(text) {
            assert!(self.read_on().await, "the answer ended without {text:?}: {}", self.text());
        }
    }

    /// Reads to the end of the body.
    pub(crate) async fn finish(&mut self) {
        while self.read_on().await {}
        assert!(matches!(self.framing, Framing::Done), "the connection closed within the body");
    }

    /// Reads to the end, orderly or not.
    pub(crate) async fn finish_somehow(&mut self) {
        while self.read_on().await {}
    }

    /// The body ended as its head announced.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.framing, Framing::Done)
    }

    pub(crate) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    async fn read_on(&mut self) -> bool {
        self.decode();
        if matches!(self.framing, Framing::Done) || !read(&mut self.stream, &mut self.raw).await {
            return false;
        }
        self.decode();
        true
    }

    fn decode(&mut self) {
        match &mut self.framing {
            Framing::Done => {}
            Framing::Length(left) => {
                let taken = (*left).min(self.raw.len());
                self.body.extend(self.raw.drain(..taken));
                *left -= taken;
                if *left == 0 {
                    self.framing = Framing::Done;
                }
            }
            Framing::Chunked => {
                while let Some(line) = self.raw.windows(2).position(|bytes| bytes == b"\r\n") {
                    let size = std::str::from_utf8(&self.raw[..line]).unwrap();
                    let size = usize::from_str_radix(size.trim(), 16).unwrap();
                    if self.raw.len() < line + 2 + size + 2 {
                        return;
                    }
                    self.body.extend_from_slice(&self.raw[line + 2..line + 2 + size]);
                    self.raw.drain(..line + 2 + size + 2);
                    if size == 0 {
                        self.framing = Framing::Done;
                        return;
                    }
                }
            }
        }
    }
}

/// `false`: the other side is done, or gone.
async fn read(stream: &mut TcpStream, into: &mut Vec<u8>) -> bool {
    let read = timeout(CEILING, stream.read_buf(into)).await.expect("the service goes on");
    read.is_ok_and(|count| count > 0)
}
