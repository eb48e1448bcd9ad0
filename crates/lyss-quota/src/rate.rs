//! The port to rate windows: so much per minute.

use std::time::Duration;

use async_trait::async_trait;
use lyss_domain::{ChannelId, KeyId, TenantId, Tick};
use smallvec::SmallVec;

/// Whose rate is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RateSubject {
    Tenant(TenantId),
    Key(KeyId),
    Channel(ChannelId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RateUnit {
    Requests,
    Tokens,
}

/// What a call wants of one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateAsk {
    pub subject: RateSubject,
    pub unit: RateUnit,
    pub limit_per_minute: u32,
    pub cost: u32,
}

/// A window after an ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateState {
    pub limit: u32,
    pub remaining: u32,
    /// Until `remaining` is `limit` again, if nothing else is taken.
    pub reset_after: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RateVerdict {
    /// One state for each ask, in their order.
    Granted { states: SmallVec<[RateState; 4]> },
    /// The ask at `index` did not fit, and nothing was taken from any. `retry_after`: when it would fit; for a cost
    /// above the limit itself, a whole window.
    Refused { index: usize, state: RateState, retry_after: Duration },
}

#[derive(Debug, thiserror::Error)]
pub enum RateError {
    /// The store is away, too slow or refuses work; the text names no secret and no address.
    #[error("the rate store is unavailable: {0}")]
    Unavailable(String),
}

#[async_trait]
pub trait RateStore: Send + Sync {
    /// Takes every cost or none.
    async fn take(&self, asks: &[RateAsk], now: Tick) -> Result<RateVerdict, RateError>;

    /// Corrects an ask once the real use is known: positive takes more (never refused), negative gives back.
    fn correct(&self, subject: RateSubject, unit: RateUnit, limit_per_minute: u32, delta: i64, now: Tick);
}
