//! The dialect's error object: `google.rpc.Status` as JSON, as in "Errors" of Google's API design guide and in the Gemini
//! API's "Troubleshooting guide", written and read. The vendor answers a list around it where a stream was asked for
//! without events.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use lyss_domain::FaultKind;
use serde::Serialize;
use serde_json::{Value, json};

use crate::vendor_error::{VendorError, duration, kind_by_status, retry_after};
use crate::{Dialect, Fault};

const MAX_READ_BYTES: usize = 256 << 10;
const MAX_WORD_BYTES: usize = 64;
const MAX_FIELD_CHARS: usize = 200;

#[derive(Serialize)]
struct Body<'a> {
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    code: u16,
    message: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Value>,
}

/// The body of a non-stream answer: the vendor's own where it speaks this dialect and the fault is the caller's.
pub(super) fn render(fault: &Fault) -> Bytes {
    fault.verbatim.clone().unwrap_or_else(|| object(fault).into())
}

/// The last event of a stream that broke.
pub(super) fn render_stream(fault: &Fault) -> Bytes {
    let mut out = b"data: ".to_vec();
    out.extend_from_slice(&object(fault));
    out.extend_from_slice(b"\n\n");
    out.into()
}

/// The error object in our own words.
pub(super) fn object(fault: &Fault) -> Vec<u8> {
    let said = fault.vendor_type.as_deref().filter(|word| STATUSES.contains(word));
    let body = Body {
        error: ErrorObject {
            code: fault.status,
            message: &fault.message,
            status: said.unwrap_or_else(|| match fault.status {
                // A path or a thing that is not there, whatever kind it has for us.
                404 => "NOT_FOUND",
                _ => status_word(fault.kind),
            }),
            details: details(fault),
        },
    };
    serde_json::to_vec(&body).unwrap_or_default()
}

fn details(fault: &Fault) -> Vec<Value> {
    let mut details = Vec::new();
    if let Some(field) = fault.param_for(Dialect::GoogleGenerate) {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": field, "description": fault.message}],
        }));
    }
    if let Some(wait) = fault.retry_after {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{}s", wait.as_secs_f64()),
        }));
    }
    details
}

/// The words of `google.rpc.Code` for errors.
const STATUSES: [&str; 16] = [
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
];

/// The status word of a kind.
const fn status_word(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::BadRequest | FaultKind::ContentFiltered | FaultKind::ContextTooLong => "INVALID_ARGUMENT",
        FaultKind::Unauthenticated => "UNAUTHENTICATED",
        FaultKind::Forbidden => "PERMISSION_DENIED",
        FaultKind::ModelNotFound => "NOT_FOUND",
        FaultKind::RateLimited
        | FaultKind::QuotaExceeded
        | FaultKind::VendorRateLimited
        | FaultKind::VendorQuota => "RESOURCE_EXHAUSTED",
        FaultKind::ConnectTimeout
        | FaultKind::FirstByteTimeout
        | FaultKind::IdleTimeout
        | FaultKind::TotalTimeout => "DEADLINE_EXCEEDED",
        FaultKind::ClientGone | FaultKind::Superseded => "CANCELLED",
        FaultKind::Overloaded
        | FaultKind::Unavailable
        | FaultKind::Network
        | FaultKind::Tls
        | FaultKind::UpstreamCut => "UNAVAILABLE",
        FaultKind::CredentialRefused
        | FaultKind::VendorError
        | FaultKind::Protocol
        | FaultKind::EgressDenied
        | FaultKind::Internal => "INTERNAL",
    }
}

/// What this vendor says beside the message.
#[derive(Default)]
struct Said {
    status: Option<String>,
    /// `ErrorInfo.reason`.
    reason: Option<String>,
    retry_delay: Option<Duration>,
    /// The first `BadRequest.fieldViolations` names it.
    field: Option<String>,
    /// `QuotaFailure` names a quota of a day, or one of nothing at all.
    is_long_quota: bool,
}

