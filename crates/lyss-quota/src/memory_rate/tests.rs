use futures_util::FutureExt;
use lyss_domain::{KeyId, TenantId};

use super::*;

const SECOND: u64 = 1_000_000_000;

fn key(n: u8) -> RateSubject {
    RateSubject::Key(KeyId::from_parts(1, &[n; 10]))
}

fn ask(subject: RateSubject, unit: RateUnit, limit: u32, cost: u32) -> RateAsk {
    RateAsk { subject, unit, limit_per_minute: limit, cost }
}

fn take(store: &MemoryRateStore, asks: &[RateAsk], at_ns: u64) -> RateVerdict {
    store.take(asks, Tick(at_ns)).now_or_never().unwrap().unwrap()
}

fn one(
    store: &MemoryRateStore,
    limit: u32,
    cost: u32,
    at_ns: u64,
) -> Result<RateState, (RateState, Duration)> {
    match take(store, &[ask(key(1), RateUnit::Requests, limit, cost)], at_ns) {
        RateVerdict::Granted { states } => Ok(states[0]),
        RateVerdict::Refused { state, retry_after, .. } => Err((state, retry_after)),
    }
}

#[test]
fn a_full_bucket_empties_and_refills_at_the_limit_per_minute() {
    let store = MemoryRateStore::new();
    for left in (0..60).rev() {
        assert_eq!(one(&store, 60, 1, 0).unwrap().remaining, left);
    }
    let (state, retry_after) = one(&store, 60, 1, 0).unwrap_err();
    assert_eq!((state.remaining, state.reset_after), (0, Duration::from_secs(60)));
    assert_eq!(retry_after, Duration::from_secs(1));
    // One nanosecond early, and on time.
    assert_eq!(one(&store, 60, 1, SECOND - 1).unwrap_err().1, Duration::from_nanos(1));
    assert_eq!(one(&store, 60, 1, SECOND).unwrap().remaining, 0);
    // Never more than the limit is saved up.
    assert_eq!(one(&store, 60, 1, 1_000_000 * SECOND).unwrap().remaining, 59);
}

#[test]
fn a_limit_that_divides_no_minute_is_still_exact() {
    let store = MemoryRateStore::new();
    let mut granted = 0;
    // 7 at once, then 7 each minute for an hour, asked for every second.
    for second in 0..=3_600 {
        while one(&store, 7, 1, second * SECOND).is_ok() {
            granted += 1;
        }
    }
    assert_eq!(granted, 7 + 7 * 60);
}

#[test]
fn waiting_exactly_as_told_is_enough() {
    for limit in [1, 7, 60, 999, 1_000_000, u32::MAX] {
        let store = MemoryRateStore::new();
        one(&store, limit, limit, 5).unwrap();
        let cost = limit.div_ceil(3);
        let (_, wait) = one(&store, limit, cost, 5).unwrap_err();
        let at = 5 + u64::try_from(wait.as_nanos()).unwrap();
        assert!(one(&store, limit, cost, at - 1).is_err(), "{limit}");
        assert!(one(&store, limit, cost, at).is_ok(), "{limit}");
    }
}

#[test]
fn what_can_never_fit_is_refused_for_a_whole_window() {
    let store = MemoryRateStore::new();
    assert_eq!(one(&store, 10, 11, 0).unwrap_err().1, Duration::from_secs(60));
    assert_eq!(one(&store, 0, 1, 0).unwrap_err().1, Duration::from_secs(60));
    assert_eq!(one(&store, 10, 10, 0).unwrap().remaining, 0, "the refusals took nothing");
}

