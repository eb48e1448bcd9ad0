//! One walk over a JSON text: where the top-level fields stand, without reading what is in them.

use std::ops::Range;

use memchr::memchr2;
use smallvec::SmallVec;

use super::{MAX_DEPTH, MAX_KEYS, ScanError};

/// Long enough to be a file and nothing but base64, in either alphabet and with JSON's escaped slashes.
fn is_base64(text: &[u8]) -> bool {
    const MIN_BYTES: usize = 256;
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'=' | b'\\');
    text.len() >= MIN_BYTES && text.iter().all(plain)
}

/// Walks one JSON text.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    pub(super) data_url_bytes: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, data_url_bytes: 0 }
    }

    /// Reads the whole text as one object and shows each field: key, where its value stands, its value. Answers where
    /// the object's inside begins.
    pub(super) fn object(
        &mut self,
        mut field: impl FnMut(&'a [u8], Range<usize>, &'a [u8]) -> Result<(), ScanError>,
    ) -> Result<usize, ScanError> {
        self.skip_blanks();
        if self.next() != Some(b'{') {
            return Err(ScanError::NotAnObject);
        }
        let open = self.at;
        let mut keys: SmallVec<[&'a [u8]; 32]> = SmallVec::new();
        self.skip_blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return self.end().map(|()| open);
        }
        loop {
            self.skip_blanks();
            let key = self.key()?;
            if keys.contains(&key) {
                return Err(ScanError::DuplicateKey);
            }
            if keys.len() == MAX_KEYS {
                return Err(ScanError::TooManyKeys);
            }
            keys.push(key);
            self.skip_blanks();
            self.expect(b':')?;
            self.skip_blanks();
            let start = self.at;
            self.skip_value()?;
            let span = start..self.at;
            field(key, span.clone(), self.bytes.get(span).unwrap_or_default())?;
            self.skip_blanks();
            match self.next() {
                Some(b',') => {}
                Some(b'}') => return self.end().map(|()| open),
                _ => return Err(self.malformed()),
            }
        }
    }

    fn key(&mut self) -> Result<&'a [u8], ScanError> {
        self.expect(b'"')?;
        let start = self.at;
        self.skip_string()?;
        let key = self.bytes.get(start..self.at - 1).unwrap_or_default();
        if memchr::memchr(b'\\', key).is_some() {
            return Err(ScanError::EscapedKey);
        }
        Ok(key)
    }

    /// Skips one value. Inside arrays and objects only brackets and strings are looked at.
    fn skip_value(&mut self) -> Result<(), ScanError> {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                self.skip_string()
            }
            Some(b'{' | b'[') => self.skip_nested(),
            Some(_) => self.skip_scalar(),
            None => Err(self.malformed()),
        }
    }

    fn skip_scalar(&mut self) -> Result<(), ScanError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        let length = rest.iter().take_while(|b| plain(b)).count();
        self.at += length;
        if length == 0 { Err(self.malformed()) } else { Ok(()) }
    }

    fn skip_nested(&mut self) -> Result<(), ScanError> {
        // One bit a level: set for an object.
        let mut kinds: u128 = 0;
        let mut depth = 0;
        // The last string was `data`, and then a colon came: base64 may follow.
        let mut last_is_data = false;
        let mut is_data = false;
        while let Some(byte) = self.next() {
            match byte {
                b'"' => {
                    let start = self.at;
                    self.skip_string()?;
                    let inside = self.bytes.get(start..self.at - 1).unwrap_or_default();
                    if std::mem::take(&mut is_data) && is_base64(inside) {
                        self.data_url_bytes += inside.len();
                    }
                    last_is_data = inside == b"data";
                    continue;
                }
                b':' => is_data = last_is_data,
                b',' => is_data = false,
                b'{' | b'[' => {
                    depth += 1;
                    // The top-level object is one level more.
                    if depth + 1 >= MAX_DEPTH {
                        return Err(ScanError::TooDeep);
                    }
                    kinds = (kinds << 1) | u128::from(byte == b'{');
                }
                b'}' | b']' => {
                    if (kinds & 1 == 1) != (byte == b'}') {
                        return Err(self.malformed());
                    }
                    kinds >>= 1;
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
        Err(self.malformed())
    }

    /// Skips to behind the closing quote; the opening one has been read.
    fn skip_string(&mut self) -> Result<(), ScanError> {
        let start = self.at;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(found) = memchr2(b'"', b'\\', rest) else {
                self.at = self.bytes.len();
                return Err(self.malformed());
            };
            self.at += found + 1;
            if rest.get(found) == Some(&b'"') {
                break;
            }
            self.at += 1;
        }
        let inside = self.bytes.get(start..self.at - 1).unwrap_or_default();
        if inside.starts_with(b"data:") {
            self.data_url_bytes += inside.len();
        }
        Ok(())
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn end(&mut self) -> Result<(), ScanError> {
        self.skip_blanks();
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.malformed()) }
    }

    fn expect(&mut self, byte: u8) -> Result<(), ScanError> {
        if self.next() == Some(byte) { Ok(()) } else { Err(self.malformed()) }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn malformed(&self) -> ScanError {
        ScanError::Malformed(self.at)
    }
}
