//! Reading a refusal, as the API reference's "Errors" page lists them.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use lyss_domain::FaultKind;

use crate::Fault;
use crate::vendor_error::{VendorError, is_about_credential, kind_by_status, retry_after};

/// Words count before the status: an error inside a stream has none of its own. No body is passed on verbatim, since
/// no caller speaks this dialect yet.
pub(super) fn read(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Fault {
    let said = VendorError::read(body);
    let by_words = kind_by_words(&said).filter(|_| !is_about_credential(status));
    let kind = by_words.unwrap_or_else(|| kind_by_status(status));
    said.into_fault(kind, status).with_retry_after(retry_after(headers))
}

/// Reads the `error` event of a stream, or an error object where an answer was expected.
pub(super) fn read_event(data: &[u8]) -> Fault {
    let said = VendorError::read(data);
    let kind = kind_by_words(&said).unwrap_or(FaultKind::VendorError);
    said.into_fault(kind, StatusCode::BAD_GATEWAY)
}

fn kind_by_words(said: &VendorError) -> Option<FaultKind> {
    const WORDS: [(&str, FaultKind); 10] = [
        ("invalid_request_error", FaultKind::BadRequest),
        ("request_too_large", FaultKind::BadRequest),
        ("conflict_error", FaultKind::BadRequest),
        ("authentication_error", FaultKind::CredentialRefused),
        ("permission_error", FaultKind::CredentialRefused),
        ("billing_error", FaultKind::VendorQuota),
        ("not_found_error", FaultKind::ModelNotFound),
        ("rate_limit_error", FaultKind::VendorRateLimited),
        ("overloaded_error", FaultKind::Overloaded),
        ("api_error", FaultKind::VendorError),
    ];
    /// What the vendor tells as an invalid request, in prose.
    const PHRASES: [(&[&str], FaultKind); 3] = [
        (&["prompt is too long", "exceed context limit"], FaultKind::ContextTooLong),
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
