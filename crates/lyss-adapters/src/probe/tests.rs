use lyss_domain::AuthScheme;

use super::*;

fn read(kind: ProviderKind, status: u16, body: &'static str) -> Result<Vec<String>, ProbeClass> {
    let status = StatusCode::from_u16(status).unwrap();
    read_probe(kind, status, &HeaderMap::new(), &Bytes::from_static(body.as_bytes()))
}

#[test]
fn the_request_carries_the_key_in_the_vendors_header_and_nothing_else() {
    let cases = [
        (ProviderKind::OpenAi, AuthScheme::Bearer, "authorization", "Bearer sk-canary"),
        (ProviderKind::Anthropic, AuthScheme::Header("x-api-key".to_owned()), "x-api-key", "sk-canary"),
        (ProviderKind::AzureOpenAi, AuthScheme::Header("api-key".to_owned()), "api-key", "sk-canary"),
        (
            ProviderKind::Google,
            AuthScheme::Header("x-goog-api-key".to_owned()),
            "x-goog-api-key",
            "sk-canary",
        ),
    ];
    for (kind, auth, name, expected) in cases {
        let target = Target::new(kind, "https://v.example", &auth, &[], None).unwrap();
        let secret = Secret::from("sk-canary".to_owned());
        let request = probe_request(&target, Some(&secret)).unwrap();
        let value = request.headers.get(name).unwrap();
        assert!(value.is_sensitive() && value == expected, "{kind}");
        assert_eq!(request.method, http::Method::GET);
        assert!(request.body.is_empty() && !request.headers.contains_key("content-type"));
        assert!(!request.uri.to_string().contains("canary"));
        assert_eq!(request.headers.contains_key("anthropic-version"), kind == ProviderKind::Anthropic);
        assert!(probe_request(&target, None).unwrap().headers.get(name).is_none());
    }
}

#[test]
fn lists_are_read_in_every_vendors_form() {
    let lists = [
        (ProviderKind::OpenAi, r#"{"object":"list","data":[{"id":"gpt-4o","object":"model"},{"id":"o3"}]}"#),
        (ProviderKind::Google, r#"{"models":[{"name":"models/gpt-4o"},{"name":"models/o3","version":"1"}]}"#),
        (ProviderKind::OpenAiCompatible, r#"[{"id":"gpt-4o"},{"id":"o3"},{"id":7},{"id":""},{"id":"a\nb"}]"#),
        (
            ProviderKind::Anthropic,
            r#"{"data":[{"type":"model","id":"gpt-4o"},{"id":"o3"}],"has_more":false}"#,
        ),
    ];
    for (kind, body) in lists {
        assert_eq!(read(kind, 200, body).unwrap(), ["gpt-4o", "o3"], "{kind}");
    }
    for odd in ["", "<html>", "{}", r#"{"data":{}}"#, "7"] {
        assert_eq!(read(ProviderKind::OpenAi, 200, odd), Err(ProbeClass::Protocol), "{odd}");
    }
}

#[test]
fn a_list_without_end_is_cut() {
    let item = r#"{"id":"m"}"#;
    let body = format!("[{}]", vec![item; MAX_MODELS + 5].join(","));
    let read = read_probe(ProviderKind::OpenAi, StatusCode::OK, &HeaderMap::new(), &body.into());
    assert_eq!(read.unwrap().len(), MAX_MODELS);
}

#[test]
fn refusals_have_a_class() {
    use ProviderKind::{Anthropic, AzureOpenAi, DeepSeek, Google, OpenAi, OpenAiCompatible};
    let cases = [
        (OpenAiCompatible, 400, r#"{"error":"Incorrect key: invalid API key"}"#, ProbeClass::Auth),
        (OpenAiCompatible, 429, r#"{"error":{"code":"1113","message":"no"}}"#, ProbeClass::Quota),
        (OpenAiCompatible, 404, r#"{"detail":"Not Found"}"#, ProbeClass::NotFound),
        (OpenAi, 401, r#"{"error":{"code":"invalid_api_key","message":"Incorrect sk-x"}}"#, ProbeClass::Auth),
        (OpenAi, 429, r#"{"error":{"code":"insufficient_quota"}}"#, ProbeClass::Quota),
        (OpenAi, 429, "{}", ProbeClass::RateLimited),
        (DeepSeek, 402, r#"{"error":{"message":"Insufficient Balance"}}"#, ProbeClass::Quota),
        (Anthropic, 401, r#"{"type":"error","error":{"type":"authentication_error"}}"#, ProbeClass::Auth),
        (Anthropic, 529, r#"{"type":"error","error":{"type":"overloaded_error"}}"#, ProbeClass::Server),
        (
            AzureOpenAi,
            401,
            r#"{"error":{"code":"401","message":"Access denied due to invalid key"}}"#,
            ProbeClass::Auth,
        ),
        (
            Google,
            400,
            r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key."}}"#,
            ProbeClass::Auth,
        ),
        (Google, 400, r#"{"error":{"message":"something else"}}"#, ProbeClass::Protocol),
        (Google, 429, "{}", ProbeClass::RateLimited),
        (OpenAi, 404, "<html>", ProbeClass::NotFound),
        (OpenAi, 301, "", ProbeClass::Protocol),
        (OpenAi, 405, "", ProbeClass::Protocol),
        (OpenAi, 500, "", ProbeClass::Server),
    ];
    for (kind, status, body, expected) in cases {
        assert_eq!(read(kind, status, body), Err(expected), "{kind} {status} {body}");
    }
}

#[test]
fn what_the_egress_policy_denies_looks_like_an_address_where_nobody_listens() {
    let classes = [TransportClass::EgressDenied, TransportClass::Connect, TransportClass::Dns];
    assert!(classes.into_iter().all(|class| ProbeClass::from(class) == ProbeClass::Network));
    assert_eq!(ProbeClass::from(TransportClass::FirstByteTimeout), ProbeClass::Timeout);
}
