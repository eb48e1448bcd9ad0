//! Lines of the journal: written whole, or recognised as torn.

use lyss_domain::AttemptRecord;

use super::entry::Entry;

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
    let start = out.len();
    out.extend_from_slice(b"00000000 ");
    let json = out.len();
    if let Err(error) = serde_json::to_writer(&mut *out, &Entry::from(record)) {
        out.truncate(start);
        return Err(error.into());
    }
    let sum = crc32fast::hash(out.get(json..).unwrap_or_default());
    if let Some(place) = out.get_mut(start..start + 8) {
        place.copy_from_slice(format!("{sum:08x}").as_bytes());
    }
    out.push(b'\n');
    Ok(())
}

/// Reads one line without its newline.
pub(crate) fn read(line: &[u8]) -> Line {
    let Some((sum, [b' ', json @ ..])) = line.split_at_checked(8) else { return Line::Torn };
    let sum = std::str::from_utf8(sum).ok().and_then(|hex| u32::from_str_radix(hex, 16).ok());
    if sum != Some(crc32fast::hash(json)) {
        return Line::Torn;
    }
    match serde_json::from_slice::<Entry<'_>>(json).ok().and_then(Entry::into_record) {
        Some(record) => Line::Record(Box::new(record)),
        None => Line::Foreign,
    }
}

#[cfg(test)]
mod tests;
