use lyss_balancing::Size;
use lyss_domain::{AttemptRecord, Clock as _, FaultKind, Terminal};
use lyss_testkit::samples::{at, channel_id, scope, slug, tenant_id};

use crate::desk::{Desk, NOW, failed, good};
use crate::{LastFault, StatisticsWindow};

/// Begun in this second, counted from 100,000 before it is read.
fn record(second: u64, channel: u64) -> AttemptRecord {
    good(NOW - 100_000 + second, channel)
}

#[tokio::test]
async fn a_provider_is_told_with_its_channels_and_what_they_did_in_the_window() {
    let failed = failed(NOW - 1_000, 1, FaultKind::VendorError);
    let gone = AttemptRecord { provider: slug("google"), ..record(99_500, 9) };
    let foreign = AttemptRecord { tenant: tenant_id(2), channel: channel_id(3), ..record(99_100, 3) };
    let old = record(1, 1);
    let records = [record(98_000, 1), record(98_500, 1), failed, gone, foreign, old];
    let desk = Desk::with(&records).await;
    let insight = &desk.insight;
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
    let desk = Desk::with(&[record(99_000, 1), failed]).await;
    let vitals = desk.health.channel(channel_id(1)).model("gpt-4o-mini");
    let _under_way = [(); 2].map(|()| vitals.enter(Size::default(), None, desk.clock.tick()).unwrap());
    let insight = &desk.insight;
    let standings = insight.channel_overview(&scope(1), StatisticsWindow::Hour).await.unwrap();
    let [first, second] = &standings[..] else { panic!("{standings:?}") };
    assert_eq!((first.channel.id, first.live.in_flight, first.sums.attempts), (channel_id(1), 2, 2));
    let fault = LastFault { kind: FaultKind::FirstByteTimeout, at: at(NOW - 999) };
    assert_eq!((first.last_fault, first.last_attempt_at), (Some(fault), Some(at(NOW - 999))));
    assert_eq!((second.channel.id, second.sums.attempts, second.last_fault), (channel_id(2), 0, None));
    assert_eq!(insight.channel_overview(&scope(7), StatisticsWindow::Hour).await.unwrap(), []);
}
