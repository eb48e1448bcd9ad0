//! How likely an attempt is to go well: a Beta posterior that forgets, by time and by count, so that neither an old
//! outage nor an old spotless record decides for ever.

use std::time::Duration;

use lyss_domain::Tick;

/// After so much time, or so many attempts, what was seen weighs half.
const HALF_LIFE_SECS: f32 = 30.0;
const HALF_LIFE_COUNT: f32 = 32.0;

/// What is believed before anything was seen: Beta(1, 0.1), a mean of ten in eleven worth one attempt.
const PRIOR_GOOD: f32 = 1.0;
const PRIOR_BAD: f32 = 0.1;

/// The normal quantile of 10 %.
const Z: f32 = 1.281_55;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Success {
    good: f32,
    bad: f32,
    at: Tick,
}

impl Success {
    /// Good and bad, discounted to this moment.
    pub(crate) fn counts(&self, now: Tick) -> (f32, f32) {
        let left = (-now.since(self.at).as_secs_f32() / HALF_LIFE_SECS).exp2();
        (self.good * left, self.bad * left)
    }

    pub(crate) fn record(&mut self, is_good: bool, now: Tick) {
        let (good, bad) = self.counts(now);
        let left = (-1.0 / HALF_LIFE_COUNT).exp2();
        self.good = good * left + if is_good { 1.0 } else { 0.0 };
        self.bad = bad * left + if is_good { 0.0 } else { 1.0 };
        self.at = self.at.max(now);
    }

    /// A trial went well: what was held against it the breaker has punished already.
    pub(crate) fn forgive(&mut self, now: Tick) {
        *self = Self { good: 0.0, bad: 0.0, at: now };
    }

    /// So much time more has passed since.
    pub(crate) fn age(&mut self, by: Duration) {
        let left = (-by.as_secs_f32() / HALF_LIFE_SECS).exp2();
        (self.good, self.bad) = (self.good * left, self.bad * left);
    }

    pub(crate) fn restore(&mut self, good: f32, bad: f32, now: Tick) {
        let sound =
            |count: f32| if count.is_finite() { count.clamp(0.0, HALF_LIFE_COUNT * 2.0) } else { 0.0 };
        *self = Self { good: sound(good), bad: sound(bad), at: now };
    }
}

/// The expected share of attempts that go well, 0 to 1, from discounted counts.
pub fn mean_success(good: f32, bad: f32) -> f32 {
    (good + PRIOR_GOOD) / (good + bad + PRIOR_GOOD + PRIOR_BAD)
}

/// A share that is exceeded with a chance of nine in ten: close to the 10 % quantile of the posterior. Wilson's score
/// bound (1927) in closed form, since the Beta quantile itself has none; the difference is below 0.1 and vanishes with
/// counts.
pub fn cautious_success(good: f32, bad: f32) -> f32 {
    let n = good + bad + PRIOR_GOOD + PRIOR_BAD;
    let p = (good + PRIOR_GOOD) / n;
    let z2 = Z * Z;
    let middle = p + z2 / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).max(0.0).sqrt();
    ((middle - half) / (1.0 + z2 / n)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests;
