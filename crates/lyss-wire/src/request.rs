//! A request ready to be sent, and the head of its answer.

use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, Method, StatusCode, Uri};
use smallvec::SmallVec;

/// A body in pieces, so that a spliced field costs no copy of what stands around it.
#[derive(Clone, Debug, Default)]
pub struct RequestBody(SmallVec<[Bytes; 4]>);

/// A body that is still on its way from the caller: pieces in order, until `None`. After an error nothing follows.
pub type UploadStream = Pin<Box<dyn Stream<Item = Result<Bytes, UploadError>> + Send>>;

/// The caller's own upload ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the caller's upload broke off")]
pub struct UploadError;

/// What follows the pieces of a body that are in memory. Read once, piece by piece, only as fast as the vendor takes
/// it.
pub struct RestOfBody {
    pub stream: UploadStream,
    /// Bytes the stream will bring, where that is known. A stream that brings more or fewer counts as broken off.
    pub length: Option<u64>,
}

/// A request whose credential, if any, is a header value marked sensitive. `Debug` shows no header and no body.
pub struct EncodedRequest {
    pub method: Method,
    /// Absolute: scheme, host, port, path and query.
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: RequestBody,
    /// What is sent after `body`. The length on the wire is the sum of both; where it is not known the body is chunked.
    pub rest: Option<RestOfBody>,
}

/// Status and headers of an answer; trailers are not kept.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    pub status: StatusCode,
    pub headers: HeaderMap,
}

impl EncodedRequest {
    /// A request whose body is all in memory.
    pub fn new(method: Method, uri: Uri, headers: HeaderMap, body: RequestBody) -> Self {
        Self { method, uri, headers, body, rest: None }
    }
}

impl RequestBody {
    pub fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.0.push(piece);
        }
    }

    /// All pieces in order.
    pub fn pieces(&self) -> &[Bytes] {
        &self.0
    }

    pub fn into_pieces(self) -> impl Iterator<Item = Bytes> {
        self.0.into_iter()
    }

    /// Bytes in all pieces.
    pub fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One contiguous copy; without a copy where there is one piece.
    pub fn to_bytes(&self) -> Bytes {
        match self.0.as_slice() {
            [] => Bytes::new(),
            [one] => one.clone(),
            many => many.concat().into(),
        }
    }
}

impl From<Bytes> for RequestBody {
    fn from(piece: Bytes) -> Self {
        let mut body = Self::default();
        body.push(piece);
        body
    }
}

impl std::fmt::Debug for EncodedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size = self.body.len();
        f.debug_struct("EncodedRequest")
            .field("method", &self.method)
            .field("host", &self.uri.host())
            .field("path", &self.uri.path())
            .field("body_bytes", &size)
            .field("streamed", &self.rest.is_some())
            .finish_non_exhaustive()
    }
}
