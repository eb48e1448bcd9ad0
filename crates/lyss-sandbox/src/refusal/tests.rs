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
    assert_eq!(all(Kind::Balance), [429, 429, 402, 400]);
    assert_eq!(all(Kind::UnknownModel), [404, 404, 400, 404]);
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
