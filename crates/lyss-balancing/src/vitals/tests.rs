use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lyss_domain::{FaultKind, FaultOwner, RateHeadroom, Tick, WindowLeft};
use proptest::prelude::*;

use crate::pool::tests::channel;
use crate::{Ending, Health, InFlight, Observation, Phase, Refusal, Size, Snapshot, Standing, Vitals};

const HALF: u64 = 1 << 63;
const SIZE: Size = Size { prompt_tokens: 1_000, output_tokens: 100 };

fn at(millis: u64) -> Tick {
    Tick(millis * 1_000_000)
}

pub(crate) fn went(ending: Ending) -> Observation {
    Observation {
        ending,
        prompt_tokens: 1_000,
        output_tokens: 100,
        ttft: (ending == Ending::Complete).then_some(Duration::from_millis(400)),
        total: Duration::from_millis(2_400),
    }
}

fn failed(fault: FaultKind) -> Observation {
    went(Ending::Failed(fault, None))
}

fn enter(vitals: &Arc<Vitals>, now: Tick) -> InFlight {
    vitals.enter(SIZE, None, now).expect("may enter")
}

fn live(vitals: &Arc<Vitals>, observation: &Observation, now: Tick) {
    enter(vitals, now).observe(observation, HALF, now);
}

fn two_models() -> (Health, Arc<Vitals>, Arc<Vitals>) {
    let health = Health::default();
    let of_channel = health.channel(channel(1));
    let models = (of_channel.model("a"), of_channel.model("b"));
    (health, models.0, models.1)
}

#[test]
fn each_owner_acts_at_its_own_scope() {
    let open = [Standing::Open, Standing::Open];
    for fault in FaultKind::ALL {
        let (_health, a, b) = two_models();
        for step in 0..3 {
            live(&a, &failed(fault), at(step));
        }
        let standings = [a.snapshot(at(3)).standing, b.snapshot(at(3)).standing];
        let is_out = standings.map(|standing| !matches!(standing, Standing::Open));
        match fault.owner() {
            FaultOwner::Caller | FaultOwner::Ours => assert_eq!(standings, open, "{fault}"),
            FaultOwner::Network | FaultOwner::Credential => assert_eq!(is_out, [true, true], "{fault}"),
            FaultOwner::VendorQuota if fault == FaultKind::VendorQuota => {
                assert_eq!(is_out, [true, true], "{fault}");
            }
            FaultOwner::VendorQuota => {
                assert!(matches!(standings[0], Standing::Cooling(_)), "{fault}: {standings:?}");
                assert_eq!(standings[1], Standing::Open);
            }
            FaultOwner::Vendor | FaultOwner::Model => assert_eq!(is_out, [true, false], "{fault}"),
        }
    }
}

#[test]
fn callers_faults_hang_ups_and_our_own_change_nothing_that_was_learned() {
    let (_health, a, _) = two_models();
    for step in 0..30 {
        live(&a, &went(Ending::Complete), at(step));
    }
    let before = a.snapshot(at(100));
    for fault in [FaultKind::BadRequest, FaultKind::ClientGone, FaultKind::TotalTimeout, FaultKind::Internal]
    {
        for _ in 0..30 {
            live(&a, &failed(fault), at(100));
        }
    }
    let quick = Observation { total: Duration::from_millis(3), ..went(Ending::Cancelled) };
    live(&a, &quick, at(100));
    assert_eq!(Snapshot { idle: before.idle, ..a.snapshot(at(100)) }, before);
}

#[test]
fn a_hedge_that_lost_to_silence_is_noticed_though_nobody_is_judged() {
    let (_health, a, _) = two_models();
    for step in 0..30 {
        live(&a, &went(Ending::Complete), at(step));
    }
    let silent = Observation { total: Duration::from_secs(30), ..went(Ending::Cancelled) };
    live(&a, &silent, at(100));
    let after = a.snapshot(at(100));
    assert!(after.ttft_us > 20e6 && after.bad == 0.0 && after.samples == 30, "{after:?}");
}

#[test]
fn a_channel_is_well_again_after_one_good_trial_and_starts_slowly() {
    let (health, a, b) = two_models();
    live(&b, &went(Ending::Complete), at(0));
    live(&b, &went(Ending::Complete), at(0));
    for _ in 0..3 {
        live(&a, &failed(FaultKind::Network), at(0));
    }
    let now = at(1_000);
    assert_eq!(b.snapshot(now).standing, Standing::OnTrial);
    let trial = enter(&b, now);
    assert!(trial.is_trial());
    assert_eq!(a.snapshot(now).standing, Standing::TrialTaken, "one for all models");
    assert_eq!(a.enter(SIZE, None, now).err(), Some(Refusal::TrialTaken));
    assert_eq!(a.snapshot(now).in_flight, 0, "who was refused is not counted");
    trial.observe(&went(Ending::Complete), HALF, now);
    let (a, b) = (a.snapshot(now), b.snapshot(now));
    assert_eq!((a.standing, b.standing), (Standing::Open, Standing::Open));
    assert!(a.samples <= 1 && b.samples <= 1 && a.bad == 0.0, "{a:?} {b:?}");
    let phases: Vec<_> = health.take_transitions().into_iter().map(|t| (t.model, t.to)).collect();
    assert_eq!(phases, [(None, Phase::Open), (None, Phase::HalfOpen), (None, Phase::Closed)]);
    assert!(health.take_transitions().is_empty());
}