/// Reads a refusal. Words count before the status: a wrong key is told as a 400, and an error in a stream has none.
pub(super) fn read(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Fault {
    let said = Said::read(body);
    let error = VendorError::read(body);
    let may_pass = error.may_pass(status, body);
    let mut fault = finished(status, said, error, retry_after(headers));
    fault.pass(body, may_pass);
    fault
}

/// Reads an error object where an answer was expected: its own code stands for the status.
pub(super) fn read_event(data: &[u8]) -> Fault {
    let said = Said::read(data);
    let error = VendorError::read(data);
    let code = error.code.as_deref().and_then(|code| code.parse().ok());
    let status = code
        .and_then(|code| StatusCode::from_u16(code).ok())
        .filter(|s| s.is_client_error() || s.is_server_error());
    let status = status.unwrap_or(StatusCode::BAD_GATEWAY);
    finished(status, said, error, None)
}

/// The vendor's own words leave no doubt; without them, those of any vendor count.
fn finished(status: StatusCode, said: Said, mut error: VendorError, wait: Option<Duration>) -> Fault {
    let kind = kind_by_words(&said, &error);
    error.kind = said.status;
    error.code = said.reason;
    error.param = said.field;
    let fault = match kind {
        Some(kind) => error.into_fault_of(kind, status),
        None => error.into_fault(kind_by_status(status), status),
    };
    let mut fault = fault.with_retry_after(wait.or(said.retry_delay));
    fault.told_in(Dialect::GoogleGenerate);
    fault
}

impl Said {
    fn read(body: &[u8]) -> Self {
        if body.len() > MAX_READ_BYTES {
            return Self::default();
        }
        let Ok(root) = serde_json::from_slice::<Value>(body) else { return Self::default() };
        let Some(error) = root.get(0).unwrap_or(&root).get("error") else { return Self::default() };
        let word = |value: Option<&Value>| {
            value.and_then(Value::as_str).filter(|word| is_status_word(word)).map(str::to_owned)
        };
        let mut said = Self { status: word(error.get("status")), ..Self::default() };
        for detail in error.get("details").and_then(Value::as_array).into_iter().flatten() {
            let kind = detail.get("@type").and_then(Value::as_str).unwrap_or_default();
            match kind.rsplit('.').next().unwrap_or_default() {
                "ErrorInfo" => said.reason = word(detail.get("reason")),
                "RetryInfo" => {
                    said.retry_delay = detail.get("retryDelay").and_then(Value::as_str).and_then(duration)
                }
                "BadRequest" => {
                    let field = detail.pointer("/fieldViolations/0/field").and_then(Value::as_str);
                    said.field = field.filter(|field| !field.is_empty()).map(|field| {
                        field.chars().filter(|c| !c.is_control()).take(MAX_FIELD_CHARS).collect()
                    });
                }
                "QuotaFailure" => {
                    let list = detail.get("violations").and_then(Value::as_array);
                    said.is_long_quota |= list.into_iter().flatten().any(is_long_quota);
                }
                _ => {}
            }
        }
        said
    }
}

fn is_long_quota(violation: &Value) -> bool {
    let id = violation.get("quotaId").and_then(Value::as_str).unwrap_or_default();
    let value = violation.get("quotaValue").and_then(Value::as_str);
    id.contains("PerDay") || value == Some("0")
}

fn is_status_word(word: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    !word.is_empty() && word.len() <= MAX_WORD_BYTES && word.bytes().all(is_letter)
}

fn kind_by_words(said: &Said, error: &VendorError) -> Option<FaultKind> {
    let reason = said.reason.as_deref().unwrap_or_default();
    match reason {
        "API_KEY_INVALID"
        | "API_KEY_SERVICE_BLOCKED"
        | "API_KEY_IP_ADDRESS_BLOCKED"
        | "API_KEY_HTTP_REFERRER_BLOCKED"
        | "ACCESS_TOKEN_EXPIRED"
        | "ACCESS_TOKEN_TYPE_UNSUPPORTED"
        | "CREDENTIALS_MISSING"
        | "SERVICE_DISABLED"
        | "CONSUMER_SUSPENDED"
        | "CONSUMER_INVALID" => return Some(FaultKind::CredentialRefused),
        "BILLING_DISABLED" => return Some(FaultKind::VendorQuota),
        _ => {}
    }
    let says = |phrases: &[&str]| error.says(phrases);
    if says(&["api key not valid", "api key expired"]) {
        return Some(FaultKind::CredentialRefused);
    }
    Some(match said.status.as_deref()? {
        "INVALID_ARGUMENT" | "OUT_OF_RANGE"
            if says(&["exceeds the maximum number of tokens", "exceeds the maximum token"]) =>
        {
            FaultKind::ContextTooLong
        }
        "FAILED_PRECONDITION" if says(&["location is not supported"]) => FaultKind::CredentialRefused,
        "FAILED_PRECONDITION" if says(&["billing", "free tier", "credit balance"]) => FaultKind::VendorQuota,
        "PERMISSION_DENIED" if says(&["access the file", "cachedcontent not found"]) => FaultKind::BadRequest,
        "INVALID_ARGUMENT" | "OUT_OF_RANGE" | "FAILED_PRECONDITION" | "UNIMPLEMENTED" | "ALREADY_EXISTS" => {
            FaultKind::BadRequest
        }
        "UNAUTHENTICATED" | "PERMISSION_DENIED" => FaultKind::CredentialRefused,
        "NOT_FOUND" => FaultKind::ModelNotFound,
        "RESOURCE_EXHAUSTED"
            if said.is_long_quota || says(&["per day", "credits are depleted", "spending"]) =>
        {
            FaultKind::VendorQuota
        }
        "RESOURCE_EXHAUSTED" => FaultKind::VendorRateLimited,
        "UNAVAILABLE" => FaultKind::Overloaded,
        "INTERNAL" | "UNKNOWN" | "DATA_LOSS" | "ABORTED" | "CANCELLED" | "DEADLINE_EXCEEDED" => {
            if says(&["overloaded"]) { FaultKind::Overloaded } else { FaultKind::VendorError }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
