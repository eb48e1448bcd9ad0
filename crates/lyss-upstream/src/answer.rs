//! The body of an answer on its way to the caller.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http_body::Body;
use hyper::body::Incoming;
use lyss_wire::{TransportClass, TransportError};

use crate::fault;
use crate::watch::Watch;

/// Ends with `None` after the whole body, or with one error. Dropped before its end, or ended by an error, it lets go
/// of the connection, which hyper then closes: the vendor sees the request cancelled.
pub(crate) struct Answer {
    body: Option<Incoming>,
    watch: Watch,
}

impl Answer {
    pub(crate) fn new(body: Incoming, watch: Watch) -> Self {
        Self { body: Some(body), watch }
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, TransportClass>>> {
        let Some(body) = self.body.as_mut() else { return Poll::Ready(None) };
        loop {
            match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers and empty chunks are no sign of life.
                    let Some(chunk) = frame.into_data().ok().filter(|chunk| !chunk.is_empty()) else {
                        continue;
                    };
                    return Poll::Ready(Some(self.watch.saw_bytes().map(|()| chunk)));
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(fault::of_body(&error)))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return self.watch.poll_expired(cx).map(|class| Some(Err(class))),
            }
        }
    }
}

impl Stream for Answer {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.poll_chunk(cx);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.body = None;
        }
        polled.map(|chunk| chunk.map(|chunk| chunk.map_err(TransportError::from)))
    }
}
