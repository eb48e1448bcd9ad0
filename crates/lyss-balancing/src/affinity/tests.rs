use std::collections::HashMap;

use super::pick;
use crate::pool::tests::{draws, pool_of};
use crate::{Candidate, Pool, Remaining};

fn place(candidates: &[Candidate], tried: &[usize], key: u64) -> Option<usize> {
    let pool = Pool::new(1, candidates);
    pick(&pool, &Remaining::untried(&pool, tried), key)
}

#[test]
fn keys_spread_by_weight_and_stay_where_they_are() {
    let candidates = pool_of(&[1, 2, 5]);
    let mut counts = [0u32; 3];
    for key in draws(1).take(20_000) {
        counts[place(&candidates, &[], key).unwrap()] += 1;
    }
    for (count, share) in counts.iter().zip([0.125, 0.25, 0.625]) {
        let expected = 20_000.0 * share;
        assert!((f64::from(*count) - expected).abs() < 4.0 * expected.sqrt(), "{counts:?}");
    }
}

#[test]
fn a_channel_that_leaves_moves_only_its_own_keys() {
    let candidates = pool_of(&[1; 5]);
    for key in draws(2).take(2_000) {
        let before = place(&candidates, &[], key).unwrap();
        let after = place(&candidates, &[3], key).unwrap();
        assert!(before == after || before == 3);
    }
}

#[test]
fn no_channel_carries_more_than_a_quarter_above_its_share() {
    // One session makes nine of ten calls, and none of them ends.
    let mut candidates = pool_of(&[1; 4]);
    for (call, key) in draws(3).take(400).enumerate() {
        let key = if call % 10 == 0 { key } else { 77 };
        // The algorithm would take the least loaded.
        let index = place(&candidates, &[], key)
            .unwrap_or_else(|| (0..4).min_by_key(|i| candidates[*i].snapshot.in_flight).unwrap());
        candidates[index].snapshot.in_flight += 1;
        let load: u32 = candidates.iter().map(|c| c.snapshot.in_flight).sum();
        let most = candidates.iter().map(|c| c.snapshot.in_flight).max().unwrap();
        assert!(f64::from(most) <= (1.25 * f64::from(load) / 4.0).ceil().max(4.0), "{most} of {load}");
    }
}

#[test]
fn a_session_leaves_a_place_that_became_bad_and_returns() {
    let healthy = pool_of(&[1; 3]);
    let mut homes: HashMap<usize, u64> = HashMap::new();
    draws(4).take(50).for_each(|key| {
        homes.entry(place(&healthy, &[], key).unwrap()).or_insert(key);
    });
    let spoil: [fn(&mut Candidate); 4] = [
        |c| c.snapshot.in_flight = 9,
        |c| c.snapshot.headroom = 0.01,
        |c| (c.snapshot.good, c.snapshot.bad) = (1.0, 9.0),
        |c| c.snapshot.ttft_us = 2_500_000.0,
    ];
    for (home, key) in homes {
        for (way, spoil) in spoil.iter().enumerate() {
            let mut candidates = healthy.clone();
            candidates.iter_mut().for_each(|c| c.snapshot.ttft_us = 400_000.0);
            spoil(&mut candidates[home]);
            assert_ne!(place(&candidates, &[], key), Some(home), "way {way}");
        }
        // A little slower is not worth a lost cache.
        let mut candidates = healthy.clone();
        candidates.iter_mut().for_each(|c| c.snapshot.ttft_us = 100_000.0);
        candidates[home].snapshot.ttft_us = 420_000.0;
        assert_eq!(place(&candidates, &[], key), Some(home));
    }
}
