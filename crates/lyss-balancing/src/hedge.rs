//! Whether, and after how long, a call that has not been answered is sent a second time to another channel.
//!
//! After Dean and Barroso, "The Tail at Scale" (2013): the second request goes out once the first has taken longer than
//! the 95th percentile of its kind, so that it costs about one call in twenty and cuts off the tail. Here a budget holds
//! it to that, also when all are slow at once.

use std::time::Duration;

use lyss_domain::Tick;

use crate::{Budget, RetryBudget};

/// Shared by all calls of the process.
#[derive(Debug)]
pub struct Hedging {
    enabled: bool,
    budget: RetryBudget,
}

/// What is known of a call whose first attempt is about to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgeTerms {
    /// The call's model group asks for it.
    pub wanted: bool,
    /// The 95th percentile of the time to the first token of the channel that was chosen; `None`: not learned.
    pub p95_ttft: Option<Duration>,
    /// Another channel that is open and has room.
    pub other_open: bool,
    /// Much of what could serve does not; then a second request is the wrong thing to add.
    pub degraded: bool,
    /// Until the call's deadline.
    pub time_left: Duration,
}

/// A hedge sooner than this gains nothing anybody would notice.
const SOONEST: Duration = Duration::from_millis(50);
/// Where the first token usually takes longer than this, a call is expected to be slow.
const LATEST: Duration = Duration::from_secs(30);
/// What calls pay in lasts long, since hedges are rare; the reserve lets a service's first slow call hedge.
const LIFETIME: Duration = Duration::from_secs(600);

impl Hedging {
    /// `percent`: hedges for a hundred calls; 0: none at all.
    pub fn new(percent: u32, now: Tick) -> Self {
        let budget = Budget { percent, reserve_per_second: 0.0, reserve: 1.0, lifetime: LIFETIME };
        Self { enabled: percent > 0, budget: RetryBudget::new(budget, now) }
    }

    /// A call makes its first attempt.
    pub fn deposit(&self) {
        self.budget.deposit();
    }

    /// How long after its sending the first attempt is joined by a second; `None`: it stays alone. The budget is only
    /// asked when that moment comes, by [`Self::withdraw`].
    pub fn delay(&self, terms: &HedgeTerms) -> Option<Duration> {
        if !self.enabled || !terms.wanted || !terms.other_open || terms.degraded {
            return None;
        }
        let delay = terms.p95_ttft.filter(|p95| !p95.is_zero() && *p95 <= LATEST)?.max(SOONEST);
        // Later than this, the second would be cut off before it could have answered as slowly as the first should.
        (delay <= terms.time_left / 2).then_some(delay)
    }

    /// The moment came; `false`: too many were hedged of late.
    pub fn withdraw(&self, now: Tick) -> bool {
        self.enabled && self.budget.withdraw(false, now)
    }
}

#[cfg(test)]
mod tests;
