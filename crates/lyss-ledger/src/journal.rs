//! What is on disk: `journal/` with one file per segment, numbered in the order they were begun, each a list of lines.
//! A line is eight hexadecimal digits of CRC-32, a space, one JSON object. Only whole lines count.

pub(crate) mod entry;
pub(crate) mod folder;
pub(crate) mod line;
pub(crate) mod parcel;
pub(crate) mod scribe;
pub(crate) mod tail;

/// How far the journal reaches: everything before it is written and will not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) segment: u64,
    /// Within that segment.
    pub(crate) bytes: u64,
    /// In all segments, those dealt with and deleted included.
    pub(crate) lines: u64,
}
