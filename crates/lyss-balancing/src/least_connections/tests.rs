use std::collections::BTreeSet;

use lyss_domain::Tick;

use super::{LeastConnections, Unit};
use crate::pool::tests::{draws, pool_of};
use crate::{Balancer, Candidate, Pool, Remaining, Size};

fn picks(balancer: LeastConnections, candidates: &[Candidate], size: Size) -> BTreeSet<usize> {
    let pool = Pool { size, ..Pool::new(1, candidates) };
    let remaining = Remaining::untried(&pool, &[]);
    draws(1).take(200).map(|draw| balancer.pick(&pool, &remaining, draw, Tick(0)).unwrap()).collect()
}

#[test]
fn the_least_for_its_weight_serves_and_equals_are_drawn() {
    let mut candidates = pool_of(&[1, 1, 1, 3]);
    for (candidate, load) in candidates.iter_mut().zip([2, 1, 1, 8]) {
        candidate.snapshot.in_flight = load;
    }
    let balancer = LeastConnections::default();
    assert_eq!(picks(balancer, &candidates, Size::default()), BTreeSet::from([1, 2]));
    // 6 of 3 with this call is as much as 2 of 1.
    candidates[3].snapshot.in_flight = 5;
    assert_eq!(picks(balancer, &candidates, Size::default()), BTreeSet::from([1, 2, 3]));
    // What other replicas sent counts as much.
    candidates[1].snapshot.in_flight_elsewhere = 4;
    assert_eq!(picks(balancer, &candidates, Size::default()), BTreeSet::from([2, 3]));
}

#[test]
fn among_equals_nobody_is_preferred() {
    let candidates = pool_of(&[1; 4]);
    let pool = Pool::new(1, &candidates);
    let remaining = Remaining::untried(&pool, &[]);
    let mut counts = [0u32; 4];
    for draw in draws(9).take(8_000) {
        counts[LeastConnections::default().pick(&pool, &remaining, draw, Tick(0)).unwrap()] += 1;
    }
    assert!(counts.iter().all(|count| count.abs_diff(2_000) < 160), "{counts:?}");
}

#[test]
fn a_long_answer_weighs_more_than_two_short_ones_when_tokens_count() {
    let mut candidates = pool_of(&[1, 1]);
    (candidates[0].snapshot.in_flight, candidates[0].snapshot.outstanding_tokens) = (1, 9_000);
    (candidates[1].snapshot.in_flight, candidates[1].snapshot.outstanding_tokens) = (2, 600);
    let size = Size { prompt_tokens: 200, output_tokens: 100 };
    assert_eq!(picks(LeastConnections::default(), &candidates, size), BTreeSet::from([0]));
    assert_eq!(picks(LeastConnections::counting(Unit::Tokens), &candidates, size), BTreeSet::from([1]));
    // Thirty calls elsewhere, as long as those here, are more than one long one.
    candidates[1].snapshot.in_flight_elsewhere = 30;
    assert_eq!(picks(LeastConnections::counting(Unit::Tokens), &candidates, size), BTreeSet::from([0]));
}
