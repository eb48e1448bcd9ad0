use super::*;
use crate::scenarios;

fn call(arrived: u64, first_token: u64, ended: u64, ok: bool) -> CallRecord {
    let tick = |second: u64| Tick(second * 1_000_000_000);
    CallRecord {
        arrived: tick(arrived),
        first_token: Some(tick(first_token)),
        ended: tick(ended),
        ok,
        failed_attempts: u32::from(!ok),
        limited_attempts: 0,
        spent_micros: 10.0,
    }
}

#[test]
fn figures_mean_what_they_say() {
    let mut scenario = scenarios::even_pool();
    scenario.span = Duration::from_secs(10);
    let sent = |second: u64, upstream| Sent { at: Tick(second * 1_000_000_000), upstream };
    let record = Record {
        calls: vec![call(0, 1, 3, true), call(1, 2, 2, false), call(2, 14, 20, true), call(3, 4, 6, true)],
        sent: vec![sent(0, 0), sent(1, 1), sent(2, 0), sent(3, 0)],
        span: scenario.span,
        timeout: Duration::from_secs(60),
    };
    let figures = figures(&record, &scenario);
    // The third one's first token came after twelve seconds: served, and not good.
    assert_eq!((figures.goodput_per_s, figures.success), (0.2, 0.75));
    assert_eq!((figures.ttft_ms.p50, figures.ttft_ms.p99), (1_000.0, 12_000.0));
    assert_eq!((figures.total_ms.p50, figures.total_ms.p95), (3_000.0, 18_000.0));
    assert_eq!(figures.cost_ms, (3.0 + 60.0 + 18.0 + 3.0) / 4.0 * 1_000.0);
    assert_eq!(figures.failed_per_success, 1.0 / 3.0);
    assert_eq!((figures.max_share, figures.shares.len()), (0.75, 4));
    assert_eq!(figures.spent_micros_per_call, 10.0);
    let line = &timeline(&record, &scenario).shares;
    assert_eq!((line[0][0], line[1][0], line[1][6], line[0][12]), (1.0, 0.0, 1.0, 1.0));
}

#[test]
fn quantiles_are_of_the_nearest_rank() {
    let spread = Spread::of((1..=200).map(f64::from).rev().collect());
    assert_eq!((spread.p50, spread.p95, spread.p99), (100.0, 190.0, 198.0));
    assert_eq!(Spread::of(Vec::new()), Spread::default());
}

#[test]
fn regret_is_counted_from_the_oracle() {
    let mut scenario = scenarios::even_pool();
    scenario.span = Duration::from_secs(30);
    scenario.seeds.truncate(2);
    let report = crate::simulate_with(&scenario, &[Policy::Oracle, Policy::PlainRandom]);
    let cost = |policy| report.row(policy).map(|row| (row.figures.cost_ms, row.figures.regret));
    let (best, one) = cost(Policy::Oracle).unwrap();
    let (plain, regret) = cost(Policy::PlainRandom).unwrap();
    assert_eq!(one, 1.0);
    assert_eq!(regret, plain / best);
}
