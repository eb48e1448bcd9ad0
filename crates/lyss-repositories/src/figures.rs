//! Figures over usage records.

use std::collections::BTreeMap;
use std::time::Duration;

use lyss_domain::{ChannelId, FaultKind, Operation, ProviderSlug, Timestamp};

/// The upper bounds of a [`LatencyHistogram`]'s buckets in microseconds, each less than twice the one before: 10 ms to
/// 10 min, so that a quantile is told to within a factor that a reader of latencies would call the same.
pub const LATENCY_BOUNDS_US: [u64; 20] = [
    10_000,
    18_000,
    32_000,
    56_000,
    100_000,
    180_000,
    320_000,
    560_000,
    1_000_000,
    1_800_000,
    3_200_000,
    5_600_000,
    10_000_000,
    18_000_000,
    32_000_000,
    56_000_000,
    100_000_000,
    180_000_000,
    320_000_000,
    600_000_000,
];

/// What one channel of a tenant did with one provider. `attempts` is the sum of `succeeded`, `failed` and
/// `client_gone`.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelFigures {
    pub channel: ChannelId,
    pub provider: ProviderSlug,
    pub attempts: u64,
    /// Those that were complete.
    pub succeeded: u64,
    /// Cut, timed out or refused.
    pub failed: u64,
    /// Left by the caller, which says nothing about the channel.
    pub client_gone: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    pub cost_micros: i64,
    /// From sending to the end, of those that succeeded: a refusal would pass for a fast answer.
    pub latency: LatencyHistogram,
    /// From sending to the first content, of all that had any.
    pub ttft: LatencyHistogram,
    pub last_attempt_at: Timestamp,
    /// The newest attempt that failed, and why. A caller that left is none.
    pub last_fault: Option<(FaultKind, Timestamp)>,
}

/// What one model did on one channel within one interval. `attempts` is the sum of `succeeded`, `failed` and
/// `client_gone`; points of several intervals or models add up.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesPoint {
    /// The interval's beginning.
    pub at: Timestamp,
    /// As it was named to the vendor.
    pub model: String,
    pub attempts: u64,
    pub succeeded: u64,
    pub failed: u64,
    /// What the failed ones failed of.
    pub faults: BTreeMap<FaultKind, u64>,
    pub client_gone: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    pub cost_micros: i64,
    /// From sending to the end, of those that succeeded.
    pub latency: LatencyHistogram,
    /// From sending to the first content, of all that had any.
    pub ttft: LatencyHistogram,
}

/// One call as it came, for playing it again in simulated time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When its first attempt began.
    pub at: Timestamp,
    /// As it was asked for.
    pub model: String,
    pub operation: Operation,
    pub stream: bool,
    /// Of the attempt that read or wrote the most; zero: none was counted.
    pub prompt_tokens: u64,
    pub output_tokens: u64,
}

/// How often which latency, in buckets between [`LATENCY_BOUNDS_US`] and one above the last.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LatencyHistogram {
    counts: [u64; LATENCY_BOUNDS_US.len()],
    above: u64,
    sum_us: u64,
    max_us: u64,
}

impl LatencyHistogram {
    /// From a store's sums: for each bound how many lie at or below it, how many there are at all, their sum and the
    /// largest.
    pub fn from_cumulative(
        at_most: [u64; LATENCY_BOUNDS_US.len()],
        count: u64,
        sum_us: u64,
        max_us: u64,
    ) -> Self {
        let mut below = 0;
        let counts = at_most.map(|so_far| {
            let here = so_far.saturating_sub(below);
            below = so_far.max(below);
            here
        });
        Self { counts, above: count.saturating_sub(below), sum_us, max_us }
    }

    pub fn observe(&mut self, latency_us: u64) {
        let bucket = LATENCY_BOUNDS_US.iter().position(|bound| latency_us <= *bound);
        match bucket.and_then(|bucket| self.counts.get_mut(bucket)) {
            Some(count) => *count += 1,
            None => self.above += 1,
        }
        self.sum_us = self.sum_us.saturating_add(latency_us);
        self.max_us = self.max_us.max(latency_us);
    }

