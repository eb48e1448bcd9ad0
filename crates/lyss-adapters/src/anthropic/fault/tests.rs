use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use lyss_domain::FaultKind;
use serde_json::{Value, json};

use super::{read, render, render_stream};
use crate::{Dialect, Fault};

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
        let is_callers =
            matches!(expected, K::BadRequest | K::ContextTooLong | K::ContentFiltered | K::ModelNotFound);
        assert_eq!(fault.verbatim.is_some(), is_callers, "{status} {kind} {message}");
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

#[test]
fn what_is_the_callers_own_passes_byte_for_byte() {
    let body = Bytes::from_static(
        br#"{"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: bad"}, "request_id": "req_1"}"#,
    );
    let fault = read(StatusCode::BAD_REQUEST, &HeaderMap::new(), &body);
    assert_eq!(render(&fault), body);
    let other =
        read(StatusCode::BAD_REQUEST, &HeaderMap::new(), &Bytes::from_static(b"{\"message\":\"no\"}"));
    assert!(other.verbatim.is_none());
}

#[test]
fn a_vendor_that_says_so_may_be_asked_again() {
    let mut headers = HeaderMap::new();
    headers.insert("x-should-retry", "true".parse().unwrap());
    headers.insert("retry-after", "3".parse().unwrap());
    let body = Bytes::from(json!({"error": {"type": "conflict_error", "message": "busy"}}).to_string());
    let fault = read(StatusCode::CONFLICT, &headers, &body);
    assert_eq!(fault.kind, FaultKind::VendorError);
    assert_eq!(fault.retry_after, Some(std::time::Duration::from_secs(3)));
    assert_eq!(read(StatusCode::CONFLICT, &HeaderMap::new(), &body).kind, FaultKind::BadRequest);
}

#[test]
fn each_kind_has_this_dialects_words() {
    let words = |fault: &Fault| {
        let body: Value = serde_json::from_slice(&render(fault)).unwrap();
        assert_eq!(body["type"], "error");
        assert_eq!(body["error"]["message"], fault.message);
        body["error"]["type"].as_str().unwrap().to_owned()
    };
    use FaultKind as K;
    for (kind, word) in [
        (K::BadRequest, "invalid_request_error"),
        (K::ContextTooLong, "invalid_request_error"),
        (K::ContentFiltered, "invalid_request_error"),
        (K::Unauthenticated, "authentication_error"),
        (K::Forbidden, "permission_error"),
        (K::ModelNotFound, "not_found_error"),
        (K::RateLimited, "rate_limit_error"),
        (K::QuotaExceeded, "rate_limit_error"),
        (K::VendorRateLimited, "rate_limit_error"),
        (K::Overloaded, "overloaded_error"),
        (K::Unavailable, "overloaded_error"),
        (K::TotalTimeout, "timeout_error"),
        (K::UpstreamCut, "api_error"),
        (K::CredentialRefused, "api_error"),
        (K::Internal, "api_error"),
    ] {
        assert_eq!(words(&Fault::new(kind, "m")), word, "{kind:?}");
    }
    assert_eq!(words(&Fault { status: 413, ..Fault::bad_request("big", None) }), "request_too_large");
    // Another vendor's words are none of this dialect's; its own are kept.
    let foreign = Fault { vendor_type: Some("server_error".into()), ..Fault::new(K::Overloaded, "m") };
    assert_eq!(words(&foreign), "overloaded_error");
    let mut own = Fault { vendor_type: Some("billing_error".into()), ..Fault::new(K::VendorError, "m") };
    own.told_in(Dialect::AnthropicMessages);
    assert_eq!(words(&own), "billing_error");
    // OpenAI says of a missing model what this dialect says of a malformed request.
    let mut foreign =
        Fault { vendor_type: Some("invalid_request_error".into()), ..Fault::new(K::ModelNotFound, "m") };
    foreign.told_in(Dialect::OpenAiChat);
    assert_eq!(words(&foreign), "not_found_error");
}

#[test]
fn an_error_in_a_stream_is_one_named_event() {
    let fault = Fault::new(FaultKind::Overloaded, "busy");
    let expected = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n";
    assert_eq!(render_stream(&fault), expected.as_bytes());
}
