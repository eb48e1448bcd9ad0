//! What a vendor says when it refuses, in any dialect: its words made safe to repeat, and how long it asks to wait.
//!
//! The shapes read: `{"error": {"message", "type", "code", "param"}}` (OpenAI, DeepSeek, Anthropic; Azure adds
//! `innererror`, OpenRouter `metadata.raw` with the words of the vendor behind it), `{"error": "…"}`,
//! `{"object": "error", "message"}` (Mistral, vLLM), `{"message": "…"}` and `{"detail": …}` of servers behind a proxy or on
//! FastAPI (`[{"loc", "msg"}]`), and a list around any of them.

mod wait;
mod words;

use std::time::Duration;

use http::StatusCode;
use lyss_domain::FaultKind;
use serde_json::Value;

use crate::Fault;
use crate::fault::status_of;

#[allow(unused_imports, reason = "for the dialects whose bodies hold a length of time elsewhere")]
pub(crate) use wait::duration;
pub(crate) use wait::{answered_at, reset_in, retry_after};

const MAX_READ_BYTES: usize = 256 << 10;
/// Longest body that is passed on as it is.
const MAX_VERBATIM_BYTES: usize = 64 << 10;
const MAX_MESSAGE_CHARS: usize = 2_000;
const MAX_WORD_CHARS: usize = 100;
/// Of a list of mistakes in one request, so many are repeated.
const MAX_MISTAKES: usize = 8;
/// Errors stand inside errors so many levels deep.
const MAX_LEVELS: usize = 3;

/// A vendor's error object; all empty where the body holds none.
#[derive(Debug, Default)]
pub(crate) struct VendorError {
    pub(crate) message: String,
    pub(crate) kind: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) param: Option<String>,
    /// Azure's finer code; that of the vendor behind a vendor.
    pub(crate) inner_code: Option<String>,
    /// The body is a JSON object with an `error`.
    pub(crate) is_error_object: bool,
    /// The wait that the body asks for.
    pub(crate) wait: Option<Duration>,
}

impl VendorError {
    /// Reads any bytes: HTML, nothing, a cut or unreadable text leave everything empty.
    pub(crate) fn read(body: &[u8]) -> Self {
        if body.len() > MAX_READ_BYTES {
            return Self::default();
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(root) => Self::from_root(&root, MAX_LEVELS),
            Err(_) => Self::default(),
        }
    }

    fn from_root(root: &Value, levels: usize) -> Self {
        let holder = root.get(0).unwrap_or(root);
        match holder.get("error") {
            Some(Value::String(message)) => {
                let said = Self::from_object(holder, levels);
                let message = clean(message, MAX_MESSAGE_CHARS);
                Self { message, is_error_object: root.is_object(), ..said }
            }
            Some(error @ Value::Object(_)) => {
                let said = Self::from_object(error, levels);
                let wait = said.wait.or_else(|| wait::in_member(holder));
                Self { is_error_object: root.is_object(), wait, ..said }
            }
            _ => Self::from_object(holder, levels),
        }
    }

    fn from_object(error: &Value, levels: usize) -> Self {
        let inner = error.get("innererror").or_else(|| error.get("inner_error"));
        let mut said = Self {
            kind: word(error.get("type")),
            code: word(error.get("code")),
            param: word(error.get("param")),
            inner_code: inner.and_then(inner_code),
            ..Self::default()
        };
        let told = [error.get("message"), error.get("detail"), error.get("msg")];
        match told.into_iter().flatten().find(|value| !value.is_null()) {
            Some(Value::String(message)) => said.message = clean(message, MAX_MESSAGE_CHARS),
            Some(Value::Array(mistakes)) => said.take_mistakes(mistakes),
            Some(object @ Value::Object(_)) if levels > 1 => {
                let within = Self::from_root(object, levels - 1);
                said.message = within.message;
                said.kind = said.kind.or(within.kind);
                said.param = said.param.or(within.param);
                said.inner_code = said.inner_code.or(within.code);
            }
            _ => {}
        }
        if levels > 1 {
            said.take_behind(error, levels - 1);
        }
        said.wait = wait::in_body(error, &said.message);
        said
    }

