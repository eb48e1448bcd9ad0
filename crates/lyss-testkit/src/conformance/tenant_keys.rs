//! Tenants' wrapped data keys.

use lyss_repositories::WrappedKey;

use super::{assert_conflict, assert_reference, assert_stale, begin, commit, read, with_two_tenants};
use crate::database::TestDatabase;
use crate::samples::*;

pub async fn are_listed_by_version(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    for version in [2, 1, 3] {
        work.tenant_keys().create(&scope(1), &wrapped_key(1, version, "master-1")).await.unwrap();
    }
    commit(work).await;
    let stored = read(db).await.tenant_keys().list(&scope(1)).await.unwrap();
    assert_eq!(stored, [1, 2, 3].map(|version| wrapped_key(1, version, "master-1")));
    assert_eq!(read(db).await.tenant_keys().list(&scope(2)).await.unwrap(), []);
    let again = wrapped_key(1, 2, "master-2");
    assert_conflict(begin(db).await.tenant_keys().create(&scope(1), &again).await, "version");
    assert_reference(begin(db).await.tenant_keys().create(&scope(2), &again).await, "tenant");
}

pub async fn are_rewrapped_until_none_is_left(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    for (tenant, version) in [(1, 1), (1, 2), (2, 1)] {
        let key = wrapped_key(tenant, version, "old");
        work.tenant_keys().create(&scope(tenant), &key).await.unwrap();
    }
    work.tenant_keys().create(&scope(2), &wrapped_key(2, 2, "new")).await.unwrap();
    assert_eq!(
        work.tenant_keys().count_by_master_key().await.unwrap(),
        [("new".to_owned(), 1), ("old".to_owned(), 3)]
    );

    let mut rounds = 0;
    loop {
        let batch = work.tenant_keys().not_under("new", 2).await.unwrap();
        if batch.is_empty() {
            break;
        }
        rounds += 1;
        for key in batch {
            let rewrapped = WrappedKey { master_key_id: "new".to_owned(), wrapped: vec![8; 61], ..key };
            work.tenant_keys().rewrap(&rewrapped).await.unwrap();
        }
    }
    assert_eq!(rounds, 2);
    assert_eq!(work.tenant_keys().count_by_master_key().await.unwrap(), [("new".to_owned(), 4)]);
    let stored = work.tenant_keys().list(&scope(1)).await.unwrap();
    assert!(stored.iter().all(|key| key.wrapped == [8; 61]));

    assert_stale(work.tenant_keys().rewrap(&wrapped_key(1, 9, "new")).await);
}
