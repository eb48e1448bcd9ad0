use actix_web::http::Method;
use actix_web::test::TestRequest;

use super::*;
use crate::manage::tests::office::Office;

const CONSOLE: &str = "https://console.example";

async fn office(origins: &[&str]) -> Office {
    let origins: Vec<_> = origins.iter().map(|origin| (*origin).to_owned()).collect();
    let mut office = Office::open().await;
    office.origins = AllowedOrigins::new(&origins).unwrap();
    office
}

fn get(origin: &str) -> TestRequest {
    TestRequest::with_uri("/health/live").insert_header(("origin", origin))
}

fn preflight(origin: &str) -> TestRequest {
    let request = TestRequest::with_uri("/api/v1/keys").method(Method::OPTIONS);
    request.insert_header(("origin", origin)).insert_header(("access-control-request-method", "POST"))
}

#[actix_web::test]
async fn nothing_is_said_where_no_origin_is_named() {
    let office = office(&[]).await;
    let answer = office.send(get(CONSOLE)).await;
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
    assert_eq!(answer.header("vary"), None);
    assert_eq!(office.send(preflight(CONSOLE)).await.status, 405);
    office.close().await;
}

#[actix_web::test]
async fn an_origin_is_allowed_exactly_or_not_at_all() {
    let office = office(&[CONSOLE, "http://localhost:3000"]).await;
    for origin in [CONSOLE, "http://localhost:3000"] {
        for request in [get(origin), preflight(origin)] {
            let answer = office.send(request).await;
            assert!(answer.status.is_success());
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            assert_eq!(answer.header("vary"), Some("Origin"));
            assert_eq!(answer.header("access-control-allow-credentials"), None);
        }
    }
    let answer = office.send(preflight(CONSOLE)).await;
    for header in ["Authorization", "Idempotency-Key", "If-Match", "X-Tenant-Id"] {
        assert!(answer.header("access-control-allow-headers").unwrap().contains(header), "{header}");
    }
    for origin in [
        "null",
        "*",
        "",
        "https://console.example.evil.com",
        "https://evil-console.example",
        "https://a.console.example",
        "http://console.example",
        "https://console.example:8443",
        "https://console.example/",
        "https://Console.example",
        "https://console.example, https://evil.com",
        "http://localhost",
        "http://localhost:30000",
    ] {
        for request in [get(origin), preflight(origin)] {
            let answer = office.send(request).await;
            assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
            assert_eq!(answer.header("vary"), Some("Origin"), "{origin}");
        }
        assert_eq!(office.send(preflight(origin)).await.status, 405, "{origin}");
    }
    office.close().await;
}

#[test]
fn a_setting_that_is_no_origin_is_met_at_the_start() {
    for bad in ["*", "null", "", "console.example", "https://", "https://a/b", "ftp://a", "https://A.example"]
    {
        assert_eq!(AllowedOrigins::new(&[bad.to_owned()]).unwrap_err(), BadOrigin(bad.to_owned()));
    }
}
