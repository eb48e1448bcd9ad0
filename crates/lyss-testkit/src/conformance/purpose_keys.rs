//! The system's wrapped keys.

use lyss_repositories::{PurposeKey, Store};

use super::{assert_stale, begin, commit, read};
use crate::database::TestDatabase;
use crate::samples::*;

pub async fn are_created_once(db: &TestDatabase) {
    let mut work = begin(db).await;
    let first = purpose_key("audit-chain", 1);
    assert_eq!(work.purpose_keys().create_if_absent(&first).await.unwrap(), first);
    let second = purpose_key("audit-chain", 2);
    assert_eq!(work.purpose_keys().create_if_absent(&second).await.unwrap(), first);
    let other = purpose_key("api-key-hmac", 3);
    work.purpose_keys().create_if_absent(&other).await.unwrap();
    commit(work).await;
    assert_eq!(read(db).await.purpose_keys().list().await.unwrap(), [other, first]);
}

/// Replicas that start at once must all use the same key.
pub async fn are_the_same_for_all_who_race(db: &TestDatabase) {
    let mut racers = tokio::task::JoinSet::new();
    for fill in 0..8 {
        let store = db.store.clone();
        racers.spawn(async move {
            let mut work = store.begin().await.unwrap();
            let stored = work.purpose_keys().create_if_absent(&purpose_key("p", fill)).await.unwrap();
            work.commit(None).await.unwrap();
            stored
        });
    }
    let seen = racers.join_all().await;
    let stored = read(db).await.purpose_keys().list().await.unwrap();
    assert_eq!(stored.len(), 1);
    assert!(seen.iter().all(|key| *key == stored[0]), "{seen:?}");
}

pub async fn are_rewrapped(db: &TestDatabase) {
    let rewrapped =
        PurposeKey { master_key_id: "master-2".to_owned(), wrapped: vec![9; 61], ..purpose_key("cursor", 1) };
    let mut work = begin(db).await;
    work.purpose_keys().create_if_absent(&purpose_key("cursor", 1)).await.unwrap();
    work.purpose_keys().rewrap(&rewrapped).await.unwrap();
    assert_eq!(work.purpose_keys().list().await.unwrap(), [rewrapped]);
    assert_stale(work.purpose_keys().rewrap(&purpose_key("none", 1)).await);
}
