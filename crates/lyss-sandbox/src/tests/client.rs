//! A hand-written HTTP/1.1 client that tells whether a body ended as it should.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Nothing on loopback takes this long.
pub(super) const CEILING: Duration = Duration::from_secs(20);

pub(super) struct Connection {
    socket: TcpStream,
    received: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Answer {
    /// 0 if no head came.
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    /// The body ended as announced.
    pub(super) whole: bool,
}

impl Connection {
    pub(super) async fn open(addr: SocketAddr) -> Self {
        Self { socket: TcpStream::connect(addr).await.unwrap(), received: Vec::new() }
    }

    pub(super) async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nhost: sandbox\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        self.socket.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    }

    /// Reads one answer, or until the connection ends.
    pub(super) async fn read(&mut self) -> Answer {
        self.read_until(|answer| answer.whole).await
    }

    /// Reads until `enough`, or until the connection ends. What is read stays; a whole answer is taken away.
    pub(super) async fn read_until(&mut self, enough: impl Fn(&Answer) -> bool) -> Answer {
        timeout(CEILING, async {
            loop {
                let answer = parse(&self.received);
                if enough(&answer) {
                    if answer.whole {
                        self.received.clear();
                    }
                    return answer;
                }
                if !matches!(self.socket.read_buf(&mut self.received).await, Ok(1..)) {
                    return parse(&self.received);
                }
            }
        })
        .await
        .expect("the sandbox neither answered nor closed")
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The events of a stream: name (empty if none) and data.
    pub(super) fn events(&self) -> Vec<(String, String)> {
        // Google ends its lines in the older way.
        let body = self.body.replace("\r\n", "\n");
        assert!(body.is_empty() || body.ends_with("\n\n"), "{body}");
        let field = |event: &str, name: &str| {
            event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned()
        };
        body.split_terminator("\n\n").map(|e| (field(e, "event: "), field(e, "data: "))).collect()
    }

    /// The events' data as JSON, without `[DONE]`.
    pub(super) fn chunks(&self) -> Vec<Value> {
        let data = self.events().into_iter().map(|(_, data)| data).filter(|data| data != "[DONE]");
        data.map(|data| serde_json::from_str(&data).unwrap_or_else(|error| panic!("{error}: {data}")))
            .collect()
    }
}

fn parse(received: &[u8]) -> Answer {
    let mut answer = Answer { status: 0, headers: Vec::new(), body: String::new(), whole: false };
    let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { return answer };
    let head = std::str::from_utf8(&received[..end]).unwrap();
    let mut lines = head.split("\r\n");
    answer.status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    answer.headers = lines
        .map(|line| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap())
        .collect();
    let raw = &received[end + 4..];
    let body = match answer.header("content-length") {
        Some(length) => {
            answer.whole = raw.len() == length.parse::<usize>().unwrap();
            raw.to_vec()
        }
        None => {
            let (body, whole) = dechunk(raw);
            answer.whole = whole;
            body
        }
    };
    answer.body = String::from_utf8_lossy(&body).into_owned();
    answer
}

fn dechunk(mut raw: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(line) = raw.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&raw[..line]).unwrap(), 16).unwrap();
        let rest = &raw[line + 2..];
        if size == 0 {
            return (body, rest == b"\r\n");
        }
        body.extend_from_slice(&rest[..size.min(rest.len())]);
        match rest.get(size + 2..) {
            Some(next) => raw = next,
            None => break,
        }
    }
    (body, false)
}
