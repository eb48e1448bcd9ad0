use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use lyss_domain::FaultKind;
use serde_json::{Value, json};

use super::{object, read, render, render_stream};
use crate::{Dialect, Fault};

fn fault(status: u16, body: &[u8]) -> Fault {
    read(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), &Bytes::copy_from_slice(body))
}

fn said(status: u16, body: &Value) -> Fault {
    fault(status, body.to_string().as_bytes())
}

fn error(message: &str, kind: &str, code: &str) -> Value {
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}

#[test]
fn vendors_refusals_are_told_apart() {
    use FaultKind as K;
    let invalid = "invalid_request_error";
    for (status, body, kind, seen) in [
        (400, error("bad", invalid, "unknown_parameter"), K::BadRequest, 400),
        (422, error("bad", invalid, ""), K::BadRequest, 422),
        (413, json!({"detail": "too large"}), K::BadRequest, 413),
        (400, error("long", invalid, "context_length_exceeded"), K::ContextTooLong, 400),
        (404, error("none", invalid, "model_not_found"), K::ModelNotFound, 404),
        (
            401,
            error("Incorrect API key provided: sk-x", invalid, "invalid_api_key"),
            K::CredentialRefused,
            502,
        ),
        (401, error("who", invalid, ""), K::CredentialRefused, 502),
        (
            403,
            error("region", "request_forbidden", "unsupported_country_region_territory"),
            K::CredentialRefused,
            502,
        ),
        (403, error("Project proj_x has no access", invalid, "model_not_found"), K::ModelNotFound, 404),
        (429, error("slow", "requests", "rate_limit_exceeded"), K::VendorRateLimited, 429),
        (429, error("pay", "insufficient_quota", "insufficient_quota"), K::VendorQuota, 502),
        (500, error("oops", "server_error", ""), K::VendorError, 500),
        (503, error("busy", "server_error", ""), K::Overloaded, 503),
        (408, json!({}), K::VendorError, 502),
        (301, json!({}), K::VendorError, 502),
        // DeepSeek
        (402, error("Insufficient Balance", "unknown_error", "invalid_request_error"), K::VendorQuota, 502),
        (400, error("Model Not Exist", invalid, invalid), K::ModelNotFound, 400),
        (400, error("Content Exists Risk", invalid, invalid), K::ContentFiltered, 400),
        (
            400,
            error("This model's maximum context length is 65536 tokens", invalid, invalid),
            K::ContextTooLong,
            400,
        ),
        (401, error("no", "authentication_error", invalid), K::CredentialRefused, 502),
        // Azure
        (404, json!({"error": {"code": "DeploymentNotFound", "message": "none"}}), K::ModelNotFound, 404),
        (
            401,
            json!({"statusCode": 401, "message": "Access denied due to missing subscription key"}),
            K::CredentialRefused,
            502,
        ),
        (
            429,
            json!({"error": {"code": "429", "message": "retry after 6 seconds"}}),
            K::VendorRateLimited,
            429,
        ),
        (
            400,
            json!({"error": {"message": "filtered", "type": null, "param": "prompt", "code": "content_filter", "status": 400,
                "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}}}}),
            K::ContentFiltered,
            400,
        ),
        // Errors inside a stream, which the reader hands over as 502.
        (502, error("slow", "rate_limit_error", ""), K::VendorRateLimited, 429),
        (502, error("bad", invalid, ""), K::BadRequest, 400),
        (502, json!({"error": "gone"}), K::VendorError, 502),
    ] {
        let fault = said(status, &body);
        assert_eq!((fault.kind, fault.status), (kind, seen), "{status} {body}");
    }
}

#[test]
fn a_refused_credential_is_told_in_our_words() {
    for body in [
        error(
            "Incorrect API key provided: sk-canary-7f. Find it at …",
            "invalid_request_error",
            "invalid_api_key",
        ),
        error("sk-canary-7f", "sk-canary-7f", "sk-canary-7f"),
        json!({"error": {"message": "proj sk-canary-7f", "code": "model_not_found"}}),
        json!({"message": "key sk-canary-7f refused"}),
    ] {
        for status in [400, 401, 403] {
            let fault = said(status, &body);
            let shown = format!("{fault:?} {:?} {:?}", render(&fault), render_stream(&fault));
            assert!(!shown.contains("canary"), "{status} {shown}");
        }
    }
}

#[test]
fn a_callers_own_mistake_is_passed_on_verbatim() {
    let body = json!({"error": {"message": "bad\u{7}\nnews", "type": "invalid_request_error", "param": "n", "code": null}});
    let own = said(400, &body);
    assert_eq!(own.message, "bad news");
    assert_eq!(own.param.as_deref(), Some("n"));
    assert_eq!(render(&own), body.to_string());
    assert!(said(500, &json!({"error": {"message": "oops"}})).verbatim.is_none());
    assert!(said(429, &error("slow", "requests", "rate_limit_exceeded")).verbatim.is_none());
    assert!(said(400, &json!({"message": "no error object"})).verbatim.is_none());
    assert!(said(400, &json!([{"error": {"message": "in a list"}}])).verbatim.is_none());
    assert_eq!(said(400, &json!([{"error": {"message": "in a list"}}])).message, "in a list");
}

#[test]
fn any_body_is_survived_with_a_message() {
    let long = json!({"error": {"message": "é".repeat(5_000), "code": "c".repeat(500)}}).to_string();
    for body in [
        &b""[..],
        b"<html>502</html>",
        b"{\"error\":{\"mess",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b"{\"error\":7}",
    ] {
        for status in [400, 404, 429, 502, 503] {
            let fault = fault(status, body);
            assert!(!fault.message.is_empty() && fault.verbatim.is_none());
        }
    }
    let fault = fault(400, long.as_bytes());
    assert_eq!(fault.message.chars().count(), 2_000);
    assert_eq!(fault.vendor_code.unwrap().len(), 100);
}

#[test]
fn the_wait_a_vendor_asks_for() {
    let wait = |headers: &[(&'static str, &str)]| {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        read(StatusCode::TOO_MANY_REQUESTS, &map, &Bytes::new()).retry_after
    };
    assert_eq!(wait(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
    assert_eq!(wait(&[("retry-after", "7"), ("retry-after-ms", "1500")]), Some(Duration::from_millis(1_500)));
    assert_eq!(wait(&[("retry-after", "1e300")]), None);
    assert_eq!(wait(&[("retry-after", "999999999")]), Some(Duration::from_secs(86_400)));
    for odd in ["-1", "NaN", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"] {
        assert_eq!(wait(&[("retry-after", odd)]), None, "{odd}");
    }
}

#[test]
fn each_kind_has_openais_words_or_its_own_name() {
    let words = |kind: FaultKind| {
        let body: Value = serde_json::from_slice(&render(&Fault::new(kind, "m"))).unwrap();
        (body["error"]["type"].as_str().unwrap().to_owned(), body["error"]["code"].clone())
    };
    assert_eq!(words(FaultKind::BadRequest), ("invalid_request_error".into(), Value::Null));
    assert_eq!(words(FaultKind::Unauthenticated).0, "authentication_error");
    assert_eq!(words(FaultKind::RateLimited), ("rate_limit_error".into(), json!("rate_limit_exceeded")));
    assert_eq!(words(FaultKind::QuotaExceeded).1, "insufficient_quota");
    assert_eq!(words(FaultKind::ModelNotFound).1, "model_not_found");
    assert_eq!(words(FaultKind::UpstreamCut), ("server_error".into(), json!("upstream_cut")));
    assert_eq!(words(FaultKind::Unavailable), ("server_error".into(), json!("unavailable")));
}

#[test]
fn words_of_compatible_vendors_are_understood() {
    let kind = |error: serde_json::Value, status: u16| {
        let body = bytes::Bytes::from(serde_json::json!({"error": error}).to_string());
        super::read(http::StatusCode::from_u16(status).unwrap(), &http::HeaderMap::new(), &body).kind
    };
    use lyss_domain::FaultKind as Kind;
    let typed = |word: &str| serde_json::json!({"message": "m", "type": word});
    let coded = |word: &str| serde_json::json!({"message": "m", "code": word});
    let said = |message: &str| serde_json::json!({"message": message});
    for (error, status, expected) in [
        (typed("exceeded_current_quota_error"), 429, Kind::VendorQuota),
        (typed("engine_overloaded_error"), 429, Kind::Overloaded),
        (typed("rate_limit_reached_error"), 429, Kind::VendorRateLimited),
        (typed("exceed_context_size_error"), 400, Kind::ContextTooLong),
        (coded("data_inspection_failed"), 400, Kind::ContentFiltered),
        (coded("Arrearage"), 400, Kind::VendorQuota),
        (
            said("This model's maximum prompt length is 131072 but the request contains 200000 tokens."),
            400,
            Kind::ContextTooLong,
        ),
    ] {
        assert_eq!(kind(error.clone(), status), expected, "{error}");
    }
}

#[test]
fn a_caller_sees_words_of_its_own_dialect() {
    let mut fault = crate::Fault::new(lyss_domain::FaultKind::VendorRateLimited, "m");
    fault.vendor_type = Some("RESOURCE_EXHAUSTED".into());
    fault.vendor_code = Some("429".into());
    let shown =
        |fault: &crate::Fault| serde_json::from_slice::<serde_json::Value>(&super::render(fault)).unwrap();
    let error = &shown(&fault)["error"];
    assert_eq!((&error["type"], &error["code"]), (&"rate_limit_error".into(), &"rate_limit_exceeded".into()));
    fault.vendor_type = Some("tokens".into());
    fault.vendor_code = Some("rate_limit_exceeded".into());
    assert_eq!(shown(&fault)["error"]["type"], "tokens");
}

/// A caller of this dialect reads its own words alone, and no path of another dialect's request.
#[test]
fn foreign_words_and_paths_are_not_shown() {
    let shown = |fault: &Fault| serde_json::from_slice::<serde_json::Value>(&object(fault)).unwrap();
    let mut google = Fault {
        vendor_type: Some("INVALID_ARGUMENT".into()),
        vendor_code: Some("API_KEY_SERVICE_BLOCKED".into()),
        ..Fault::bad_request("Bad.", Some("contents[0].parts"))
    };
    google.told_in(Dialect::GoogleGenerate);
    let expected = serde_json::json!({"error": {
        "message": "Bad.", "type": "invalid_request_error", "param": null, "code": null,
    }});
    assert_eq!(shown(&google), expected);
    google.param = Some("tools".into());
    assert_eq!(shown(&google)["error"]["param"], "tools");
    let mut own = Fault {
        vendor_type: Some("tokens".into()),
        vendor_code: Some("rate_limit_exceeded".into()),
        ..Fault::new(FaultKind::VendorRateLimited, "Slow.")
    };
    own.param = Some("messages.1.content".into());
    own.told_in(Dialect::OpenAiChat);
    let error = &shown(&own)["error"];
    assert_eq!((&error["type"], &error["param"]), (&"tokens".into(), &"messages.1.content".into()));
    // Our own fault speaks of the request as the caller wrote it.
    let ours = Fault::bad_request("Bad.", Some("messages[0].content"));
    assert_eq!(shown(&ours)["error"]["param"], "messages[0].content");
}
