//! What a vendor says when it refuses, in any dialect: its words made safe to repeat, and how long it asks to wait.
//!
//! The shapes read: `{"error": {"message", "type", "code", "param"}}` (OpenAI, DeepSeek, Anthropic; Azure adds
//! `innererror.code`), `{"error": "…"}`, `{"message": "…"}` and `{"detail": "…"}` of servers behind a proxy, and a
//! list around any of them.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use lyss_domain::FaultKind;
use serde_json::Value;

use crate::Fault;
use crate::fault::status_of;

const MAX_READ_BYTES: usize = 256 << 10;
const MAX_MESSAGE_CHARS: usize = 2_000;
const MAX_WORD_CHARS: usize = 100;
const MAX_WAIT: Duration = Duration::from_secs(24 * 3600);

/// A vendor's error object; all empty where the body holds none.
#[derive(Debug, Default)]
pub(crate) struct VendorError {
    pub(crate) message: String,
    pub(crate) kind: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) param: Option<String>,
    /// Azure's finer code.
    pub(crate) inner_code: Option<String>,
    /// The body is a JSON object with an `error`.
    pub(crate) is_error_object: bool,
}

impl VendorError {
    /// Reads any bytes: HTML, nothing, a cut or unreadable text leave everything empty.
    pub(crate) fn read(body: &[u8]) -> Self {
        if body.len() > MAX_READ_BYTES {
            return Self::default();
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(root) => Self::from_root(&root),
            Err(_) => Self::default(),
        }
    }

    fn from_root(root: &Value) -> Self {
        let holder = root.get(0).unwrap_or(root);
        match holder.get("error") {
            Some(Value::String(message)) => Self {
                message: clean(message, MAX_MESSAGE_CHARS),
                is_error_object: root.is_object(),
                ..Self::default()
            },
            Some(error @ Value::Object(_)) => {
                Self { is_error_object: root.is_object(), ..Self::from_object(error) }
            }
            _ => Self::from_object(holder),
        }
    }

    fn from_object(error: &Value) -> Self {
        let message = error.get("message").or_else(|| error.get("detail"));
        let inner = error.get("innererror").or_else(|| error.get("inner_error"));
        Self {
            message: clean(message.and_then(Value::as_str).unwrap_or_default(), MAX_MESSAGE_CHARS),
            kind: word(error.get("type")),
            code: word(error.get("code")),
            param: word(error.get("param")),
            inner_code: inner.and_then(|inner| word(inner.get("code"))),
            is_error_object: false,
        }
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

    /// The fault of this kind. A refused credential and an empty account are told in our words alone: the vendor's may
    /// quote the key or the account.
    pub(crate) fn into_fault(self, kind: FaultKind, status: StatusCode) -> Fault {
        let mut fault = Fault::new(kind, generic(kind));
        fault.status = status_for_caller(kind, status);
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

/// The wait a vendor asks for in `retry-after-ms` or `retry-after`. Dates are passed over: they need a clock.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = match number("retry-after-ms") {
        Some(millis) => millis / 1_000.0,
        None => number("retry-after")?,
    };
    Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(MAX_WAIT))
}

/// Statuses whose bodies may quote the credential that was refused.
pub(crate) fn is_about_credential(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// Whether a text seems to speak of a key. Wrongly yes costs the caller a detail, wrongly no a secret.
pub(crate) fn mentions_credential(text: &str) -> bool {
    const PHRASES: [&str; 6] = ["api key", "api_key", "api-key", "apikey", "bearer", "credential"];
    let text = text.to_ascii_lowercase();
    let begins_key = |word: &str| word.starts_with("sk-");
    PHRASES.iter().any(|phrase| text.contains(phrase))
        || text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').any(begins_key)
}

/// The vendor's status where it tells the caller the truth, else the kind's own.
fn status_for_caller(kind: FaultKind, status: StatusCode) -> u16 {
    let is_true = match kind {
        FaultKind::BadRequest
        | FaultKind::ContentFiltered
        | FaultKind::ContextTooLong
        | FaultKind::ModelNotFound => status.is_client_error() && !is_about_credential(status),
        FaultKind::VendorRateLimited => status == StatusCode::TOO_MANY_REQUESTS,
        FaultKind::VendorError | FaultKind::Overloaded => status.is_server_error(),
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

fn word(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => clean(text, MAX_WORD_CHARS),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let looks_like_key = text.to_ascii_lowercase().contains("sk-");
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
        400..=499 => FaultKind::BadRequest,
        503 | 529 => FaultKind::Overloaded,
        _ => FaultKind::VendorError,
    }
}
