//! The port through which every byte leaves the process.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;

use crate::{EncodedRequest, ResponseHead};

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The body of an answer as it arrives, without any `content-encoding`. Ends with `None` only when the answer was complete; a cut, a timeout or a
/// broken frame is an `Err`, after which nothing follows. Dropping it cancels the request.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send>>;

/// The four timers of one attempt, counted from the call of [`Transport::send`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Name lookup, TCP and TLS handshake.
    pub connect: Duration,
    /// From sending until the first byte of the answer's body (a head alone does not stop it). Where the body is
    /// streamed from a caller it starts when the last byte of that was taken, since the caller sets the pace until then.
    pub first_byte: Duration,
    /// Longest silence between two chunks of the body.
    pub idle: Duration,
    /// Everything: what is left of the call's one deadline.
    pub total: Duration,
}

/// Sends one request. No redirects are followed and nothing is retried, except by the pool itself when a kept-alive
/// connection turns out dead before a single byte was written, and never once a streamed body was looked at. An answer
/// that comes before the whole body was sent is handed back like any other.
pub trait Transport: Send + Sync {
    fn send(
        &self,
        request: EncodedRequest,
        timers: Timers,
    ) -> BoxFuture<'_, Result<(ResponseHead, ByteStream), TransportError>>;
}

/// Why a request or its answer ended early. The text is from a closed list: no address, no body, no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{class}")]
pub struct TransportError {
    pub class: TransportClass,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransportClass {
    /// Refused by the egress policy; nothing was sent.
    EgressDenied,
    /// The name has no address.
    Dns,
    /// Nobody accepted the connection.
    Connect,
    ConnectTimeout,
    Tls,
    /// The connection ended before a head came.
    Reset,
    /// The answer is not HTTP/1.1 as we speak it, or its head is too large.
    Protocol,
    FirstByteTimeout,
    IdleTimeout,
    TotalTimeout,
    /// The body stopped before its end.
    Cut,
    /// The request's streamed body broke off, so the request was given up.
    UploadBroken,
}

impl TransportClass {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EgressDenied => "egress denied by policy",
            Self::Dns => "name not found",
            Self::Connect => "connection refused",
            Self::ConnectTimeout => "connect timed out",
            Self::Tls => "TLS handshake failed",
            Self::Reset => "connection closed before an answer",
            Self::Protocol => "the answer is not readable HTTP",
            Self::FirstByteTimeout => "no first byte in time",
            Self::IdleTimeout => "silent for too long",
            Self::TotalTimeout => "deadline passed",
            Self::Cut => "the answer was cut off",
            Self::UploadBroken => "the caller's upload broke off",
        }
    }
}

impl fmt::Display for TransportClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<TransportClass> for TransportError {
    fn from(class: TransportClass) -> Self {
        Self { class }
    }
}
