//! One pass over a request body for the few top-level fields a gateway must know.
//!
//! The scanner judges structure only: nesting, closed strings and brackets, and top-level keys that are written twice
//! or with escapes, since a lenient reader here and a strict one at the vendor could see two different requests.
//! Everything else is the vendor's to judge. Bytes inside strings are skipped by `memchr`, so a long prompt costs
//! little more than reading it.

use std::ops::Range;

use bytes::Bytes;
use memchr::memchr2;
use smallvec::SmallVec;

use crate::{Dialect, Fault};

/// What is asked, without its conversation being parsed.
#[derive(Clone, Debug)]
pub struct Ask {
    pub dialect: Dialect,
    /// The whole body, as it came.
    pub body: Bytes,
    pub model: String,
    pub stream: bool,
    /// `stream_options.include_usage`, where it was sent.
    pub include_usage: Option<bool>,
    /// The caller's own output limit in tokens.
    pub output_limit: Option<u64>,
    /// How many answers (`n`); at least 1.
    pub candidates: u32,
    /// Bytes inside strings that are data URLs: no prompt text.
    pub data_url_bytes: usize,
    pub spans: Spans,
}

/// Where in the body the fields stand that may be spliced; values without the blanks around them.
#[derive(Clone, Debug, Default)]
pub struct Spans {
    /// Just behind the opening brace.
    pub open: usize,
    pub model: Range<usize>,
    pub stream_options: Option<Range<usize>>,
    pub include_usage: Option<Range<usize>>,
}

/// Why a body is refused before anyone reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    #[error("The body is not a JSON object.")]
    NotAnObject,
    #[error("The body is not valid JSON near byte {0}.")]
    Malformed(usize),
    #[error("The body is nested {MAX_DEPTH} levels deep or more.")]
    TooDeep,
    #[error("A top-level key is written twice.")]
    DuplicateKey,
    #[error("A top-level key is written with escapes.")]
    EscapedKey,
    #[error("The body has more than {MAX_KEYS} top-level keys.")]
    TooManyKeys,
    #[error("'{0}' is required.")]
    Missing(&'static str),
    #[error("'{0}' has the wrong type: {1} expected.")]
    WrongType(&'static str, &'static str),
}

/// Deepest nesting accepted: serde_json's own bound.
const MAX_DEPTH: usize = 128;
const MAX_KEYS: usize = 256;

impl From<ScanError> for Fault {
    fn from(error: ScanError) -> Self {
        let param = match error {
            ScanError::Missing(name) | ScanError::WrongType(name, _) => Some(name),
            _ => None,
        };
        Self::bad_request(error.to_string(), param)
    }
}

/// Scans a chat request. Time is linear in the body, memory in the number of top-level keys.
pub fn scan(dialect: Dialect, body: Bytes) -> Result<Ask, ScanError> {
    let mut model = None;
    let mut stream = false;
    let mut include_usage = None;
    let mut limits: [Option<u64>; 2] = [None; 2];
    let mut candidates = 1;
    let mut spans = Spans::default();
    let mut cursor = Cursor::new(&body);

    spans.open = cursor.object(|key, span, value| {
        match key {
            b"model" => {
                model = Some(text(value).ok_or(ScanError::WrongType("model", "a string"))?);
                spans.model = span;
            }
            b"stream" => {
                stream = flag(value).ok_or(ScanError::WrongType("stream", "true or false"))?.unwrap_or(false);
            }
            b"stream_options" => {
                spans.include_usage = include_usage_of(value, span.start, &mut include_usage)?;
                spans.stream_options = Some(span);
            }
            b"max_completion_tokens" => limits[0] = count(value, "max_completion_tokens")?,
            b"max_tokens" => limits[1] = count(value, "max_tokens")?,
            b"n" => candidates = count(value, "n")?.unwrap_or(1),
            _ => {}
        }
        Ok(())
    })?;
    let data_url_bytes = cursor.data_url_bytes;
    let model = model.ok_or(ScanError::Missing("model"))?;
    let [completion, total] = limits;
    Ok(Ask {
        dialect,
        model,
        stream,
        include_usage,
        output_limit: completion.or(total),
        candidates: u32::try_from(candidates.clamp(1, 128)).unwrap_or(128),
        data_url_bytes,
        spans,
        body,
    })
}

/// The flag inside `stream_options`, and where it stands in the whole body.
fn include_usage_of(
    value: &[u8],
    offset: usize,
    found: &mut Option<bool>,
) -> Result<Option<Range<usize>>, ScanError> {
    if value == b"null" {
        return Ok(None);
    }
    let mut at = None;
    Cursor::new(value)
        .object(|key, span, value| {
            if key == b"include_usage" {
                let wrong = ScanError::WrongType("stream_options.include_usage", "true or false");
                *found = flag(value).ok_or(wrong)?;
                at = Some(offset + span.start..offset + span.end);
            }
            Ok(())
        })
        .map_err(|error| match error {
            ScanError::NotAnObject => ScanError::WrongType("stream_options", "an object"),
            other => other,
        })?;
    Ok(at)
}

/// A JSON string's text; `None`: no string, or not UTF-8.
fn text(value: &[u8]) -> Option<String> {
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if memchr::memchr(b'\\', inner).is_none() {
        return String::from_utf8(inner.to_vec()).ok();
    }
    serde_json::from_slice(value).ok()
}

/// `Some(None)` for null, `None` for anything that is no flag.
fn flag(value: &[u8]) -> Option<Option<bool>> {
    match value {
        b"true" => Some(Some(true)),
        b"false" => Some(Some(false)),
        b"null" => Some(None),
        _ => None,
    }
}

/// A count; null is as good as absent.
fn count(value: &[u8], name: &'static str) -> Result<Option<u64>, ScanError> {
    if value == b"null" {
        return Ok(None);
    }
    serde_json::from_slice(value).map(Some).map_err(|_| ScanError::WrongType(name, "a non-negative integer"))
}

/// Walks one JSON text.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    data_url_bytes: usize,
}

impl<'a> Cursor<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, data_url_bytes: 0 }
    }

    /// Reads the whole text as one object and shows each field: key, where its value stands, its value. Answers where
    /// the object's inside begins.
    fn object(
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
        while let Some(byte) = self.next() {
            match byte {
                b'"' => self.skip_string()?,
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

#[cfg(test)]
mod tests;
