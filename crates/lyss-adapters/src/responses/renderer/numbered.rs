//! Events with their numbers.

use bytes::BytesMut;
use serde::Serialize;

use crate::json_out::push_json;

/// `sequence_number`, from 0 and without a gap.
#[derive(Default)]
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn next(&mut self) -> u64 {
        let number = self.0;
        self.0 += 1;
        number
    }
}

/// One event being written: its type and number stand, the fields follow.
pub(super) struct Object<'a> {
    pub(super) out: &'a mut BytesMut,
}

impl<'a> Object<'a> {
    pub(super) fn open(out: &'a mut BytesMut, name: &str, number: u64) -> Self {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\ndata: {\"type\":\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\",\"sequence_number\":");
        push_json(out, &number);
        Self { out }
    }

    pub(super) fn field<T: Serialize + ?Sized>(self, name: &str, value: &T) -> Self {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        push_json(self.out, value);
        self
    }

    pub(super) fn close(self) {
        self.out.extend_from_slice(b"}\n\n");
    }
}
