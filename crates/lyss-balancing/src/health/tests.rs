use std::sync::Arc;

use lyss_domain::{FaultKind, Tick};

use super::MODELS_PER_CHANNEL;
use crate::pool::tests::channel;
use crate::vitals::tests::went;
use crate::{Ending, Health, Phase, Size};

#[test]
fn models_are_bounded_the_idle_ones_go_and_those_in_use_stay() {
    let health = Health::default();
    let of_channel = health.channel(channel(1));
    let held = of_channel.model("in use");
    for number in 0..2_000u64 {
        let model = of_channel.model(&format!("m{number}"));
        drop(model.enter(Size::default(), None, Tick(number)));
    }
    assert_eq!(of_channel.models().len(), MODELS_PER_CHANNEL);
    assert!(Arc::ptr_eq(&held, &of_channel.model("in use")));
    assert!(of_channel.models().iter().any(|model| model.model() == "m1999"));
    let long = "ü".repeat(100_000);
    assert!(of_channel.model(&long).model().len() <= 256);
}

#[test]
fn the_state_outlives_whoever_asks_and_goes_with_the_last_holder() {
    let health = Health::default();
    let held = health.channel(channel(1));
    drop(health.channel(channel(2)));
    health.forget_unused();
    let left: Vec<_> = health.all().iter().map(|c| c.channel()).collect();
    assert_eq!(left, [channel(1)]);
    assert!(Arc::ptr_eq(&held, &health.channel(channel(1))));
}

#[test]
fn the_overview_shows_the_worst_model() {
    let health = Health::default();
    let of_channel = health.channel(channel(1));
    let now = Tick(5);
    let end = |model: &str, ending| {
        let attempt = of_channel.model(model).enter(Size::default(), None, now).unwrap();
        attempt.observe(&went(ending), 0, now);
    };
    end("well", Ending::Complete);
    end("limited", Ending::Failed(FaultKind::VendorRateLimited, None));
    assert_eq!(of_channel.standing(now).worst, Phase::Cooling);
    end("gone", Ending::Failed(FaultKind::ModelNotFound, None));
    let report = of_channel.standing(now);
    assert_eq!((report.worst, report.worst_model.as_deref()), (Phase::Open, Some("gone")));
    assert_eq!(report.breaker.phase, Phase::Closed);
    assert_eq!(report.models, 3);
}

#[test]
fn transitions_nobody_takes_are_bounded() {
    let health = Health::default();
    for number in 0..3_000u64 {
        let model = health.channel(channel(1)).model(&format!("m{number}"));
        let attempt = model.enter(Size::default(), None, Tick(number)).unwrap();
        attempt.observe(&went(Ending::Failed(FaultKind::ModelNotFound, None)), 0, Tick(number));
    }
    let taken = health.take_transitions();
    assert_eq!(taken.len(), 1_024);
    assert_eq!(taken.last().unwrap().at, Tick(2_999));
}
