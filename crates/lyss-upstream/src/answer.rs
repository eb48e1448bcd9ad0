//! The body of an answer on its way to the caller.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_core::Stream;
use http_body::Body;
use hyper::body::Incoming;
use lyss_wire::{TransportClass, TransportError};

use crate::fault;
use crate::pool::{Link, Origin, Pool};
use crate::watch::Watch;

/// Ends with `None` after the whole body, and the connection goes back to its pool; or with one error. Dropped before
/// its end, or ended by an error, it closes the connection: the vendor sees the request cancelled.
pub(crate) struct Answer {
    open: Option<Open>,
    watch: Watch,
}

/// The connection and what it brings. The body goes first: a connection may only serve others without it.
struct Open {
    body: Incoming,
    link: Box<Link>,
    pool: Pool,
    origin: Origin,
}

impl Answer {
    pub(crate) fn new(body: Incoming, link: Box<Link>, pool: Pool, origin: Origin, watch: Watch) -> Self {
        Self { open: Some(Open { body, link, pool, origin }), watch }
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, TransportClass>>> {
        let Some(open) = self.open.as_mut() else { return Poll::Ready(None) };
        match open.poll_chunk(cx) {
            Poll::Ready(Some(Ok(chunk))) => Poll::Ready(Some(self.watch.saw_bytes().map(|()| chunk))),
            Poll::Pending => self.watch.poll_expired(cx).map(|class| Some(Err(class))),
            Poll::Ready(Some(Err(class))) => Poll::Ready(Some(Err(self.watch.blame(class)))),
            Poll::Ready(None) => Poll::Ready(None),
        }
    }
}

impl Open {
    /// Looks at what the connection has handed over before and after driving it; only when there is nothing at all is
    /// `cx` left with the socket.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, TransportClass>>> {
        let found = self.look();
        if found.is_ready() {
            return found;
        }
        self.link.drive();
        let found = self.look();
        if found.is_ready() {
            return found;
        }
        self.link.drive_for(cx);
        self.look()
    }

    fn look(&mut self) -> Poll<Option<Result<Bytes, TransportClass>>> {
        let quiet = &mut Context::from_waker(Waker::noop());
        loop {
            return match Pin::new(&mut self.body).poll_frame(quiet) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers and empty chunks are no sign of life.
                    match frame.into_data().ok().filter(|chunk| !chunk.is_empty()) {
                        Some(chunk) => Poll::Ready(Some(Ok(chunk))),
                        None => {
                            self.link.drive();
                            continue;
                        }
                    }
                }
                Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(fault::of_body(&error)))),
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            };
        }
    }

    fn give_back(self) {
        drop(self.body);
        self.pool.give_back(self.origin, self.link);
    }
}

impl Stream for Answer {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.poll_chunk(cx);
        match &polled {
            Poll::Ready(None) => {
                if let Some(open) = self.open.take() {
                    open.give_back();
                }
            }
            Poll::Ready(Some(Err(_))) => self.open = None,
            _ => {}
        }
        polled.map(|chunk| chunk.map(|chunk| chunk.map_err(TransportError::from)))
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // Whoever has read the last byte need not ask for what follows it.
        if let Some(mut open) = self.open.take()
            && matches!(open.look(), Poll::Ready(None))
        {
            open.give_back();
        }
    }
}
