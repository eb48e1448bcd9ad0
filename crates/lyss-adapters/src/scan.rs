//! One pass over a request body for the few top-level fields a gateway must know.
//!
//! The scanner judges structure only: nesting, closed strings and brackets, and top-level keys that are written twice
//! or with escapes, since a lenient reader here and a strict one at the vendor could see two different requests.
//! Everything else is the vendor's to judge. Bytes inside strings are skipped by `memchr`, so a long prompt costs
//! little more than reading it.

use std::ops::Range;

use bytes::Bytes;
use lyss_domain::Operation;
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
    /// How the caller reads a stream.
    pub framing: Framing,
    pub errand: Errand,
    /// `stream_options.include_usage`, where it was sent.
    pub include_usage: Option<bool>,
    /// The caller's own output limit in tokens.
    pub output_limit: Option<u64>,
    /// How many answers (`n`, `candidateCount`); at least 1.
    pub candidates: u32,
    /// Bytes inside strings that are data URLs, or base64 in a field named `data`: no prompt text.
    pub data_url_bytes: usize,
    pub spans: Spans,
}

impl Ask {
    /// A request whose body is not read here, for the model that its caller named elsewhere.
    pub fn unread(dialect: Dialect, model: String, errand: Errand) -> Self {
        Self {
            dialect,
            body: Bytes::new(),
            model,
            stream: false,
            framing: Framing::default(),
            errand,
            include_usage: None,
            output_limit: None,
            candidates: 1,
            data_url_bytes: 0,
            spans: Spans::default(),
        }
    }
}

/// What a caller wants done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Errand {
    /// An answer of a conversation.
    #[default]
    Chat,
    /// The count of a conversation's tokens; no answer.
    CountTokens,
    /// OpenAI's embeddings, converted where a vendor speaks another dialect.
    Embeddings,
    /// Whatever OpenAI has at this path below its base; only vendors that have it too serve it, and nothing is
    /// converted.
    Pass(Operation, &'static str),
}

impl Errand {
    pub const fn operation(self) -> Operation {
        match self {
            Self::Chat => Operation::Chat,
            Self::CountTokens => Operation::CountTokens,
            Self::Embeddings => Operation::Embeddings,
            Self::Pass(operation, _) => operation,
        }
    }
}

/// How a streamed answer is framed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    #[default]
    Events,
    /// One JSON array, an element an event: Google's without `alt=sse`.
    Array,
}

/// What the address of a request says, where the dialect says it there. A body that says the same is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathWords {
    /// Azure's deployment, Google's model.
    pub model: Option<String>,
    pub stream: Option<bool>,
    pub framing: Framing,
    pub errand: Errand,
    /// What stands for a model where neither address nor body names one.
    pub usual_model: Option<&'static str>,
}

/// Where in the body the fields stand that may be spliced; values without the blanks around them.
#[derive(Clone, Debug, Default)]
pub struct Spans {
    /// Just behind the opening brace.
    pub open: usize,
    /// The object has no key.
    pub is_empty: bool,
    /// `None`: the address said it.
    pub model: Option<Range<usize>>,
    pub stream_options: Option<Range<usize>>,
    pub include_usage: Option<Range<usize>>,
    /// Google's `generationConfig`, in either spelling.
    pub generation: Option<Range<usize>>,
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

/// Scans a chat request whose address says nothing.
pub fn scan(dialect: Dialect, body: Bytes) -> Result<Ask, ScanError> {
    scan_at(dialect, body, PathWords::default())
}

/// Scans a chat request. Time is linear in the body, memory in the number of top-level keys.
pub fn scan_at(dialect: Dialect, body: Bytes, path: PathWords) -> Result<Ask, ScanError> {
    let mut found = Found::default();
    let mut cursor = Cursor::new(&body);
    let mut keys = 0_usize;
    let open = cursor.object(|key, span, value| {
        keys += 1;
        found.field(dialect, key, span, value)
    })?;
    let data_url_bytes = cursor.data_url_bytes;
    let Found { model, stream, include_usage, limits, candidates, mut spans } = found;
    let usual = || path.usual_model.map(str::to_owned);
    let model = path.model.or(model).or_else(usual).ok_or(ScanError::Missing("model"))?;
    let [newer, older] = limits;
    spans.open = open;
    spans.is_empty = keys == 0;
    Ok(Ask {
        dialect,
        model,
        stream: path.stream.unwrap_or(stream),
        framing: path.framing,
        errand: path.errand,
        include_usage,
        output_limit: newer.or(older),
        candidates: u32::try_from(candidates.unwrap_or(1).clamp(1, 128)).unwrap_or(128),
        data_url_bytes,
        spans,
        body,
    })
}

/// What the fields of a body said so far.
#[derive(Default)]
struct Found {
    model: Option<String>,
    stream: bool,
    include_usage: Option<bool>,
    /// Under the newer name, under the older one.
    limits: [Option<u64>; 2],
    candidates: Option<u64>,
    spans: Spans,
}

impl Found {
    fn field(
        &mut self,
        dialect: Dialect,
        key: &[u8],
        span: Range<usize>,
        value: &[u8],
    ) -> Result<(), ScanError> {
        use Dialect::{AnthropicMessages, GoogleGenerate, OpenAiChat, OpenAiResponses};
        match (dialect, key) {
            // Google's stand in the address; a body that names one too is the vendor's to judge.
            (GoogleGenerate, b"generationConfig" | b"generation_config") => {
                self.generation(value)?;
                self.spans.generation = Some(span);
            }
            (GoogleGenerate, _) => {}
            (_, b"model") => {
                self.model = Some(text(value).ok_or(ScanError::WrongType("model", "a string"))?);
                self.spans.model = Some(span);
            }
            (_, b"stream") => {
                let wrong = ScanError::WrongType("stream", "true or false");
                self.stream = flag(value).ok_or(wrong)?.unwrap_or(false);
            }
            (OpenAiChat, b"stream_options") => {
                self.spans.include_usage = include_usage_of(value, span.start, &mut self.include_usage)?;
                self.spans.stream_options = Some(span);
            }
            (OpenAiChat, b"max_completion_tokens") => self.limits[0] = count(value, "max_completion_tokens")?,
            (OpenAiChat | AnthropicMessages, b"max_tokens") => self.limits[1] = count(value, "max_tokens")?,
            (OpenAiChat, b"n") => self.candidates = count(value, "n")?,
            (OpenAiResponses, b"max_output_tokens") => self.limits[0] = count(value, "max_output_tokens")?,
            _ => {}
        }
        Ok(())
    }

    fn generation(&mut self, value: &[u8]) -> Result<(), ScanError> {
        if value == b"null" {
            return Ok(());
        }
        let read = Cursor::new(value).object(|key, _, value| {
            match key {
                b"maxOutputTokens" | b"max_output_tokens" => {
                    self.limits[0] = count(value, "generationConfig.maxOutputTokens")?;
                }
                b"candidateCount" | b"candidate_count" => {
                    self.candidates = count(value, "generationConfig.candidateCount")?;
                }
                _ => {}
            }
            Ok(())
        });
        match read {
            Ok(_) => Ok(()),
            Err(ScanError::NotAnObject) => Err(ScanError::WrongType("generationConfig", "an object")),
            Err(error) => Err(error),
        }
    }
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

/// Long enough to be a file and nothing but base64, in either alphabet and with JSON's escaped slashes.
fn is_base64(text: &[u8]) -> bool {
    const MIN_BYTES: usize = 256;
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'=' | b'\\');
    text.len() >= MIN_BYTES && text.iter().all(plain)
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

#[cfg(test)]
mod tests;
