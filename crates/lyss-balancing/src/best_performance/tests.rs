use lyss_domain::Tick;

use super::BestPerformance;
use crate::pool::tests::{draws, pool_of};
use crate::{Balancer, Candidate, Pool, Remaining, Size, Snapshot};

pub(crate) fn known(ttft_us: f32, tpot_us: f32) -> Snapshot {
    Snapshot {
        samples: 50,
        ttft_us,
        tpot_us,
        spread: 0.2,
        good: 40.0,
        idle: Default::default(),
        ..Snapshot::UNKNOWN
    }
}

pub(crate) fn shares(balancer: &dyn Balancer, candidates: &[Candidate], size: Size) -> Vec<f64> {
    const PICKS: usize = 4_000;
    let pool = Pool { size, ..Pool::new(1, candidates) };
    let remaining = Remaining::untried(&pool, &[]);
    let mut counts = vec![0.0; candidates.len()];
    for (call, draw) in draws(1).take(PICKS).enumerate() {
        counts[balancer.pick(&pool, &remaining, draw, Tick(call as u64)).unwrap()] += 1.0 / PICKS as f64;
    }
    counts
}

#[test]
fn short_answers_go_to_the_quick_start_and_long_ones_to_the_quick_pen() {
    let mut candidates = pool_of(&[1; 2]);
    candidates[0].snapshot = known(200_000.0, 30_000.0);
    candidates[1].snapshot = known(1_500_000.0, 8_000.0);
    let share = |output_tokens| {
        shares(&BestPerformance, &candidates, Size { prompt_tokens: 1_000, output_tokens })[0]
    };
    assert!(share(10) > 0.97, "{}", share(10));
    assert!(share(600) < 0.03, "{}", share(600));
}

#[test]
fn what_fails_at_once_is_not_taken_for_fast() {
    let mut candidates = pool_of(&[1; 3]);
    candidates.iter_mut().for_each(|c| c.snapshot = known(400_000.0, 15_000.0));
    candidates[0].snapshot = Snapshot { ttft_us: 1_000.0, good: 4.0, bad: 8.0, ..candidates[0].snapshot };
    let share = shares(&BestPerformance, &candidates, Size::default())[0];
    assert!(share < 0.02, "{share}");
}

#[test]
fn equals_share_and_a_crowd_is_left_for_the_next() {
    let mut candidates = pool_of(&[1; 3]);
    candidates.iter_mut().for_each(|c| c.snapshot = known(400_000.0, 15_000.0));
    let even = shares(&BestPerformance, &candidates, Size::default());
    assert!(even.iter().all(|share| (share - 1.0 / 3.0).abs() < 0.05), "{even:?}");
    candidates[2].snapshot = Snapshot { in_flight: 19, limit: 20, ..candidates[2].snapshot };
    assert!(shares(&BestPerformance, &candidates, Size::default())[2] < 0.03);
}

#[test]
fn an_unknown_one_gets_one_trial_and_comes_in_slowly() {
    let mut candidates = pool_of(&[1; 3]);
    candidates.iter_mut().for_each(|c| c.snapshot = known(400_000.0, 15_000.0));
    candidates[2].snapshot = Snapshot::UNKNOWN;
    let fresh = shares(&BestPerformance, &candidates, Size::default())[2];
    assert!(fresh > 0.01 && fresh < 0.15, "{fresh}");
    candidates[2].snapshot.in_flight = 1;
    // But for what is spent on learning, as nobody was asked longer ago.
    let busy = shares(&BestPerformance, &candidates, Size::default())[2];
    assert!(busy < 0.03, "{busy}");
}

#[test]
fn who_is_never_best_is_asked_now_and_then() {
    let mut candidates = pool_of(&[1; 3]);
    candidates.iter_mut().for_each(|c| c.snapshot = known(400_000.0, 15_000.0));
    candidates[1].snapshot = known(9_000_000.0, 90_000.0);
    candidates[1].snapshot.idle = std::time::Duration::from_secs(3);
    let share = shares(&BestPerformance, &candidates, Size::default())[1];
    assert!((0.008..0.02).contains(&share), "{share}");
}
