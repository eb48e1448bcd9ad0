//! Counts of times in log-linear steps, as HdrHistogram and DDSketch have them: fixed in size, quantiles to within a few
//! per cent, and two of them added are what one would have counted. Averages hide what these show.

use std::time::Duration;

use lyss_domain::Tick;

/// Each doubling is divided into so many steps of equal width.
const STEPS: usize = 8;
const STEP_BITS: u32 = 3;
/// From 64 microseconds ...
const FIRST_BIT: u32 = 6;
/// ... to 2^31, more than half an hour.
const DOUBLINGS: usize = 25;
const BUCKETS: usize = STEPS * DOUBLINGS + 1;

/// How long one half of the recent past lasts.
const HALF: Duration = Duration::from_secs(300);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    counts: [u32; BUCKETS],
}

/// The times of one model: to the first token, for each further token, to the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub ttft: Histogram,
    pub tpot: Histogram,
    pub total: Histogram,
}

/// Those of the last five to ten minutes, in two halves of which the older is dropped whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecentTimes {
    newer: Times,
    older: Times,
    since: Tick,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; BUCKETS] }
    }
}

impl Histogram {
    pub fn record(&mut self, time: Duration) {
        if let Some(count) = self.counts.get_mut(bucket_of(time)) {
            *count = count.saturating_add(1);
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
    }

    pub fn count(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }

    /// The time below which a share `q` (0 to 1) of all lies; within a step, in proportion. `None`: nothing was counted.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        quantile(q, self.counts.iter().map(|count| u64::from(*count)))
    }

    /// Steps that hold something: the time they end at, and how many.
    pub fn steps(&self) -> impl Iterator<Item = (Duration, u32)> + '_ {
        let counted = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counted.map(|(index, count)| (Duration::from_micros(bounds(index).1), *count))
    }
}

impl Times {
    pub fn merge(&mut self, other: &Self) {
        self.ttft.merge(&other.ttft);
        self.tpot.merge(&other.tpot);
        self.total.merge(&other.total);
    }
}

impl RecentTimes {
    pub(crate) fn record(&mut self, now: Tick) -> &mut Times {
        let passed = now.since(self.since);
        if passed >= HALF {
            self.older = if passed >= HALF * 2 { Times::default() } else { std::mem::take(&mut self.newer) };
            self.newer = Times::default();
            self.since = now;
        }
        &mut self.newer
    }

    /// What is still recent, in one.
    pub(crate) fn merged(&self, now: Tick) -> Times {
        let (newer, older) = self.recent(now);
        let mut times = newer.cloned().unwrap_or_default();
        if let Some(older) = older {
            times.merge(older);
        }
        times
    }

    /// Of the time to the first token; `None` from fewer than `fewest`.
    pub(crate) fn ttft_quantile(&self, q: f64, fewest: u64, now: Tick) -> Option<Duration> {
        let (newer, older) = self.recent(now);
        let newer = newer?;
        let counts = newer.ttft.counts.iter().enumerate().map(|(index, count)| {
            let before = older.and_then(|older| older.ttft.counts.get(index)).copied().unwrap_or(0);
            u64::from(*count) + u64::from(before)
        });
        (counts.clone().sum::<u64>() >= fewest).then(|| quantile(q, counts))?
    }

    fn recent(&self, now: Tick) -> (Option<&Times>, Option<&Times>) {
        let passed = now.since(self.since);
        if passed >= HALF * 2 {
            return (None, None);
        }
        (Some(&self.newer), (passed < HALF).then_some(&self.older))
    }
}

fn quantile(q: f64, counts: impl Iterator<Item = u64> + Clone) -> Option<Duration> {
    let all: u64 = counts.clone().sum();
    if all == 0 {
        return None;
    }
    let wanted = q.clamp(0.0, 1.0) * all as f64;
    let mut before = 0u64;
    let mut last = 0;
    for (index, count) in counts.enumerate().filter(|(_, count)| *count > 0) {
        let (from, to) = bounds(index);
        last = to;
        if (before + count) as f64 >= wanted {
            let share = ((wanted - before as f64) / count as f64).clamp(0.0, 1.0);
            let micros = from as f64 + share * (to - from) as f64;
            return Some(Duration::from_secs_f64(micros / 1e6));
        }
        before += count;
    }
    Some(Duration::from_micros(last))
}

fn bucket_of(time: Duration) -> usize {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    let bit = 63 - micros.leading_zeros();
    if bit < FIRST_BIT {
        return 0;
    }
    let step = usize::try_from((micros >> (bit - STEP_BITS)) & (STEPS as u64 - 1)).unwrap_or(0);
    let doubling = usize::try_from(bit - FIRST_BIT).unwrap_or(0);
    (doubling * STEPS + step + 1).min(BUCKETS - 1)
}

/// In microseconds: from, up to but without.
fn bounds(bucket: usize) -> (u64, u64) {
    let Some(index) = bucket.checked_sub(1) else { return (0, 1 << FIRST_BIT) };
    let doubling = u32::try_from(index / STEPS).unwrap_or(0);
    let step = (index % STEPS) as u64;
    let width = 1u64 << (FIRST_BIT + doubling - STEP_BITS);
    let from = (1u64 << (FIRST_BIT + doubling)) + step * width;
    (from, from + width)
}

#[cfg(test)]
mod tests;
