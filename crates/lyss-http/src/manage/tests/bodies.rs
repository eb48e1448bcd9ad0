//! Bodies, queries and preconditions at their edges.

use actix_web::http::Method;
use lyss_domain::Role;
use serde_json::{Value, json};

use super::office::{Answer, Office};

async fn post(office: &Office, media: Option<&str>, body: &str) -> Answer {
    let request = office.by(Role::TenantAdmin, Method::POST, "/api/v1/quotas", None);
    let request = match media {
        Some(media) => request.insert_header(("content-type", media)),
        None => request,
    };
    office.send(request.set_payload(body.to_owned())).await
}

#[actix_web::test]
async fn a_body_is_json_and_has_its_cap() {
    let office = Office::open().await;
    let good = r#"{"scope":"tenant","window":"day","limit_requests":5}"#;
    for media in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonp")]
    {
        post(&office, media, good).await.error(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    for body in ["", "{", "nonsense", r#"{"scope":7,"#] {
        post(&office, Some("application/json"), body).await.error(400, "MALFORMED_JSON");
    }
    let long = format!("{good}{}", " ".repeat(4_096));
    post(&office, Some("application/json"), &long).await.error(413, "BODY_TOO_LARGE");
    post(&office, Some("application/json; charset=utf-8"), good).await.data(201);
    office.close().await;
}

#[actix_web::test]
async fn fields_are_refused_by_their_paths() {
    let office = Office::open().await;
    let cases: [(&str, Value, &[&str]); 12] = [
        ("/api/v1/quotas", json!({}), &["scope"]),
        ("/api/v1/quotas", json!({ "scope": "planet", "window": "day" }), &["scope"]),
        ("/api/v1/quotas", json!({ "scope": "key", "window": "day", "limit_requests": 1 }), &["scope_id"]),
        ("/api/v1/quotas", json!({ "scope": "key", "scope_id": "x", "window": "day" }), &["scope_id"]),
        ("/api/v1/quotas", json!({ "scope": "tenant", "window": "day" }), &["limit_requests"]),
        ("/api/v1/keys", json!({ "name": 7 }), &["name"]),
        ("/api/v1/keys", json!({ "name": "a", "limits": { "rmp": 1 } }), &["limits.rmp"]),
        ("/api/v1/keys", json!({ "name": "a", "limits": { "rpm": -1 } }), &["limits.rpm"]),
        ("/api/v1/keys", json!({ "name": "a", "channels": ["x"] }), &["channels[0]"]),
        ("/api/v1/keys", json!({ "name": "a", "is_admin": true }), &["is_admin"]),
        ("/api/v1/keys", json!({ "name": "a", "expires_at": "tomorrow" }), &["expires_at"]),
        ("/api/v1/channels", json!({ "name": "a", "provider_id": "nobody" }), &["provider_id"]),
    ];
    for (path, body, fields) in cases {
        let answer = office.ask(Method::POST, path, Some(body.clone())).await;
        assert_eq!(answer.refused(), fields, "{path} {body}");
    }
    office.close().await;
}

#[actix_web::test]
async fn a_secret_of_the_wrong_type_is_not_repeated() {
    let office = Office::open().await;
    let secret = "sk-canary-0123456789";
    for body in [
        json!({ "name": "a", "provider_id": "openai", "credentials": secret }),
        json!({ "name": "a", "provider_id": "openai", "credentials": { "api_key": [secret] } }),
        json!({ "name": "a", "provider_id": "openai", "credentials": { "apikey": secret } }),
    ] {
        let answer = office.ask(Method::POST, "/api/v1/channels", Some(body)).await;
        answer.error(422, "VALIDATION_FAILED");
        assert!(!String::from_utf8_lossy(&answer.bytes).contains("canary"));
    }
    office.close().await;
}

#[actix_web::test]
async fn lists_are_paged_sorted_and_filtered() {
    let office = Office::open().await;
    for name in ["b", "a", "c"] {
        office.ask(Method::POST, "/api/v1/keys", Some(json!({ "name": name }))).await.data(201);
    }
    let names = |data: &Value| -> Vec<String> {
        let items = data["items"].as_array().unwrap();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    let all = office.ask(Method::GET, "/api/v1/keys", None).await.data(200);
    assert_eq!(names(&all), ["a", "b", "c"]);
    assert_eq!((&all["total"], &all["page"], &all["page_size"]), (&json!(3), &json!(1), &json!(50)));
    let second = office.ask(Method::GET, "/api/v1/keys?sort=-name&page=2&page_size=2", None).await.data(200);
    assert_eq!((names(&second), &second["total"]), (vec!["a".to_owned()], &json!(3)));
    let some = office.ask(Method::GET, "/api/v1/keys?search=B&revoked=false", None).await.data(200);
    assert_eq!(names(&some), ["b"]);
    for (query, fields) in
        [("colour=red", "colour"), ("page_size=500", "page_size"), ("revoked=maybe", "revoked")]
    {
        let answer = office.ask(Method::GET, &format!("/api/v1/keys?{query}"), None).await;
        assert_eq!(answer.refused(), [fields]);
    }
    office.close().await;
}

#[actix_web::test]
async fn a_tenant_in_a_body_must_be_the_callers_own() {
    let office = Office::open().await;
    let own = office.management.tenant_by_slug("acme").await.unwrap().unwrap().id.to_string();
    let bodies = |tenant: &str| {
        [
            ("/api/v1/keys", json!({ "tenant_id": tenant, "name": tenant })),
            (
                "/api/v1/quotas",
                json!({ "tenant_id": tenant, "scope": "model", "scope_id": tenant, "window": "day", "limit_requests": 1 }),
            ),
            (
                "/api/v1/prices",
                json!({ "tenant_id": tenant, "model": tenant, "input_micros": 1, "output_micros": 1 }),
            ),
            (
                "/api/v1/providers",
                json!({ "tenant_id": tenant, "provider_id": tenant, "name": "P", "api_base": "https://models.example/v1" }),
            ),
            (
                "/api/v1/channels",
                json!({ "tenant_id": tenant, "name": tenant, "provider_id": "openai", "credentials": { "api_key": "sk-x" } }),
            ),
        ]
    };
    for foreign in ["globex", "nobody", "tenant-123"] {
        for (path, body) in bodies(foreign) {
            office.ask(Method::POST, path, Some(body)).await.error(403, "TENANT_MISMATCH");
        }
    }
    for named in ["acme", own.as_str()] {
        for (path, body) in bodies(named) {
            let made = office.ask(Method::POST, path, Some(body)).await.data(201);
            let Some(id) = made["id"].as_str().filter(|_| path != "/api/v1/prices") else { continue };
            let one = format!("{path}/{id}");
            let patch = |tenant: &str| Some(json!({ "tenant_id": tenant }));
            office.ask(Method::PATCH, &one, patch("globex")).await.error(403, "TENANT_MISMATCH");
            office.ask(Method::PATCH, &one, patch(named)).await.data(200);
        }
    }
    office.close().await;
}
