use super::*;
use crate::{Policy, simulate};
use lyss_domain::Strategy;

fn channel(name: &str, ttft_ms: u64, failure_rate: f64) -> ChannelFigures {
    let quantiles = |p50, p95| Quantiles { p50: Duration::from_micros(p50), p95: Duration::from_micros(p95) };
    ChannelFigures {
        name: name.to_owned(),
        weight: 100,
        priority: 0,
        concurrency: None,
        ttft: quantiles(ttft_ms * 1_000, ttft_ms * 1_800),
        tpot: quantiles(10_000, 16_000),
        failure_rate,
        rate_limited: 0.0,
        prompt_micros_per_million: 150_000,
        output_micros_per_million: 600_000,
    }
}

#[test]
fn measured_times_come_out_again() {
    let traffic = TrafficFigures::steady(5.0, Duration::from_secs(200), vec![3_000; 4], vec![200]);
    let report = simulate(&scenario("acme", &[channel("a", 700, 0.0)], &traffic));
    for row in &report.rows {
        let ttft = row.figures.ttft_ms;
        assert!((650.0..750.0).contains(&ttft.p50), "{}: {}", row.policy, ttft.p50);
        assert!((1_150.0..1_380.0).contains(&ttft.p95), "{}: {}", row.policy, ttft.p95);
        // 3000 tokens at 0.15 micros and 200 at 0.6.
        assert!((560.0..580.0).contains(&row.figures.spent_micros_per_call));
    }
}

#[test]
fn a_channel_that_fails_costs_attempts() {
    let traffic = TrafficFigures::steady(5.0, Duration::from_secs(200), vec![1_000], vec![100]);
    let report = simulate(&scenario("acme", &[channel("a", 400, 0.0), channel("b", 400, 0.3)], &traffic));
    let plain = &report.row(Policy::PlainRandom).unwrap().figures;
    assert!((0.11..0.19).contains(&plain.failed_per_success), "{}", plain.failed_per_success);
    let shares = |policy| report.row(policy).unwrap().figures.shares[1];
    assert!(shares(Policy::Oracle) < 0.05);
    assert!(report.row(Policy::Algorithm(Strategy::Adaptive)).is_some());
}

#[test]
fn recorded_arrivals_are_kept() {
    let arrivals = RecordedArrivals::At((0..50).map(|call| Duration::from_millis(call * 300)).collect());
    let traffic = TrafficFigures {
        arrivals,
        ..TrafficFigures::steady(0.0, Duration::from_secs(60), vec![500, 2_000], vec![50, 20])
    };
    let report = simulate(&scenario("acme", &[channel("a", 400, 0.0)], &traffic));
    assert!(report.rows.iter().all(|row| row.figures.calls == 50.0));
}

#[test]
fn empty_and_odd_figures_do_no_harm() {
    let odd = ChannelFigures {
        ttft: Quantiles { p50: Duration::MAX, p95: Duration::ZERO },
        tpot: Quantiles { p50: Duration::MAX, p95: Duration::ZERO },
        failure_rate: f64::NAN,
        rate_limited: 7.0,
        concurrency: Some(0),
        ..channel("odd", 400, 0.0)
    };
    let traffic = TrafficFigures::steady(2.0, Duration::from_secs(20), Vec::new(), Vec::new());
    for channels in [vec![], vec![odd.clone()], vec![odd, channel("a", 400, 0.0)]] {
        let report = simulate(&scenario("acme", &channels, &traffic));
        assert_eq!(report.rows.len(), Policy::ALL.len());
        for row in &report.rows {
            assert!(row.figures.cost_ms.is_finite() && row.figures.regret.is_finite(), "{row:?}");
        }
    }
}