#[test]
fn a_trial_that_is_dropped_unseen_or_proves_nothing_is_free_again() {
    let (_health, a, _) = two_models();
    live(&a, &failed(FaultKind::ModelNotFound), at(0));
    let now = at(60_000);
    drop(enter(&a, now));
    assert_eq!(a.snapshot(now).standing, Standing::OnTrial);
    live(&a, &failed(FaultKind::BadRequest), now);
    live(&a, &went(Ending::Cancelled), now);
    live(&a, &failed(FaultKind::VendorRateLimited), now);
    assert!(matches!(a.snapshot(now).standing, Standing::Cooling(_)));
    assert_eq!(a.snapshot(at(90_000)).standing, Standing::OnTrial);
}

#[test]
fn a_new_credential_is_not_judged_by_the_old_one() {
    let (health, a, _) = two_models();
    let of_channel = health.channel(channel(1));
    of_channel.renewed(7, at(0));
    let late = enter(&a, at(0));
    live(&a, &failed(FaultKind::CredentialRefused), at(1));
    of_channel.renewed(7, at(2));
    assert!(matches!(a.snapshot(at(2)).standing, Standing::Ejected(_)), "the same one");
    of_channel.renewed(8, at(3));
    assert_eq!(a.snapshot(at(3)).standing, Standing::Open);
    late.observe(&failed(FaultKind::CredentialRefused), HALF, at(4));
    assert_eq!(a.snapshot(at(4)).standing, Standing::Open, "it went out with the old one");
}

#[test]
fn the_limit_is_the_channels_less_what_its_other_models_use() {
    let (health, a, b) = two_models();
    health.channel(channel(1)).configure(Some(3), false);
    let held: Vec<_> = (0..2).map(|_| enter(&a, at(0))).collect();
    let third = enter(&b, at(0));
    let seen = (a.snapshot(at(0)), b.snapshot(at(0)));
    assert_eq!((seen.0.in_flight, seen.0.limit, seen.1.in_flight, seen.1.limit), (2, 2, 1, 1));
    assert_eq!(a.enter(SIZE, None, at(0)).err(), Some(Refusal::Full));
    drop(third);
    assert_eq!(a.snapshot(at(0)).limit, 3);
    drop(held);
    assert_eq!(health.channel(channel(1)).in_flight(), 0);
}

#[test]
fn outstanding_tokens_shrink_as_they_come_and_end_at_nothing() {
    let (_health, a, _) = two_models();
    let one = enter(&a, at(0));
    let other = enter(&a, at(0));
    assert_eq!(a.snapshot(at(0)).outstanding_tokens, 2_200);
    one.progress(30);
    assert_eq!(a.snapshot(at(0)).outstanding_tokens, 1_170);
    one.progress(5_000);
    one.progress(10);
    assert_eq!(a.snapshot(at(0)).outstanding_tokens, 1_100, "more than expected is not less than nothing");
    drop(one);
    other.observe(&went(Ending::Complete), HALF, at(1));
    assert_eq!(a.snapshot(at(0)).outstanding_tokens, 0);
}

#[test]
fn a_vendors_windows_are_seen_and_own_sends_count_against_them() {
    let (_health, a, _) = two_models();
    let window = WindowLeft { limit: 100, remaining: 50, resets_in: Some(Duration::from_secs(60)) };
    a.learn_headroom(&RateHeadroom { requests: Some(window), tokens: None }, at(0));
    let _held: Vec<_> = (0..20).map(|_| enter(&a, at(0))).collect();
    let left = a.snapshot(at(0)).headroom;
    assert!((left - 0.3).abs() < 0.01, "{left}");
}

#[test]
fn a_probe_informs_and_never_unejects() {
    let (_health, a, b) = two_models();
    a.probe_result(Err(FaultKind::CredentialRefused), HALF, at(0));
    assert!(matches!(b.snapshot(at(0)).standing, Standing::Ejected(_)));
    a.probe_result(Ok(()), HALF, at(1));
    assert_eq!(b.snapshot(at(1)).standing, Standing::OnTrial);
    a.probe_result(Err(FaultKind::BadRequest), HALF, at(1));
    assert_eq!(b.snapshot(at(1)).standing, Standing::OnTrial);
}

