use std::collections::BTreeMap;

use lyss_balancing::Size;
use lyss_domain::{AttemptRecord, Clock as _, FaultKind};
use lyss_testkit::samples::{at, channel_id, scope};

use super::*;
use crate::desk::{Desk, NOW, failed, good};

fn ask(window: StatisticsWindow, interval: Option<SeriesInterval>) -> MetricsAsk {
    MetricsAsk { window, interval, model: None }
}

#[tokio::test]
async fn figures_add_up_in_total_per_model_and_over_time() {
    let other = AttemptRecord { model_served: "gpt-4o".to_owned(), ..good(NOW - 30, 1) };
    let records = [
        good(NOW - 3_000, 1),
        good(NOW - 2_990, 1),
        failed(NOW - 200, 1, FaultKind::VendorRateLimited),
        failed(NOW - 190, 1, FaultKind::UpstreamCut),
        failed(NOW - 180, 1, FaultKind::UpstreamCut),
        other,
        good(NOW - 10, 2),
        good(NOW - 4_000, 1),
    ];
    let desk = Desk::with(&records).await;
    let vitals = desk.health.channel(channel_id(1)).model("gpt-4o");
    let _under_way = vitals.enter(Size::default(), None, desk.clock.tick()).unwrap();
    let hour = ask(StatisticsWindow::Hour, None);
    let told = desk.insight.channel_metrics(&scope(1), channel_id(1), &hour).await.unwrap().unwrap();
    assert_eq!((told.interval, told.in_flight), (SeriesInterval::Minute, 1));
    let sums = &told.total.sums;
    assert_eq!((sums.attempts, sums.succeeded, sums.failed), (6, 3, 3));
    assert_eq!(sums.success_rate(), Some(0.5));
    let faults = BTreeMap::from([(FaultKind::VendorRateLimited, 1), (FaultKind::UpstreamCut, 2)]);
    assert_eq!(told.total.faults, faults);
    assert_eq!(told.total.per_second(), Some(6.0 / 3_600.0));
    let models: Vec<_> =
        told.models.iter().map(|m| (m.model.as_str(), m.tally.sums.attempts, m.in_flight)).collect();
    assert_eq!(models, [("gpt-4o-mini", 5, 0), ("gpt-4o", 1, 1)]);
    // A point for each minute, and every attempt in exactly one of them.
    assert!((60..=61).contains(&told.series.len()), "{}", told.series.len());
    assert!(told.series.windows(2).all(|pair| pair[1].at.since(pair[0].at) == Duration::from_mins(1)));
    let over_time: u64 = told.series.iter().map(|point| point.tally.sums.attempts).sum();
    assert_eq!(over_time, 6);
    let busy: Vec<_> = told.series.iter().filter(|point| point.tally.sums.attempts > 0).collect();
    assert!(busy.iter().all(|point| point.tally.span <= Duration::from_mins(1)));
    let spans: Duration = told.series.iter().map(|point| point.tally.span).sum();
    assert_eq!(spans, Duration::from_hours(1));

    let one = MetricsAsk { model: Some("gpt-4o".to_owned()), ..ask(StatisticsWindow::Hour, None) };
    let one = desk.insight.channel_metrics(&scope(1), channel_id(1), &one).await.unwrap().unwrap();
    assert_eq!((one.total.sums.attempts, one.models.len()), (1, 1));
    let day = ask(StatisticsWindow::Day, Some(SeriesInterval::SixHours));
    let day = desk.insight.channel_metrics(&scope(1), channel_id(1), &day).await.unwrap().unwrap();
    assert_eq!(day.total.sums.attempts, 7);
    assert_eq!(day.until, at(NOW));
}

#[tokio::test]
async fn a_foreign_channel_is_as_good_as_missing() {
    let desk = Desk::with(&[]).await;
    for (tenant, channel) in [(1, 3), (2, 1), (1, 9), (9, 1)] {
        let (scope, ask) = (scope(tenant), MetricsAsk::default());
        let told = desk.insight.channel_metrics(&scope, channel_id(channel), &ask).await;
        assert_eq!(told.unwrap(), None);
    }
}

#[test]
fn a_window_is_told_in_a_bounded_number_of_points() {
    for window in StatisticsWindow::ALL {
        assert!(SeriesInterval::suiting(window).fits(window));
        for interval in SeriesInterval::ALL.into_iter().filter(|interval| interval.fits(window)) {
            let until = at(NOW).after(Duration::from_millis(1_234));
            let points = empty_series(interval, window.since(until), until).len() as u64;
            assert!(points <= MOST_POINTS + 1, "{interval:?} {window:?}: {points}");
        }
    }
    assert!(!SeriesInterval::Minute.fits(StatisticsWindow::Week));
    assert!(!SeriesInterval::FiveMinutes.fits(StatisticsWindow::Month));
}
