//! The audit log.

use lyss_domain::{AuditEntry, AuditOutcome};
use lyss_repositories::{Store, StoreError};

use super::{assert_conflict, assert_reference, begin, commit, read, with_two_tenants};
use crate::database::TestDatabase;
use crate::samples::*;

pub async fn is_appended_and_read_in_order(db: &TestDatabase) {
    let second = AuditEntry { outcome: AuditOutcome::Denied, address: None, ..audit_entry(1, 2) };
    let mut work = begin(db).await;
    assert_eq!(work.audit().last(&scope(1)).await.unwrap(), None);
    work.audit().append(&scope(1), &audit_entry(1, 1)).await.unwrap();
    work.audit().append(&scope(1), &second).await.unwrap();
    work.audit().append(&scope(1), &audit_entry(1, 3)).await.unwrap();
    work.audit().append(&scope(2), &audit_entry(2, 1)).await.unwrap();
    commit(work).await;

    let mut work = read(db).await;
    assert_eq!(work.audit().last(&scope(1)).await.unwrap(), Some(audit_entry(1, 3)));
    assert_eq!(work.audit().last(&scope(2)).await.unwrap(), Some(audit_entry(2, 1)));
    assert_eq!(work.audit().from(&scope(1), 1, 2).await.unwrap(), [audit_entry(1, 1), second]);
    assert_eq!(work.audit().from(&scope(1), 3, 10).await.unwrap(), [audit_entry(1, 3)]);
    assert_eq!(work.audit().from(&scope(1), 4, 10).await.unwrap(), []);
}

pub async fn never_has_a_number_twice(db: &TestDatabase) {
    let mut work = begin(db).await;
    work.audit().append(&scope(1), &audit_entry(1, 1)).await.unwrap();
    commit(work).await;
    let forged = AuditEntry { id: audit_entry(1, 9).id, ..audit_entry(1, 1) };
    assert_conflict(begin(db).await.audit().append(&scope(1), &forged).await, "sequence");
    assert_reference(begin(db).await.audit().append(&scope(2), &audit_entry(1, 2)).await, "tenant");
}

/// Who read the last entry holds the chain until it is done, so that nobody builds on the same predecessor.
pub async fn is_one_chain_however_many_append(db: &TestDatabase) {
    with_two_tenants(db).await;
    const TASKS: i64 = 8;
    const EACH: i64 = 5;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..TASKS {
        let store = db.store.clone();
        tasks.spawn(async move {
            for _ in 0..EACH {
                let mut work = store.begin().await?;
                let last = work.audit().last(&scope(1)).await?.map_or(0, |entry| entry.sequence);
                tokio::task::yield_now().await;
                work.audit().append(&scope(1), &audit_entry(1, last + 1)).await?;
                work.commit(None).await?;
            }
            Ok::<(), StoreError>(())
        });
    }
    for done in tasks.join_all().await {
        done.unwrap();
    }
    let chain = read(db).await.audit().from(&scope(1), 1, 1_000).await.unwrap();
    let numbers: Vec<i64> = chain.iter().map(|entry| entry.sequence).collect();
    assert_eq!(numbers, (1..=TASKS * EACH).collect::<Vec<_>>());
}