    /// FastAPI's list: where, and what. The value that was sent is not repeated.
    fn take_mistakes(&mut self, mistakes: &[Value]) {
        let place = |mistake: &Value| {
            let steps = mistake.get("loc")?.as_array()?.iter().filter_map(|step| match step {
                Value::String(name) if name != "body" => Some(name.clone()),
                Value::Number(index) => Some(index.to_string()),
                _ => None,
            });
            Some(steps.collect::<Vec<_>>().join(".")).filter(|path| !path.is_empty())
        };
        let sentences = mistakes.iter().take(MAX_MISTAKES).filter_map(|mistake| {
            let what = mistake.get("msg").and_then(Value::as_str).or_else(|| mistake.as_str())?;
            Some(place(mistake).map_or_else(|| what.to_owned(), |path| format!("{path}: {what}")))
        });
        self.message = clean(&sentences.collect::<Vec<_>>().join("; "), MAX_MESSAGE_CHARS);
        let first = mistakes.first().and_then(place);
        self.param = self.param.take().or(first.and_then(|path| plain_word(&path)));
    }

    /// OpenRouter's `metadata.raw`: the error of the vendor behind it, as an object, as JSON text or in prose.
    fn take_behind(&mut self, error: &Value, levels: usize) {
        let Some(raw) = error.get("metadata").and_then(|metadata| metadata.get("raw")) else { return };
        let behind = match raw {
            Value::String(text) => match serde_json::from_str::<Value>(text) {
                Ok(root @ (Value::Object(_) | Value::Array(_))) => Self::from_root(&root, levels),
                _ => Self { message: clean(text, MAX_MESSAGE_CHARS), ..Self::default() },
            },
            root => Self::from_root(root, levels),
        };
        if !behind.message.is_empty() {
            let both = format!("{}: {}", self.message.trim_end_matches(['.', ':']), behind.message);
            self.message = clean(&both, MAX_MESSAGE_CHARS);
        }
        self.kind = self.kind.take().or(behind.kind);
        self.param = self.param.take().or(behind.param);
        self.inner_code = self.inner_code.take().or(behind.code);
    }

    /// True when the type, the code or the inner code is one of these.
    pub(crate) fn is_any(&self, words: &[&str]) -> bool {
        [&self.kind, &self.code, &self.inner_code]
            .into_iter()
            .flatten()
            .any(|said| words.iter().any(|word| said.eq_ignore_ascii_case(word)))
    }

    /// True when the error's type, and not only its code, is this.
    pub(crate) fn is_kind(&self, word: &str) -> bool {
        self.kind.as_deref().is_some_and(|said| said.eq_ignore_ascii_case(word))
    }

    /// True when the message holds one of these, given in lower case.
    pub(crate) fn says(&self, phrases: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        phrases.iter().any(|phrase| message.contains(phrase))
    }

    /// What the words of any compatible vendor come to; a code before prose, and a number in the place of the code as the
    /// status it is.
    pub(crate) fn kind_by_any_words(&self) -> Option<FaultKind> {
        let status = || StatusCode::from_bytes(self.code.as_deref()?.as_bytes()).ok();
        words::by_code(|codes| self.is_any(codes))
            .or_else(|| words::by_phrase(&self.message))
            .or_else(|| status().filter(|status| status.as_u16() >= 400).map(kind_by_status))
    }

    /// The kind that a dialect found, made finer by words that the dialect's own table lacks: only where it went by the
    /// status. A caller's mistake stays one, since its body may be on its way to the caller.
    fn finer(&self, kind: FaultKind, status: StatusCode) -> FaultKind {
        let is_callers = |kind| {
            use FaultKind::{BadRequest, ContentFiltered, ContextTooLong, ModelNotFound};
            matches!(kind, BadRequest | ContentFiltered | ContextTooLong | ModelNotFound)
        };
        let by_words = || self.kind_by_any_words().filter(|finer| !is_callers(kind) || is_callers(*finer));
        match kind {
            FaultKind::ContentFiltered | FaultKind::ContextTooLong => kind,
            _ if kind != kind_by_status(status) => kind,
            _ => by_words().unwrap_or(kind),
        }
    }

    /// Whether the body may go on to the caller as it is, if the fault is the caller's own.
    pub(crate) fn may_pass(&self, status: StatusCode, body: &[u8]) -> bool {
        self.is_error_object
            && !is_about_credential(status)
            && body.len() <= MAX_VERBATIM_BYTES
            && std::str::from_utf8(body).is_ok_and(|text| !mentions_credential(text))
    }

    /// The fault of this kind. A refused credential and an empty account are told in our words alone: the vendor's may
    /// quote the key or the account.
    pub(crate) fn into_fault(self, kind: FaultKind, status: StatusCode) -> Fault {
        let kind = self.finer(kind, status);
        self.into_fault_of(kind, status)
    }

