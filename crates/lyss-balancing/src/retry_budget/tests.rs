use std::time::Duration;

use lyss_domain::Tick;
use proptest::prelude::*;

use super::{Budget, RetryBudget};

fn at(millis: u64) -> Tick {
    Tick(0).after(Duration::from_millis(millis))
}

/// All channels fail for a minute and every call would try twice more.
fn attempts_in_an_outage(calls_per_second: u64, budget: Budget) -> (u64, u64) {
    let (calls, mut attempts) = (calls_per_second * 60, 0);
    let retries = RetryBudget::new(budget, at(0));
    for call in 0..calls {
        let now = at(call * 1_000 / calls_per_second);
        retries.deposit();
        attempts += 1;
        for _ in 0..2 {
            attempts += u64::from(retries.withdraw(false, now));
        }
    }
    (calls, attempts)
}

#[test]
fn an_outage_is_not_multiplied() {
    for calls_per_second in [1, 20, 500] {
        let budget = Budget::default();
        let (calls, attempts) = attempts_in_an_outage(calls_per_second, budget);
        let reserve = 10 + 60;
        assert!(attempts <= calls * 12 / 10 + reserve, "{attempts} for {calls}");
        // The budget is there to be used, too.
        assert!(attempts >= calls * 115 / 100, "{attempts} for {calls}");
    }
    let (calls, attempts) =
        attempts_in_an_outage(500, Budget { reserve_per_second: 0.0, ..Budget::default() });
    assert!(attempts <= calls * 12 / 10 + 10, "{attempts} for {calls}");
}

#[test]
fn a_service_with_few_calls_may_retry() {
    let retries = RetryBudget::new(Budget::default(), at(0));
    for minute in 1..=20 {
        retries.deposit();
        let now = at(minute * 60_000);
        assert!(retries.withdraw(false, now) && retries.withdraw(false, now), "minute {minute}");
    }
}

#[test]
fn a_quiet_hour_pays_for_no_storm() {
    let retries = RetryBudget::new(Budget::default(), at(0));
    for _ in 0..100_000 {
        retries.deposit();
    }
    assert!(retries.left(at(1)) > 19_000.0);
    // An hour later only the reserve is left.
    let left = retries.left(at(3_600_000));
    assert!((left - 10.0).abs() < 0.01, "{left}");
}

#[test]
fn a_degraded_service_retries_half_as_much() {
    let retries = RetryBudget::new(Budget { reserve_per_second: 0.0, ..Budget::default() }, at(0));
    assert_eq!((0..100).filter(|_| retries.withdraw(true, at(0))).count(), 5);
    let none = Budget { percent: 0, reserve: 0.0, reserve_per_second: 0.0, ..Budget::default() };
    let none = RetryBudget::new(none, at(0));
    none.deposit();
    assert!(!none.withdraw(false, at(1)));
}

proptest! {
    /// Over any span, whatever the order of things.
    #[test]
    fn the_promise_holds_however_calls_and_retries_come(
        steps in prop::collection::vec((0..4u8, 0..200u64, any::<bool>()), 1..800),
        percent in 0..150u32,
    ) {
        let budget = Budget { percent, ..Budget::default() };
        let retries = RetryBudget::new(budget, at(0));
        let (mut now, mut calls, mut made) = (0, 0.0, 0.0);
        for (step, millis, degraded) in steps {
            now += millis;
            if step == 0 {
                retries.deposit();
                calls += 1.0;
            } else if retries.withdraw(degraded, at(now)) {
                made += 1.0;
            }
            let reserve = 10.0 + now as f64 / 1_000.0;
            prop_assert!(made <= calls * f64::from(percent) / 100.0 + reserve + 1e-6);
        }
    }
}
