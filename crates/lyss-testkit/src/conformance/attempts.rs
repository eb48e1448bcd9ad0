//! Usage records.

use std::collections::BTreeMap;
use std::time::Duration;

use lyss_domain::{
    AttemptId, AttemptRecord, CallId, FaultKind, KeyId, Micros, Operation, Terminal, TokenUsage, UsageSource,
};
use lyss_repositories::{Arrival, AttemptStore, ChannelFigures, LatencyHistogram, SeriesPoint, UsageTotal};

use crate::database::TestDatabase;
use crate::samples::*;

pub async fn are_kept_whole(db: &TestDatabase) {
    let refused = AttemptRecord {
        ordinal: u16::MAX,
        stream: false,
        terminal: Terminal::Refused,
        fault: Some(FaultKind::VendorRateLimited),
        status: None,
        usage: TokenUsage::default(),
        usage_source: UsageSource::None,
        cost: Micros::ZERO,
        price: None,
        ttft_us: None,
        decision: None,
        ..attempt(1, 2)
    };
    assert_eq!(db.store.write(&[attempt(1, 1), refused.clone()]).await.unwrap(), 2);
    assert_eq!(db.store.get(&scope(1), attempt(1, 1).id).await.unwrap(), Some(attempt(1, 1)));
    assert_eq!(db.store.get(&scope(1), refused.id).await.unwrap(), Some(refused.clone()));
    assert_eq!(db.store.get(&scope(1), attempt(1, 3).id).await.unwrap(), None);
    assert_eq!(db.store.get(&scope(2), refused.id).await.unwrap(), None);
}

/// The ledger writes a batch again when it does not know whether it was written.
pub async fn written_twice_are_there_once(db: &TestDatabase) {
    assert_eq!(db.store.write(&[]).await.unwrap(), 0);
    // More than one statement can carry.
    let batch: Vec<AttemptRecord> = (0..1_300).map(|number| attempt(1, number)).collect();
    assert_eq!(db.store.write(&batch[..700]).await.unwrap(), 700);
    assert_eq!(db.store.write(&batch).await.unwrap(), 600);
    assert_eq!(db.store.write(&batch).await.unwrap(), 0);
    assert_eq!(db.store.count(&scope(1)).await.unwrap(), 1_300);

    // Nor does a later write of the same id change what is there.
    let forged = AttemptRecord { cost: Micros(9_999), ..attempt(1, 1) };
    assert_eq!(db.store.write(&[forged.clone(), forged]).await.unwrap(), 0);
    assert_eq!(db.store.get(&scope(1), attempt(1, 1).id).await.unwrap(), Some(attempt(1, 1)));
}

pub async fn twice_in_one_batch_are_there_once(db: &TestDatabase) {
    assert_eq!(db.store.write(&[attempt(1, 1), attempt(1, 1), attempt(1, 2)]).await.unwrap(), 2);
}

pub async fn are_shown_newest_first(db: &TestDatabase) {
    db.store.write(&[attempt(1, 2), attempt(1, 3), attempt(1, 1), attempt(2, 4)]).await.unwrap();
    let newest = db.store.recent(&scope(1), 2).await.unwrap();
    assert_eq!(newest, [attempt(1, 3), attempt(1, 2)]);
    assert_eq!(db.store.count(&scope(1)).await.unwrap(), 3);
}

/// A call may begin long before its last attempt does, and it is the attempt's time that counts.
pub async fn are_counted_from_their_own_start(db: &TestDatabase) {
    let begun_before = AttemptRecord { started_at: at(3_600), ..attempt(1, 1) };
    let started_before = AttemptRecord { started_at: at(3_599), ..attempt(1, 2) };
    db.store.write(&[begun_before, started_before, attempt(1, 3_600)]).await.unwrap();
    let requests = async |since| -> u64 {
        let totals = db.store.totals(&scope(1), at(since)).await.unwrap();
        totals.iter().map(|total| total.requests).sum()
    };
    assert_eq!((requests(0).await, requests(3_600).await, requests(3_601).await), (3, 2, 0));
}

