//! A vendor that a test turns off and on: it fails, keeps its callers waiting, or answers, and counts who came.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::gateway::bodies;

/// What it does to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// The status of a refusal.
    Fails(u16),
    /// Nothing, until its mood is another.
    Holds,
    Answers,
}

pub(super) struct Switch {
    pub(super) address: SocketAddr,
    mood: watch::Sender<Mood>,
    asked: Arc<AtomicU32>,
    task: JoinHandle<()>,
}

impl Switch {
    pub(super) async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mood, seen) = watch::channel(mood);
        let asked = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(converse(socket, seen.clone(), Arc::clone(&counter)));
            }
        });
        Self { address, mood, asked, task }
    }

    pub(super) fn turn(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Requests that came, since this was asked last.
    pub(super) fn asked(&self) -> u32 {
        self.asked.swap(0, Ordering::SeqCst)
    }

    /// The same, and they are still counted.
    pub(super) fn asked_so_far(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    pub(super) fn api_base(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(mut socket: TcpStream, mut mood: watch::Receiver<Mood>, asked: Arc<AtomicU32>) {
    let mut read = Vec::new();
    while let Some(request) = request(&mut socket, &mut read).await {
        asked.fetch_add(1, Ordering::SeqCst);
        let told = mood.wait_for(|mood| *mood != Mood::Holds).await.map(|mood| *mood);
        let Ok(mood) = told else { return };
        let (status, body) = match mood {
            Mood::Answers if request.contains(r#""stream":true"#) => (200, bodies::OPENAI_STREAM),
            Mood::Answers => (200, bodies::OPENAI_WHOLE),
            Mood::Fails(status) => (status, r#"{"error":{"message":"No.","type":"some_error"}}"#),
            Mood::Holds => return,
        };
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Some\r\ncontent-length: {length}\r\n\r\n");
        if socket.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await.is_err() {
            return;
        }
    }
}

/// One request with its body; `None` when there are no more.
async fn request(socket: &mut TcpStream, read: &mut Vec<u8>) -> Option<String> {
    loop {
        let text = String::from_utf8_lossy(read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if body.len() >= length {
                read.drain(..head.len() + 4 + length);
                return Some(text);
            }
        }
        if socket.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
}
