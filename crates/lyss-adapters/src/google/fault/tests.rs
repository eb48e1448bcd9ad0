use std::time::Duration;

use lyss_domain::Advice;

use super::*;

fn fault(status: u16, body: &str) -> Fault {
    let body = Bytes::copy_from_slice(body.as_bytes());
    read(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), &body)
}

fn error(status: u16, word: &str, message: &str) -> Fault {
    fault(status, &json!({"error": {"code": status, "message": message, "status": word}}).to_string())
}

#[test]
fn words_count_before_the_status() {
    use FaultKind::*;
    let table = [
        (400, "INVALID_ARGUMENT", "Invalid value at 'contents'.", BadRequest),
        (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", CredentialRefused),
        (400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", CredentialRefused),
        (
            400,
            "INVALID_ARGUMENT",
            "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
            ContextTooLong,
        ),
        (400, "FAILED_PRECONDITION", "User location is not supported for the API use.", CredentialRefused),
        (400, "FAILED_PRECONDITION", "Please enable billing on your project.", VendorQuota),
        (403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.", CredentialRefused),
        (404, "NOT_FOUND", "models/gemini-9 is not found for API version v1beta.", ModelNotFound),
        (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", VendorRateLimited),
        (500, "INTERNAL", "An internal error has occurred.", VendorError),
        (503, "UNAVAILABLE", "The model is overloaded. Please try again later.", Overloaded),
        (504, "DEADLINE_EXCEEDED", "The request timed out.", VendorError),
    ];
    for (status, word, message, kind) in table {
        let fault = error(status, word, message);
        assert_eq!(fault.kind, kind, "{message}");
        assert_eq!(
            fault.advice() == Advice::GiveUp,
            matches!(kind, BadRequest | ContextTooLong),
            "{message}"
        );
    }
}

#[test]
fn quotas_and_waits_stand_in_the_details() {
    let body = |quota: &str| {
        json!({"error": {"code": 429, "message": "You exceeded your current quota.", "status": "RESOURCE_EXHAUSTED", "details": [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota, "quotaValue": "50"}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"},
        ]}})
        .to_string()
    };
    let minute = fault(429, &body("GenerateRequestsPerMinutePerProjectPerModel"));
    assert_eq!(minute.kind, FaultKind::VendorRateLimited);
    assert_eq!(minute.retry_after, Some(Duration::from_millis(34_070)));
    assert_eq!((minute.status, minute.vendor_type.as_deref()), (429, Some("RESOURCE_EXHAUSTED")));
    let day = fault(429, &body("GenerateRequestsPerDayPerProjectPerModel-FreeTier"));
    assert_eq!(day.kind, FaultKind::VendorQuota);
    // A list around it, as streams without events have it.
    assert_eq!(fault(429, &format!("[{}]", body("PerMinute"))).kind, FaultKind::VendorRateLimited);
}

#[test]
fn a_callers_fault_passes_as_it_is_and_never_with_a_credential() {
    let text = r#"{"error": {"code": 400, "message": "Bad.", "status": "INVALID_ARGUMENT", "details": [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": "contents[0].parts", "description": "Bad."}]}]}}"#;
    let bad = fault(400, text);
    assert_eq!(bad.param.as_deref(), Some("contents[0].parts"));
    assert_eq!(render(&bad), text.as_bytes());
    let key = error(400, "INVALID_ARGUMENT", "API key not valid: AIzaSyCanary");
    assert!(key.verbatim.is_none() && !format!("{key:?}").contains("Canary"));
    assert_eq!(key.status, 502);
}

#[test]
fn our_faults_are_written_in_googles_words() {
    let fault = Fault::bad_request("`contents` must be a list.", Some("contents"));
    let value: Value = serde_json::from_slice(&render(&fault)).unwrap();
    assert_eq!(value["error"]["code"], 400);
    assert_eq!(value["error"]["status"], "INVALID_ARGUMENT");
    assert_eq!(value["error"]["details"][0]["fieldViolations"][0]["field"], "contents");
    let limited =
        Fault::new(FaultKind::RateLimited, "Slow down.").with_retry_after(Some(Duration::from_secs(7)));
    let value: Value = serde_json::from_slice(&render(&limited)).unwrap();
    assert_eq!(value["error"]["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(value["error"]["details"][0]["retryDelay"], "7s");
    // Another vendor's word is none of this dialect.
    let foreign =
        Fault { vendor_type: Some("overloaded_error".into()), ..Fault::new(FaultKind::Overloaded, "x") };
    let value: Value = serde_json::from_slice(&object(&foreign)).unwrap();
    assert_eq!(value["error"]["status"], "UNAVAILABLE");
    assert!(render_stream(&foreign).starts_with(b"data: {\"error\""));
}

#[test]
fn odd_bodies_are_survived() {
    for body in [
        "",
        "<html>502</html>",
        "{",
        "null",
        "[]",
        "[[]]",
        r#"{"error":"x"}"#,
        r#"{"error":{"details":[1]}}"#,
        "\u{0}",
    ] {
        for status in [400, 403, 429, 500, 503] {
            assert_eq!(
                fault(status, body).kind,
                kind_by_status(StatusCode::from_u16(status).unwrap()),
                "{body}"
            );
        }
    }
}
