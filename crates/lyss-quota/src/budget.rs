//! The words of budgets.

use lyss_domain::{PolicyId, PolicyMode, Timestamp, WindowStart};

/// The largest amount one call may reserve or spend on one account. Above it a figure is broken or hostile.
pub const MAX_AMOUNT: i64 = 1 << 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    Requests,
    Tokens,
    /// Millionths of a US dollar.
    CostMicros,
}

/// A counter's name: one unit of one policy in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    pub policy: PolicyId,
    pub start: WindowStart,
    pub unit: Unit,
}

/// What a call wants of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    pub account: Account,
    /// The policy's limit for this unit in this window.
    pub limit: i64,
    /// When the account's window ends.
    pub ends_at: Timestamp,
    /// The most the call may use, 0 to [`MAX_AMOUNT`].
    pub amount: i64,
    pub mode: PolicyMode,
}

/// What a call used, one figure for each unit. Negative figures count as 0, ones above [`MAX_AMOUNT`] as that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Spend {
    pub requests: i64,
    pub tokens: i64,
    pub cost_micros: i64,
}

/// An account as this process knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Settled: what the store last told, and what this process has settled since.
    pub posted: i64,
    /// Held by calls under way in this process.
    pub reserved: i64,
}

/// What an account has left, never below 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remaining {
    pub account: Account,
    pub limit: i64,
    pub remaining: i64,
    pub resets_at: Timestamp,
}

/// Why nothing was reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuotaRefusal {
    /// The amount does not fit (or is no amount: negative, above [`MAX_AMOUNT`], or beyond what can be counted).
    #[error("the quota is used up")]
    Exceeded { account: Account, limit: i64, remaining: i64, resets_at: Timestamp },
    /// The store of leases did not answer, so nobody knows.
    #[error("quotas cannot be checked now")]
    Unavailable,
}

impl Spend {
    pub fn of(&self, unit: Unit) -> i64 {
        let figure = match unit {
            Unit::Requests => self.requests,
            Unit::Tokens => self.tokens,
            Unit::CostMicros => self.cost_micros,
        };
        figure.clamp(0, MAX_AMOUNT)
    }
}

impl Demand {
    pub(crate) fn exceeded(&self, remaining: i64) -> QuotaRefusal {
        QuotaRefusal::Exceeded {
            account: self.account,
            limit: self.limit,
            remaining: remaining.max(0),
            resets_at: self.ends_at,
        }
    }
}
