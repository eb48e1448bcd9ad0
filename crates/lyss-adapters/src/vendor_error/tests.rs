use bytes::Bytes;
use http::HeaderMap;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Dialect;

fn read(body: &Value) -> VendorError {
    VendorError::read(body.to_string().as_bytes())
}

/// As a dialect reads it that knows no words of its own.
fn fault(status: u16, body: &Value) -> Fault {
    let status = StatusCode::from_u16(status).unwrap();
    read(body).into_fault(kind_by_status(status), status)
}

#[test]
fn every_shape_of_an_error_is_read() {
    for (body, message, kind, code, param) in [
        (
            json!({"object": "error", "message": "Invalid model: m", "type": "invalid_model", "param": null, "code": "1500"}),
            "Invalid model: m",
            Some("invalid_model"),
            Some("1500"),
            None,
        ),
        (
            json!({"detail": [{"type": "missing", "loc": ["body", "messages", 0, "role"], "msg": "Field required", "input": {"x": 1}},
                {"loc": ["body"], "msg": "odd"}]}),
            "messages.0.role: Field required; odd",
            None,
            None,
            Some("messages.0.role"),
        ),
        (
            json!({"object": "error", "message": {"detail": [{"loc": ["body", "n"], "msg": "too big"}]}, "type": "invalid_request_error"}),
            "n: too big",
            Some("invalid_request_error"),
            None,
            Some("n"),
        ),
        (json!({"detail": "Not Found"}), "Not Found", None, None, None),
        (json!({"detail": {"error": {"message": "deep", "code": "c"}}}), "deep", None, None, None),
        (json!({"error": "Unauthorized", "code": 7}), "Unauthorized", None, Some("7"), None),
        (json!([{"error": {"message": "m", "code": 429}}]), "m", None, Some("429"), None),
        (json!({"message": "plain"}), "plain", None, None, None),
        (
            json!({"error": {"code": 429, "message": "Provider returned error", "metadata": {"provider_name": "X",
                "raw": "{\"error\":{\"message\":\"m is rate-limited upstream\",\"type\":\"rate\"}}"}}}),
            "Provider returned error: m is rate-limited upstream",
            Some("rate"),
            Some("429"),
            None,
        ),
        (
            json!({"error": {"code": 502, "message": "Provider returned error", "metadata": {"raw": "upstream is gone"}}}),
            "Provider returned error: upstream is gone",
            None,
            Some("502"),
            None,
        ),
    ] {
        let said = read(&body);
        assert_eq!(said.message, message, "{body}");
        assert_eq!(
            (said.kind.as_deref(), said.code.as_deref(), said.param.as_deref()),
            (kind, code, param),
            "{body}"
        );
    }
}

