//! Answers that come compressed although nobody asked for it.
//!
//! The head names the codings, [`taken_from`] reads them, and one [`Decoded`] per coding is put around the answer. What
//! a piece of input decodes to is handed on before the next piece is asked for, so an event the vendor flushed is never
//! held back; and it is decoded only as it is read, so a bomb costs its reader's own limit and nothing here.

mod inflate;
#[cfg(test)]
pub(crate) mod tests;
mod unbrotli;

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_core::Stream;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use lyss_wire::{ByteStream, TransportClass, TransportError};
use smallvec::SmallVec;
use tokio::task::coop;
use tokio::time::Instant;

use inflate::Inflate;
use unbrotli::Unbrotli;

/// Bytes decoded at once, and the largest piece handed on.
const PIECE_BYTES: usize = 16 * 1024;

/// Codings one around the other. A second one happens where a proxy compresses what is compressed; a third is no
/// answer anybody means.
const MAX_CODINGS: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    /// In zlib's wrapping as RFC 9110 has it, or bare as some servers send it.
    Deflate,
    Brotli,
}

/// In the order in which they were applied.
pub(crate) type Codings = SmallVec<[Coding; MAX_CODINGS]>;

/// The input cannot be what it was said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Garbage;

/// What decodes one coding.
enum Coder {
    Inflate(Inflate),
    Brotli(Unbrotli),
}

/// A stream without one of its codings. Ends as a [`ByteStream`] does: with `None` only after the whole of it.
struct Decoded {
    /// Let go of at the end and at an error, so that the connection is closed although this is still held.
    open: Option<Open>,
    total_at: Instant,
}

struct Open {
    source: ByteStream,
    coder: Coder,
    /// Came from the source and is not decoded yet.
    input: Bytes,
    piece: Box<[u8]>,
    /// The last piece was full: there may be more of what was taken in already.
    more: bool,
    /// The source brought something. An empty body is empty, whatever its head says.
    begun: bool,
}

/// Takes the codings out of a head, together with the length, which is the compressed one's. `Protocol` for one that is
/// not known here.
pub(crate) fn taken_from(headers: &mut HeaderMap) -> Result<Codings, TransportClass> {
    let mut codings = Codings::new();
    if !headers.contains_key(CONTENT_ENCODING) {
        return Ok(codings);
    }
    for value in headers.get_all(CONTENT_ENCODING) {
        let names = value.to_str().map_err(|_| TransportClass::Protocol)?;
        for name in names.split(',').map(str::trim) {
            let coding = match name.to_ascii_lowercase().as_str() {
                "" | "identity" => continue,
                "gzip" | "x-gzip" => Coding::Gzip,
                "deflate" => Coding::Deflate,
                "br" => Coding::Brotli,
                _ => return Err(TransportClass::Protocol),
            };
            if codings.len() == MAX_CODINGS {
                return Err(TransportClass::Protocol);
            }
            codings.push(coding);
        }
    }
    headers.remove(CONTENT_ENCODING);
    if !codings.is_empty() {
        headers.remove(CONTENT_LENGTH);
    }
    Ok(codings)
}

/// The stream without these codings; the same one where there are none. After `total_at` it ends like any answer whose
/// time is over, even while there is something left to decode.
pub(crate) fn decoded(source: ByteStream, codings: &Codings, total_at: Instant) -> ByteStream {
    codings.iter().rev().fold(source, |source, coding| Box::pin(Decoded::new(source, *coding, total_at)))
}

impl Coder {
    fn new(coding: Coding) -> Self {
        match coding {
            Coding::Gzip => Self::Inflate(Inflate::gzip()),
            Coding::Deflate => Self::Inflate(Inflate::deflate()),
            Coding::Brotli => Self::Brotli(Unbrotli::new()),
        }
    }

    /// Decodes until the input is used up or the output is full, and returns the bytes written. Where the output is not
    /// full, nothing is held back.
    fn run(&mut self, input: &mut Bytes, out: &mut [u8]) -> Result<usize, Garbage> {
        match self {
            Self::Inflate(coder) => coder.run(input, out),
            Self::Brotli(coder) => coder.run(input, out),
        }
    }

    /// Whether what came so far may end here.
    fn is_whole(&self) -> bool {
        match self {
            Self::Inflate(coder) => coder.is_whole(),
            Self::Brotli(coder) => coder.is_whole(),
        }
    }
}

impl Decoded {
    fn new(source: ByteStream, coding: Coding, total_at: Instant) -> Self {
        let open = Open {
            source,
            coder: Coder::new(coding),
            input: Bytes::new(),
            piece: vec![0; PIECE_BYTES].into_boxed_slice(),
            more: false,
            begun: false,
        };
        Self { open: Some(open), total_at }
    }
}

impl Open {
    fn poll_piece(
        &mut self,
        total_at: Instant,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        loop {
            if self.more || self.input.has_remaining() {
                // What is decoded here waits for no socket, so nothing else would make it give way to other tasks.
                let step = ready!(coop::poll_proceed(cx));
                step.made_progress();
                if Instant::now() >= total_at {
                    return Poll::Ready(Some(Err(TransportClass::TotalTimeout.into())));
                }
                match self.decode() {
                    Ok(piece) if piece.is_empty() => {}
                    piece => return Poll::Ready(Some(piece.map_err(TransportError::from))),
                }
            }
            return match ready!(self.source.as_mut().poll_next(cx)) {
                Some(Ok(chunk)) => {
                    self.begun |= !chunk.is_empty();
                    self.input = chunk;
                    continue;
                }
                None if self.begun && !self.coder.is_whole() => {
                    Poll::Ready(Some(Err(TransportClass::Cut.into())))
                }
                ended => Poll::Ready(ended),
            };
        }
    }

    /// The next piece; empty when the input is used up and says nothing yet.
    fn decode(&mut self) -> Result<Bytes, TransportClass> {
        let Self { coder, input, piece, more, .. } = self;
        let written = coder.run(input, piece).map_err(|Garbage| TransportClass::Protocol)?;
        *more = written == piece.len();
        Ok(Bytes::copy_from_slice(piece.get(..written).unwrap_or_default()))
    }
}

impl Stream for Decoded {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let total_at = self.total_at;
        let Some(open) = self.open.as_mut() else { return Poll::Ready(None) };
        let polled = open.poll_piece(total_at, cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.open = None;
        }
        polled
    }
}
