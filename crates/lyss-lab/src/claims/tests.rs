use super::*;
use crate::metrics::{Figures, Row, Spread, Timeline};

fn sent(second: u64, upstream: usize) -> Sent {
    Sent { at: Tick(second * 1_000_000_000), upstream }
}

/// The drift reaches twice the time at 84 s.
#[test]
fn a_drift_that_nobody_notices_is_counted_to_its_end() {
    let rotating: Vec<Sent> =
        (0..300).flat_map(|second| (0..4).map(move |place| sent(second, place))).collect();
    assert_eq!(requests_until_noticed(&rotating), 300 - 84);
    let noticed_at_once: Vec<Sent> =
        rotating
            .into_iter()
            .map(|attempt| {
                if since_start(attempt.at).as_secs() < 84 { attempt } else { Sent { upstream: 0, ..attempt } }
            })
            .collect();
    assert_eq!(requests_until_noticed(&noticed_at_once), 0);
}

fn row(policy: Policy, cost_ms: f64, p99: f64) -> Row {
    let total_ms = Spread { p99, ..Spread::default() };
    Row {
        policy,
        figures: Figures { cost_ms, total_ms, ..Figures::default() },
        timeline: Timeline::default(),
    }
}

fn report(rows: Vec<Row>) -> Report {
    Report { scenario: "one_slow".to_owned(), about: String::new(), upstreams: Vec::new(), rows }
}

#[test]
fn a_tie_is_three_per_cent_of_the_best_algorithm() {
    let holds = |adaptive: f64| {
        let rows = vec![
            row(Policy::Oracle, 1.0, 0.0),
            row(ADAPTIVE, adaptive, 0.0),
            row(BEST_PERFORMANCE, 100.0, 0.0),
            row(Policy::Algorithm(Strategy::RoundRobin), 120.0, 0.0),
        ];
        adaptive_ties(&report(rows)).map(|claim| claim.holds)
    };
    assert_eq!((holds(90.0), holds(102.9), holds(103.1)), (Some(true), Some(true), Some(false)));
}

#[test]
fn the_tail_is_compared_with_round_robin() {
    let holds = |least| {
        let rows = vec![
            row(Policy::Algorithm(Strategy::LeastConnections), 1.0, least),
            row(Policy::Algorithm(Strategy::RoundRobin), 1.0, 30_000.0),
        ];
        tail_is_short(&report(rows)).map(|claim| claim.holds)
    };
    assert_eq!((holds(9_999.0), holds(10_001.0)), (Some(true), Some(false)));
}

#[test]
fn an_attempt_sent_to_a_drained_channel_is_found() {
    let scenario = crate::scenarios::weight_edits();
    // Channel 0 is drained from 30 s to 60 s.
    let weights = [29, 30, 59, 60].map(|second| weight_at(&scenario, &sent(second, 0)));
    assert_eq!(weights, [100, 0, 0, 100]);
    assert_eq!(weight_at(&scenario, &sent(130, 1)), 0);
    assert_eq!(weight_at(&scenario, &sent(150, 1)), 50);
}
