use super::{least, median, normal, survey, unit};
use crate::pool::tests::{draws, pool_of};
use crate::{Pool, Remaining, Size};

#[test]
fn an_unknown_candidate_is_taken_for_the_median_of_the_known() {
    let mut candidates = pool_of(&[1; 4]);
    for (candidate, ttft) in candidates.iter_mut().zip([100_000.0, 900_000.0, 300_000.0]) {
        candidate.snapshot.samples = 9;
        candidate.snapshot.ttft_us = ttft;
        candidate.snapshot.tpot_us = 10_000.0;
    }
    let mut pool = Pool::new(1, &candidates);
    pool.size = Size { prompt_tokens: 1_000, output_tokens: 100 };
    let prospects = survey(&pool, &Remaining::untried(&pool, &[]));
    let totals = prospects.iter().map(|p| p.total_us).collect::<Vec<_>>();
    assert_eq!(totals, [1_100_000.0, 1_900_000.0, 1_300_000.0, 1_300_000.0]);
    assert!(prospects[3].unknown && !prospects[0].unknown);
    assert_eq!(least(&prospects, |p| p.total_us), Some(0));
    // With nobody known all are alike.
    let fresh = pool_of(&[1; 3]);
    let pool = Pool::new(1, &fresh);
    let prospects = survey(&pool, &Remaining::untried(&pool, &[]));
    assert!(prospects.iter().all(|p| p.total_us == prospects[0].total_us && p.total_us > 0.0));
}

#[test]
fn success_is_trusted_until_there_is_a_failure_and_then_carefully() {
    let mut candidates = pool_of(&[1; 4]);
    let counts = [(0.0, 0.0), (40.0, 0.0), (0.0, 3.0), (40.0, 3.0)];
    for (candidate, (good, bad)) in candidates.iter_mut().zip(counts) {
        (candidate.snapshot.good, candidate.snapshot.bad) = (good, bad);
    }
    let pool = Pool::new(1, &candidates);
    let prospects = survey(&pool, &Remaining::untried(&pool, &[]));
    let low = prospects.iter().map(super::Prospect::success_low).collect::<Vec<_>>();
    assert_eq!(low[..2], [1.0, 1.0]);
    assert!(low[2] < 0.4 && low[3] > 0.85 && low[3] < prospects[3].success(), "{low:?}");
}

#[test]
fn draws_are_spread_as_their_names_say() {
    let n = 20_000;
    let normals = draws(5).take(n).map(normal).collect::<Vec<_>>();
    let mean = normals.iter().sum::<f32>() / n as f32;
    let variance = normals.iter().map(|z| (z - mean) * (z - mean)).sum::<f32>() / n as f32;
    assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    assert_eq!((unit(0), unit(u64::MAX) < 1.0), (0.0, true));
    assert_eq!(median([3.0, 1.0, 2.0, 9.0].into_iter()), Some(2.0));
    assert_eq!(median(std::iter::empty()), None);
}
