//! The dialect's error object, as the API reference's "Errors" page lists them, written and read.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use lyss_domain::FaultKind;
use serde::Serialize;

use crate::json_out::push_event;
use crate::vendor_error::{VendorError, is_about_credential, kind_by_status, retry_after};
use crate::{Dialect, Fault};

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    r#type: &'a str,
    message: &'a str,
}

/// The words this dialect has for errors, and what each is.
const WORDS: [(&str, FaultKind); 12] = [
    ("invalid_request_error", FaultKind::BadRequest),
    ("request_too_large", FaultKind::BadRequest),
    ("conflict_error", FaultKind::BadRequest),
    ("authentication_error", FaultKind::CredentialRefused),
    ("permission_error", FaultKind::CredentialRefused),
    ("billing_error", FaultKind::VendorQuota),
    ("not_found_error", FaultKind::ModelNotFound),
    ("rate_limit_error", FaultKind::VendorRateLimited),
    ("overloaded_error", FaultKind::Overloaded),
    ("timeout_error", FaultKind::VendorError),
    ("gateway_timeout_error", FaultKind::VendorError),
    ("api_error", FaultKind::VendorError),
];

/// The body of a non-stream answer: the vendor's own where it speaks this dialect and the fault is the caller's.
pub(super) fn render(fault: &Fault) -> Bytes {
    fault.verbatim.clone().unwrap_or_else(|| serde_json::to_vec(&body(fault)).unwrap_or_default().into())
}

/// The last event of a stream that broke.
pub(super) fn render_stream(fault: &Fault) -> Bytes {
    let mut out = BytesMut::new();
    push_event(&mut out, "error", &body(fault));
    out.freeze()
}

fn body(fault: &Fault) -> Body<'_> {
    // The same word may mean more elsewhere: OpenAI's `invalid_request_error` is a model that is not there, too.
    let is_own = fault.dialect == Some(Dialect::AnthropicMessages);
    let own = fault
        .vendor_type
        .as_deref()
        .filter(|said| WORDS.iter().any(|(word, kind)| word == said && (is_own || *kind == fault.kind)));
    let r#type = own.unwrap_or_else(|| word_of(fault.kind, fault.status));
    Body { r#type: "error", error: ErrorObject { r#type, message: &fault.message } }
}

const fn word_of(kind: FaultKind, status: u16) -> &'static str {
    match kind {
        FaultKind::BadRequest if status == 413 => "request_too_large",
        FaultKind::BadRequest | FaultKind::ContentFiltered | FaultKind::ContextTooLong => {
            "invalid_request_error"
        }
        FaultKind::Unauthenticated => "authentication_error",
        FaultKind::Forbidden => "permission_error",
        FaultKind::ModelNotFound => "not_found_error",
        FaultKind::RateLimited | FaultKind::QuotaExceeded | FaultKind::VendorRateLimited => {
            "rate_limit_error"
        }
        FaultKind::Overloaded | FaultKind::Unavailable => "overloaded_error",
        FaultKind::ConnectTimeout
        | FaultKind::FirstByteTimeout
        | FaultKind::IdleTimeout
        | FaultKind::TotalTimeout => "timeout_error",
        _ => "api_error",
    }
}

/// Reads a refusal. Words count before the status: an error inside a stream has none of its own.
pub(super) fn read(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Fault {
    let said = VendorError::read(body);
    let by_words = kind_by_words(&said).filter(|_| !is_about_credential(status));
    let mut kind = by_words.unwrap_or_else(|| kind_by_status(status));
    // A conflict, for one, may pass: the vendor says so itself.
    if kind == FaultKind::BadRequest && should_retry(headers) {
        kind = FaultKind::VendorError;
    }
    let may_pass = said.may_pass(status, body);
    let mut fault = said.into_fault(kind, status).with_retry_after(retry_after(headers));
    fault.told_in(Dialect::AnthropicMessages);
    fault.pass(body, may_pass);
    fault
}

fn should_retry(headers: &HeaderMap) -> bool {
    headers.get("x-should-retry").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

/// Reads the `error` event of a stream, or an error object where an answer was expected.
pub(super) fn read_event(data: &[u8]) -> Fault {
    let said = VendorError::read(data);
    let kind = kind_by_words(&said).unwrap_or(FaultKind::VendorError);
    let mut fault = said.into_fault(kind, StatusCode::BAD_GATEWAY);
    fault.told_in(Dialect::AnthropicMessages);
    fault
}

fn kind_by_words(said: &VendorError) -> Option<FaultKind> {
    /// What the vendor tells as an invalid request, in prose.
    const PHRASES: [(&[&str], FaultKind); 3] = [
        (&["prompt is too long", "exceed context limit", "context window"], FaultKind::ContextTooLong),
        (&["credit balance is too low", "usage limits", "spend limit"], FaultKind::VendorQuota),
        (&["content filtering policy"], FaultKind::ContentFiltered),
    ];
    let (_, kind) = WORDS.iter().find(|(word, _)| said.is_any(&[word]))?;
    let prose = || PHRASES.iter().find(|(phrases, _)| said.says(phrases));
    match kind {
        FaultKind::BadRequest => Some(prose().map_or(*kind, |(_, finer)| *finer)),
        kind => Some(*kind),
    }
}

#[cfg(test)]
mod tests;
