use serde_json::{Value, json};

use super::*;

fn body(vendor: Vendor, refusal: &Refusal) -> Value {
    serde_json::from_slice(&refusal.body(vendor, "req_1")).unwrap()
}

#[test]
fn each_vendor_has_its_own_shape() {
    let refusal = Refusal::new(Kind::RateLimited, "slow \"down\"");
    assert_eq!(
        body(Vendor::OpenAi, &refusal),
        json!({"error": {"message": "slow \"down\"", "type": "requests", "param": null, "code": "rate_limit_exceeded"}})
    );
    assert_eq!(
        body(Vendor::AzureOpenAi, &refusal),
        json!({"error": {"code": "429", "message": "slow \"down\""}})
    );
    assert_eq!(
        body(Vendor::Anthropic, &refusal),
        json!({"type": "error", "error": {"type": "rate_limit_error", "message": "slow \"down\""}, "request_id": "req_1"})
    );
    assert_eq!(body(Vendor::OpenAi, &Refusal::invalid("x"))["error"]["code"], Value::Null);
}

#[test]
fn statuses_differ_where_the_vendors_do() {
    let all = |kind: Kind| Vendor::ALL.map(|vendor| kind.status(vendor));
    assert_eq!(all(Kind::Balance), [429, 429, 402, 400, 429]);
    assert_eq!(all(Kind::UnknownModel), [404, 404, 400, 404, 404]);
}

#[test]
fn google_says_what_and_when_in_details() {
    let refusal = Refusal { retry_after_s: Some(7), ..Refusal::wished(Kind::RateLimited) };
    let error = &body(Vendor::Google, &refusal)["error"];
    assert_eq!((&error["code"], &error["status"]), (&json!(429), &json!("RESOURCE_EXHAUSTED")));
    let details = error["details"].as_array().unwrap();
    assert_eq!(details[0]["@type"], "type.googleapis.com/google.rpc.QuotaFailure");
    assert_eq!(details[1]["retryDelay"], "7s");

    let wrong = Refusal::new(Kind::WrongKey, "x");
    assert_eq!(wrong.status(Vendor::Google), 400);
    assert_eq!(body(Vendor::Google, &wrong)["error"]["details"][0]["reason"], "API_KEY_INVALID");
    let field = body(Vendor::Google, &Refusal::invalid("no \"such\" field").param("contents[0]"));
    assert_eq!(field["error"]["details"][0]["fieldViolations"][0]["field"], "contents[0]");
    assert_eq!(body(Vendor::Google, &Refusal::invalid("x"))["error"].get("details"), None);
}

#[test]
fn param_and_code_are_said_where_the_vendor_has_them() {
    let refusal = || Refusal::invalid("x").param("input").code("unsupported_value");
    let expected = json!({"error": {"message": "x", "type": "invalid_request_error", "param": "input", "code": "unsupported_value"}});
    assert_eq!(body(Vendor::OpenAi, &refusal()), expected);
    assert_eq!(body(Vendor::AzureOpenAi, &refusal()), expected);
}

#[test]
fn a_wished_status_is_the_status_sent() {
    for status in [400, 401, 402, 403, 404, 408, 409, 413, 429, 500, 502, 503, 529] {
        let refusal = Refusal::wished(Kind::from_status(status).unwrap());
        for vendor in Vendor::ALL {
            assert_eq!(refusal.status(vendor), status, "{vendor:?}");
            assert!(body(vendor, &refusal)["error"]["message"].is_string(), "{vendor:?} {status}");
        }
    }
}