pub async fn add_up(db: &TestDatabase) {
    // A call whose first attempt failed is charged for the second alone.
    let failed = AttemptRecord {
        usage: TokenUsage::default(),
        usage_source: UsageSource::None,
        cost: Micros::ZERO,
        ..attempt(1, 11)
    };
    let retried = AttemptRecord { ordinal: 1, call: failed.call, ..attempt(1, 12) };
    let other_model = AttemptRecord { model_asked: "slow".to_owned(), ..attempt(1, 13) };
    let other_key = AttemptRecord { key: key_id(2), ..attempt(1, 14) };
    let records = [attempt(1, 9), attempt(1, 10), failed, retried, other_model, other_key, attempt(2, 15)];
    db.store.write(&records).await.unwrap();

    let total = |key, model: &str, requests, attempts: u64| UsageTotal {
        key: key_id(key),
        channel: channel_id(1),
        model_asked: model.to_owned(),
        requests,
        // Every class once; reasoning is part of output.
        tokens: attempts * 127,
        cost_micros: i64::try_from(attempts).unwrap() * 123,
    };
    let mut totals = db.store.totals(&scope(1), at(10)).await.unwrap();
    totals.sort_by(|a, b| (a.key, &a.model_asked).cmp(&(b.key, &b.model_asked)));
    assert_eq!(totals, [total(1, "fast", 2, 2), total(1, "slow", 1, 1), total(2, "fast", 1, 1)]);
    assert_eq!(db.store.totals(&scope(3), at(0)).await.unwrap(), []);
}

/// A channel's row counts what it did, with each provider it ever had; another tenant's is not in it.
pub async fn tell_how_channels_did(db: &TestDatabase) {
    let ended = |second, terminal, fault| AttemptRecord { terminal, fault, ..attempt(1, second) };
    let took = |second, ttft_us, total_us| AttemptRecord { ttft_us, total_us, ..attempt(1, second) };
    let refused = AttemptRecord {
        usage: TokenUsage::default(),
        usage_source: UsageSource::None,
        cost: Micros::ZERO,
        ttft_us: None,
        total_us: 1,
        ..ended(14, Terminal::Refused, Some(FaultKind::VendorRateLimited))
    };
    let elsewhere = AttemptRecord { provider: slug("anthropic"), ..attempt(1, 17) };
    let other_channel = AttemptRecord { channel: channel_id(2), ..attempt(1, 18) };
    db.store
        .write(&[
            ended(9, Terminal::TimedOut, Some(FaultKind::TotalTimeout)),
            took(10, Some(9_000), 500_000),
            took(11, Some(10_000), 700_000_000),
            ended(12, Terminal::UpstreamCut, Some(FaultKind::UpstreamCut)),
            ended(13, Terminal::ClientGone, Some(FaultKind::ClientGone)),
            refused,
            ended(15, Terminal::ClientGone, Some(FaultKind::ClientGone)),
            elsewhere,
            other_channel,
            AttemptRecord { channel: channel_id(1), ..attempt(2, 19) },
        ])
        .await
        .unwrap();

    let figures = db.store.figures(&scope(1), at(10)).await.unwrap();
    let histogram = |latencies: &[u64]| {
        let mut all = LatencyHistogram::default();
        latencies.iter().for_each(|latency| all.observe(*latency));
        all
    };
    let one = |channel, provider, second| ChannelFigures {
        channel: channel_id(channel),
        provider: slug(provider),
        attempts: 1,
        succeeded: 1,
        failed: 0,
        client_gone: 0,
        prompt_tokens: 31,
        completion_tokens: 96,
        cost_micros: 123,
        latency: histogram(&[1_250_000]),
        ttft: histogram(&[250_000]),
        last_attempt_at: at(second),
        last_fault: None,
    };
    let first = ChannelFigures {
        attempts: 6,
        succeeded: 2,
        failed: 2,
        client_gone: 2,
        prompt_tokens: 5 * 31,
        completion_tokens: 5 * 96,
        cost_micros: 5 * 123,
        latency: histogram(&[500_000, 700_000_000]),
        ttft: histogram(&[9_000, 10_000, 250_000, 250_000, 250_000]),
        last_fault: Some((FaultKind::VendorRateLimited, at(14))),
        ..one(1, "openai", 15)
    };
    assert_eq!(figures, [one(1, "anthropic", 17), first, one(2, "openai", 18)]);
    assert_eq!(figures[1].latency.quantile(1.0), Some(700_000_000));
    assert_eq!(db.store.figures(&scope(3), at(0)).await.unwrap(), []);
    assert_eq!(db.store.figures(&scope(1), at(100)).await.unwrap(), []);
}

