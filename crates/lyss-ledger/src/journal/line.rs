//! Lines of the journal: written whole, or recognised as torn.

use std::io::Write as _;

use crc::{CRC_32_ISO_HDLC, Crc};
use lyss_domain::AttemptRecord;

use super::entry::Entry;

const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Record(Box<AttemptRecord>),
    /// Whole, but not readable by this build.
    Foreign,
    /// Not what was written.
    Torn,
}

/// Appends one record and its newline.
pub(crate) fn write(out: &mut Vec<u8>, record: &AttemptRecord) -> std::io::Result<()> {
    let json = serde_json::to_vec(&Entry::from(record))?;
    writeln!(out, "{:08x} {}", CHECKSUM.checksum(&json), String::from_utf8_lossy(&json))
}

/// Reads one line without its newline.
pub(crate) fn read(line: &[u8]) -> Line {
    let Some((sum, [b' ', json @ ..])) = line.split_at_checked(8) else { return Line::Torn };
    let sum = std::str::from_utf8(sum).ok().and_then(|hex| u32::from_str_radix(hex, 16).ok());
    if sum != Some(CHECKSUM.checksum(json)) {
        return Line::Torn;
    }
    match serde_json::from_slice::<Entry<'_>>(json).ok().and_then(Entry::into_record) {
        Some(record) => Line::Record(Box::new(record)),
        None => Line::Foreign,
    }
}

#[cfg(test)]
mod tests;