    /// Both together, as of two channels of one provider.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
        self.above = self.above.saturating_add(other.above);
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        self.max_us = self.max_us.max(other.max_us);
    }

    pub fn count(&self) -> u64 {
        self.buckets().map(|(_, _, count)| count).fold(0, u64::saturating_add)
    }

    /// In microseconds; `None`: there is nothing.
    pub fn mean(&self) -> Option<u64> {
        self.sum_us.checked_div(self.count())
    }

    /// The latency in microseconds that the part `q` (0 to 1) does not exceed, as if a bucket's were spread evenly over
    /// it; never more than the largest there was. `None`: there is nothing.
    pub fn quantile(&self, q: f64) -> Option<u64> {
        let all = self.count();
        if all == 0 {
            return None;
        }
        let rank = q.clamp(0.0, 1.0) * all as f64;
        let mut before = 0;
        for (from, to, count) in self.buckets() {
            if count > 0 && (before + count) as f64 >= rank {
                let part = ((rank - before as f64) / count as f64).clamp(0.0, 1.0);
                let width = Duration::from_micros(to.min(self.max_us).saturating_sub(from));
                let within = u64::try_from(width.mul_f64(part).as_micros()).unwrap_or(u64::MAX);
                return Some(from.saturating_add(within));
            }
            before += count;
        }
        Some(self.max_us)
    }

    /// Lower bound, upper bound, count.
    fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> + '_ {
        let lower = std::iter::once(0).chain(LATENCY_BOUNDS_US);
        let upper = LATENCY_BOUNDS_US.into_iter().chain(std::iter::once(u64::MAX));
        let counts = self.counts.iter().copied().chain(std::iter::once(self.above));
        lower.zip(upper).zip(counts).map(|((from, to), count)| (from, to, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(latencies: &[u64]) -> LatencyHistogram {
        let mut histogram = LatencyHistogram::default();
        latencies.iter().for_each(|latency| histogram.observe(*latency));
        histogram
    }

    #[test]
    fn bounds_grow_by_less_than_two() {
        assert!(LATENCY_BOUNDS_US.windows(2).all(|pair| pair[0] < pair[1] && pair[1] < 2 * pair[0]));
    }

    #[test]
    fn nothing_has_no_quantile_and_no_mean() {
        assert_eq!((of(&[]).quantile(0.5), of(&[]).mean(), of(&[]).count()), (None, None, 0));
    }

    #[test]
    fn a_quantile_lies_within_its_bucket_and_below_the_largest() {
        // A hundred, evenly over the bucket from 100 to 180 ms.
        let even: Vec<u64> = (1..=100).map(|n| 100_000 + n * 800).collect();
        let histogram = of(&even);
        assert_eq!(histogram.quantile(0.5), Some(140_000));
        assert_eq!(histogram.quantile(0.99), Some(179_200));
        assert_eq!(histogram.quantile(1.0), Some(180_000));
        assert_eq!(histogram.quantile(0.0), Some(100_000));
        assert_eq!(histogram.mean(), Some(140_400));
        // One alone is told as the largest at most, also above all bounds.
        assert_eq!(of(&[120_000]).quantile(1.0), Some(120_000));
        assert_eq!(of(&[700_000_000]).quantile(1.0), Some(700_000_000));
        assert_eq!(of(&[5, 700_000_000]).quantile(0.99), Some(698_000_000));
    }

    #[test]
    fn sums_of_a_store_are_the_same_as_observations() {
        let latencies = [9_000, 10_000, 10_001, 1_000_000, 800_000_000];
        let at_most = LATENCY_BOUNDS_US.map(|bound| latencies.iter().filter(|l| **l <= bound).count() as u64);
        let sum = latencies.iter().sum();
        assert_eq!(LatencyHistogram::from_cumulative(at_most, 5, sum, 800_000_000), of(&latencies));
        let mut merged = of(&latencies[..2]);
        merged.merge(&of(&latencies[2..]));
        assert_eq!(merged, of(&latencies));
    }
}
