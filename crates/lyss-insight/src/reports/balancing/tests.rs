use lyss_domain::{AttemptRecord, FaultKind, TokenUsage};
use lyss_testkit::samples::{at, channel_id, scope};

use super::*;
use crate::desk::{Desk, NOW, failed, good};

/// A stream that began after `ttft_ms` and was whole after three times as long.
fn served(second: u64, channel: u64, ttft_ms: i64) -> AttemptRecord {
    let model_served = if channel == 2 { "deepseek-chat" } else { "gpt-4o-mini" };
    AttemptRecord {
        model_served: model_served.to_owned(),
        ttft_us: Some(ttft_ms * 1_000),
        total_us: ttft_ms * 3_000,
        usage: TokenUsage { input: 500, output: 100, ..TokenUsage::default() },
        ..good(second, channel)
    }
}

/// Calls by turns on a quick channel and on one ten times as slow that fails one time in five.
fn traffic() -> Vec<AttemptRecord> {
    let mut records = Vec::new();
    for n in 0..400 {
        let second = NOW - 40_000 + n;
        records.push(match (n % 2, n % 10) {
            (0, _) => served(second, 1, 300),
            (_, 1) => AttemptRecord {
                model_served: "deepseek-chat".to_owned(),
                ..failed(second, 2, FaultKind::VendorError)
            },
            _ => served(second, 2, 3_000),
        });
    }
    records
}

#[tokio::test]
async fn recorded_calls_are_played_again_with_every_algorithm() {
    let desk = Desk::with(&traffic()).await;
    let report = desk.insight.balancing_report(&scope(1), Period::Day).await.unwrap().unwrap();
    let [model] = &report.models[..] else { panic!("{report:?}") };
    assert_eq!((model.model.as_str(), model.calls, model.simulated), ("fast", 400, 400));
    assert_eq!(model.channels.iter().map(|c| c.id).collect::<Vec<_>>(), [channel_id(1), channel_id(2)]);
    let [quick, slow] = [0, 1].map(|place| &model.channels[place].figures);
    assert!(slow.ttft.p50 > quick.ttft.p50 * 5 && (0.15..0.25).contains(&slow.failure_rate), "{slow:?}");
    assert_eq!((quick.failure_rate, model.channels[0].measured), (0.0, 200));

    let of = |strategy| &model.algorithms.iter().find(|one| one.strategy == strategy).unwrap().figures;
    assert_eq!(model.algorithms.len(), 5);
    let (rotating, learning) = (of(Strategy::RoundRobin), of(Strategy::BestPerformance));
    assert!(learning.cost_ms < rotating.cost_ms * 0.7, "{learning:?} {rotating:?}");
    assert!(learning.shares[0] > 0.8, "{learning:?}");
    assert!(model.oracle.cost_ms <= model.best().unwrap().figures.cost_ms);
    let actual = &model.actual;
    assert_eq!((actual.attempts, actual.shares.clone()), (400, vec![0.5, 0.5]));
    assert_eq!(actual.strategies, [(Strategy::WeightedRandom, 1.0)]);

    let document = report.document();
    let (page, text) = (document.html(), document.plain());
    for strategy in Strategy::ALL {
        assert!(page.contains(strategy.as_str()) && text.contains(strategy.as_str()), "{text}");
    }
    assert!(text.contains("does best: calls would be done"), "{text}");
    assert_eq!(report.lack(), None);
}

#[tokio::test]
async fn a_report_is_told_again_for_a_while_and_then_made_anew() {
    let desk = Desk::with(&traffic()).await;
    let first = desk.insight.balancing_report(&scope(1), Period::Day).await.unwrap().unwrap();
    desk.clock.advance(Duration::from_secs(299));
    assert_eq!(desk.insight.balancing_report(&scope(1), Period::Day).await.unwrap().unwrap(), first);
    // Neither another's, nor of another time.
    let other = desk.insight.balancing_report(&scope(2), Period::Day).await.unwrap().unwrap();
    assert_eq!((other.calls, other.is_empty()), (0, true));
    assert!(other.lack().unwrap().contains("No conversation was recorded"));
    desk.clock.advance(Duration::from_secs(2));
    let anew = desk.insight.balancing_report(&scope(1), Period::Day).await.unwrap().unwrap();
    assert_eq!(anew.until, at(NOW).after(Duration::from_secs(301)));
    assert_eq!(anew.models[0].algorithms, first.models[0].algorithms, "the same calls, the same figures");
}

#[tokio::test]
async fn a_model_of_one_channel_leaves_no_choice() {
    let slow = AttemptRecord { model_asked: "slow".to_owned(), ..served(NOW - 100, 1, 300) };
    let desk = Desk::with(&[slow]).await;
    let report = desk.insight.balancing_report(&scope(1), Period::Day).await.unwrap().unwrap();
    assert_eq!((report.calls, report.without_choice.clone()), (1, vec!["slow".to_owned()]));
    assert!(report.lack().unwrap().contains("no two channels serve"));
}

#[test]
fn the_busiest_stretch_is_an_hour_and_a_thousand_calls_at_most() {
    let calls: Vec<_> = (0..3_000_u64)
        .map(|n| Arrival {
            // One in ten seconds, and one a second in the middle.
            at: at(if n < 1_000 {
                n * 10
            } else if n < 2_000 {
                9_000 + n
            } else {
                n * 10
            }),
            model: "m".to_owned(),
            operation: Operation::Chat,
            stream: false,
            prompt_tokens: 1,
            output_tokens: 1,
        })
        .collect();
    let calls: Vec<_> = calls.iter().collect();
    let stretch = busiest(&calls);
    assert_eq!(stretch.len(), MOST_CALLS);
    assert!(stretch[MOST_CALLS - 1].at.since(stretch[0].at) <= Duration::from_secs(2_000));
    assert!(busiest(&[]).is_empty());
    let sparse: Vec<_> = calls.iter().copied().take(900).collect();
    assert_eq!(busiest(&sparse).len(), 361, "an hour of them");
}
