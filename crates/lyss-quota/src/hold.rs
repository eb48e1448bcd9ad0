//! How a reservation ends: released before anything was sent, or settled after. Each ends once, by ownership.

use std::sync::Arc;

use lyss_domain::PolicyMode;

use crate::block::Cell;
use crate::{Account, Demand, Remaining, Spend};

/// One demand that was met. Held in a `Vec`: it is handed over often, and a channel without policies has none.
#[derive(Debug)]
pub(crate) struct Hold {
    pub(crate) cell: Arc<Cell>,
    pub(crate) demand: Demand,
    /// A shadow demand that enforcement would have refused.
    pub(crate) would_refuse: bool,
}

/// Units held for a call that was not sent yet. Dropping it releases them.
#[derive(Debug)]
#[must_use = "dropping a reservation releases it"]
pub struct Reservation {
    holds: Vec<Hold>,
}

/// Units held for a call that was sent, so something is owed. Dropping it settles what was noted last; nothing
/// releases it. A retry of the same call on another channel goes on under the same one.
#[derive(Debug)]
#[must_use = "dropping this settles what was noted last"]
pub struct Dispatched {
    holds: Vec<Hold>,
    seen: Spend,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// More was used than was reserved on an enforced account.
    pub overrun: bool,
}

impl Reservation {
    pub(crate) fn new(holds: Vec<Hold>) -> Self {
        Self { holds }
    }

    /// The moment the first byte may leave. Until `note` says more, one request is owed and nothing else.
    pub fn dispatch(mut self) -> Dispatched {
        let seen = Spend { requests: 1, ..Spend::default() };
        Dispatched { holds: std::mem::take(&mut self.holds), seen }
    }

    /// The enforced account with the smallest part of its limit left, this reservation counted.
    pub fn tightest(&self) -> Option<Remaining> {
        tightest(&self.holds)
    }

    /// The shadow accounts that would have refused this call.
    pub fn would_refuse(&self) -> impl Iterator<Item = Account> {
        self.holds.iter().filter(|hold| hold.would_refuse).map(|hold| hold.demand.account)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        for hold in &self.holds {
            hold.cell.lock().release(&hold.demand);
        }
    }
}

impl Dispatched {
    /// The use seen so far, in place of what was noted before.
    pub fn note(&mut self, seen: Spend) {
        self.seen = seen;
    }

    /// Settles the use, whatever was reserved: settlement is never refused.
    pub fn settle(mut self, actual: Spend) -> Settled {
        self.seen = actual;
        let overrun = self.holds.iter().any(|hold| {
            hold.demand.mode == PolicyMode::Enforce
                && actual.of(hold.demand.account.unit) > hold.demand.amount
        });
        Settled { overrun }
    }

    /// As [`Reservation::tightest`].
    pub fn tightest(&self) -> Option<Remaining> {
        tightest(&self.holds)
    }
}

impl Drop for Dispatched {
    fn drop(&mut self) {
        for hold in &self.holds {
            hold.cell.lock().settle(&hold.demand, self.seen.of(hold.demand.account.unit));
        }
    }
}

fn tightest(holds: &[Hold]) -> Option<Remaining> {
    holds
        .iter()
        .filter(|hold| hold.demand.mode == PolicyMode::Enforce)
        .map(|hold| Remaining {
            account: hold.demand.account,
            limit: hold.demand.limit,
            remaining: hold.cell.lock().remaining(hold.demand.limit).max(0),
            resets_at: hold.demand.ends_at,
        })
        // In billionths of the limit; a limit of nothing has nothing left.
        .min_by_key(|left| {
            let parts = i128::from(left.remaining).saturating_mul(1_000_000_000);
            parts.checked_div(i128::from(left.limit)).unwrap_or(0)
        })
}
