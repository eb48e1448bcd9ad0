//! A TCP stream that looks twice before a request is written to a kept connection, and that reads on when it can no
//! longer write.
//!
//! tokio answers a read from what its last look at the kernel said. A connection that the vendor closed since then
//! still counts as open, and a request handed to it is written into the void: hyper can no longer tell that nobody read
//! it, and the caller sees a reset. Before hyper takes a request off its queue it polls a read once more. That poll is
//! recognised here as the second one in a row that finds nothing, and the kernel is asked itself. A close is then seen
//! in time, and the pool sends the request over another connection.
//!
//! Only a connection that was quiet for [`QUIET`] is looked at: vendors close idle connections after seconds, and on a
//! busy one the look would cost two or three system calls a request.
//!
//! A vendor that refuses a long request answers and closes while it is still being written. hyper gives up at the failed
//! write, although the answer lies in the kernel. So a failed write is said to be pending, and what is read decides: an
//! answer, or the end that the write has met already.

use std::io::{self, IoSlice, Read as _};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// A connection used within this long is trusted.
pub(crate) const QUIET: Duration = Duration::from_millis(500);

/// Only ever holds what arrived between two looks on an idle connection, so hardly ever anything.
const LOOK_BYTES: usize = 1024;

pub(crate) struct Socket {
    io: TokioIo<TcpStream>,
    last: Last,
    /// When bytes were last read.
    used: Instant,
    /// A write failed, so all reading will soon be over.
    unwritable: bool,
}

/// The last thing that happened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Written,
    Read,
    /// A read after bytes were read found none.
    ReadNothing,
}

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Self { io: TokioIo::new(stream), last: Last::Written, used: Instant::now(), unwritable: false }
    }
}

impl Socket {
    fn wrote(&mut self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Err(_)) = polled {
            self.unwritable = true;
            return Poll::Pending;
        }
        polled
    }

    /// Reads past tokio. Pending when the kernel has nothing either; the reader is registered already.
    fn look(&self, mut buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0; LOOK_BYTES];
        let room = buffer.remaining().min(LOOK_BYTES);
        let (room, _) = bytes.split_at_mut(room);
        if room.is_empty() {
            return Poll::Pending;
        }
        match (&*SockRef::from(self.io.inner())).read(room) {
            Ok(count) => {
                buffer.put_slice(room.get(..count).unwrap_or_default());
                Poll::Ready(Ok(()))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match (self.io.inner().poll_read_ready(cx), self.last) {
            (Poll::Ready(Ok(())), _) => {
                let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
                if polled.is_ready() {
                    self.last = Last::Read;
                    self.used = Instant::now();
                }
                polled
            }
            (Poll::Ready(Err(error)), _) => Poll::Ready(Err(error)),
            (Poll::Pending, Last::ReadNothing) if self.used.elapsed() >= QUIET => self.look(buffer),
            (Poll::Pending, Last::ReadNothing) => Poll::Pending,
            (Poll::Pending, Last::Read) => {
                self.last = Last::ReadNothing;
                Poll::Pending
            }
            (Poll::Pending, Last::Written) => Poll::Pending,
        }
    }
}

impl Write for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.unwritable {
            return Poll::Pending;
        }
        self.last = Last::Written;
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.wrote(polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.unwritable {
            return Poll::Pending;
        }
        self.last = Last::Written;
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.wrote(polled)
    }
}

impl Connection for Socket {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
