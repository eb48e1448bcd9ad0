use std::time::Duration;

use lyss_domain::Tick;

use super::{CHANGES_KEPT, Regime, Regimes};
use crate::pool::tests::{draws, pool_of};
use crate::{Candidate, Pool, Standing};

struct Run {
    regimes: Regimes,
    candidates: Vec<Candidate>,
    now: Tick,
}

impl Run {
    fn new() -> Self {
        Self { regimes: Regimes::new(), candidates: pool_of(&[1; 4]), now: Tick(0) }
    }

    /// Calls at a rate, at moments that chance decides, for so long; every regime on the way, without repetition.
    fn call(&mut self, per_second: f64, seconds: f64, seed: u64) -> Vec<Regime> {
        let until = self.now.after(Duration::from_secs_f64(seconds));
        let mut seen = Vec::new();
        for draw in draws(seed) {
            let gap = -(1.0 - (draw >> 11) as f64 / (1u64 << 53) as f64).ln() / per_second;
            self.now = self.now.after(Duration::from_secs_f64(gap));
            if self.now >= until {
                self.now = until;
                return seen;
            }
            let regime = self.regimes.observe(&Pool::new(1, &self.candidates), true, self.now);
            if seen.last() != Some(&regime) {
                seen.push(regime);
            }
        }
        seen
    }
}

#[test]
fn steady_calls_at_any_rate_are_no_burst() {
    for (seed, rate) in [(1, 2.0), (2, 10.0), (3, 100.0), (4, 400.0)] {
        let mut run = Run::new();
        run.call(rate, 60.0, seed);
        assert_eq!(run.call(rate, 300.0, seed + 9), [Regime::Steady], "{rate} per second");
    }
}

#[test]
fn a_burst_is_seen_within_seconds_and_ends() {
    let mut run = Run::new();
    run.call(10.0, 60.0, 5);
    run.regimes.take_changes();
    let began = run.now;
    assert_eq!(run.call(100.0, 6.0, 6), [Regime::Steady, Regime::Burst]);
    let change = run.regimes.take_changes()[0];
    assert_eq!((change.from, change.to, change.group), (Regime::Steady, Regime::Burst, 1));
    assert!(change.at.since(began) < Duration::from_secs(3), "{change:?}");
    assert_eq!(run.call(10.0, 20.0, 7).last(), Some(&Regime::Steady));
    assert_eq!(run.regimes.of(1), Regime::Steady);
    assert_eq!(run.regimes.all(), [(1, Regime::Steady)]);
    assert_eq!(run.regimes.of(2), Regime::Idle);
}

#[test]
fn a_single_odd_window_changes_nothing() {
    let mut run = Run::new();
    run.call(20.0, 60.0, 8);
    run.call(400.0, 0.4, 9);
    assert_eq!(run.call(20.0, 20.0, 10), [Regime::Steady]);
}

#[test]
fn silence_is_idle_and_two_windows_with_half_the_channels_gone_are_degraded() {
    let mut run = Run::new();
    run.call(20.0, 30.0, 11);
    run.now = run.now.after(Duration::from_secs(40));
    assert_eq!(run.regimes.observe(&Pool::new(1, &run.candidates), true, run.now), Regime::Idle);
    assert_eq!(run.call(20.0, 30.0, 12).last(), Some(&Regime::Steady));
    run.candidates[0].snapshot.standing = Standing::Ejected(Duration::from_secs(9));
    assert_eq!(run.call(20.0, 10.0, 13), [Regime::Steady], "one of four");
    run.candidates[2].snapshot.standing = Standing::OnTrial;
    assert_eq!(run.call(20.0, 10.0, 14), [Regime::Steady, Regime::Degraded]);
    run.candidates[0].snapshot.standing = Standing::Open;
    assert_eq!(run.call(20.0, 10.0, 15), [Regime::Degraded, Regime::Steady]);
}

#[test]
fn changes_that_nobody_takes_are_bounded() {
    let mut run = Run::new();
    for _ in 0..CHANGES_KEPT {
        run.call(20.0, 3.0, 16);
        run.now = run.now.after(Duration::from_secs(60));
    }
    assert_eq!(run.regimes.take_changes().len(), CHANGES_KEPT);
    assert!(run.regimes.take_changes().is_empty());
}