pub async fn hold_the_largest_counts(db: &TestDatabase) {
    let most = lyss_domain::usage::MAX_TOKENS;
    let usage = TokenUsage {
        input: u64::MAX,
        cache_read: u64::MAX,
        cache_write: u64::MAX,
        cache_write_long: u64::MAX,
        audio_input: u64::MAX,
        output: u64::MAX,
        reasoning: u64::MAX,
        audio_output: u64::MAX,
    };
    let records: Vec<AttemptRecord> =
        (0..100).map(|number| AttemptRecord { usage: usage.capped(), ..attempt(1, number) }).collect();
    db.store.write(&records).await.unwrap();
    let totals = db.store.totals(&scope(1), at(0)).await.unwrap();
    assert_eq!(totals.iter().map(|total| total.tokens).collect::<Vec<_>>(), [most * 7 * 100]);
}

/// A further attempt of the call that began in this second.
fn further(second: u64, ordinal: u16, started: u64) -> AttemptRecord {
    AttemptRecord {
        id: AttemptId::of(call_id(second), ordinal),
        ordinal,
        started_at: at(started),
        ..attempt(1, second)
    }
}

pub async fn of_one_call_stand_together(db: &TestDatabase) {
    let neighbour = CallId::from_parts(u64::try_from(at(10).as_millis()).unwrap(), &[7; 10]);
    let beside = AttemptRecord { id: AttemptId::of(neighbour, 1), call: neighbour, ..attempt(1, 10) };
    let all = [attempt(1, 10), further(10, 1, 11), further(10, u16::MAX, 30)];
    let mut batch = vec![attempt(1, 9), attempt(1, 11), beside];
    batch.extend(all.iter().rev().cloned());
    batch.push(AttemptRecord { tenant: tenant_id(2), ..further(10, 2, 12) });
    db.store.write(&batch).await.unwrap();
    assert_eq!(db.store.of_call(&scope(1), call_id(10)).await.unwrap(), all);
    assert_eq!(db.store.of_call(&scope(1), call_id(12)).await.unwrap(), []);
    assert_eq!(db.store.of_call(&scope(3), call_id(10)).await.unwrap(), []);
}

/// Two minutes of channel 1 and what is around them.
fn minutes() -> [AttemptRecord; 10] {
    let refused = |second, fault| AttemptRecord {
        terminal: Terminal::Refused,
        fault: Some(fault),
        usage: TokenUsage::default(),
        cost: Micros::ZERO,
        ttft_us: None,
        ..attempt(1, second)
    };
    let gone = AttemptRecord {
        terminal: Terminal::ClientGone,
        fault: Some(FaultKind::ClientGone),
        ..attempt(1, 121)
    };
    [
        attempt(1, 59),
        attempt(1, 60),
        AttemptRecord { model_served: "o3".to_owned(), ..attempt(1, 61) },
        AttemptRecord { ttft_us: Some(1_000), total_us: 2_000, ..attempt(1, 119) },
        refused(120, FaultKind::Overloaded),
        gone,
        refused(122, FaultKind::Overloaded),
        refused(179, FaultKind::Network),
        AttemptRecord { channel: channel_id(2), ..attempt(1, 62) },
        attempt(2, 63),
    ]
}