    /// The same where the dialect's own words leave no doubt of the kind.
    pub(crate) fn into_fault_of(self, kind: FaultKind, status: StatusCode) -> Fault {
        let mut fault = Fault::new(kind, generic(kind));
        fault.status = status_for_caller(kind, status);
        let may_pass =
            matches!(kind, FaultKind::VendorRateLimited | FaultKind::Overloaded | FaultKind::VendorError);
        fault.retry_after = self.wait.filter(|_| may_pass);
        if matches!(kind, FaultKind::CredentialRefused | FaultKind::VendorQuota)
            || is_about_credential(status)
        {
            return fault;
        }
        if !self.message.is_empty() && !mentions_credential(&self.message) {
            fault.message = self.message;
        }
        fault.vendor_type = self.kind;
        fault.vendor_code = self.code;
        fault.param = self.param;
        fault
    }
}

/// Statuses whose bodies may quote the credential that was refused.
pub(crate) fn is_about_credential(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// Whether a text seems to speak of a key. Wrongly yes costs the caller a detail, wrongly no a secret.
pub(crate) fn mentions_credential(text: &str) -> bool {
    const PHRASES: [&str; 7] =
        ["api key", "api_key", "api-key", "apikey", "bearer", "credential", "authorization"];
    let lower = text.to_ascii_lowercase();
    PHRASES.iter().any(|phrase| lower.contains(phrase)) || holds_key(text)
}

/// Whether a word begins as the vendors' keys do.
fn holds_key(text: &str) -> bool {
    const KEYS: [&str; 9] = ["sk-", "gsk_", "xai-", "aiza", "hf_", "nvapi-", "pplx-", "csk-", "tgp_"];
    let lower = text.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
    words.any(|word| KEYS.iter().any(|key| word.starts_with(key)))
}

/// The vendor's status where it tells the caller the truth, else the kind's own.
fn status_for_caller(kind: FaultKind, status: StatusCode) -> u16 {
    let is_true = match kind {
        FaultKind::BadRequest
        | FaultKind::ContentFiltered
        | FaultKind::ContextTooLong
        | FaultKind::ModelNotFound => status.is_client_error() && !is_about_credential(status),
        FaultKind::VendorRateLimited => status == StatusCode::TOO_MANY_REQUESTS,
        FaultKind::VendorError => status.is_server_error(),
        // By its words alone it may come with any: an error inside a stream has none of its own.
        FaultKind::Overloaded => matches!(status.as_u16(), 503 | 529),
        _ => false,
    };
    if is_true { status.as_u16() } else { status_of(kind) }
}

const fn generic(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::BadRequest => "The upstream refused the request as malformed.",
        FaultKind::ContentFiltered => "The upstream's content filter refused the request.",
        FaultKind::ContextTooLong => "The request does not fit the model's context.",
        FaultKind::ModelNotFound => "The upstream has no such model.",
        FaultKind::CredentialRefused => "The upstream refused this service's credential.",
        FaultKind::VendorQuota => "This service's account with the upstream has no quota left.",
        FaultKind::VendorRateLimited => "The upstream is limiting the rate of requests.",
        FaultKind::Overloaded => "The upstream is overloaded.",
        _ => "The upstream failed.",
    }
}

/// Azure's `innererror`: its code, or that a filter's verdict stands there.
fn inner_code(inner: &Value) -> Option<String> {
    let filtered = || {
        inner.get("content_filter_result").or_else(|| inner.get("content_filter_results"))?.as_object()?;
        Some("content_filter".to_owned())
    };
    word(inner.get("code")).or_else(filtered)
}

fn word(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => plain_word(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Neither empty nor a key by its looks.
fn plain_word(text: &str) -> Option<String> {
    let text = clean(text, MAX_WORD_CHARS);
    let looks_like_key = text.to_ascii_lowercase().contains("sk-") || holds_key(&text);
    (!text.is_empty() && !looks_like_key).then_some(text)
}

/// Without control characters, and no longer than `max_chars`.
fn clean(text: &str, max_chars: usize) -> String {
    text.chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control())
        .take(max_chars)
        .collect()
}
/// What a status says where the words of the error say nothing finer.
pub(crate) fn kind_by_status(status: StatusCode) -> FaultKind {
    match status.as_u16() {
        401 | 403 => FaultKind::CredentialRefused,
        402 => FaultKind::VendorQuota,
        404 => FaultKind::ModelNotFound,
        408 => FaultKind::VendorError,
        429 => FaultKind::VendorRateLimited,
        // 498 is Groq's for a flexible call without room, 529 Anthropic's.
        498 | 503 | 529 => FaultKind::Overloaded,
        400..=499 => FaultKind::BadRequest,
        _ => FaultKind::VendorError,
    }
}

#[cfg(test)]
mod tests;
