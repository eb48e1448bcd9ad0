//! Usage records.

use lyss_domain::{AttemptRecord, FaultKind, Micros, Terminal, TokenUsage, UsageSource};
use lyss_repositories::{AttemptStore, ChannelFigures, LatencyHistogram, UsageTotal};

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
