//! The few bytes of a request that may differ from what the caller sent when both sides speak one dialect.

use bytes::Bytes;
use lyss_wire::RequestBody;
use smallvec::SmallVec;

/// What is to be written into the body. Everything else goes on byte for byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Splices<'a> {
    /// The vendor's name for the model, where it differs from the asked one.
    pub model: Option<&'a str>,
    /// Ask for usage in the stream although the caller did not.
    pub include_usage: bool,
    /// An output limit where the caller sent none.
    pub output_limit: Option<OutputLimit>,
}

/// A limit under the name the vendor reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimit {
    pub field: &'static str,
    pub tokens: u64,
}

/// Changes to a body, none of which overlap: from, to, and what stands there instead.
#[derive(Default)]
pub(crate) struct Edits(SmallVec<[(usize, usize, Bytes); 3]>);

impl Edits {
    pub(crate) fn replace(&mut self, from: usize, to: usize, text: impl Into<Bytes>) {
        self.0.push((from, to, text.into()));
    }

    pub(crate) fn insert(&mut self, at: usize, text: impl Into<Bytes>) {
        self.replace(at, at, text);
    }

    /// The body with the changes made. What stands around them are slices of the original.
    pub(crate) fn apply(mut self, body: &Bytes) -> RequestBody {
        self.0.sort_by_key(|edit| edit.0);
        let mut out = RequestBody::default();
        let mut at = 0;
        for (from, to, text) in self.0 {
            out.push(body.slice(at..from));
            out.push(text);
            at = to;
        }
        out.push(body.slice(at..));
        out
    }
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
