//! Who gets how far, and what they learn on the way.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use lyss_domain::Role;
use lyss_management::{AuditFilter, Listing};
use serde_json::json;

use super::office::Office;
use crate::table::{Access, table};

/// A path of the table with something at its parameters.
fn concrete(path: &str) -> String {
    path.replace("{id}", "00000000-0000-7000-8000-000000000000")
}

#[actix_web::test]
async fn nobody_gets_anywhere_without_a_credential_and_learns_nothing_of_bodies() {
    let office = Office::open().await;
    for entry in table() {
        let Access::Permission(_) = entry.access else { continue };
        let place = format!("{} {}", entry.method, entry.path);
        let bare = TestRequest::with_uri(&concrete(entry.path)).method(entry.method.clone());
        let answer = office.send(bare.set_payload("not json")).await;
        answer.error(401, "UNAUTHENTICATED");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{place}");
        let wrong = TestRequest::with_uri(&concrete(entry.path)).method(entry.method);
        let wrong = wrong.insert_header(("authorization", "Bearer a.b.c"));
        office.send(wrong).await.error(401, "UNAUTHENTICATED");
    }
    office.close().await;
}

/// A viewer sends what would be refused for five other reasons.
#[actix_web::test]
async fn a_permission_is_asked_for_before_the_tenant_and_the_body() {
    let office = Office::open().await;
    for entry in table() {
        let Access::Permission(permission) = entry.access else { continue };
        if lyss_auth::permission::of_role(Role::Viewer).has(permission) {
            continue;
        }
        let request = office.by(Role::Viewer, entry.method, &concrete(entry.path), None);
        let request = request.insert_header(("x-tenant-id", "nobody")).insert_header(("if-match", "x"));
        let error = office.send(request.set_payload("not json")).await.error(403, "FORBIDDEN");
        assert!(error["message"].as_str().unwrap().contains(permission.as_str()), "{error}");
    }
    office.close().await;
}

#[actix_web::test]
async fn the_tenant_comes_from_the_credential_or_a_platform_administrators_header() {
    let office = Office::open().await;
    let path = "/api/v1/keys";
    let by = |role, tenant: Option<&str>| {
        let request = office.by(role, Method::GET, path, None);
        match tenant {
            Some(tenant) => request.insert_header(("x-tenant-id", tenant)),
            None => request,
        }
    };
    let globex = office.management.tenant_by_slug("globex").await.unwrap().unwrap().id.to_string();
    for own in [None, Some("acme")] {
        office.send(by(Role::TenantAdmin, own)).await.data(200);
    }
    // A foreign tenant and one that never was are told alike.
    let foreign = office.send(by(Role::TenantAdmin, Some("globex"))).await.error(403, "TENANT_MISMATCH");
    let nobody = office.send(by(Role::TenantAdmin, Some("nobody"))).await.error(403, "TENANT_MISMATCH");
    assert_eq!(foreign, nobody);
    office.send(by(Role::PlatformAdmin, None)).await.error(400, "TENANT_REQUIRED");
    office.send(by(Role::PlatformAdmin, Some("nobody"))).await.error(404, "TENANT_NOT_FOUND");
    for named in ["globex", globex.as_str()] {
        office.send(by(Role::PlatformAdmin, Some(named))).await.data(200);
    }

    // A tenant that is not active is closed to its own.
    let path = format!("/api/v1/tenants/{globex}");
    let body = Some(json!({ "enabled": false }));
    office.send(office.by(Role::PlatformAdmin, Method::PATCH, &path, body)).await.data(200);
    let token = office.token(Role::TenantAdmin, Some("globex"));
    let own = TestRequest::with_uri("/api/v1/keys").insert_header(("authorization", token));
    office.send(own).await.error(403, "FORBIDDEN");
    office.send(by(Role::PlatformAdmin, Some("globex"))).await.data(200);
    office.close().await;
}

#[actix_web::test]
async fn a_token_expires_and_says_so() {
    let office = Office::open().await;
    let request = office.by(Role::Viewer, Method::GET, "/api/v1/keys", None);
    office.clock.advance(std::time::Duration::from_secs(3_601));
    office.send(request).await.error(401, "TOKEN_EXPIRED");
    office.close().await;
}

