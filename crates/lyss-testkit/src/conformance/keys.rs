//! Virtual keys.

use lyss_domain::{KeyDigest, KeyLimits, PolicyScope, VirtualKey};

use super::{assert_conflict, assert_reference, assert_stale, begin, commit, page, read, with_two_tenants};
use crate::database::TestDatabase;
use crate::samples::*;

pub async fn are_kept_whole(db: &TestDatabase) {
    with_two_tenants(db).await;
    let bare = VirtualKey {
        scopes: Vec::new(),
        models: Vec::new(),
        channels: Vec::new(),
        tags: Vec::new(),
        allowed_ips: Vec::new(),
        limits: KeyLimits::default(),
        strategy: None,
        may_steer: false,
        expires_at: None,
        revoked_at: Some(at(7)),
        ..virtual_key(2, 2)
    };
    let mut work = begin(db).await;
    work.keys().create(&scope(1), &virtual_key(1, 1)).await.unwrap();
    work.keys().create(&scope(2), &bare).await.unwrap();
    commit(work).await;

    let mut work = read(db).await;
    assert_eq!(work.keys().get(&scope(1), key_id(1)).await.unwrap(), Some(virtual_key(1, 1)));
    let named = work.keys().by_name(&scope(2), &bare.name).await.unwrap();
    assert_eq!(named.as_ref(), Some(&bare));
    assert_eq!(work.keys().by_digest(&virtual_key(1, 1).digest).await.unwrap(), Some(virtual_key(1, 1)));
    assert_eq!(work.keys().by_digest(&bare.digest).await.unwrap(), Some(bare));
    assert_eq!(work.keys().by_digest(&KeyDigest([0; 32])).await.unwrap(), None);
    let listed = work.keys().list(&scope(1), page(1, 50)).await.unwrap();
    assert_eq!((listed.items, listed.total), (vec![virtual_key(1, 1)], 1));
}

pub async fn have_names_and_digests_of_their_own(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    work.keys().create(&scope(1), &virtual_key(1, 1)).await.unwrap();
    commit(work).await;

    let same_name = VirtualKey { name: virtual_key(1, 1).name, ..virtual_key(1, 2) };
    assert_conflict(begin(db).await.keys().create(&scope(1), &same_name).await, "name");
    let elsewhere = VirtualKey { name: virtual_key(1, 1).name, ..virtual_key(2, 2) };
    begin(db).await.keys().create(&scope(2), &elsewhere).await.unwrap();
    // A digest finds its tenant, so no two tenants may share one.
    let same_digest = VirtualKey { digest: virtual_key(1, 1).digest, ..virtual_key(2, 2) };
    assert_conflict(begin(db).await.keys().create(&scope(2), &same_digest).await, "digest");
}

pub async fn change_only_at_the_version_read(db: &TestDatabase) {
    with_two_tenants(db).await;
    let revoked = VirtualKey { revoked_at: Some(at(8)), ..virtual_key(1, 1) };
    let mut work = begin(db).await;
    work.keys().create(&scope(1), &virtual_key(1, 1)).await.unwrap();
    work.keys().update(&scope(1), &revoked, 1).await.unwrap();
    commit(work).await;

    assert_stale(begin(db).await.keys().update(&scope(1), &virtual_key(1, 1), 1).await);
    let stored = read(db).await.keys().get(&scope(1), key_id(1)).await.unwrap();
    assert_eq!(stored, Some(VirtualKey { version: 2, ..revoked }));
}

pub async fn of_others_are_as_absent_as_none(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    work.keys().create(&scope(2), &virtual_key(2, 1)).await.unwrap();
    commit(work).await;

    let mut work = begin(db).await;
    for absent in [1, 99] {
        let like = virtual_key(1, absent);
        assert_eq!(work.keys().get(&scope(1), like.id).await.unwrap(), None);
        assert_eq!(work.keys().by_name(&scope(1), &like.name).await.unwrap(), None);
        assert_stale(work.keys().update(&scope(1), &like, 1).await);
        assert!(!work.keys().delete(&scope(1), like.id).await.unwrap());
    }
    assert_eq!(work.keys().list(&scope(1), page(1, 50)).await.unwrap().total, 0);
    commit(work).await;
    assert_reference(begin(db).await.keys().create(&scope(1), &virtual_key(2, 2)).await, "tenant");
}

pub async fn take_their_policies_with_them(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    work.keys().create(&scope(1), &virtual_key(1, 1)).await.unwrap();
    work.policies().create(&scope(1), &policy(1, 1, PolicyScope::Key(key_id(1)))).await.unwrap();
    work.policies().create(&scope(1), &policy(1, 2, PolicyScope::Tenant)).await.unwrap();
    assert!(work.keys().delete(&scope(1), key_id(1)).await.unwrap());
    let left = work.policies().list(&scope(1), page(1, 50)).await.unwrap();
    assert_eq!(left.items, [policy(1, 2, PolicyScope::Tenant)]);
}
