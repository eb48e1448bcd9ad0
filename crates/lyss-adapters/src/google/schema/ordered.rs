//! A JSON object with its fields in the order they were written, read and written.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Fields as they stand.
pub(in super::super) struct Object<'a>(pub(in super::super) Vec<(String, &'a RawValue)>);

impl<'a> Object<'a> {
    /// `None`: no object.
    pub(in super::super) fn read(raw: &'a RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// Writes one object.
pub(super) struct Writer<'a> {
    out: &'a mut String,
    is_first: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn open(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, is_first: true }
    }

    /// Where the value of this key is to be written.
    pub(super) fn key(&mut self, name: &str) -> &mut String {
        if !std::mem::replace(&mut self.is_first, false) {
            self.out.push(',');
        }
        push_text(name, self.out);
        self.out.push(':');
        self.out
    }

    pub(super) fn close(self) {
        self.out.push('}');
    }
}

/// A text as a JSON string.
pub(in super::super) fn push_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}