#[test]
fn a_filters_verdict_counts_as_its_code() {
    let filtered = json!({"error": {"code": "400", "message": "no", "innererror": {"content_filter_result": {"hate": {"filtered": true}}}}});
    assert!(read(&filtered).is_any(&["content_filter"]));
    assert_eq!(fault(400, &filtered).kind, FaultKind::ContentFiltered);
    let named = json!({"error": {"message": "no", "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}}}});
    assert!(read(&named).is_any(&["ResponsibleAIPolicyViolation"]));
}

#[test]
fn compatible_vendors_words_are_understood() {
    use FaultKind as K;
    let error =
        |message: &str, code: &str| json!({"error": {"message": message, "type": code, "code": code}});
    for (status, body, kind) in [
        (
            400,
            error("This model's maximum context length is 8192 tokens.", "BadRequestError"),
            K::ContextTooLong,
        ),
        (
            400,
            error("the request exceeds the available context size", "exceed_context_size_error"),
            K::ContextTooLong,
        ),
        (
            400,
            error("Invalid request: Your request exceeded model token limit: 8192", "x"),
            K::ContextTooLong,
        ),
        (400, error("Range of input length should be [1, 30720]", "InvalidParameter"), K::ContextTooLong),
        (
            400,
            error("Input data may contain inappropriate content.", "data_inspection_failed"),
            K::ContentFiltered,
        ),
        (
            400,
            error("The request was rejected because it was considered high risk", "content_filter"),
            K::ContentFiltered,
        ),
        (400, error("系统检测到输入或生成内容可能包含不安全或敏感内容", "1301"), K::ContentFiltered),
        (400, error("m is not a valid model ID", "400"), K::ModelNotFound),
        (400, error("odd", "x"), K::BadRequest),
        // The body of a caller's mistake may be on its way to the caller: it becomes nothing that must not be shown.
        (400, error("Insufficient balance", "Arrearage"), K::BadRequest),
        (429, error("余额不足或无可用资源包,请充值。", "1113"), K::VendorQuota),
        (429, error("Your account is suspended", "exceeded_current_quota_error"), K::VendorQuota),
        (403, error("Sorry, your account balance is insufficient", "30001"), K::VendorQuota),
        (403, error("no", "x"), K::CredentialRefused),
        (429, error("The engine is currently overloaded", "engine_overloaded_error"), K::Overloaded),
        (429, error("slow down", "x"), K::VendorRateLimited),
        (498, error("flex tier capacity exceeded", "x"), K::Overloaded),
        (500, error("too many requests in the queue", "x"), K::VendorRateLimited),
        // Errors inside a stream, handed over as 502.
        (502, json!({"error": {"code": 402, "message": "more credits needed"}}), K::VendorQuota),
        (502, json!({"error": {"code": 429, "message": "slow"}}), K::VendorRateLimited),
        (502, json!({"error": {"code": 503, "message": "gone"}}), K::Overloaded),
        (502, json!({"error": {"code": 200, "message": "odd"}}), K::VendorError),
        (529, json!({}), K::Overloaded),
    ] {
        assert_eq!(fault(status, &body).kind, kind, "{status} {body}");
    }
    // What the dialect itself found stands.
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let said = read(&json!({"error": {"message": "maximum context length"}}));
    assert_eq!(said.into_fault(K::Overloaded, status).kind, K::Overloaded);
}

#[test]
fn the_bodys_wait_reaches_the_fault_of_one_who_may_come_again() {
    let body = json!({"error": {"message": "Please try again in 1.2s.", "code": "x"}});
    let wait = Some(Duration::from_millis(1_200));
    assert_eq!(fault(429, &body).retry_after, wait);
    assert_eq!(fault(503, &body).retry_after, wait);
    assert_eq!(fault(400, &body).retry_after, None);
    assert_eq!(fault(402, &body).retry_after, None);
    let later = Some(Duration::from_secs(9));
    assert_eq!(fault(429, &body).with_retry_after(None).retry_after, wait);
    assert_eq!(fault(429, &body).with_retry_after(later).retry_after, later, "a header is surer than prose");
}

#[test]
fn no_key_is_repeated_whoever_made_it() {
    let keys = [
        "sk-canary",
        "gsk_canary",
        "xai-canary",
        "AIzaCanary",
        "hf_canary",
        "nvapi-canary",
        "pplx-canary",
        "csk-canary",
    ];
    for key in keys {
        let bodies = [
            json!({"error": {"message": format!("odd {key}, so no"), "type": key, "code": key, "param": key}}),
            json!({"detail": [{"loc": ["body", key], "msg": "no"}]}),
            json!({"detail": [{"loc": ["body"], "msg": format!("no: '{key}'")}]}),
            json!({"error": {"message": "no", "metadata": {"raw": format!("{{\"error\":{{\"message\":\"{key}\",\"code\":\"{key}\"}}}}")}}}),
            json!({"error": {"message": "no", "innererror": {"code": key}}}),
        ];
        for (body, status) in bodies.iter().flat_map(|body| [400, 401, 404, 429, 500].map(|s| (body, s))) {
            let shown = format!("{:?}", fault(status, body)).to_lowercase();
            assert!(!shown.contains("canary"), "{status} {body}: {shown}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        cut in 0_usize..300,
        status in 300_u16..600,
    ) {
        let whole = json!({"error": {"message": "Please try again in 1.2s", "code": 429,
            "metadata": {"raw": "{\"error\":{\"message\":\"m\"}}"}, "details": [{"retryDelay": "1s"}]}}).to_string();
        let part = Bytes::copy_from_slice(whole.as_bytes().get(..cut).unwrap_or(whole.as_bytes()));
        let status = StatusCode::from_u16(status).unwrap();
        for vendor in Dialect::ALL.into_iter().filter_map(Dialect::vendor) {
            for body in [Bytes::from(bytes.clone()), part.clone()] {
                let fault = vendor.read_fault(status, &HeaderMap::new(), &body);
                prop_assert!(!fault.message.is_empty() && fault.status >= 400);
            }
        }
    }
}
