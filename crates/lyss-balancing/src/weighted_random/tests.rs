use lyss_domain::Tick;

use super::{WeightedRandom, scale};
use crate::pool::tests::{draws, pool_of};
use crate::{Balancer, Pool, Remaining};

/// Pearson's statistic of 100,000 picks against the exact shares.
fn chi_square(weights: &[u32], tried: &[usize]) -> f64 {
    const PICKS: u32 = 100_000;
    let candidates = pool_of(weights);
    let pool = Pool::new(0, &candidates);
    let mut counts = vec![0u32; weights.len()];
    for draw in draws(42).take(PICKS as usize) {
        counts[WeightedRandom.pick(&pool, &Remaining::untried(&pool, tried), draw, Tick(0)).unwrap()] += 1;
    }
    let open = |i: &usize| weights[*i] > 0 && !tried.contains(i);
    let total: u32 = (0..weights.len()).filter(open).map(|i| weights[i]).sum();
    (0..weights.len())
        .filter(open)
        .map(|i| {
            let expected = f64::from(PICKS) * f64::from(weights[i]) / f64::from(total);
            (f64::from(counts[i]) - expected).powi(2) / expected
        })
        .sum()
}

// The bounds are the 0.999 quantiles for the degrees of freedom; the draws are fixed, so this never flickers.
#[test]
fn shares_are_the_weights() {
    assert!(chi_square(&[1, 1], &[]) < 10.83);
    assert!(chi_square(&[1, 2, 3, 4], &[]) < 16.27);
    assert!(chi_square(&[1000, 1, 0, 500], &[]) < 13.82);
    assert!(chi_square(&[1; 16], &[]) < 37.70);
}

#[test]
fn shares_are_those_of_the_rest_when_one_was_tried() {
    assert!(chi_square(&[1, 2, 3, 4], &[3]) < 13.82);
    assert!(chi_square(&[7, 2, 3], &[0]) < 10.83);
}

#[test]
fn the_ends_of_the_draw_are_the_ends_of_the_list() {
    let candidates = pool_of(&[2, 3, u32::MAX]);
    let pool = Pool::new(0, &candidates);
    assert_eq!(WeightedRandom.pick(&pool, &Remaining::untried(&pool, &[]), 0, Tick(0)), Some(0));
    assert_eq!(WeightedRandom.pick(&pool, &Remaining::untried(&pool, &[]), u64::MAX, Tick(0)), Some(2));
    assert_eq!((scale(u64::MAX, 10), scale(0, 10), scale(5, 0)), (9, 0, 0));
}

/// Shares of 100,000 picks.
fn shares(candidates: &[crate::Candidate]) -> Vec<f64> {
    let pool = Pool::new(0, candidates);
    let remaining = Remaining::untried(&pool, &[]);
    let mut shares = vec![0.0; candidates.len()];
    for draw in draws(7).take(100_000) {
        shares[WeightedRandom.pick(&pool, &remaining, draw, Tick(0)).unwrap()] += 1e-5;
    }
    shares
}

fn are_near(shares: &[f64], expected: &[f64]) -> bool {
    shares.iter().zip(expected).all(|(share, expected)| (share - expected).abs() < 0.006)
}

#[test]
fn equals_keep_their_weights_exactly_and_the_worse_loses_some_of_its_weight() {
    let known = crate::best_performance::tests::known;
    let mut candidates = pool_of(&[1, 2, 3, 4]);
    candidates.iter_mut().for_each(|c| c.snapshot = known(500_000.0, 20_000.0));
    assert!(are_near(&shares(&candidates), &[0.1, 0.2, 0.3, 0.4]));
    // Four times as slow counts half; faster than the others is worth no more than the weight says.
    candidates[3].snapshot = known(2_000_000.0, 80_000.0);
    candidates[0].snapshot = known(50_000.0, 2_000.0);
    assert!(are_near(&shares(&candidates), &[0.125, 0.25, 0.375, 0.25]));
    // However bad, a twentieth of the weight is left.
    candidates[3].snapshot.good = 0.0;
    candidates[3].snapshot.bad = 60.0;
    let floor = 4.0 * 52.0 / 1_024.0;
    assert!(are_near(&shares(&candidates)[3..], &[floor / (6.0 + floor)]));
    // One of which nothing is known keeps its weight whole.
    candidates[3].snapshot = crate::Snapshot::UNKNOWN;
    assert!(are_near(&shares(&candidates), &[0.1, 0.2, 0.3, 0.4]));
}
