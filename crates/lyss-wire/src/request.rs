//! A request ready to be sent, and the head of its answer.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use smallvec::SmallVec;

/// A body in pieces, so that a spliced field costs no copy of what stands around it.
#[derive(Clone, Debug, Default)]
pub struct RequestBody(SmallVec<[Bytes; 4]>);

/// A request whose credential, if any, is a header value marked sensitive. `Debug` shows no header and no body.
pub struct EncodedRequest {
    pub method: Method,
    /// Absolute: scheme, host, port, path and query.
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: RequestBody,
}

/// Status and headers of an answer; trailers are not kept.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    pub status: StatusCode,
    pub headers: HeaderMap,
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
            .finish_non_exhaustive()
    }
}
