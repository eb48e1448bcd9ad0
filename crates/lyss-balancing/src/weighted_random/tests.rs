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
