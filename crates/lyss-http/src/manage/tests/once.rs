//! `Idempotency-Key`.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use lyss_domain::Role;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

use super::office::Office;

fn keyed(office: &Office, key: &str, name: &str) -> TestRequest {
    let request = office.by(Role::TenantAdmin, Method::POST, "/api/v1/keys", Some(json!({ "name": name })));
    request.insert_header(("idempotency-key", key))
}

#[actix_web::test]
async fn a_repeated_request_is_answered_as_the_first_time_and_its_answer_rests_sealed() {
    let office = Office::open().await;
    let first = office.send(keyed(&office, "k-1", "billing")).await;
    let again = office.send(keyed(&office, "k-1", "billing")).await;
    assert_eq!(first.data(201), again.data(201), "the key's text too");
    assert_eq!(
        (first.header("idempotent-replayed"), again.header("idempotent-replayed")),
        (None, Some("true"))
    );
    for header in ["location", "etag"] {
        assert!(first.header(header).is_some());
        assert_eq!(first.header(header), again.header(header));
    }
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
    assert_eq!(office.ask(Method::GET, "/api/v1/keys", None).await.data(200)["total"], 1);

    office.send(keyed(&office, "k-1", "other")).await.error(409, "IDEMPOTENCY_CONFLICT");
    let key = first.data(201)["key"].as_str().unwrap().to_owned();
    let connection = office.database.store.connection();
    let select = "SELECT body FROM idempotency_records";
    let rows = connection.query_all_raw(Statement::from_string(connection.get_database_backend(), select));
    let rows = rows.await.unwrap();
    assert_eq!(rows.len(), 1);
    let body: Vec<u8> = rows[0].try_get("", "body").unwrap();
    let body = String::from_utf8_lossy(&body);
    assert!(!body.contains(&key) && !body.contains("billing"), "{body}");
    office.close().await;
}

#[actix_web::test]
async fn a_request_that_failed_gives_its_key_back() {
    let office = Office::open().await;
    office.send(keyed(&office, "k-1", " ")).await.error(422, "VALIDATION_FAILED");
    office.send(keyed(&office, "k-1", "good")).await.data(201);
    office.send(keyed(&office, "k-2", "good")).await.error(409, "CONFLICT");
    office.send(keyed(&office, "k-2", "better")).await.data(201);
    office.close().await;
}

#[actix_web::test]
async fn a_key_is_visible_ascii() {
    let office = Office::open().await;
    for bad in ["", "a b", "naïve", &"k".repeat(256)] {
        let answer = office.send(keyed(&office, bad, "x")).await;
        assert_eq!(answer.refused(), ["Idempotency-Key"], "{bad}");
    }
    office.close().await;
}

#[actix_web::test]
async fn a_tenant_is_made_once_too() {
    let office = Office::open().await;
    let request = || {
        let body = json!({ "slug": "initech", "name": "Initech" });
        let request = office.by(Role::PlatformAdmin, Method::POST, "/api/v1/tenants", Some(body));
        request.insert_header(("idempotency-key", "t-1"))
    };
    let first = office.send(request()).await.data(201);
    assert_eq!(office.send(request()).await.data(201), first);
    office.close().await;
}

/// The first request is taken by hand, as one that is still under way has it.
#[actix_web::test]
async fn a_request_under_way_is_waited_for() {
    let office = Office::open().await;
    let body = serde_json::to_vec(&json!({ "name": "billing" })).unwrap();
    let print = lyss_management::fingerprint(&[b"POST /api/v1/keys?", &body]);
    let scope = office.scope("acme").await;
    let principal = lyss_auth::Principal {
        name: "tenant_admin".to_owned(),
        credential: lyss_auth::Credential::Token(Role::TenantAdmin),
        permissions: lyss_auth::Permissions::NONE,
        home: Some(scope.tenant()),
    };
    office.management.claim_once(Some(&scope), &principal, "k-1", print).await.unwrap();
    let answer = office.send(keyed(&office, "k-1", "billing")).await;
    answer.error(409, "IDEMPOTENCY_IN_PROGRESS");
    assert_eq!(answer.header("retry-after"), Some("1"));
    office.clock.advance(std::time::Duration::from_secs(60));
    office.send(keyed(&office, "k-1", "billing")).await.data(201);
    office.close().await;
}
