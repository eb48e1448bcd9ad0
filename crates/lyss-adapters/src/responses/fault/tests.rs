use serde_json::{Value, json};

use super::*;

fn data(event: &[u8]) -> Value {
    let text = std::str::from_utf8(event).unwrap();
    assert!(text.starts_with("event: error\ndata: {") && text.ends_with("}\n\n"));
    serde_json::from_str(text.split_once("data: ").unwrap().1).unwrap()
}

#[test]
fn the_event_says_it_flat_and_as_an_object() {
    let fault = Fault::bad_request("`input` must be a list.", Some("input"));
    assert_eq!(
        data(&render_stream(&fault, Some(3))),
        json!({"type": "error", "sequence_number": 3, "code": null, "message": "`input` must be a list.",
            "param": "input", "error": {"type": "invalid_request_error", "code": null,
            "message": "`input` must be a list.", "param": "input"}})
    );
    assert!(data(&render_stream(&fault, None)).get("sequence_number").is_none());
}

#[test]
fn both_forms_are_read_alike() {
    let flat =
        of_event(br#"{"type":"error","code":"rate_limit_exceeded","message":"Slow down.","param":null}"#);
    let nested = of_event(
        br#"{"type":"error","error":{"type":"rate_limit_error","code":"rate_limit_exceeded","message":"Slow down."}}"#,
    );
    for fault in [flat, nested] {
        assert_eq!(fault.kind, FaultKind::VendorRateLimited);
        assert_eq!(fault.message, "Slow down.");
        assert_eq!(fault.status, 429);
        assert!(fault.verbatim.is_none());
    }
}

#[test]
fn the_code_says_whose_fault_it_is() {
    let kind = |code: &str| {
        let error = format!(r#"{{"code":"{code}","message":"no"}}"#);
        of_failed(Some(serde_json::from_str(&error).unwrap())).kind
    };
    assert_eq!(kind("server_error"), FaultKind::VendorError);
    assert_eq!(kind("invalid_prompt"), FaultKind::BadRequest);
    assert_eq!(kind("image_too_large"), FaultKind::BadRequest);
    assert_eq!(kind("context_length_exceeded"), FaultKind::ContextTooLong);
    assert_eq!(of_failed(None).kind, FaultKind::VendorError);
}
