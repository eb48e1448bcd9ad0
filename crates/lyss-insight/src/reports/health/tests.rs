use lyss_testkit::samples::{at, channel_id, health_event, scope};

use super::*;
use crate::desk::{Desk, NOW, failed, good};

fn event(number: u64, second: u64, kind: HealthEventKind, lasting: u64) -> HealthEvent {
    HealthEvent {
        kind,
        model: None,
        at: at(second),
        fault: Some(FaultKind::CredentialRefused),
        lasting: (lasting > 0).then(|| Duration::from_secs(lasting)),
        ..health_event(1, 1, number)
    }
}

/// Channel 1 was refused for half an hour, channel 2 is well.
async fn desk() -> Desk {
    let mut records: Vec<_> = (0..10).map(|n| good(NOW - 20_000 + n, 1)).collect();
    records.extend((0..10).map(|n| failed(NOW - 10_000 + n, 1, FaultKind::CredentialRefused)));
    records.extend((0..20).map(|n| good(NOW - 9_000 + n, 2)));
    // Before the day, and of another tenant.
    records.push(failed(NOW - 200_000, 2, FaultKind::VendorError));
    let desk = Desk::with(&records).await;
    desk.happened(&[
        event(1, NOW - 10_000, HealthEventKind::Ejected, 300),
        event(2, NOW - 9_700, HealthEventKind::TrialFailed, 300),
        event(3, NOW - 9_000, HealthEventKind::Reopened, 0),
        HealthEvent { model: Some("gpt-4o".to_owned()), ..event(4, NOW - 500, HealthEventKind::Ejected, 60) },
        event(5, NOW - 400, HealthEventKind::ProbeOk, 0),
        event(6, NOW - 300_000, HealthEventKind::Ejected, 9_000),
        HealthEvent { at: at(NOW - 5), ..health_event(2, 3, 7) },
    ])
    .await;
    desk
}

#[tokio::test]
async fn a_day_is_told_channel_by_channel_with_the_troubled_one_first() {
    let desk = desk().await;
    let report = desk.insight.health_report(&scope(1), Period::Day).await.unwrap().unwrap();
    let [bad, well] = &report.channels[..] else { panic!("{report:?}") };
    assert_eq!((bad.channel.id, bad.is_troubled(), well.is_troubled()), (channel_id(1), true, false));
    assert_eq!((bad.downtime.as_secs(), bad.ejections, bad.models_ejected), (600, 1, 1));
    assert_eq!((bad.failed_trials, bad.probes_ok, bad.probes_failed), (1, 1, 0));
    assert_eq!(bad.availability, 1.0 - 600.0 / 86_400.0);
    assert_eq!((well.availability, well.tally.sums.success_rate()), (1.0, Some(1.0)));
    assert_eq!(report.faults(), [(FaultKind::CredentialRefused, 10)]);
    assert_eq!(report.total.sums.attempts, 40);
    assert_eq!(report.slowest.len(), 2);
    let week = desk.insight.health_report(&scope(1), Period::Week).await.unwrap().unwrap();
    assert_eq!((week.total.sums.attempts, week.channels[0].ejections), (41, 2));
    let other = desk.insight.health_report(&scope(2), Period::Day).await.unwrap().unwrap();
    assert_eq!((other.channels.len(), other.channels[0].tally.sums.attempts), (1, 0));
    assert_eq!(desk.insight.health_report(&scope(9), Period::Day).await.unwrap(), None);
}

#[tokio::test]
async fn people_read_the_same_in_every_form() {
    let desk = desk().await;
    let report = desk.insight.health_report(&scope(1), Period::Day).await.unwrap().unwrap();
    let document = report.document();
    for text in [document.html(), document.markdown().replace('\\', ""), document.plain()] {
        for word in ["channel-0001", "channel-0002", "credential_refused", "10 min", "50.0 %", "Slowest"] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
}
