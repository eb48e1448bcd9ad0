//! Tenants.

use lyss_domain::{PolicyScope, Tenant, TenantSettings};
use lyss_repositories::{AttemptStore, CatalogSource, IdempotencyClaim};

use super::{assert_conflict, assert_reference, assert_stale, begin, commit, page, read, with_two_tenants};
use crate::database::TestDatabase;
use crate::samples::*;

pub async fn are_kept_whole(db: &TestDatabase) {
    let plain =
        Tenant { slug: "plain".to_owned(), settings: TenantSettings::default(), enabled: false, ..tenant(2) };
    let mut work = begin(db).await;
    work.tenants().create(&tenant(1)).await.unwrap();
    work.tenants().create(&plain).await.unwrap();
    commit(work).await;

    let mut work = read(db).await;
    assert_eq!(work.tenants().get(tenant_id(1)).await.unwrap(), Some(tenant(1)));
    assert_eq!(work.tenants().by_slug("plain").await.unwrap(), Some(plain));
    assert_eq!(work.tenants().get(tenant_id(3)).await.unwrap(), None);
    assert_eq!(work.tenants().by_slug("nobody").await.unwrap(), None);
}

pub async fn have_slugs_of_their_own(db: &TestDatabase) {
    with_two_tenants(db).await;
    let twin = Tenant { slug: tenant(1).slug, ..tenant(3) };
    assert_conflict(begin(db).await.tenants().create(&twin).await, "slug");
    let reborn = Tenant { slug: "other".to_owned(), ..tenant(1) };
    assert_conflict(begin(db).await.tenants().create(&reborn).await, "id");
    let renamed = Tenant { slug: tenant(1).slug, ..tenant(2) };
    assert_conflict(begin(db).await.tenants().update(&renamed, 1).await, "slug");
}

pub async fn are_listed_by_slug_in_pages(db: &TestDatabase) {
    let mut work = begin(db).await;
    // Bytewise: `-` before digits before letters before `_`, whatever the server's locale.
    let slugs = ["a_1", "a-1", "ab", "a1", "b"];
    for (number, slug) in (1..).zip(slugs) {
        let tenant = Tenant { slug: slug.to_owned(), ..tenant(number) };
        work.tenants().create(&tenant).await.unwrap();
    }
    commit(work).await;

    let mut work = read(db).await;
    let mut seen = Vec::new();
    for number in 1..=3 {
        let part = work.tenants().list(&page(number, 2)).await.unwrap();
        assert_eq!(part.total, 5);
        seen.extend(part.items.into_iter().map(|tenant| tenant.slug));
    }
    assert_eq!(seen, ["a-1", "a1", "a_1", "ab", "b"]);
    let beyond = work.tenants().list(&page(4, 2)).await.unwrap();
    assert_eq!((beyond.items.len(), beyond.total), (0, 5));
}

pub async fn change_only_at_the_version_read(db: &TestDatabase) {
    with_two_tenants(db).await;
    let renamed = Tenant { name: "New".to_owned(), updated_at: at(9), ..tenant(1) };
    let mut work = begin(db).await;
    work.tenants().update(&renamed, 1).await.unwrap();
    commit(work).await;

    assert_stale(begin(db).await.tenants().update(&renamed, 1).await);
    assert_stale(begin(db).await.tenants().update(&tenant(3), 1).await);
    let mut work = read(db).await;
    let stored = work.tenants().get(tenant_id(1)).await.unwrap();
    assert_eq!(stored, Some(Tenant { version: 2, ..renamed }));
    assert_eq!(work.tenants().get(tenant_id(2)).await.unwrap(), Some(tenant(2)));
}

pub async fn take_all_with_them_but_the_records(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    for number in [1, 2] {
        let scope = scope(number);
        work.providers().create(&scope, &provider(number, "mine")).await.unwrap();
        work.channels().create(&scope, &channel(number, number)).await.unwrap();
        work.credentials().put(&scope, &credential(number, number)).await.unwrap();
        work.tenant_keys().create(&scope, &wrapped_key(number, 1, "master-1")).await.unwrap();
        work.keys().create(&scope, &virtual_key(number, number)).await.unwrap();
        let about_key = policy(number, number, PolicyScope::Key(key_id(number)));
        work.policies().create(&scope, &about_key).await.unwrap();
        work.prices().create(&scope, &price(number, number, "gpt-4o", 0)).await.unwrap();
        work.audit().append(&scope, &audit_entry(number, 1)).await.unwrap();
        work.idempotency().claim(&scope, &idempotency_record(number, "k", 0)).await.unwrap();
    }
    commit(work).await;
    db.store.write(&[attempt(1, 1), attempt(2, 2)]).await.unwrap();

    let mut work = begin(db).await;
    assert!(work.tenants().delete(tenant_id(1)).await.unwrap());
    assert!(!work.tenants().delete(tenant_id(1)).await.unwrap());
    assert_eq!(work.audit().from(&scope(1), 1, 10).await.unwrap(), [audit_entry(1, 1)]);
    commit(work).await;

    let left = db.store.load().await.unwrap();
    assert_eq!(left.tenants, [tenant(2)]);
    assert_eq!(left.providers, [provider(2, "mine")]);
    assert_eq!(left.channels, [channel(2, 2)]);
    assert_eq!(left.credentials, [credential(2, 2)]);
    assert_eq!(left.tenant_keys, [wrapped_key(2, 1, "master-1")]);
    assert_eq!(left.keys, [virtual_key(2, 2)]);
    assert_eq!(left.policies, [policy(2, 2, PolicyScope::Key(key_id(2)))]);
    assert_eq!(left.prices, [price(2, 2, "gpt-4o", 0)]);
    assert_eq!(db.store.recent(&scope(1), 10).await.unwrap(), [attempt(1, 1)]);
    let mut work = begin(db).await;
    for (number, gone) in [(1, true), (2, false)] {
        let claim =
            work.idempotency().claim(&scope(number), &idempotency_record(number, "k", 1)).await.unwrap();
        assert_eq!(claim == IdempotencyClaim::Fresh, gone);
    }
    drop(work);
    // What is gone is also nobody's any more.
    assert_reference(begin(db).await.channels().create(&scope(1), &channel(1, 1)).await, "tenant");
}
