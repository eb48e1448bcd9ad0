use std::time::Duration;

use lyss_domain::{FaultKind, Tick};
use proptest::prelude::*;

use super::{Breaker, BreakerSettings, Phase, Role};
use crate::Standing;

const HALF: u64 = 1 << 63;

fn at(millis: u64) -> Tick {
    Tick(millis * 1_000_000)
}

fn settings() -> BreakerSettings {
    BreakerSettings::default()
}

/// A draw in the middle leaves a wait as it is.
fn fail(breaker: &mut Breaker, role: Role, fault: FaultKind, now: Tick) -> Option<Duration> {
    breaker.fail(role, fault, &settings(), HALF, now).and_then(|change| change.wait)
}

fn trial(breaker: &mut Breaker, now: Tick) -> Role {
    let (role, _) = breaker.enter(&settings(), false, now).expect("a free trial");
    assert!(matches!(role, Role::Trial(_)), "{role:?}");
    role
}

#[test]
fn the_third_failure_in_a_row_opens_it_and_a_good_one_between_starts_anew() {
    let mut breaker = Breaker::default();
    for step in 0..2 {
        assert_eq!(fail(&mut breaker, Role::Ordinary, FaultKind::VendorError, at(step)), None);
    }
    breaker.succeed(Role::Ordinary, &settings(), at(3));
    for step in 4..6 {
        assert_eq!(fail(&mut breaker, Role::Ordinary, FaultKind::VendorError, at(step)), None);
    }
    let wait = fail(&mut breaker, Role::Ordinary, FaultKind::VendorError, at(6));
    assert_eq!(wait, Some(Duration::from_secs(1)));
    assert_eq!(breaker.standing(&settings(), at(6)), Standing::Ejected(Duration::from_secs(1)));
}

#[test]
fn half_of_twenty_within_ten_seconds_opens_it_and_old_ones_do_not_count() {
    let run = |spacing: u64| {
        let mut breaker = Breaker::default();
        (0..40).any(|step| {
            let now = at(step * spacing);
            if step % 2 == 0 {
                breaker.succeed(Role::Ordinary, &settings(), now);
                return false;
            }
            fail(&mut breaker, Role::Ordinary, FaultKind::Overloaded, now).is_some()
        })
    };
    assert!(run(100), "twenty within two seconds");
    assert!(!run(1_000), "ten within ten seconds are too few to say");
}

#[test]
fn a_refused_credential_opens_at_once_and_for_long() {
    let mut breaker = Breaker::default();
    let wait = fail(&mut breaker, Role::Ordinary, FaultKind::CredentialRefused, at(0));
    assert_eq!(wait, Some(Duration::from_secs(30)));
}

#[test]
fn waits_double_to_their_cap_until_a_whole_slow_start_went_well() {
    let mut breaker = Breaker::default();
    let mut now = at(0);
    for _ in 0..2 {
        fail(&mut breaker, Role::Ordinary, FaultKind::Network, now);
    }
    let mut waits = vec![fail(&mut breaker, Role::Ordinary, FaultKind::Network, now).unwrap().as_secs()];
    for _ in 0..5 {
        now = now.after(Duration::from_secs(15));
        let role = trial(&mut breaker, now);
        waits.push(fail(&mut breaker, role, FaultKind::Network, now).unwrap().as_secs());
    }
    assert_eq!(waits, [1, 2, 4, 8, 15, 15]);

    now = now.after(Duration::from_secs(15));
    let role = trial(&mut breaker, now);
    assert_eq!(breaker.succeed(role, &settings(), now).unwrap().to, Phase::Closed);
    for _ in 0..2 {
        fail(&mut breaker, Role::Ordinary, FaultKind::Network, now);
    }
    let again = fail(&mut breaker, Role::Ordinary, FaultKind::Network, now);
    assert_eq!(again, Some(Duration::from_secs(15)), "it flaps");

    now = now.after(Duration::from_secs(15));
    let role = trial(&mut breaker, now);
    breaker.succeed(role, &settings(), now);
    for _ in 0..settings().slow_start {
        breaker.succeed(Role::Ordinary, &settings(), now);
    }
    for _ in 0..2 {
        fail(&mut breaker, Role::Ordinary, FaultKind::Network, now);
    }
    assert_eq!(
        fail(&mut breaker, Role::Ordinary, FaultKind::Network, now),
        Some(Duration::from_secs(1)),
        "it is well"
    );
}

