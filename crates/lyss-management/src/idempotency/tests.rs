use lyss_domain::Role;
use sea_orm::{ConnectionTrait, Statement};

use super::*;
use crate::office::{CANARY, Office, refused};

#[tokio::test]
async fn a_request_is_done_once_and_its_answer_rests_sealed() {
    let office = Office::open().await;
    let (management, scope) = (&office.management, Some(&office.scope));
    let admin = office.principal(Role::TenantAdmin);
    let claim = async |print: u8| management.claim_once(scope, &admin, "k-1", [print; 32]).await.unwrap();
    let Once::Fresh(first) = claim(1).await else { panic!("it is new") };
    assert!(matches!(claim(1).await, Once::UnderWay));
    assert!(matches!(claim(2).await, Once::OtherRequest));
    management.release_once(first).await.unwrap();
    let Once::Fresh(first) = claim(1).await else { panic!("it was given back") };
    management.finish_once(first, 201, CANARY.as_bytes()).await.unwrap();
    let Once::Answered { status, body } = claim(1).await else { panic!("it was done") };
    assert_eq!((status, body), (201, CANARY.as_bytes().to_vec()));
    assert!(matches!(claim(2).await, Once::OtherRequest));
    // Another principal's key of the same text is another key.
    let viewer = office.principal(Role::Viewer);
    let theirs = management.claim_once(scope, &viewer, "k-1", [1; 32]).await.unwrap();
    assert!(matches!(theirs, Once::Fresh(_)));

    let connection = office.database.store.connection();
    let select =
        Statement::from_string(connection.get_database_backend(), "SELECT body FROM idempotency_records");
    for row in connection.query_all_raw(select).await.unwrap() {
        let body: Option<Vec<u8>> = row.try_get("", "body").unwrap();
        assert!(!String::from_utf8_lossy(&body.unwrap_or_default()).contains("canary"));
    }
    office.clock.advance(KEPT);
    assert!(matches!(claim(1).await, Once::Fresh(_)));
    assert!(management.sweep_once().await.unwrap() > 0);
    office.close().await;
}

#[tokio::test]
async fn a_key_is_short_and_visible_and_may_concern_no_tenant() {
    let office = Office::open().await;
    let admin = office.principal(Role::PlatformAdmin);
    for bad in ["", "a\nb", &"k".repeat(256)] {
        let claim = office.management.claim_once(None, &admin, bad, [0; 32]).await;
        assert_eq!(refused(claim), ["Idempotency-Key"]);
    }
    let claim = office.management.claim_once(None, &admin, "k", [0; 32]).await.unwrap();
    assert!(matches!(claim, Once::Fresh(_)));
    office.close().await;
}

#[tokio::test]
async fn a_request_whose_process_died_frees_its_key() {
    let office = Office::open().await;
    let admin = office.principal(Role::TenantAdmin);
    let claim =
        async || office.management.claim_once(Some(&office.scope), &admin, "k", [1; 32]).await.unwrap();
    assert!(matches!(claim().await, Once::Fresh(_)));
    office.clock.advance(UNDER_WAY - Duration::from_secs(1));
    assert!(matches!(claim().await, Once::UnderWay));
    office.clock.advance(Duration::from_secs(1));
    assert!(matches!(claim().await, Once::Fresh(_)));
    office.close().await;
}
