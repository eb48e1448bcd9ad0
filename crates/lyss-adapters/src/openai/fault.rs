//! The dialect's error object, as the API reference's "Error codes" page describes it, written and read. Read too are
//! the forms of DeepSeek ("Error Codes") and Azure OpenAI ("Content filtering", "Quotas and limits").

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use lyss_domain::FaultKind;
use serde::Serialize;

use crate::vendor_error::{VendorError, kind_by_status, retry_after};
use crate::{Dialect, Fault};

#[derive(Serialize)]
struct Body<'a> {
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    message: &'a str,
    r#type: &'a str,
    param: Option<&'a str>,
    code: Option<&'a str>,
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

/// Reads a refusal. Words count before the status: Azure, proxies and errors inside a stream misuse or lack the latter.
pub(super) fn read(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Fault {
    let said = VendorError::read(body);
    let kind = kind_by_words(&said).unwrap_or_else(|| match status.is_server_error() {
        // An error inside a stream has no status; the caller of this function passed a stand-in.
        // The type alone: DeepSeek writes the same word as the code of every error.
        true if said.is_kind("invalid_request_error") => FaultKind::BadRequest,
        _ => kind_by_status(status),
    });
    let may_pass = said.may_pass(status, body);
    let mut fault = said.into_fault(kind, status).with_retry_after(retry_after(headers));
    fault.told_in(Dialect::OpenAiChat);
    fault.pass(body, may_pass);
    fault
}

/// Reads an error where an answer or a chunk was expected. It has no status of its own, unless its code is one
/// (OpenRouter, "Errors").
pub(super) fn read_unasked(data: &[u8]) -> Fault {
    let code = VendorError::read(data).code.and_then(|code| code.parse::<u16>().ok());
    let status =
        code.filter(|code| (400..600).contains(code)).and_then(|code| StatusCode::from_u16(code).ok());
    read(status.unwrap_or(StatusCode::BAD_GATEWAY), &HeaderMap::new(), &Bytes::copy_from_slice(data))
}

/// True for an object that is an error without saying `error`: `{"object": "error", "message"}` (vLLM), `{"detail"}`.
pub(super) fn is_bare_error(data: &[u8]) -> bool {
    !VendorError::read(data).message.is_empty()
}

fn object(fault: &Fault) -> Vec<u8> {
    let (kind_type, kind_code) = words_of(fault.kind);
    let body = Body {
        error: ErrorObject {
            message: &fault.message,
            r#type: fault
                .vendor_type
                .as_deref()
                .filter(|word| is_type(word, fault.kind))
                .unwrap_or(kind_type),
            param: fault.param_for(Dialect::OpenAiChat),
            code: fault.vendor_code.as_deref().filter(|code| is_code(code)).or(kind_code),
        },
    };
    serde_json::to_vec(&body).unwrap_or_default()
}

/// Whether the vendor's type is one that OpenAI's callers know, and know for this kind.
fn is_type(word: &str, kind: FaultKind) -> bool {
    match word {
        "invalid_request_error" => matches!(
            kind,
            FaultKind::BadRequest
                | FaultKind::ContentFiltered
                | FaultKind::ContextTooLong
                | FaultKind::ModelNotFound
        ),
        "image_generation_user_error" => {
            matches!(kind, FaultKind::BadRequest | FaultKind::ContentFiltered)
        }
        // The two are what is counted, as OpenAI's 429 says it.
        "rate_limit_error" | "requests" | "tokens" => kind == FaultKind::VendorRateLimited,
        "server_error" => matches!(kind, FaultKind::VendorError | FaultKind::Overloaded),
        _ => false,
    }
}

/// Whether a vendor's code has the form of OpenAI's. New ones come often, so none are listed; the codes of other dialects
/// are written otherwise (`API_KEY_INVALID`, `InvalidParameter`), are numbers, or are types (`invalid_request_error`).
fn is_code(code: &str) -> bool {
    let is_written = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let begins = code.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    begins && code.bytes().all(is_written) && (code == "server_error" || !code.ends_with("_error"))
}

/// `type` and `code`. A kind that OpenAI does not know goes by its own name.
const fn words_of(kind: FaultKind) -> (&'static str, Option<&'static str>) {
    match kind {
        FaultKind::BadRequest => ("invalid_request_error", None),
        FaultKind::Unauthenticated => ("authentication_error", Some("invalid_api_key")),
        FaultKind::Forbidden => ("permission_error", Some("forbidden")),
        FaultKind::ModelNotFound => ("invalid_request_error", Some("model_not_found")),
        FaultKind::ContentFiltered => ("invalid_request_error", Some("content_filter")),
        FaultKind::ContextTooLong => ("invalid_request_error", Some("context_length_exceeded")),
        FaultKind::RateLimited | FaultKind::VendorRateLimited => {
            ("rate_limit_error", Some("rate_limit_exceeded"))
        }
        FaultKind::QuotaExceeded => ("insufficient_quota", Some("insufficient_quota")),
        other => ("server_error", Some(other.as_str())),
    }
}

/// Types and codes, the finer before the coarser.
const WORDS: [(&[&str], FaultKind); 7] = [
    (
        &["context_length_exceeded", "string_above_max_length", "exceed_context_size_error"],
        FaultKind::ContextTooLong,
    ),
    (
        &[
            "content_filter",
            "content_policy_violation",
            "ResponsibleAIPolicyViolation",
            "data_inspection_failed",
            "DataInspectionFailed",
        ],
        FaultKind::ContentFiltered,
    ),
    (
        &["model_not_found", "DeploymentNotFound", "resource_not_found_error", "ModelNotFound"],
        FaultKind::ModelNotFound,
    ),
    (
        &[
            "insufficient_quota",
            "billing_hard_limit_reached",
            "billing_not_active",
            "exceeded_current_quota_error",
            "insufficient_balance",
            "Arrearage",
        ],
        FaultKind::VendorQuota,
    ),
    (
        &[
            "invalid_api_key",
            "authentication_error",
            "permission_error",
            "invalid_authentication_error",
            "incorrect_api_key_error",
        ],
        FaultKind::CredentialRefused,
    ),
    (
        &["rate_limit_exceeded", "rate_limit_error", "rate_limit_reached_error", "slow_down"],
        FaultKind::VendorRateLimited,
    ),
    (
        &[
            "overloaded_error",
            "engine_overloaded",
            "engine_overloaded_error",
            "server_overloaded",
            "server_is_overloaded",
            // As our own error object says it.
            "overloaded",
        ],
        FaultKind::Overloaded,
    ),
];

fn kind_by_words(said: &VendorError) -> Option<FaultKind> {
    /// What DeepSeek, vLLM, xAI and llama.cpp say in prose only.
    const PHRASES: [(&[&str], FaultKind); 4] = [
        (
            &[
                "maximum context length",
                "context length exceeded",
                "maximum prompt length",
                "exceeds the available context size",
                "prompt is too long",
            ],
            FaultKind::ContextTooLong,
        ),
        (&["content exists risk"], FaultKind::ContentFiltered),
        (&["model not exist"], FaultKind::ModelNotFound),
        (&["insufficient balance"], FaultKind::VendorQuota),
    ];
    let by_word = WORDS.iter().find(|(words, _)| said.is_any(words));
    let by_phrase = || PHRASES.iter().find(|(phrases, _)| said.says(phrases));
    by_word.or_else(by_phrase).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests;