#[test]
fn hedging_knows_the_usual_wait_once_enough_was_seen() {
    let (_health, a, _) = two_models();
    for step in 0..100u64 {
        let ttft = Some(Duration::from_millis(100 + step));
        let observation = Observation { ttft, total: Duration::from_secs(2), ..went(Ending::Complete) };
        let known = a.ttft_quantile(0.95, at(step));
        assert_eq!(known.is_some(), step >= 20, "{step}");
        live(&a, &observation, at(step));
    }
    let p95 = a.ttft_quantile(0.95, at(100)).unwrap().as_millis();
    assert!((185..=207).contains(&p95), "{p95}");
    assert_eq!(a.ttft_quantile(0.95, at(3_600_000)), None);
}

/// Four threads begin and end attempts on two models for all they are worth; what each attempt proves is nothing.
fn race(a: &Arc<Vitals>, b: &Arc<Vitals>, now: Tick, seen: impl Fn(&InFlight) + Sync) {
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (vitals, seen) = (if thread % 2 == 0 { a } else { b }, &seen);
            scope.spawn(move || {
                for step in 0..2_000 {
                    let Ok(attempt) = vitals.enter(SIZE, None, now) else { continue };
                    seen(&attempt);
                    attempt.observe(&failed(FaultKind::BadRequest), step, now);
                }
            });
        }
    });
}

#[test]
fn threads_that_race_keep_the_limit_share_no_trial_and_leave_no_count_behind() {
    let (health, a, b) = two_models();
    let of_channel = health.channel(channel(1));
    of_channel.configure(Some(3), false);
    race(&a, &b, at(0), |_| assert!(of_channel.in_flight() <= 3));

    for _ in 0..3 {
        live(&a, &failed(FaultKind::Network), at(0));
    }
    let trials = AtomicU32::new(0);
    race(&a, &b, at(1_000), |attempt| {
        assert!(attempt.is_trial());
        assert_eq!(trials.fetch_add(1, Ordering::SeqCst), 0);
        trials.fetch_sub(1, Ordering::SeqCst);
    });
    assert_eq!(of_channel.in_flight(), 0);
    for vitals in [&a, &b] {
        let seen = vitals.snapshot(at(1_000));
        assert_eq!((seen.in_flight, seen.outstanding_tokens, seen.standing), (0, 0, Standing::OnTrial));
    }
}

proptest! {
    /// Any sequence of ends, in any order of overlapping attempts: nothing is counted below zero or left behind, the
    /// vendor's own faults eject within three, and patience with one good trial brings it back.
    #[test]
    fn whatever_happens_it_comes_back(
        steps in proptest::collection::vec((any::<u8>(), any::<u8>(), 0u64..3_000, any::<u64>()), 1..150)
    ) {
        let (health, a, b) = two_models();
        let (mut now, mut held, mut in_flight) = (at(0), Vec::new(), 0u32);
        for (step, fault, gap, draw) in steps {
            now = now.after(Duration::from_millis(gap));
            let vitals = if step & 128 == 0 { &a } else { &b };
            match step % 8 {
                0..3 => if let Ok(attempt) = vitals.enter(SIZE, Some(20), now) {
                    attempt.progress(u32::from(fault));
                    held.push(attempt);
                    in_flight += 1;
                },
                3 => if held.pop().is_some() { in_flight -= 1; },
                4 => vitals.probe_result(
                    if fault % 2 == 0 { Ok(()) } else { Err(FaultKind::ALL[usize::from(fault) % 25]) }, draw, now),
                end => if !held.is_empty() {
                    let attempt = held.swap_remove(usize::from(fault) % held.len());
                    let wait = (draw % 3 == 0).then(|| Duration::from_secs(draw % 1_000));
                    let ending = match end {
                        5 => Ending::Complete,
                        6 => Ending::Cancelled,
                        _ => Ending::Failed(FaultKind::ALL[usize::from(fault) % 25], wait),
                    };
                    attempt.observe(&went(ending), draw, now);
                    in_flight -= 1;
                },
            }
            let seen = (a.snapshot(now), b.snapshot(now));
            prop_assert_eq!(seen.0.in_flight + seen.1.in_flight, in_flight);
            prop_assert_eq!(health.channel(channel(1)).in_flight(), in_flight);
            for snapshot in [seen.0, seen.1] {
                prop_assert!((0.0..=1.0).contains(&snapshot.headroom));
                prop_assert!(snapshot.good >= 0.0 && snapshot.bad >= 0.0 && snapshot.ttft_us.is_finite());
            }
        }
        drop(held);
        prop_assert_eq!(a.snapshot(now).outstanding_tokens + b.snapshot(now).outstanding_tokens, 0);
        now = now.after(Duration::from_secs(361));
        for vitals in [&a, &b] {
            prop_assert!(matches!(vitals.snapshot(now).standing, Standing::Open | Standing::OnTrial));
            live(vitals, &went(Ending::Complete), now);
            prop_assert_eq!(vitals.snapshot(now).standing, Standing::Open);
        }
    }
}
