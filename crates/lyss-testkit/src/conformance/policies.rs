//! Quota policies.

use lyss_domain::{Micros, PolicyMode, PolicyScope, QuotaPolicy, Window};

use super::{assert_conflict, assert_reference, assert_stale, begin, commit, page, read, with_two_tenants};
use crate::database::TestDatabase;
use crate::samples::*;

pub async fn are_kept_whole_whatever_they_count(db: &TestDatabase) {
    with_two_tenants(db).await;
    let scopes = [
        PolicyScope::Tenant,
        PolicyScope::Key(key_id(1)),
        PolicyScope::Channel(channel_id(1)),
        PolicyScope::Model("gpt-*".to_owned()),
    ];
    let mut kept: Vec<QuotaPolicy> =
        (1..).zip(scopes).map(|(number, about)| policy(1, number, about)).collect();
    kept.push(QuotaPolicy {
        window: Window::Minute,
        limit_requests: None,
        limit_tokens: None,
        limit_cost: None,
        mode: PolicyMode::Enforce,
        ..policy(1, 5, PolicyScope::Tenant)
    });
    let mut work = begin(db).await;
    work.keys().create(&scope(1), &virtual_key(1, 1)).await.unwrap();
    work.channels().create(&scope(1), &channel(1, 1)).await.unwrap();
    for policy in kept.iter().rev() {
        work.policies().create(&scope(1), policy).await.unwrap();
    }
    commit(work).await;

    let mut work = read(db).await;
    let first = work.policies().list(&scope(1), &page(1, 3)).await.unwrap();
    let second = work.policies().list(&scope(1), &page(2, 3)).await.unwrap();
    assert_eq!((first.total, first.items.as_slice()), (5, &kept[..3]));
    assert_eq!(second.items, kept[3..]);
    assert_eq!(work.policies().get(&scope(1), policy_id(4)).await.unwrap().as_ref(), Some(&kept[3]));
}

pub async fn need_what_they_are_about(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    work.keys().create(&scope(2), &virtual_key(2, 1)).await.unwrap();
    work.channels().create(&scope(2), &channel(2, 1)).await.unwrap();
    commit(work).await;

    // Another tenant's key is exactly as absent as none.
    for absent in [1, 99] {
        let of_key = policy(1, 1, PolicyScope::Key(key_id(absent)));
        assert_reference(begin(db).await.policies().create(&scope(1), &of_key).await, "key");
        let of_channel = policy(1, 1, PolicyScope::Channel(channel_id(absent)));
        assert_reference(begin(db).await.policies().create(&scope(1), &of_channel).await, "channel");
    }
}

pub async fn change_only_at_the_version_read(db: &TestDatabase) {
    with_two_tenants(db).await;
    let changed =
        QuotaPolicy { limit_cost: Some(Micros(1)), ..policy(1, 1, PolicyScope::Model("m".to_owned())) };
    let mut work = begin(db).await;
    work.policies().create(&scope(1), &policy(1, 1, PolicyScope::Tenant)).await.unwrap();
    work.policies().update(&scope(1), &changed, 1).await.unwrap();
    commit(work).await;

    assert_stale(begin(db).await.policies().update(&scope(1), &changed, 1).await);
    let stored = read(db).await.policies().get(&scope(1), policy_id(1)).await.unwrap();
    assert_eq!(stored, Some(QuotaPolicy { version: 2, ..changed }));
    let again = policy(1, 1, PolicyScope::Tenant);
    assert_conflict(begin(db).await.policies().create(&scope(1), &again).await, "id");
}

pub async fn of_others_are_as_absent_as_none(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    work.policies().create(&scope(2), &policy(2, 1, PolicyScope::Tenant)).await.unwrap();
    commit(work).await;

    let mut work = begin(db).await;
    for absent in [1, 99] {
        let like = policy(1, absent, PolicyScope::Tenant);
        assert_eq!(work.policies().get(&scope(1), like.id).await.unwrap(), None);
        assert_stale(work.policies().update(&scope(1), &like, 1).await);
        assert!(!work.policies().delete(&scope(1), like.id).await.unwrap());
    }
    assert_eq!(work.policies().list(&scope(1), &page(1, 50)).await.unwrap().total, 0);
    commit(work).await;
    let mut work = begin(db).await;
    assert!(work.policies().delete(&scope(2), policy_id(1)).await.unwrap());
    assert!(!work.policies().delete(&scope(2), policy_id(1)).await.unwrap());
}