/// A point for each interval and model, and nothing of other channels or of before.
pub async fn tell_one_channel_over_time(db: &TestDatabase) {
    db.store.write(&minutes()).await.unwrap();
    let histogram = |latencies: &[u64]| {
        let mut all = LatencyHistogram::default();
        latencies.iter().for_each(|latency| all.observe(*latency));
        all
    };
    let well = |second, model: &str, latency: &[u64], ttft: &[u64]| SeriesPoint {
        at: at(second),
        model: model.to_owned(),
        attempts: latency.len() as u64,
        succeeded: latency.len() as u64,
        failed: 0,
        faults: BTreeMap::new(),
        client_gone: 0,
        prompt_tokens: 31 * latency.len() as u64,
        completion_tokens: 96 * latency.len() as u64,
        cost_micros: 123 * i64::try_from(latency.len()).unwrap(),
        latency: histogram(latency),
        ttft: histogram(ttft),
    };
    let bad = SeriesPoint {
        attempts: 4,
        succeeded: 0,
        failed: 3,
        faults: BTreeMap::from([(FaultKind::Overloaded, 2), (FaultKind::Network, 1)]),
        client_gone: 1,
        prompt_tokens: 31,
        completion_tokens: 96,
        cost_micros: 123,
        ..well(120, "gpt-4o-mini", &[], &[250_000])
    };
    let points = [
        well(60, "gpt-4o-mini", &[1_250_000, 2_000], &[250_000, 1_000]),
        well(60, "o3", &[1_250_000], &[250_000]),
        bad.clone(),
    ];
    let series = async |since, seconds| {
        let interval = Duration::from_secs(seconds);
        db.store.channel_series(&scope(1), channel_id(1), at(since), interval).await.unwrap()
    };
    assert_eq!(series(60, 60).await, points);
    assert_eq!(series(120, 60).await, [bad]);
    let whole = series(0, 86_400).await;
    let points: Vec<_> = whole.iter().map(|point| (point.at, &*point.model, point.attempts)).collect();
    assert_eq!(points, [(at(0), "gpt-4o-mini", 7), (at(0), "o3", 1)]);
    assert_eq!(series(60, 0).await.len(), 7, "an interval is at least a second");
    assert_eq!(series(180, 60).await, []);
}

pub async fn are_traffic_as_it_came(db: &TestDatabase) {
    let none = TokenUsage::default();
    let failed = AttemptRecord { usage: none, terminal: Terminal::Refused, ..attempt(1, 11) };
    let batch = [
        attempt(1, 9),
        AttemptRecord { usage: none, ..attempt(1, 10) },
        failed,
        further(11, 1, 14),
        AttemptRecord { operation: Operation::Embeddings, stream: false, ..attempt(1, 12) },
        attempt(2, 13),
    ];
    db.store.write(&batch).await.unwrap();
    let arrival = |second, prompt_tokens, output_tokens| Arrival {
        at: at(second),
        model: "fast".to_owned(),
        operation: Operation::Chat,
        stream: true,
        prompt_tokens,
        output_tokens,
    };
    let embedded = Arrival { operation: Operation::Embeddings, stream: false, ..arrival(12, 31, 96) };
    let all = [arrival(10, 0, 0), arrival(11, 31, 96), embedded];
    assert_eq!(db.store.traffic(&scope(1), at(10), 100).await.unwrap(), all);
    assert_eq!(db.store.traffic(&scope(1), at(10), 3).await.unwrap(), all[1..]);
    assert_eq!(db.store.traffic(&scope(1), at(10), 0).await.unwrap(), []);
}

/// What the service asked for by itself is kept, and counts as nobody's use.
pub async fn of_probes_are_in_no_sum(db: &TestDatabase) {
    let probe = AttemptRecord { operation: Operation::Health, key: KeyId::NONE, ..attempt(1, 10) };
    db.store.write(std::slice::from_ref(&probe)).await.unwrap();
    assert_eq!(db.store.get(&scope(1), probe.id).await.unwrap(), Some(probe));
    assert_eq!(db.store.totals(&scope(1), at(0)).await.unwrap(), []);
    assert_eq!(db.store.figures(&scope(1), at(0)).await.unwrap(), []);
    let minute = Duration::from_secs(60);
    let series = db.store.channel_series(&scope(1), channel_id(1), at(0), minute).await.unwrap();
    assert_eq!(series, []);
    assert_eq!(db.store.traffic(&scope(1), at(0), 9).await.unwrap(), []);
}
