//! Bytes on the wire: what is sent to a vendor, what comes back, and the event-stream framing in between.
//!
//! Must never know: a vendor, a dialect, a tenant, a socket, a runtime. The [`Transport`] port is implemented by
//! `lyss-upstream` (hyper) and by `lyss-testkit` (scripted). A credential travels only as a header value marked
//! sensitive.
//!
//! Start reading at [`transport`]; the event-stream reader is [`sse`], the one for streamed arrays
//! [`json_array`].

pub mod json_array;
pub mod request;
pub mod sse;
pub mod transport;

pub use json_array::JsonArrayFramer;
pub use request::{EncodedRequest, RequestBody, ResponseHead, RestOfBody, UploadError, UploadStream};
pub use sse::{SseFrame, SseFramer, SseOverflow};
pub use transport::{BoxFuture, ByteStream, Timers, Transport, TransportClass, TransportError};
