//! The truth of budgets where one process is all there is.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use foldhash::HashMap;
use lyss_domain::Timestamp;

use crate::{Account, LeaseError, LeaseGrant, LeaseStore};

/// No window is longer than a month.
const LONGEST_WINDOW: Duration = Duration::from_hours(24 * 32);

/// No call lasts longer than a day.
const LONGEST_CALL: Duration = Duration::from_hours(24);

/// A block is at most this part of what is left.
const SHARE: i64 = 16;

/// Counters in memory. They begin at zero with the process, so [`MemoryLeaseStore::seed`] them from the ledger.
/// Grants small blocks, and near a limit exactly what is asked for at least.
#[derive(Debug, Default)]
pub struct MemoryLeaseStore {
    rows: Mutex<HashMap<Account, Row>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    posted: i64,
    leased: i64,
    /// Unknown until the first lease.
    ends_at: Option<Timestamp>,
}

impl MemoryLeaseStore {
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what was used of an account before this process counted it: never less than what is posted by now.
    pub fn seed(&self, account: Account, posted: i64) {
        let mut rows = self.rows();
        let row = rows.entry(account).or_default();
        row.posted = row.posted.max(posted);
    }

    /// Posted and leased units of an account.
    pub fn standing(&self, account: &Account) -> Option<(i64, i64)> {
        self.rows().get(account).map(|row| (row.posted, row.leased))
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<Account, Row>> {
        // No change below is ever half done when a panic could strike.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl LeaseStore for MemoryLeaseStore {
    async fn lease(
        &self,
        account: Account,
        limit: i64,
        least: i64,
        want: i64,
        ends_at: Timestamp,
        _now: Timestamp,
    ) -> Result<LeaseGrant, LeaseError> {
        let mut rows = self.rows();
        let row = rows.entry(account).or_default();
        row.ends_at = Some(ends_at);
        let remaining = limit.saturating_sub(row.posted).saturating_sub(row.leased).max(0);
        let units = least.max(want.min(remaining / SHARE));
        let leased = row.leased.checked_add(units);
        match leased {
            Some(leased) if (0..=remaining).contains(&least) => {
                row.leased = leased;
                Ok(LeaseGrant::Granted { units, posted: row.posted })
            }
            _ => Ok(LeaseGrant::Refused { remaining, posted: row.posted }),
        }
    }

    async fn post(
        &self,
        account: Account,
        spent: i64,
        from_lease: i64,
        _now: Timestamp,
    ) -> Result<i64, LeaseError> {
        let mut rows = self.rows();
        let row = rows.entry(account).or_default();
        // Settlement is never refused: a sum that cannot be counted stays at the top, where nothing is admitted.
        row.posted = row.posted.saturating_add(spent.max(0));
        row.leased = row.leased.saturating_sub(from_lease.max(0)).max(0);
        Ok(row.posted)
    }

    async fn return_unused(&self, account: Account, units: i64, _now: Timestamp) -> Result<(), LeaseError> {
        if let Some(row) = self.rows().get_mut(&account) {
            row.leased = row.leased.saturating_sub(units.max(0)).max(0);
        }
        Ok(())
    }

    fn sweep(&self, ended_before: Timestamp) {
        self.rows().retain(|account, row| {
            let ends_at = row.ends_at.unwrap_or_else(|| account.start.0.after(LONGEST_WINDOW));
            // A call may still be under way on what is leased, and its use must not begin a new sum.
            let kept_until = if row.leased > 0 { ends_at.after(LONGEST_CALL) } else { ends_at };
            kept_until >= ended_before
        });
    }
}

#[cfg(test)]
mod tests;
