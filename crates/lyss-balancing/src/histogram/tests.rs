use std::time::Duration;

use lyss_domain::Tick;
use proptest::prelude::*;

use super::{Histogram, RecentTimes, bounds, bucket_of};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn quantiles_are_within_a_few_per_cent() {
    let mut histogram = Histogram::default();
    (1..=10_000).for_each(|ms| histogram.record(millis(ms)));
    for (q, exact) in [(0.01, 0.1), (0.5, 5.0), (0.95, 9.5), (0.99, 9.9)] {
        let here = histogram.quantile(q).unwrap().as_secs_f64();
        assert!((here / exact - 1.0).abs() < 0.05, "{q}: {here}");
    }
    assert_eq!(Histogram::default().quantile(0.5), None);
    assert_eq!(histogram.steps().map(|(_, count)| u64::from(count)).sum::<u64>(), 10_000);
}

#[test]
fn two_added_are_what_one_would_have_counted() {
    let (mut one, mut other, mut both) = (Histogram::default(), Histogram::default(), Histogram::default());
    for ms in 0..500u64 {
        let time = millis(ms * ms % 7_919);
        if ms % 3 == 0 {
            one.record(time)
        } else {
            other.record(time)
        }
        both.record(time);
    }
    one.merge(&other);
    assert_eq!(one, both);
}

#[test]
fn the_past_is_dropped_after_ten_minutes() {
    let at = |secs: u64| Tick(secs * 1_000_000_000);
    let mut times = RecentTimes::default();
    times.record(at(1_000)).ttft.record(millis(10));
    times.record(at(1_299)).ttft.record(millis(10));
    times.record(at(1_301)).ttft.record(millis(10));
    assert_eq!(times.merged(at(1_302)).ttft.count(), 3);
    assert_eq!(times.merged(at(1_602)).ttft.count(), 1);
    assert_eq!(times.merged(at(2_000)).ttft.count(), 0);
    times.record(at(9_000)).ttft.record(millis(10));
    assert_eq!(times.merged(at(9_000)).ttft.count(), 1);
}

proptest! {
    #[test]
    fn every_time_lies_in_its_step(micros in 1u64..2_000_000_000) {
        let (from, to) = bounds(bucket_of(Duration::from_micros(micros)));
        prop_assert!((from..to).contains(&micros), "{micros} in {from}..{to}");
    }

    #[test]
    fn no_time_is_too_long(time in any::<u64>()) {
        let mut histogram = Histogram::default();
        histogram.record(Duration::from_micros(time));
        prop_assert_eq!(histogram.count(), 1);
    }
}
