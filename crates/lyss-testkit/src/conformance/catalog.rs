//! What the catalog loads, and how it hears of changes.

use std::time::Duration;

use lyss_domain::{Channel, PolicyScope};
use lyss_repositories::{CatalogSource, ChangeFeed, Store, StoreError};
use tokio::time::timeout;

use super::{begin, commit, with_two_tenants};
use crate::database::TestDatabase;
use crate::samples::*;

/// A ceiling for what must happen, not a measure of how fast.
const SOON: Duration = Duration::from_secs(20);

pub async fn loads_everything(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    let scope = scope(1);
    work.providers().create(&scope, &provider(1, "mine")).await.unwrap();
    work.channels().create(&scope, &channel(1, 1)).await.unwrap();
    work.credentials().put(&scope, &credential(1, 1)).await.unwrap();
    work.tenant_keys().create(&scope, &wrapped_key(1, 1, "master-1")).await.unwrap();
    work.keys().create(&scope, &virtual_key(1, 1)).await.unwrap();
    work.policies().create(&scope, &policy(1, 1, PolicyScope::Tenant)).await.unwrap();
    work.prices().create(&scope, &price(1, 1, "gpt-4o", 0)).await.unwrap();
    let generation = commit(work).await;

    let rows = db.store.load().await.unwrap();
    assert_eq!(rows.generation, generation);
    assert_eq!(rows.tenants, [tenant(1), tenant(2)]);
    assert_eq!(rows.providers, [provider(1, "mine")]);
    assert_eq!(rows.channels, [channel(1, 1)]);
    assert_eq!(rows.credentials, [credential(1, 1)]);
    assert_eq!(rows.tenant_keys, [wrapped_key(1, 1, "master-1")]);
    assert_eq!(rows.keys, [virtual_key(1, 1)]);
    assert_eq!(rows.policies, [policy(1, 1, PolicyScope::Tenant)]);
    assert_eq!(rows.prices, [price(1, 1, "gpt-4o", 0)]);
}

pub async fn has_a_generation_that_grows_with_changes_alone(db: &TestDatabase) {
    assert_eq!(db.store.generation().await.unwrap(), 0);
    let mut work = begin(db).await;
    work.tenants().create(&tenant(1)).await.unwrap();
    assert_eq!(commit(work).await, 1);

    let mut work = begin(db).await;
    work.audit().append(&scope(1), &audit_entry(1, 1)).await.unwrap();
    assert_eq!(work.commit(None).await.unwrap(), 1);
    let mut abandoned = begin(db).await;
    abandoned.tenants().create(&tenant(2)).await.unwrap();
    drop(abandoned);
    assert_eq!(db.store.generation().await.unwrap(), 1);
    assert_eq!(commit(begin(db).await).await, 2);
    assert_eq!(db.store.generation().await.unwrap(), 2);
}

/// Writers add one channel per generation; whoever loads must find exactly as many channels as generations.
pub async fn is_consistent_beside_writers(db: &TestDatabase) {
    const WRITERS: u64 = 32;
    const EACH: u64 = 8;
    let mut work = begin(db).await;
    work.tenants().create(&tenant(1)).await.unwrap();
    work.commit(None).await.unwrap();

    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = db.store.clone();
        writers.spawn(async move {
            for number in 0..EACH {
                let mut work = store.begin().await?;
                work.channels().create(&scope(1), &channel(1, writer * EACH + number)).await?;
                work.commit(Some(at(number))).await?;
            }
            Ok::<(), StoreError>(())
        });
    }
    let mut loads = 0;
    let mut failures = Vec::new();
    while !writers.is_empty() {
        let rows = db.store.load().await.unwrap();
        assert_eq!(i64::try_from(rows.channels.len()).unwrap(), rows.generation);
        loads += 1;
        while let Some(done) = writers.try_join_next() {
            failures.extend(done.unwrap().err());
        }
        tokio::task::yield_now().await;
    }
    assert!(failures.is_empty(), "{failures:?}");
    assert!(loads > 0);
    let rows = db.store.load().await.unwrap();
    assert_eq!(rows.generation, i64::try_from(WRITERS * EACH).unwrap());
    let newest = Channel { version: 1, ..channel(1, WRITERS * EACH - 1) };
    assert!(rows.channels.contains(&newest));
}

pub async fn hears_of_a_commit(db: &TestDatabase) {
    let mut here = db.store.listen().await.unwrap();
    let mut there = db.store.listen().await.unwrap();
    let generation = commit(begin(db).await).await;
    timeout(SOON, here.changed()).await.expect("a hint comes").unwrap();
    timeout(SOON, there.changed()).await.expect("a hint comes to each").unwrap();
    assert_eq!(db.store.generation().await.unwrap(), generation);
    // And of the next one.
    commit(begin(db).await).await;
    timeout(SOON, here.changed()).await.expect("another hint comes").unwrap();
}

/// PostgreSQL: replicas hear each other, and a listener that was cut off says so instead of hearing nothing for ever.
pub async fn hears_other_replicas_and_its_own_deafness(db: &TestDatabase) {
    if !db.is_postgres() {
        return;
    }
    let other = db.another().await;
    let mut listener = other.listen().await.unwrap();
    commit(begin(db).await).await;
    timeout(SOON, listener.changed()).await.expect("a hint comes").unwrap();

    db.cut_connections().await;
    let deaf = timeout(SOON, listener.changed()).await.expect("the loss is noticed");
    assert!(matches!(deaf, Err(StoreError::Unavailable(_))), "{deaf:?}");
    let mut listener = other.listen().await.unwrap();
    // Connections of the pool that were cut are each found out once; then all is well again.
    let mut attempts = 0;
    while db.store.begin().await.is_err() {
        attempts += 1;
        assert!(attempts <= 8, "the store does not recover");
    }
    commit(begin(db).await).await;
    timeout(SOON, listener.changed()).await.expect("a hint comes again").unwrap();
    other.close().await.unwrap();
}
