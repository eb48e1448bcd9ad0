use std::time::Duration;

use super::Adaptive;
use crate::best_performance::tests::{known, shares};
use crate::pool::tests::pool_of;
use crate::{Candidate, Objective, Pool, Regime, Remaining, Size, Snapshot};

fn even(n: usize) -> Vec<Candidate> {
    let mut candidates = pool_of(&vec![1; n]);
    candidates.iter_mut().for_each(|c| c.snapshot = known(400_000.0, 15_000.0));
    candidates
}

fn share_of(candidates: &[Candidate], index: usize) -> f64 {
    shares(&Adaptive::new(), candidates, Size::default())[index]
}

#[test]
fn equals_share_and_the_worse_is_left() {
    let mut candidates = even(4);
    assert!((0..4).all(|i| (share_of(&candidates, i) - 0.25).abs() < 0.05));
    candidates[1].snapshot = known(4_000_000.0, 150_000.0);
    assert!(share_of(&candidates, 1) < 0.01);
    candidates[1].snapshot = Snapshot { ttft_us: 1_000.0, good: 3.0, bad: 9.0, ..candidates[2].snapshot };
    assert!(share_of(&candidates, 1) < 0.02);
}

#[test]
fn what_was_learned_long_ago_is_tried_again() {
    let mut candidates = even(3);
    candidates[0].snapshot = known(800_000.0, 30_000.0);
    let fresh = share_of(&candidates, 0);
    candidates[0].snapshot.idle = Duration::from_secs(60);
    let stale = share_of(&candidates, 0);
    assert!(fresh < 0.005 && stale > 0.02, "{fresh} {stale}");
}

#[test]
fn a_window_is_spent_evenly_rather_than_early() {
    let mut candidates = even(2);
    candidates[0].snapshot.pace = 0.4;
    assert!((share_of(&candidates, 0) - 0.5).abs() < 0.05);
    // Twice as fast, it is used as fast as its window bears and hardly faster.
    candidates[0].snapshot = Snapshot { pace: 0.9, ..known(200_000.0, 7_500.0) };
    assert!(share_of(&candidates, 0) > 0.9);
    candidates[0].snapshot.pace = 1.2;
    assert!(share_of(&candidates, 0) < 0.1);
}

#[test]
fn an_objective_weighs_price_against_time() {
    let mut candidates = even(2);
    candidates[0].snapshot = known(600_000.0, 25_000.0);
    (candidates[0].price_micros, candidates[1].price_micros) = (500, 1_000);
    let picks = |objective| {
        let pool = Pool { objective, ..Pool::new(1, &candidates) };
        let remaining = Remaining::untried(&pool, &[]);
        let picks = crate::pool::tests::draws(3).take(400);
        picks.filter(|draw| Adaptive::pick_in(&pool, &remaining, *draw, Regime::Steady) == Some(0)).count()
    };
    assert!(picks(Objective::Latency) < 8);
    // Half the price for less than twice the time.
    assert!(picks(Objective::Balanced) > 340);
    assert!(picks(Objective::Cost) > 396);
}

#[test]
fn a_slow_one_is_asked_again_as_seldom_as_it_is_slow() {
    let mut candidates = even(4);
    candidates[2].snapshot = known(4_000_000.0, 150_000.0);
    let pool = Pool::new(1, &candidates);
    let remaining = Remaining::untried(&pool, &[]);
    let asked = |candidates: &[Candidate]| {
        let pool = Pool { candidates, ..pool };
        let picks = crate::pool::tests::draws(5).take(100_000);
        picks.filter(|draw| Adaptive::pick_in(&pool, &remaining, *draw, Regime::Steady) == Some(2)).count()
    };
    // Just asked, it is known what it is.
    assert_eq!(asked(&candidates), 0);
    candidates[2].snapshot.idle = Duration::from_secs(120);
    // Ten times as slow: a thousandth of the calls are a hundredth of the time.
    let again = asked(&candidates);
    assert!((60..140).contains(&again), "{again}");
}
