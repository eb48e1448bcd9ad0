//! One pass over a request body for the few top-level fields a gateway must know.
//!
//! The scanner judges structure only: nesting, closed strings and brackets, and top-level keys that are written twice
//! or with escapes, since a lenient reader here and a strict one at the vendor could see two different requests.
//! Everything else is the vendor's to judge. Bytes inside strings are skipped by `memchr`, so a long prompt costs
//! little more than reading it.

mod cursor;

use std::ops::Range;

use bytes::Bytes;
use lyss_domain::{Capability, CapabilitySet, Operation};

use crate::{Dialect, Fault};
use cursor::Cursor;

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
    /// What a model must have to serve this, as far as the top of the request tells.
    pub needs: CapabilitySet,
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
            needs: CapabilitySet::EMPTY,
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
    let Found { model, stream, include_usage, limits, candidates, mut needs, mut spans } = found;
    if data_url_bytes > 0 {
        needs = needs.and(CapabilitySet::of(&[Capability::ImageInput]));
    }
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
        needs,
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
    needs: CapabilitySet,
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
        self.needs = self.needs.and(needed_for(key, value));
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

/// What a top-level field asks of a model, under any dialect's name.
fn needed_for(key: &[u8], value: &[u8]) -> CapabilitySet {
    const TOOLS: CapabilitySet = CapabilitySet::of(&[Capability::Tools]);
    const SCHEMA: CapabilitySet = CapabilitySet::of(&[Capability::StructuredOutput]);
    let holds = |word: &str| memchr::memmem::find(value, word.as_bytes()).is_some();
    match key {
        b"tools" if !matches!(value, b"null" | b"[]") => TOOLS,
        b"response_format" | b"text" | b"output_config" if holds("json_schema") => SCHEMA,
        b"generationConfig" if holds("responseSchema") || holds("responseJsonSchema") => SCHEMA,
        _ => CapabilitySet::EMPTY,
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

#[cfg(test)]
mod tests;