#[actix_web::test]
async fn a_virtual_key_manages_within_its_scopes_and_gives_away_no_more() {
    let office = Office::open().await;
    let make = |name: &str, scopes: serde_json::Value| json!({ "name": name, "scopes": scopes });
    let path = "/api/v1/keys";
    let made = office.ask(Method::POST, path, Some(make("reader", json!(["management:read"])))).await;
    let reader = format!("Bearer {}", made.data(201)["key"].as_str().unwrap());
    let made = office.ask(Method::POST, path, Some(make("caller", json!(["proxy"])))).await;
    let caller = format!("Bearer {}", made.data(201)["key"].as_str().unwrap());
    let by = |key: &str, method| {
        TestRequest::with_uri(path).method(method).insert_header(("authorization", key.to_owned()))
    };
    office.send(by(&reader, Method::GET)).await.data(200);
    office.send(by(&caller, Method::GET)).await.error(403, "FORBIDDEN");
    office.send(by(&reader, Method::POST)).await.error(403, "FORBIDDEN");
    // In any header that carries keys.
    let plain = reader.trim_start_matches("Bearer ").to_owned();
    office.send(TestRequest::with_uri(path).insert_header(("x-api-key", plain))).await.data(200);
    // A developer may make keys, but none that manages.
    let wide = make("wide", json!(["management:write"]));
    let answer = office.send(office.by(Role::Developer, Method::POST, path, Some(wide))).await;
    answer.error(403, "GRANT_EXCEEDS");
    office.close().await;
}

#[actix_web::test]
async fn refusals_are_in_the_audit_log() {
    let office = Office::open().await;
    let peer = "203.0.113.9:4711".parse().unwrap();
    office.send(TestRequest::with_uri("/api/v1/keys").peer_addr(peer)).await.error(401, "UNAUTHENTICATED");
    let denied = office.by(Role::Viewer, Method::POST, "/api/v1/keys", Some(json!({}))).peer_addr(peer);
    office.send(denied).await.error(403, "FORBIDDEN");
    let scope = office.by(Role::PlatformAdmin, Method::GET, "/api/v1/platform/audit?action=login", None);
    for _ in 0..200 {
        let listing = Listing::<AuditFilter, _>::default();
        if office.management.list_platform_audit(&listing).await.unwrap().total > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let logins = office.send(scope).await.data(200);
    assert_eq!(logins["items"][0]["detail"]["code"], "missing", "{logins}");
    assert_eq!(logins["items"][0]["address"], "203.0.113.9");
    let mut denials = json!(null);
    for _ in 0..200 {
        denials = office.ask(Method::GET, "/api/v1/audit?outcome=denied", None).await.data(200);
        if denials["total"] != 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let entry = &denials["items"][0];
    assert_eq!(
        (&entry["actor"], &entry["action"], &entry["target"]),
        (&json!("viewer"), &json!("keys:write"), &json!("POST /api/v1/keys")),
    );
    // A tenant's administrator reads its own chain, and not the platform's.
    office.ask(Method::GET, "/api/v1/platform/audit", None).await.error(403, "FORBIDDEN");
    let verdict = office.ask(Method::GET, "/api/v1/audit/verify", None).await.data(200);
    assert_eq!(verdict["intact"], true, "{verdict}");
    office.close().await;
}

#[actix_web::test]
async fn a_known_path_knows_its_methods_and_an_unknown_one_is_not_there() {
    let office = Office::open().await;
    let answer = office.send(TestRequest::with_uri("/api/v1/keys").method(Method::PUT)).await;
    answer.error(405, "METHOD_NOT_ALLOWED");
    assert_eq!(answer.header("allow"), Some("GET, POST"));
    let answer = office.send(TestRequest::with_uri("/health/live").method(Method::POST)).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("GET")));
    for path in ["/api/v1/nothing", "/api/v1/keys/", "/api/v1", "/nothing"] {
        office.send(TestRequest::with_uri(path)).await.error(404, "NOT_FOUND");
    }
    office.close().await;
}

/// What was authorised is what was matched: neither a host nor an absolute address moves it.
#[actix_web::test]
async fn a_host_header_decides_nothing() {
    let office = Office::open().await;
    for host in ["evil.example", "localhost:1/api/v1/tenants", "/health"] {
        let request = office.by(Role::Viewer, Method::GET, "/api/v1/tenants", None);
        let request = request.insert_header(("host", host)).insert_header(("x-forwarded-host", host));
        office.send(request.insert_header(("x-original-url", "/health"))).await.error(403, "FORBIDDEN");
    }
    office.close().await;
}

/// Unknown is not invalid: whoever proved themselves is told to come back.
#[actix_web::test]
async fn a_database_that_is_away_is_no_reason_to_doubt_anybody() {
    let office = Office::open().await;
    let made =
        office.ask(Method::POST, "/api/v1/keys", Some(json!({ "name": "k", "scopes": ["management:read"] })));
    let key = format!("Bearer {}", made.await.data(201)["key"].as_str().unwrap());
    office.database.store.close().await.unwrap();
    for entry in table() {
        let Access::Permission(_) = entry.access else { continue };
        if entry.method != Method::GET || entry.path.contains('{') || entry.path.contains("tenants") {
            continue;
        }
        let request = TestRequest::with_uri(entry.path);
        let by_key = office.send(request.insert_header(("authorization", key.as_str()))).await;
        let by_token = office.ask(Method::GET, entry.path, None).await;
        for answer in [by_key, by_token] {
            if answer.status == 403 {
                continue;
            }
            answer.error(503, "UNAVAILABLE");
            assert!(answer.header("retry-after").is_some());
        }
    }
    office.close().await;
}