#[test]
fn one_trial_at_a_time_and_a_dropped_one_is_free_again() {
    let mut breaker = Breaker::default();
    fail(&mut breaker, Role::Ordinary, FaultKind::ModelNotFound, at(0));
    let later = at(40_000);
    assert_eq!(breaker.standing(&settings(), later), Standing::OnTrial);
    let role = trial(&mut breaker, later);
    assert_eq!(breaker.standing(&settings(), later), Standing::TrialTaken);
    assert_eq!(breaker.enter(&settings(), false, later), None);
    breaker.release(role);
    assert_eq!(breaker.standing(&settings(), later), Standing::OnTrial);
    // One that never ends does not keep it ejected for ever, and when it comes back late it proves what it proves.
    let lost = trial(&mut breaker, later);
    let second = trial(&mut breaker, later.after(settings().trial));
    breaker.release(lost);
    assert_eq!(breaker.standing(&settings(), later.after(settings().trial)), Standing::TrialTaken);
    assert_eq!(fail(&mut breaker, lost, FaultKind::ModelNotFound, later), None);
    assert!(breaker.succeed(second, &settings(), later).is_some());
}

#[test]
fn what_was_under_way_before_proves_nothing() {
    let mut breaker = Breaker::default();
    fail(&mut breaker, Role::Ordinary, FaultKind::CredentialRefused, at(0));
    assert_eq!(breaker.succeed(Role::Ordinary, &settings(), at(1)), None);
    assert_eq!(fail(&mut breaker, Role::Ordinary, FaultKind::CredentialRefused, at(2)), None);
    assert_eq!(breaker.opening().unwrap().until, at(30_000), "the wait is not doubled by the crowd");
    let (role, _) = breaker.enter(&settings(), false, at(3)).unwrap();
    assert_eq!(role, Role::Panic);
    assert_eq!(fail(&mut breaker, role, FaultKind::CredentialRefused, at(4)), None);
    assert!(breaker.succeed(role, &settings(), at(5)).is_some(), "a live call that goes well is proof");
}

#[test]
fn a_probe_brings_a_trial_forward_once_and_never_closes() {
    let mut breaker = Breaker::default();
    fail(&mut breaker, Role::Ordinary, FaultKind::CredentialRefused, at(0));
    breaker.probed(None, &settings(), HALF, at(1_000));
    assert_eq!(breaker.standing(&settings(), at(1_000)), Standing::OnTrial);
    let bad = breaker.probed(Some(FaultKind::CredentialRefused), &settings(), HALF, at(2_000)).unwrap();
    assert_eq!(bad.wait, Some(Duration::from_secs(60)), "a bad probe saves the trial");
    breaker.probed(None, &settings(), HALF, at(3_000));
    let role = trial(&mut breaker, at(3_000));
    breaker.probed(None, &settings(), HALF, at(3_500));
    assert_eq!(breaker.standing(&settings(), at(3_500)), Standing::TrialTaken);
    fail(&mut breaker, role, FaultKind::CredentialRefused, at(4_000));
    assert!(!breaker.is_closed());
}

#[test]
fn an_answer_of_any_kind_closes_what_the_network_opened_and_nothing_else() {
    for (fault, closes) in [(FaultKind::ConnectTimeout, true), (FaultKind::CredentialRefused, false)] {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            fail(&mut breaker, Role::Ordinary, fault, at(0));
        }
        let role = trial(&mut breaker, at(40_000));
        let change = breaker.reached(role, &settings(), at(40_001));
        assert_eq!(change.is_some(), closes, "{fault}");
    }
}

proptest! {
    /// However it came to be open, waiting its time and one good trial close it.
    #[test]
    fn it_is_never_stuck(steps in proptest::collection::vec((0u8..6, 0u64..20_000, any::<u64>()), 1..200)) {
        let mut breaker = Breaker::default();
        let (mut now, mut roles) = (at(0), Vec::new());
        let faults = [FaultKind::Network, FaultKind::Overloaded, FaultKind::CredentialRefused];
        for (step, gap, draw) in steps {
            now = now.after(Duration::from_millis(gap));
            let fault = faults[usize::try_from(draw % 3).unwrap()];
            match step {
                0 | 1 => roles.extend(breaker.enter(&settings(), false, now).map(|(role, _)| role)),
                2 => { if let Some(role) = roles.pop() { breaker.release(role); } }
                3 => { breaker.succeed(roles.pop().unwrap_or_default(), &settings(), now); }
                4 => { breaker.fail(roles.pop().unwrap_or_default(), fault, &settings(), draw, now); }
                _ => { breaker.probed((draw % 2 == 0).then_some(fault), &settings(), draw, now); }
            }
            if let Standing::Ejected(wait) = breaker.standing(&settings(), now) {
                prop_assert!(wait <= Duration::from_secs(360), "{wait:?}");
            }
        }
        now = now.after(Duration::from_secs(360));
        if !breaker.is_closed() {
            prop_assert_eq!(breaker.standing(&settings(), now), Standing::OnTrial);
            let role = trial(&mut breaker, now);
            breaker.succeed(role, &settings(), now);
        }
        prop_assert_eq!(breaker.standing(&settings(), now), Standing::Open);
    }

    #[test]
    fn waits_stay_within_a_fifth(draw in any::<u64>()) {
        let wait = super::jittered(Duration::from_secs(10), 0.2, draw);
        prop_assert!((Duration::from_secs(8)..=Duration::from_secs(12)).contains(&wait), "{wait:?}");
    }
}
