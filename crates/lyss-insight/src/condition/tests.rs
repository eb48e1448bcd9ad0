use lyss_balancing::Ending;
use lyss_domain::{FaultKind, HealthEventKind};
use lyss_testkit::samples::{at, channel_id, health_event, scope};

use super::*;
use crate::desk::{Desk, NOW};

async fn of(desk: &Desk, filter: HealthEventFilter) -> ChannelCondition {
    let told = desk.insight.channel_condition(&scope(1), channel_id(1), filter, Page::FIRST).await;
    told.unwrap().unwrap()
}

#[tokio::test]
async fn a_breaker_is_told_with_its_reason_and_the_calendars_time() {
    let desk = Desk::with(&[]).await;
    let fresh = of(&desk, HealthEventFilter::default()).await;
    assert_eq!(fresh.live, LiveCondition::default());
    assert_eq!((fresh.models.len(), fresh.history.total), (0, 0));

    for _ in 0..3 {
        desk.attempt(1, "gpt-4o", Ending::Complete, Duration::from_millis(400));
    }
    let cut = Ending::Failed(FaultKind::UpstreamCut, None);
    for _ in 0..3 {
        desk.attempt(1, "gpt-4o", cut, Duration::from_secs(1));
    }
    let opened = desk.clock.now();
    desk.clock.advance(Duration::from_millis(100));
    let told = of(&desk, HealthEventFilter::default()).await;
    assert_eq!(told.live.breaker.phase, Phase::Closed, "one model is not the channel");
    assert_eq!(told.live.models_ejected, ["gpt-4o"]);
    let fault = LastFault { kind: FaultKind::UpstreamCut, at: opened };
    assert_eq!(told.live.last_fault, Some(fault));
    let [model] = &told.models[..] else { panic!("{:?}", told.models) };
    let breaker = model.breaker;
    assert_eq!((breaker.phase, breaker.fault), (Phase::Open, Some(FaultKind::UpstreamCut)));
    assert_eq!((breaker.since, breaker.openings), (Some(opened), 1));
    assert!(
        breaker.until.unwrap() > desk.clock.now()
            && breaker.until.unwrap() < opened.after(Duration::from_secs(2))
    );
    assert!(model.success_rate.unwrap() < 1.0 && model.times.ttft.count() == 3);
    assert_eq!(told.times.total.count(), model.times.total.count());

    // When its wait is over a call may show that it is well; and it does.
    desk.clock.advance(Duration::from_secs(5));
    assert_eq!(of(&desk, HealthEventFilter::default()).await.models[0].breaker.phase, Phase::HalfOpen);
    desk.attempt(1, "gpt-4o", Ending::Complete, Duration::from_millis(400));
    let well = of(&desk, HealthEventFilter::default()).await;
    assert_eq!((well.models[0].breaker.phase, well.live.models_ejected.len()), (Phase::Closed, 0));
}

#[tokio::test]
async fn a_credential_ejects_the_channel_and_a_rate_limit_only_waits() {
    let desk = Desk::with(&[]).await;
    let limited = Ending::Failed(FaultKind::VendorRateLimited, Some(Duration::from_secs(30)));
    desk.attempt(1, "gpt-4o", limited, Duration::from_millis(10));
    let told = of(&desk, HealthEventFilter::default()).await;
    assert_eq!(told.live.breaker.phase, Phase::Closed);
    assert_eq!(told.live.cooling_until, Some(desk.clock.now().after(Duration::from_secs(30))));
    let refused = Ending::Failed(FaultKind::CredentialRefused, None);
    desk.attempt(1, "gpt-4o-mini", refused, Duration::from_millis(10));
    let told = of(&desk, HealthEventFilter::default()).await;
    assert_eq!(told.live.breaker.phase, Phase::Open);
    assert_eq!(told.live.breaker.fault, Some(FaultKind::CredentialRefused));
    let overview = desk.insight.channel_overview(&scope(1), crate::StatisticsWindow::Hour).await.unwrap();
    assert_eq!(overview[0].live.breaker, told.live.breaker);
    assert_eq!(overview[0].last_fault.unwrap().kind, FaultKind::CredentialRefused);
    assert_eq!(overview[1].live, LiveCondition::default());
}

#[tokio::test]
async fn a_history_is_this_channels_newest_first_and_filtered() {
    let desk = Desk::with(&[]).await;
    let event = |number: u64, kind, model: Option<&str>| HealthEvent {
        kind,
        model: model.map(str::to_owned),
        at: at(NOW - 1_000 + number),
        ..health_event(1, 1, number)
    };
    let foreign = HealthEvent { at: at(NOW - 10), ..health_event(2, 3, 9) };
    desk.happened(&[
        event(1, HealthEventKind::Ejected, Some("gpt-4o")),
        event(2, HealthEventKind::Reopened, Some("gpt-4o")),
        event(3, HealthEventKind::Ejected, None),
        HealthEvent { at: at(NOW - 5), ..health_event(1, 2, 4) },
        foreign,
    ])
    .await;
    let kinds = |told: &ChannelCondition| told.history.items.iter().map(|e| e.kind).collect::<Vec<_>>();
    let all = of(&desk, HealthEventFilter::default()).await;
    use HealthEventKind::{Ejected, Reopened};
    assert_eq!(kinds(&all), [Ejected, Reopened, Ejected]);
    assert!(all.history.items.windows(2).all(|pair| pair[0].at >= pair[1].at));
    let kind = HealthEventFilter { kind: Some(Ejected), ..HealthEventFilter::default() };
    assert_eq!(of(&desk, kind).await.history.total, 2);
    let model = HealthEventFilter { model: Some("gpt-4o".to_owned()), ..HealthEventFilter::default() };
    assert_eq!(kinds(&of(&desk, model).await), [Reopened, Ejected]);
    let since = HealthEventFilter { from: Some(at(NOW - 998)), ..HealthEventFilter::default() };
    assert_eq!(kinds(&of(&desk, since).await), [Ejected, Reopened]);
    // Another channel in the filter leads nowhere else.
    let other = HealthEventFilter { channel: Some(channel_id(2)), ..HealthEventFilter::default() };
    assert_eq!(of(&desk, other).await.history.total, 3);
    let filter = HealthEventFilter::default();
    let foreign = desk.insight.channel_condition(&scope(1), channel_id(3), filter, Page::FIRST).await;
    assert_eq!(foreign.unwrap(), None);
}