#[test]
fn several_windows_are_taken_together_or_not_at_all() {
    let store = MemoryRateStore::new();
    let tenant = RateSubject::Tenant(TenantId::from_parts(1, &[9; 10]));
    let asks = |tokens| {
        [
            ask(key(1), RateUnit::Requests, 100, 1),
            ask(tenant, RateUnit::Requests, 50, 1),
            ask(tenant, RateUnit::Tokens, 1_000, tokens),
        ]
    };
    let left = |verdict: &RateVerdict| match verdict {
        RateVerdict::Granted { states } => states.iter().map(|s| s.remaining).collect::<Vec<_>>(),
        RateVerdict::Refused { .. } => panic!("{verdict:?}"),
    };
    assert_eq!(left(&take(&store, &asks(900), 0)), [99, 49, 100]);
    for _ in 0..10 {
        let refused = take(&store, &asks(101), 0);
        assert!(
            matches!(refused, RateVerdict::Refused { index: 2, state, .. } if state.remaining == 100),
            "{refused:?}"
        );
    }
    assert_eq!(left(&take(&store, &asks(100), 0)), [98, 48, 0]);
    // The same window asked twice in one call counts twice.
    let twice = [ask(key(2), RateUnit::Requests, 3, 2); 2];
    assert!(matches!(take(&store, &twice, 0), RateVerdict::Refused { index: 1, .. }));
    assert!(matches!(take(&store, &twice[..1], 0), RateVerdict::Granted { .. }));
}

#[test]
fn corrections_take_more_and_give_back() {
    let store = MemoryRateStore::new();
    let tokens = |cost| [ask(key(1), RateUnit::Tokens, 600, cost)];
    let correct = |delta| store.correct(key(1), RateUnit::Tokens, 600, delta, Tick(0));
    take(&store, &tokens(500), 0);
    correct(-300);
    assert!(
        matches!(take(&store, &tokens(400), 0), RateVerdict::Granted { states } if states[0].remaining == 0)
    );
    // More than the bucket holds: owed, and waited for.
    correct(600);
    let refused = take(&store, &tokens(1), 0);
    assert!(
        matches!(refused, RateVerdict::Refused { retry_after, .. } if retry_after == Duration::from_millis(60_100)),
        "{refused:?}"
    );
    // Giving back never makes more than a full bucket.
    correct(-i64::MAX);
    assert!(
        matches!(take(&store, &tokens(600), 0), RateVerdict::Granted { states } if states[0].remaining == 0)
    );
    // An absurd correction is bounded and can be undone by one of its like.
    correct(i64::MAX);
    correct(i64::MIN);
    assert!(matches!(take(&store, &tokens(600), 0), RateVerdict::Granted { .. }));
}

#[test]
fn a_changed_limit_holds_from_the_next_ask() {
    let store = MemoryRateStore::new();
    one(&store, 100, 80, 0).unwrap();
    assert_eq!(one(&store, 50, 1, 0).unwrap_err().0.remaining, 0);
    assert_eq!(one(&store, 200, 20, 0).unwrap().remaining, 100);
}

#[test]
fn threads_together_get_exactly_the_limit() {
    let store = MemoryRateStore::new();
    let tenant = RateSubject::Tenant(TenantId::from_parts(1, &[3; 10]));
    let granted: usize = std::thread::scope(|scope| {
        let race = |n: u8| {
            let asks = [ask(key(n), RateUnit::Requests, 1_000, 1), ask(tenant, RateUnit::Requests, 777, 1)];
            // The ticks of racing threads arrive out of order; here all within the first refill.
            let at = |i: u64| (i * 7_919 + u64::from(n)) % 70_000_000;
            (0..100).filter(|i| matches!(take(&store, &asks, at(*i)), RateVerdict::Granted { .. })).count()
        };
        let threads = (0..64).map(|n| scope.spawn(move || race(n))).collect::<Vec<_>>();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(granted, 777);
}

#[test]
fn full_buckets_take_no_memory() {
    let store = MemoryRateStore::new();
    for i in 0..200_000u64 {
        let bytes = i.to_be_bytes();
        let id = KeyId::from_parts(
            1,
            &[0, 0, bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]],
        );
        // One request of 60 a minute is refilled after a second; ten subjects come each second.
        take(&store, &[ask(RateSubject::Key(id), RateUnit::Requests, 60, 1)], i * SECOND / 10);
    }
    let kept: usize = (0..SHARDS).map(|shard| store.lock(shard).buckets.len()).sum();
    assert!(kept <= SHARDS * SWEEP_FROM, "{kept}");
}
