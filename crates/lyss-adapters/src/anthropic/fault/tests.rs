use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use lyss_domain::FaultKind;
use serde_json::json;

use super::read;
use crate::Fault;

fn said(status: u16, kind: &str, message: &str) -> Fault {
    let body = json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"});
    read(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), &Bytes::from(body.to_string()))
}

#[test]
fn refusals_are_told_apart() {
    use FaultKind as K;
    let invalid = "invalid_request_error";
    for (status, kind, message, expected, seen) in [
        (400, invalid, "messages: at least one message is required", K::BadRequest, 400),
        (400, invalid, "prompt is too long: 207791 tokens > 200000 maximum", K::ContextTooLong, 400),
        (
            400,
            invalid,
            "input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000",
            K::ContextTooLong,
            400,
        ),
        (400, invalid, "Your credit balance is too low to access the Anthropic API.", K::VendorQuota, 502),
        (400, invalid, "Output blocked by content filtering policy", K::ContentFiltered, 400),
        (401, "authentication_error", "invalid x-api-key", K::CredentialRefused, 502),
        (401, invalid, "odd", K::CredentialRefused, 502),
        (402, "billing_error", "pay", K::VendorQuota, 502),
        (403, "permission_error", "no", K::CredentialRefused, 502),
        (404, "not_found_error", "model: claude-9", K::ModelNotFound, 404),
        (413, "request_too_large", "big", K::BadRequest, 413),
        (429, "rate_limit_error", "slow", K::VendorRateLimited, 429),
        (500, "api_error", "oops", K::VendorError, 500),
        (504, "timeout_error", "slow", K::VendorError, 504),
        (529, "overloaded_error", "Overloaded", K::Overloaded, 529),
    ] {
        let fault = said(status, kind, message);
        assert_eq!((fault.kind, fault.status), (expected, seen), "{status} {kind} {message}");
        assert!(fault.verbatim.is_none(), "no caller speaks this dialect");
    }
}

#[test]
fn what_may_quote_the_account_is_told_in_our_words() {
    for fault in [
        said(401, "authentication_error", "invalid x-api-key canary-7f"),
        said(400, "invalid_request_error", "header x-api-key: sk-ant-canary-7f"),
        said(400, "billing_error", "account canary-7f"),
    ] {
        assert!(!format!("{fault:?}").contains("canary"), "{fault:?}");
    }
}

#[test]
fn a_body_from_the_edge_goes_by_its_status() {
    for (status, kind) in [
        (413, FaultKind::BadRequest),
        (429, FaultKind::VendorRateLimited),
        (502, FaultKind::VendorError),
        (529, FaultKind::Overloaded),
    ] {
        let body = Bytes::from_static(b"<html>\xff</html>");
        let fault = read(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), &body);
        assert_eq!(fault.kind, kind);
        assert!(!fault.message.is_empty());
    }
}
