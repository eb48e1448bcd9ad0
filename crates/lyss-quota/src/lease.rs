//! The port to where budgets are the truth.

use async_trait::async_trait;
use lyss_domain::Timestamp;

use crate::Account;

/// The answer to a wish for units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseGrant {
    /// So many units are this process's own until it posts or returns them. `posted`: the account's sum now.
    Granted { units: i64, posted: i64 },
    /// Fewer than the least are left: `remaining` are, neither posted nor leased to anyone.
    Refused { remaining: i64, posted: i64 },
}

#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// The store is away, too slow or refuses work; the text names no secret and no address.
    #[error("the lease store is unavailable: {0}")]
    Unavailable(String),
}

/// Hands out units of accounts. For every account, at every grant: posted + leased ≤ limit.
///
/// One process asks for one account one call at a time. A call may be dropped while it waits; a store must then
/// either not have granted or let the grant lapse by its own means.
#[async_trait]
pub trait LeaseStore: Send + Sync {
    /// Grants between `least` and `want` units, or refuses. `least` 0 is always granted, and tells what is posted.
    async fn lease(
        &self,
        account: Account,
        limit: i64,
        least: i64,
        want: i64,
        ends_at: Timestamp,
        now: Timestamp,
    ) -> Result<LeaseGrant, LeaseError>;

    /// Adds `spent` units to the posted sum, of which `from_lease` leave what was leased to this process; the rest
    /// was used beyond it. Never refused. Answers the posted sum.
    async fn post(
        &self,
        account: Account,
        spent: i64,
        from_lease: i64,
        now: Timestamp,
    ) -> Result<i64, LeaseError>;

    /// Gives back leased units that were not used.
    async fn return_unused(&self, account: Account, units: i64, now: Timestamp) -> Result<(), LeaseError>;

    /// Frees the memory of accounts whose window ended before `ended_before`. What is stored elsewhere stays.
    fn sweep(&self, ended_before: Timestamp);
}
