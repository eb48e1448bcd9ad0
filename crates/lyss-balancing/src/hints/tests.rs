use std::time::Duration;

use lyss_domain::{FaultKind, Tick};

use super::MOST_HINTS;
use crate::pool::tests::channel;
use crate::vitals::tests::went;
use crate::{Ending, Health, Hint, InFlight, Size, Snapshot, Standing};

const HALF: u64 = 1 << 63;

fn at(millis: u64) -> Tick {
    Tick(millis * 1_000_000)
}

fn enter(health: &Health, now: Tick) -> InFlight {
    health.channel(channel(1)).model("m").enter(Size::default(), None, now).unwrap()
}

fn live(health: &Health, ending: Ending, now: Tick) {
    enter(health, now).observe(&went(ending), HALF, now);
}

fn seen(health: &Health, now: Tick) -> Snapshot {
    health.channel(channel(1)).model("m").snapshot(now)
}

/// Over the wire.
fn told(health: &Health, now: Tick) -> Vec<Hint> {
    serde_json::from_str(&serde_json::to_string(&health.hints(7, now)).unwrap()).unwrap()
}

fn two_replicas() -> (Health, Health) {
    let replicas = (Health::default(), Health::default());
    for health in [&replicas.0, &replicas.1] {
        health.channel(channel(1)).model("m");
    }
    replicas
}

#[test]
fn what_is_under_way_elsewhere_is_added_for_as_long_as_it_is_told() {
    let (here, there) = two_replicas();
    let held: Vec<_> = (0..3).map(|_| enter(&there, at(0))).collect();
    here.take_hints(&told(&there, at(0)), at(0));
    assert_eq!((seen(&here, at(100)).in_flight, seen(&here, at(100)).in_flight_elsewhere), (0, 3));
    assert_eq!(seen(&here, at(2_100)).in_flight_elsewhere, 0, "nobody speaks any more");
    drop(held);
    here.take_hints(&told(&there, at(200)), at(200));
    assert_eq!(seen(&here, at(250)).in_flight_elsewhere, 0);
}

#[test]
fn figures_are_lent_where_none_are_known_and_only_there() {
    let (here, there) = two_replicas();
    for _ in 0..50 {
        live(&there, Ending::Complete, at(0));
    }
    here.take_hints(&told(&there, at(0)), at(0));
    let lent = seen(&here, at(0));
    assert!((lent.ttft_us / 400_000.0 - 1.0).abs() < 0.02, "{lent:?}");
    assert!(lent.samples == 1 && lent.good <= 5.0, "the slow start is still to come: {lent:?}");
    live(&here, Ending::Complete, at(1));
    let own = seen(&here, at(1));
    here.take_hints(&told(&there, at(1)), at(1));
    assert_eq!(seen(&here, at(1)), own);
}

#[test]
fn a_vendors_wait_is_shared_and_two_replicas_do_not_prolong_it_for_each_other() {
    let (here, there) = two_replicas();
    live(&here, Ending::Complete, at(0));
    live(&there, Ending::Failed(FaultKind::VendorRateLimited, Some(Duration::from_secs(5))), at(0));
    for round in 0..30u64 {
        // Each hears what the other said a quarter of a second ago.
        let (from_here, from_there) = (told(&here, at(round * 250)), told(&there, at(round * 250)));
        here.take_hints(&from_there, at(round * 250 + 250));
        there.take_hints(&from_here, at(round * 250 + 250));
        if round == 4 {
            assert!(matches!(seen(&here, at(1_250)).standing, Standing::Cooling(_)));
        }
    }
    assert_eq!(seen(&there, at(5_001)).standing, Standing::Open);
    assert_eq!(seen(&here, at(5_501)).standing, Standing::Open);
}

#[test]
fn an_ejection_is_believed_unless_own_traffic_went_well() {
    for (model_fault, own_is_good, is_out) in [
        (FaultKind::ModelNotFound, false, true),
        (FaultKind::ModelNotFound, true, false),
        (FaultKind::CredentialRefused, false, true),
        (FaultKind::CredentialRefused, true, false),
    ] {
        let (here, there) = two_replicas();
        if own_is_good {
            live(&here, Ending::Complete, at(0));
        }
        live(&there, Ending::Failed(model_fault, None), at(0));
        here.take_hints(&told(&there, at(1_000)), at(1_000));
        let standing = seen(&here, at(1_000)).standing;
        assert_eq!(
            matches!(standing, Standing::Ejected(_)),
            is_out,
            "{model_fault} {own_is_good}: {standing:?}"
        );
        assert_eq!(
            told(&here, at(1_000)).iter().filter(|hint| hint.ejected.is_some()).count(),
            0,
            "not told on"
        );
        // Its own trial at its own time.
        assert!(matches!(seen(&here, at(31_001)).standing, Standing::OnTrial | Standing::Open));
    }
}

#[test]
fn a_replica_that_has_not_heard_of_the_new_credential_does_not_eject_it() {
    let (here, there) = two_replicas();
    here.channel(channel(1)).renewed(2, at(0));
    there.channel(channel(1)).renewed(1, at(0));
    live(&there, Ending::Failed(FaultKind::CredentialRefused, None), at(0));
    here.take_hints(&told(&there, at(1)), at(1));
    assert_eq!(seen(&here, at(1)).standing, Standing::Open);
}

#[test]
fn hints_leave_nothing_behind_of_what_nobody_here_asked_for_and_are_bounded() {
    let (here, there) = (Health::default(), Health::default());
    for number in 0..20u128 {
        for model in 0..100 {
            let vitals = there.channel(channel(number)).model(&format!("m{model}"));
            drop(vitals.enter(Size::default(), None, at(0)));
        }
    }
    let hints = told(&there, at(0));
    assert_eq!(hints.len(), MOST_HINTS);
    here.take_hints(&hints, at(0));
    assert!(here.all().is_empty());
    assert!(told(&there, at(60_000)).is_empty(), "what is idle is not worth a word");
}
