//! A request body in pieces, written one after the other without being joined.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use lyss_wire::RequestBody;
use smallvec::SmallVec;

/// Knows its length, so that `content-length` is sent.
pub(crate) struct Pieces {
    pieces: smallvec::IntoIter<[Bytes; 4]>,
    left_bytes: u64,
}

impl From<RequestBody> for Pieces {
    fn from(body: RequestBody) -> Self {
        let left_bytes = body.len() as u64;
        let pieces: SmallVec<[Bytes; 4]> = body.into_pieces().collect();
        Self { pieces: pieces.into_iter(), left_bytes }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.next();
        self.left_bytes -= piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes)
    }
}
