//! The audit log.

use lyss_domain::{AuditEntry, AuditOutcome, TenantId, TenantScope};
use lyss_repositories::{AuditSource, Store};
use sea_orm::ConnectionTrait;

use super::{assert_conflict, assert_reference, begin, commit, page, read, with_two_tenants};
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

/// Who read the last entry holds the chain until it is done, also while there is none yet, so that nobody builds on the
/// same predecessor: not in this process, and not in another replica.
pub async fn is_one_chain_however_many_append(db: &TestDatabase) {
    let other = db.another().await;
    for scope in [scope(1), TenantScope::grant(TenantId::NONE)] {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..40 {
            let store = if number % 2 == 0 { db.store.clone() } else { other.clone() };
            tasks.spawn(async move {
                let mut work = store.begin().await?;
                let last = work.audit().last(&scope).await?.map_or(0, |entry| entry.sequence);
                tokio::task::yield_now().await;
                let entry = AuditEntry { tenant: scope.tenant(), ..audit_entry(1, last + 1) };
                work.audit().append(&scope, &entry).await?;
                work.commit(None).await
            });
        }
        for done in tasks.join_all().await {
            done.unwrap();
        }
        let chain = read(db).await.audit().from(&scope, 1, 1_000).await.unwrap();
        let numbers: Vec<i64> = chain.iter().map(|entry| entry.sequence).collect();
        assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    }
    other.close().await.unwrap();
}

/// A failed login concerns no tenant, and a tenant's entries stay when it goes.
pub async fn has_chains_of_whoever_is_concerned(db: &TestDatabase) {
    assert_eq!(db.store.tenants_with_entries().await.unwrap(), []);
    with_two_tenants(db).await;
    let nobody = TenantScope::grant(TenantId::NONE);
    let login = AuditEntry { tenant: TenantId::NONE, outcome: AuditOutcome::Failed, ..audit_entry(1, 1) };
    let mut work = begin(db).await;
    work.audit().append(&nobody, &login).await.unwrap();
    for sequence in 1..=2 {
        work.audit().append(&scope(2), &audit_entry(2, sequence)).await.unwrap();
    }
    work.tenants().delete(tenant_id(2)).await.unwrap();
    commit(work).await;

    assert_eq!(db.store.tenants_with_entries().await.unwrap(), [TenantId::NONE, tenant_id(2)]);
    let mut work = read(db).await;
    assert_eq!(work.audit().last(&nobody).await.unwrap(), Some(login.clone()));
    assert_eq!(work.audit().list(&nobody, &page(1, 50)).await.unwrap().items, [login]);
    assert_eq!(work.audit().list(&scope(1), &page(1, 50)).await.unwrap().total, 0);
}

/// Nobody changes or deletes an entry who does not first change the schema.
pub async fn is_only_appended_to(db: &TestDatabase) {
    let mut work = begin(db).await;
    work.audit().append(&scope(1), &audit_entry(1, 1)).await.unwrap();
    commit(work).await;
    let update = "UPDATE audit_entries SET actor = 'nobody'";
    for refused in
        [update, "DELETE FROM audit_entries", "TRUNCATE audit_entries", "TRUNCATE audit_entries CASCADE"]
    {
        let done = db.store.connection().execute_unprepared(refused).await;
        // SQLite knows no TRUNCATE at all.
        assert!(done.is_err(), "{refused}");
    }
    assert_eq!(read(db).await.audit().from(&scope(1), 1, 9).await.unwrap(), [audit_entry(1, 1)]);

    db.tamper(update).await;
    let stored = read(db).await.audit().last(&scope(1)).await.unwrap().unwrap();
    assert_eq!(stored.actor, "nobody");
}
