//! Virtual keys.

use lyss_domain::{
    AttemptRecord, DigestMatch, KeyDigest, KeyLimits, PolicyScope, PreviousDigest, TenantScope, VirtualKey,
};
use lyss_repositories::{AttemptStore, CatalogSource};

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
        previous: None,
        last_used_at: None,
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
    let by_digest = work.keys().by_digest(&virtual_key(1, 1).digest).await.unwrap();
    assert_eq!(by_digest, Some((virtual_key(1, 1), DigestMatch::Current)));
    let by_digest = work.keys().by_digest(&bare.digest).await.unwrap();
    assert_eq!(by_digest, Some((bare, DigestMatch::Current)));
    assert_eq!(work.keys().by_digest(&KeyDigest([0; 32])).await.unwrap(), None);
    let listed = work.keys().list(&scope(1), &page(1, 50)).await.unwrap();
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

/// A key rotated with overlap is found by either text's digest, and no other key may have any of them as any of its own.
pub async fn are_found_by_their_previous_digest(db: &TestDatabase) {
    with_two_tenants(db).await;
    let (first, second) = (virtual_key(1, 1), virtual_key(2, 2));
    let [old_of_first, old_of_second] = [first.previous.unwrap(), second.previous.unwrap()];
    let mut work = begin(db).await;
    work.keys().create(&scope(1), &first).await.unwrap();
    work.keys().create(&scope(2), &second).await.unwrap();
    commit(work).await;

    let mut work = read(db).await;
    let previous = DigestMatch::Previous { valid_until: old_of_first.valid_until };
    assert_eq!(
        work.keys().by_digest(&first.digest).await.unwrap(),
        Some((first.clone(), DigestMatch::Current))
    );
    assert_eq!(work.keys().by_digest(&old_of_first.digest).await.unwrap(), Some((first.clone(), previous)));
    drop(work);

    let with = |digest, previous| VirtualKey { digest, previous, ..virtual_key(2, 3) };
    let fresh = virtual_key(2, 3);
    for taken in [
        with(first.digest, None),
        with(old_of_first.digest, None),
        with(fresh.digest, Some(old_of_first)),
        with(fresh.digest, Some(PreviousDigest { digest: first.digest, ..old_of_first })),
        with(fresh.digest, Some(PreviousDigest { digest: fresh.digest, ..old_of_first })),
    ] {
        let mut work = begin(db).await;
        assert_conflict(work.keys().create(&scope(2), &taken).await, "digest");
        assert!(work.commit(None).await.is_err(), "a conflict dooms the whole");
    }
    let mut work = begin(db).await;
    let stolen = VirtualKey { previous: Some(old_of_first), ..second.clone() };
    assert_conflict(work.keys().update(&scope(2), &stolen, 1).await, "digest");
    drop(work);

    // The next rotation: what was current becomes previous, what was previous is nobody's any more.
    let newest = VirtualKey {
        digest: fresh.digest,
        previous: Some(PreviousDigest { digest: second.digest, valid_until: at(50) }),
        ..second
    };
    let mut work = begin(db).await;
    work.keys().update(&scope(2), &newest, 1).await.unwrap();
    let found = work.keys().by_digest(&second.digest).await.unwrap();
    assert_eq!(found.unwrap().1, DigestMatch::Previous { valid_until: at(50) });
    assert_eq!(work.keys().by_digest(&old_of_second.digest).await.unwrap(), None);
}

/// The ledger writes the last use: only forward, and beside the version, the date of change and the catalog's generation.
pub async fn tell_their_last_use(db: &TestDatabase) {
    with_two_tenants(db).await;
    let unused = |tenant, number| VirtualKey { last_used_at: None, ..virtual_key(tenant, number) };
    let mut work = begin(db).await;
    for key in [unused(1, 1), unused(1, 2), unused(2, 1)] {
        let VirtualKey { digest: KeyDigest(mut digest), .. } = key;
        digest[30] = u8::try_from(key.tenant.0.as_u128() & 0xff).unwrap();
        let key = VirtualKey { digest: KeyDigest(digest), previous: None, ..key };
        work.keys().create(&TenantScope::grant(key.tenant), &key).await.unwrap();
    }
    let generation = commit(work).await;

    let by = |key, second| AttemptRecord { key: key_id(key), ..attempt(1, second) };
    let last_uses = async || {
        let mut work = read(db).await;
        let mut uses = Vec::new();
        for (tenant, key) in [(1, 1), (1, 2), (2, 1)] {
            let key = work.keys().get(&scope(tenant), key_id(key)).await.unwrap().unwrap();
            assert_eq!((key.version, key.updated_at), (1, at(1)));
            uses.push(key.last_used_at);
        }
        uses
    };
    // One of them names a key that is no more.
    db.store.write(&[by(1, 30), by(1, 40), by(9, 90), by(1, 20)]).await.unwrap();
    assert_eq!(last_uses().await, [Some(at(40)), None, None]);
    db.store.write(&[by(1, 35), by(2, 36)]).await.unwrap();
    assert_eq!(last_uses().await, [Some(at(40)), Some(at(36)), None]);

    // Who edits the key meanwhile read an older last use, and does not write it back.
    let mut work = begin(db).await;
    let stored = work.keys().get(&scope(1), key_id(1)).await.unwrap().unwrap();
    let edited = VirtualKey { last_used_at: None, name: "renamed".to_owned(), ..stored.clone() };
    work.keys().update(&scope(1), &edited, 1).await.unwrap();
    work.commit(None).await.unwrap();
    let now = read(db).await.keys().get(&scope(1), key_id(1)).await.unwrap();
    assert_eq!(now, Some(VirtualKey { version: 2, name: edited.name, ..stored }));
    assert_eq!(db.store.generation().await.unwrap(), generation);
}

/// Usage is never held up by somebody who takes his time over a key; the next use tells.
pub async fn hold_up_no_usage_while_edited(db: &TestDatabase) {
    if !db.is_postgres() {
        // SQLite's writers are one after another as it is.
        return;
    }
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    work.keys().create(&scope(1), &virtual_key(1, 1)).await.unwrap();
    commit(work).await;
    let mut slow = begin(db).await;
    slow.keys().update(&scope(1), &virtual_key(1, 1), 1).await.unwrap();
    assert_eq!(db.store.write(&[attempt(1, 30)]).await.unwrap(), 1);
    commit(slow).await;
    assert_eq!(db.store.write(&[attempt(1, 31)]).await.unwrap(), 1);
    let key = read(db).await.keys().get(&scope(1), key_id(1)).await.unwrap().unwrap();
    assert_eq!((key.version, key.last_used_at), (2, Some(at(31))));
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
    assert_eq!(work.keys().list(&scope(1), &page(1, 50)).await.unwrap().total, 0);
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
    let left = work.policies().list(&scope(1), &page(1, 50)).await.unwrap();
    assert_eq!(left.items, [policy(1, 2, PolicyScope::Tenant)]);
}
