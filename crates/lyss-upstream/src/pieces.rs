//! A request body on its way out: pieces in memory, written one after the other without being joined, and what a caller
//! is still uploading.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use lyss_wire::{RequestBody, RestOfBody, UploadError, UploadStream};
use smallvec::SmallVec;

/// Says how long it is, where that is known, so that `content-length` is sent; otherwise hyper chunks it.
pub(crate) struct Pieces {
    pieces: smallvec::IntoIter<[Bytes; 4]>,
    /// In `pieces`.
    left_bytes: u64,
    rest: Option<Rest>,
}

/// What is uploaded. hyper asks for the next piece only when it has room for it, so the caller is held to the pace of
/// the vendor.
struct Rest {
    stream: UploadStream,
    left_bytes: Option<u64>,
    upload: Arc<Upload>,
}

/// How far an upload is, for those who wait for the answer.
#[derive(Default)]
pub(crate) struct Upload(AtomicU8);

const TOUCHED: u8 = 1;
const ENDED: u8 = 2;
const BROKEN: u8 = 3;

impl Pieces {
    /// The body of a request, and where it is streamed the sign of how far that is.
    pub(crate) fn of(body: RequestBody, rest: Option<RestOfBody>) -> (Self, Option<Arc<Upload>>) {
        let left_bytes = body.len() as u64;
        let pieces: SmallVec<[Bytes; 4]> = body.into_pieces().collect();
        // Nothing would ask for the end of a stream that brings nothing.
        let rest = rest.filter(|rest| rest.length != Some(0)).map(|rest| Rest {
            stream: rest.stream,
            left_bytes: rest.length,
            upload: Arc::default(),
        });
        let upload = rest.as_ref().map(|rest| Arc::clone(&rest.upload));
        (Self { pieces: pieces.into_iter(), left_bytes, rest }, upload)
    }

    /// Whether a part of it is gone that cannot be had again.
    pub(crate) fn is_touched(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| rest.upload.0.load(Ordering::Relaxed) >= TOUCHED)
    }
}

impl Upload {
    /// Nothing more is taken from the caller.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.load(Ordering::Relaxed) == ENDED
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.0.load(Ordering::Relaxed) == BROKEN
    }

    fn is(&self, state: u8) {
        self.0.store(state, Ordering::Relaxed);
    }
}

impl Rest {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, UploadError>>> {
        self.upload.is(TOUCHED);
        let piece = match ready!(self.stream.as_mut().poll_next(cx)) {
            Some(Ok(piece)) => self.counted(piece),
            // Fewer bytes than the head promised.
            None if self.left_bytes.is_some_and(|left| left > 0) => Err(UploadError),
            None => {
                self.upload.is(ENDED);
                return Poll::Ready(None);
            }
            Some(Err(error)) => Err(error),
        };
        match &piece {
            Ok(_) if self.left_bytes == Some(0) => self.upload.is(ENDED),
            Ok(_) => {}
            Err(UploadError) => self.upload.is(BROKEN),
        }
        Poll::Ready(Some(piece))
    }

    fn counted(&mut self, piece: Bytes) -> Result<Bytes, UploadError> {
        if let Some(left) = &mut self.left_bytes {
            *left = left.checked_sub(piece.len() as u64).ok_or(UploadError)?;
        }
        Ok(piece)
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        if let Some(piece) = self.pieces.next() {
            self.left_bytes -= piece.len() as u64;
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match &mut self.rest {
            Some(rest) => rest.poll_piece(cx).map(|piece| piece.map(|piece| piece.map(Frame::data))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes == 0 && self.rest.as_ref().is_none_or(|rest| rest.left_bytes == Some(0))
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.as_ref().map_or(Some(0), |rest| rest.left_bytes);
        match rest.and_then(|rest| rest.checked_add(self.left_bytes)) {
            Some(whole) => SizeHint::with_exact(whole),
            None => SizeHint::new(),
        }
    }
}
