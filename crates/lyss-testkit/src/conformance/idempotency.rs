//! What repeated `Idempotency-Key`s are answered with.

use lyss_domain::{IdempotencyRecord, TenantId, TenantScope};
use lyss_repositories::{IdempotencyClaim, Store};

use super::{assert_stale, begin, commit, with_two_tenants};
use crate::database::TestDatabase;
use crate::samples::*;

pub async fn keeps_the_first_answer(db: &TestDatabase) {
    with_two_tenants(db).await;
    let first = idempotency_record(1, "k", 0);
    let other = IdempotencyRecord { fingerprint: [4; 32], ..idempotency_record(1, "k", 1) };
    let mut work = begin(db).await;
    assert_eq!(work.idempotency().claim(&scope(1), &first).await.unwrap(), IdempotencyClaim::Fresh);
    let seen = work.idempotency().claim(&scope(1), &other).await.unwrap();
    assert_eq!(seen, IdempotencyClaim::Seen(first.clone()));
    work.idempotency().finish(&scope(1), &first, (201, b"{\"id\":1}"), at(3_600)).await.unwrap();
    commit(work).await;

    let answer = Some((201, b"{\"id\":1}".to_vec()));
    let answered = IdempotencyRecord { answer, expires_at: at(3_600), ..first };
    let mut work = begin(db).await;
    let seen = work.idempotency().claim(&scope(1), &other).await.unwrap();
    assert_eq!(seen, IdempotencyClaim::Seen(answered));
    // The same header value of another tenant is another key.
    let theirs = idempotency_record(2, "k", 0);
    assert_eq!(work.idempotency().claim(&scope(2), &theirs).await.unwrap(), IdempotencyClaim::Fresh);
    let never = idempotency_record(2, "never claimed", 0);
    assert_stale(work.idempotency().finish(&scope(2), &never, (200, b""), at(60)).await);
}

pub async fn is_fresh_for_exactly_one_who_races(db: &TestDatabase) {
    with_two_tenants(db).await;
    for round in 0..5 {
        let mut racers = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let store = db.store.clone();
            racers.spawn(async move {
                let record = idempotency_record(1, &format!("key {round}"), 0);
                let mut work = store.begin().await.unwrap();
                let claim = work.idempotency().claim(&scope(1), &record).await.unwrap();
                tokio::task::yield_now().await;
                work.commit(None).await.unwrap();
                claim
            });
        }
        let claims = racers.join_all().await;
        let fresh = claims.iter().filter(|claim| **claim == IdempotencyClaim::Fresh).count();
        assert_eq!(fresh, 1, "{claims:?}");
    }
}

pub async fn forgets_what_expired(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    for (key, second) in [("a", 0), ("b", 30)] {
        let record = idempotency_record(1, key, second);
        work.idempotency().claim(&scope(1), &record).await.unwrap();
    }
    let first = idempotency_record(1, "a", 0);
    work.idempotency().finish(&scope(1), &first, (200, b"old"), at(60)).await.unwrap();

    // Still there a moment before its end, absent from then on, and its old answer gone with it.
    let early = idempotency_record(1, "a", 59);
    let seen = work.idempotency().claim(&scope(1), &early).await.unwrap();
    assert!(matches!(seen, IdempotencyClaim::Seen(_)));
    let late = idempotency_record(1, "a", 60);
    assert_eq!(work.idempotency().claim(&scope(1), &late).await.unwrap(), IdempotencyClaim::Fresh);
    let seen = work.idempotency().claim(&scope(1), &late).await.unwrap();
    assert_eq!(seen, IdempotencyClaim::Seen(late));

    assert_eq!(work.idempotency().sweep(at(89)).await.unwrap(), 0);
    assert_eq!(work.idempotency().sweep(at(100)).await.unwrap(), 1);
    assert_eq!(work.idempotency().sweep(at(100)).await.unwrap(), 0);
}

/// A request that failed gives its claim back; one that was answered keeps its answer.
pub async fn is_fresh_again_when_released(db: &TestDatabase) {
    with_two_tenants(db).await;
    let record = idempotency_record(1, "k", 0);
    let mut work = begin(db).await;
    work.idempotency().claim(&scope(1), &record).await.unwrap();
    work.idempotency().claim(&scope(2), &idempotency_record(2, "k", 0)).await.unwrap();
    work.idempotency().release(&scope(1), &record).await.unwrap();
    // There may be nothing to give back.
    work.idempotency().release(&scope(1), &record).await.unwrap();
    let theirs = work.idempotency().claim(&scope(2), &idempotency_record(2, "k", 1)).await.unwrap();
    assert!(matches!(theirs, IdempotencyClaim::Seen(_)), "another tenant's claim stays");

    let again = idempotency_record(1, "k", 1);
    assert_eq!(work.idempotency().claim(&scope(1), &again).await.unwrap(), IdempotencyClaim::Fresh);
    work.idempotency().finish(&scope(1), &again, (201, b"made"), again.expires_at).await.unwrap();
    work.idempotency().release(&scope(1), &again).await.unwrap();
    let answered = IdempotencyRecord { answer: Some((201, b"made".to_vec())), ..again };
    let seen = work.idempotency().claim(&scope(1), &idempotency_record(1, "k", 2)).await.unwrap();
    assert_eq!(seen, IdempotencyClaim::Seen(answered));
}

/// Whoever claimed and vanished holds the key only until his claim expires.
pub async fn outlives_who_never_finishes(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    let vanished = idempotency_record(1, "k", 0);
    work.idempotency().claim(&scope(1), &vanished).await.unwrap();
    let seen = work.idempotency().claim(&scope(1), &idempotency_record(1, "k", 59)).await.unwrap();
    assert_eq!(seen, IdempotencyClaim::Seen(vanished));
    let next = idempotency_record(1, "k", 60);
    assert_eq!(work.idempotency().claim(&scope(1), &next).await.unwrap(), IdempotencyClaim::Fresh);
    // Should the first one come back after all, it can neither answer for the second nor give its claim away.
    let vanished = idempotency_record(1, "k", 0);
    assert_stale(work.idempotency().finish(&scope(1), &vanished, (201, b"late"), at(90)).await);
    work.idempotency().release(&scope(1), &vanished).await.unwrap();
    let seen = work.idempotency().claim(&scope(1), &idempotency_record(1, "k", 61)).await.unwrap();
    assert_eq!(seen, IdempotencyClaim::Seen(next));
}

/// A platform administrator's requests concern no tenant.
pub async fn is_nobodys_too(db: &TestDatabase) {
    let nobody = TenantScope::grant(TenantId::NONE);
    let record = IdempotencyRecord { tenant: TenantId::NONE, ..idempotency_record(1, "k", 0) };
    let mut work = begin(db).await;
    assert_eq!(work.idempotency().claim(&nobody, &record).await.unwrap(), IdempotencyClaim::Fresh);
    work.tenants().create(&tenant(1)).await.unwrap();
    work.idempotency().finish(&nobody, &record, (201, b"made"), at(60)).await.unwrap();
    commit(work).await;
    let seen = begin(db).await.idempotency().claim(&nobody, &record).await.unwrap();
    assert!(matches!(seen, IdempotencyClaim::Seen(IdempotencyRecord { answer: Some((201, _)), .. })));
}
