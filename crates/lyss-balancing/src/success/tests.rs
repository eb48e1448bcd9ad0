use std::time::Duration;

use lyss_domain::Tick;
use proptest::prelude::*;

use super::{PRIOR_BAD, PRIOR_GOOD, Success, cautious_success, mean_success};

fn after(secs: u64) -> Tick {
    Tick(0).after(Duration::from_secs(secs))
}

/// The quantile of Beta(a, b) by adding up its density in small steps of the logit, where it has no poles.
fn beta_quantile(q: f64, a: f64, b: f64) -> f64 {
    let steps = (-4_000..4_000).map(|step| 1.0 / (1.0 + (-f64::from(step) / 100.0).exp()));
    let weights: Vec<_> = steps.map(|x| (x, x.powf(a) * (1.0 - x).powf(b))).collect();
    let all: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let mut below = 0.0;
    for (x, weight) in weights {
        below += weight;
        if below >= q * all {
            return x;
        }
    }
    1.0
}

#[test]
fn the_closed_form_is_close_to_the_posteriors_quantile() {
    for (good, bad, tolerance) in [
        (46.0, 0.0, 0.05),
        (40.0, 2.0, 0.05),
        (20.0, 20.0, 0.03),
        (5.0, 5.0, 0.05),
        (9.0, 1.0, 0.1),
        (0.0, 10.0, 0.1),
    ] {
        let exact = beta_quantile(0.1, f64::from(good + PRIOR_GOOD), f64::from(bad + PRIOR_BAD));
        let here = f64::from(cautious_success(good, bad));
        assert!((here - exact).abs() < tolerance, "{good} {bad}: {here} against {exact}");
    }
}

#[test]
fn half_is_forgotten_in_half_a_minute() {
    let mut success = Success::default();
    (0..10).for_each(|_| success.record(false, Tick(0)));
    let (_, before) = success.counts(Tick(0));
    let (_, later) = success.counts(after(30));
    assert!((later - before / 2.0).abs() < 1e-3, "{before} {later}");
}

#[test]
fn a_long_good_record_does_not_hide_a_new_fault_for_twenty_calls() {
    let mut success = Success::default();
    (0..10_000).for_each(|_| success.record(true, Tick(0)));
    (0..20).for_each(|_| success.record(false, Tick(0)));
    let (good, bad) = success.counts(Tick(0));
    assert!(mean_success(good, bad) < 0.7, "{good} {bad}");
}

proptest! {
    #[test]
    fn it_is_a_share_and_the_cautious_one_is_smaller(good in 0.0f32..100.0, bad in 0.0f32..100.0) {
        let (mean, cautious) = (mean_success(good, bad), cautious_success(good, bad));
        prop_assert!((0.0..=1.0).contains(&cautious) && cautious <= mean && mean <= 1.0, "{cautious} {mean}");
        prop_assert!(cautious_success(good, bad + 1.0) < cautious + 1e-6);
        prop_assert!(cautious_success(good + 1.0, bad) > cautious - 1e-6);
    }
}
