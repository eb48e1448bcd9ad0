//! Writing JSON and events into a growing buffer.

use bytes::{BufMut, BytesMut};
use serde::Serialize;

/// Appends a value as JSON. Strings and plain structs cannot fail to be written.
pub(crate) fn push_json<T: Serialize + ?Sized>(out: &mut BytesMut, value: &T) {
    serde_json::to_writer(out.writer(), value).unwrap_or_default();
}

/// Appends one named event.
pub(crate) fn push_event<T: Serialize + ?Sized>(out: &mut BytesMut, name: &str, value: &T) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    push_json(out, value);
    out.extend_from_slice(b"\n\n");
}
