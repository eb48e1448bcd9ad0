//! A connection that a knob may end: by a reset, or at a time of its own.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::knobs::Knobs;

/// What the requests on one connection ask of it.
#[derive(Debug, Default)]
pub(super) struct Line {
    resets: AtomicBool,
    drop: Arc<Notify>,
}

/// The socket; closed as its line says.
pub(super) struct Wire {
    socket: TcpStream,
    line: Arc<Line>,
}

impl Line {
    pub(super) fn apply(&self, knobs: &Knobs) {
        self.resets.store(knobs.rst, Ordering::Relaxed);
        if let Some(ms) = knobs.drop_ms {
            let drop = Arc::clone(&self.drop);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                drop.notify_one();
            });
        }
    }

    /// Ready when the connection is to be dropped.
    pub(super) async fn dropped(&self) {
        self.drop.notified().await;
    }
}

impl Wire {
    pub(super) fn new(socket: TcpStream, line: Arc<Line>) -> Self {
        Self { socket, line }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.line.resets.load(Ordering::Relaxed) {
            // With no time to linger, a close is a reset.
            let _ = self.socket.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.line.resets.load(Ordering::Relaxed) {
            // An orderly shutdown would come before the reset.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
