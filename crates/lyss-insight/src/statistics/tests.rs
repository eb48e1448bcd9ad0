use std::sync::Arc;

use lyss_catalog::{Catalog, CatalogHandle};
use lyss_domain::{AttemptRecord, Channel, ChannelId, FaultKind, Terminal};
use lyss_repositories::{AttemptStore, CatalogRows};
use lyss_testkit::ManualClock;
use lyss_testkit::database::{TestDatabase, sqlite};
use lyss_testkit::samples::{at, attempt, channel, channel_id, scope, slug, tenant, tenant_id};

use crate::{Insight, LastFault, Live, StatisticsWindow};

/// Two on channel 1.
struct Two;

impl Live for Two {
    fn in_flight(&self, channel: ChannelId) -> u32 {
        if channel == channel_id(1) { 2 } else { 0 }
    }
}

/// Begun in this second.
fn record(second: u64, channel: u64) -> AttemptRecord {
    AttemptRecord {
        channel: channel_id(channel),
        provider: slug("openai"),
        terminal: Terminal::Complete,
        fault: None,
        ttft_us: Some(50_000),
        total_us: 100_000,
        ..attempt(1, second)
    }
}

/// Tenant 1 with channels 1 to OpenAI and 2 to DeepSeek; tenant 2 with one of its own and more records than anybody.
async fn insight(records: &[AttemptRecord]) -> (Insight, TestDatabase) {
    let database = sqlite().await;
    database.store.write(records).await.unwrap();
    let rows = CatalogRows {
        tenants: vec![tenant(1), tenant(2)],
        channels: vec![channel(1, 1), Channel { provider: slug("deepseek"), ..channel(1, 2) }, channel(2, 3)],
        ..CatalogRows::default()
    };
    let clock = ManualClock::new();
    clock.set(at(100_000));
    let insight = Insight {
        attempts: Arc::new(database.store.clone()),
        catalog: Arc::new(CatalogHandle::new(Catalog::build(rows).unwrap())),
        live: Arc::new(Two),
        clock: Arc::new(clock),
    };
    (insight, database)
}

#[tokio::test]
async fn a_provider_is_told_with_its_channels_and_what_they_did_in_the_window() {
    let failed = AttemptRecord {
        terminal: Terminal::Refused,
        fault: Some(FaultKind::VendorError),
        ttft_us: None,
        ..record(99_000, 1)
    };
    let gone = AttemptRecord { provider: slug("google"), ..record(99_500, 9) };
    let foreign = AttemptRecord { tenant: tenant_id(2), channel: channel_id(3), ..record(99_100, 3) };
    let old = record(1, 1);
    let records = [record(98_000, 1), record(98_500, 1), failed, gone, foreign, old];
    let (insight, _database) = insight(&records).await;
    let told = insight.provider_statistics(&scope(1), StatisticsWindow::Hour).await.unwrap();
    let names: Vec<_> =
        told.iter().map(|one| (one.provider.as_str(), one.channels, one.sums.attempts)).collect();
    // DeepSeek has a channel and no traffic, Google traffic of a channel that is gone.
    assert_eq!(names, [("deepseek", 1, 0), ("google", 0, 1), ("openai", 1, 3)]);
    let openai = &told[2].sums;
    assert_eq!((openai.succeeded, openai.failed), (2, 1));
    assert_eq!(openai.success_rate(), Some(2.0 / 3.0));
    assert_eq!(told[0].sums.success_rate(), None);
    assert_eq!(openai.latency.count(), 2);
    let whole = insight.provider_statistics(&scope(1), StatisticsWindow::Month).await.unwrap();
    assert_eq!(whole[2].sums.attempts, 4);
}

#[tokio::test]
async fn an_overview_holds_every_channel_of_the_tenant_and_no_other() {
    let failed = AttemptRecord {
        terminal: Terminal::TimedOut,
        fault: Some(FaultKind::FirstByteTimeout),
        ..record(99_001, 1)
    };
    let (insight, _database) = insight(&[record(99_000, 1), failed]).await;
    let standings = insight.channel_overview(&scope(1), StatisticsWindow::Hour).await.unwrap();
    let [first, second] = &standings[..] else { panic!("{standings:?}") };
    assert_eq!((first.channel.id, first.in_flight, first.sums.attempts), (channel_id(1), 2, 2));
    let fault = LastFault { kind: FaultKind::FirstByteTimeout, at: at(99_001) };
    assert_eq!((first.last_fault, first.last_attempt_at), (Some(fault), Some(at(99_001))));
    assert_eq!((second.channel.id, second.sums.attempts, second.last_fault), (channel_id(2), 0, None));
    assert_eq!(insight.channel_overview(&scope(7), StatisticsWindow::Hour).await.unwrap(), []);
}
