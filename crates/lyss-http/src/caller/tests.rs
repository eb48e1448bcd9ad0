use actix_web::test::TestRequest;
use lyss_domain::{KeyScope, Role};
use lyss_management::{Acting, KeyDraft};

use super::*;
use crate::manage::tests::office::Office;

/// Whom the door lets call models.
async fn admit(office: &Office, request: TestRequest) -> Result<Admittee, Fault> {
    let catalog = office.management.catalog.load();
    let table = RouteTable::build(catalog, &office.management.vault, &Default::default(), Default::default());
    office.door.admit(&request.to_http_request(), &table, &office.clock).await
}

fn kind(admitted: Result<Admittee, Fault>) -> FaultKind {
    admitted.map(|_| ()).unwrap_err().kind
}

#[actix_web::test]
async fn a_tokens_holder_calls_models_where_its_role_may() {
    let office = Office::open().await;
    let by =
        |role, tenant| TestRequest::default().insert_header(("authorization", office.token(role, tenant)));
    let admitted = admit(&office, by(Role::Developer, Some("acme"))).await.ok().unwrap();
    assert_eq!(admitted.caller.tenant(), office.scope("acme").await.tenant());
    assert_eq!(admitted.key.id, admitted.caller.key());
    assert_eq!(kind(admit(&office, by(Role::Viewer, Some("acme"))).await), FaultKind::Forbidden);
    assert_eq!(kind(admit(&office, by(Role::PlatformAdmin, None)).await), FaultKind::Forbidden);
    let named = |tenant| by(Role::PlatformAdmin, None).insert_header(("x-tenant-id", tenant));
    let admitted = admit(&office, named("globex")).await.ok().unwrap();
    assert_eq!(admitted.caller.tenant(), office.scope("globex").await.tenant());
    assert_eq!(kind(admit(&office, named("nobody")).await), FaultKind::Forbidden);
    let foreign = by(Role::Developer, Some("acme")).insert_header(("x-tenant-id", "globex"));
    assert_eq!(kind(admit(&office, foreign).await), FaultKind::Forbidden);
    let late = by(Role::Developer, Some("acme"));
    office.clock.advance(std::time::Duration::from_secs(3_601));
    assert_eq!(kind(admit(&office, late).await), FaultKind::Unauthenticated);
    office.close().await;
}

#[actix_web::test]
#[expect(clippy::disallowed_methods, reason = "a test presents the key it made")]
async fn a_key_calls_by_its_scopes_and_a_rotated_one_for_a_while() {
    let office = Office::open().await;
    let scope = office.scope("acme").await;
    let acting = Acting::system(scope, "system:test");
    let made = office.management.create_key(&acting, KeyDraft::new("app")).await.unwrap();
    let draft = KeyDraft { scopes: vec![KeyScope::ManagementRead], ..KeyDraft::new("reader") };
    let reader = office.management.create_key(&acting, draft).await.unwrap();
    let with =
        |text: &lyss_domain::Secret| TestRequest::default().insert_header(("x-api-key", text.expose()));
    assert_eq!(admit(&office, with(&made.text)).await.ok().unwrap().key.id, made.key.id);
    assert_eq!(kind(admit(&office, with(&reader.text)).await), FaultKind::Forbidden);
    let hour = std::time::Duration::from_secs(3_600);
    let rotated = office.management.rotate_key(&acting, made.key.id, hour).await.unwrap();
    for text in [&made.text, &rotated.text] {
        assert!(admit(&office, with(text)).await.is_ok());
    }
    office.clock.advance(hour);
    assert_eq!(kind(admit(&office, with(&made.text)).await), FaultKind::Unauthenticated);
    assert!(admit(&office, with(&rotated.text)).await.is_ok());
    assert_eq!(kind(admit(&office, TestRequest::default()).await), FaultKind::Unauthenticated);
    office.close().await;
}
