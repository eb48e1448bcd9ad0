//! When which channel is looked at, and what its last probe said.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lyss_domain::{ChannelId, FaultKind, Tick};

/// A probe that says what the one before it said is told this often.
const SAME_AGAIN: Duration = Duration::from_secs(60 * 60);

pub(super) struct Schedule {
    interval: Duration,
    channels: Mutex<HashMap<ChannelId, Plan>>,
}

struct Plan {
    due: Tick,
    /// What was told last, and when.
    told: Option<(Option<FaultKind>, Tick)>,
}

impl Schedule {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, channels: Mutex::default() }
    }

    /// Forgets all channels but these.
    pub(super) fn keep(&self, channels: impl Iterator<Item = ChannelId>) {
        let there: HashSet<_> = channels.collect();
        self.plans().retain(|channel, _| there.contains(channel));
    }

    /// Whether its time has come. A channel seen for the first time is given one within the first interval, so that a
    /// start does not ask everywhere at once.
    pub(super) fn is_due(&self, channel: ChannelId, draw: u64, now: Tick) -> bool {
        let mut plans = self.plans();
        let first = || Plan { due: now.after(self.interval.mul_f64(part(draw))), told: None };
        plans.entry(channel).or_insert_with(first).due <= now
    }

    pub(super) fn next(&self, channel: ChannelId, due: Tick) {
        if let Some(plan) = self.plans().get_mut(&channel) {
            plan.due = due;
        }
    }

    /// One interval, a fifth more or less, so that channels and replicas do not march in step.
    pub(super) fn length(&self, draw: u64) -> Duration {
        self.interval.mul_f64(0.4f64.mul_add(part(draw), 0.8))
    }

    /// After another replica had the turn, or nobody could be asked whose it is.
    pub(super) fn retry(&self) -> Duration {
        self.interval / 4
    }

    /// Whether what a probe says differs from the last, or that is long ago. `None`: it went well.
    pub(super) fn is_news(&self, channel: ChannelId, fault: Option<FaultKind>, now: Tick) -> bool {
        let mut plans = self.plans();
        // A channel that went meanwhile has no history.
        let Some(plan) = plans.get_mut(&channel) else { return false };
        let is_news = plan.told.is_none_or(|(told, at)| told != fault || now.since(at) >= SAME_AGAIN);
        if is_news {
            plan.told = Some((fault, now));
        }
        is_news
    }

    fn plans(&self) -> MutexGuard<'_, HashMap<ChannelId, Plan>> {
        // A plan that a panic left half-made is still a plan.
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A uniform draw as a number from 0 to 1.
fn part(draw: u64) -> f64 {
    draw as f64 / u64::MAX as f64
}
