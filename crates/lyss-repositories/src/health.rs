//! The port to what is kept of channels' health. Nobody on the path of a call uses it: states and events are written in
//! batches beside the traffic.

use async_trait::async_trait;
use lyss_domain::{ChannelId, HealthEvent, HealthState, Micros, TenantId, TenantScope, Timestamp};

use crate::{HealthEventFilter, HealthEventSort, Listing, Paged, StoreError};

/// A wish to probe a channel, and when the next probe of it is due if this one is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeTurn {
    pub tenant: TenantId,
    pub channel: ChannelId,
    pub next_at: Timestamp,
}

/// States, history and turns of all tenants' channels; each goes with its channel. What names a channel that is not
/// there (any more) is left out without a word, since a channel may go at any moment. Outside any unit of work.
#[async_trait]
pub trait HealthStore: Send + Sync {
    /// Inserts or replaces, in one transaction. A state never replaces a newer one, as two replicas may write. Answers
    /// how many were written.
    async fn save_states(&self, states: &[HealthState]) -> Result<u64, StoreError>;

    /// All of them, whoever's, in no order.
    async fn load_states(&self) -> Result<Vec<HealthState>, StoreError>;

    /// Deletes states that nobody wrote since then; answers how many.
    async fn forget_states(&self, before: Timestamp) -> Result<u64, StoreError>;

    /// In one transaction. An event whose id is there already is left as it is, so a batch may be written twice. Answers
    /// how many were new.
    async fn append_events(&self, events: &[HealthEvent]) -> Result<u64, StoreError>;

    /// A tenant's history, usually oldest first.
    async fn events(
        &self,
        scope: &TenantScope,
        listing: &Listing<HealthEventFilter, HealthEventSort>,
    ) -> Result<Paged<HealthEvent>, StoreError>;

    /// Which of these channels may be probed now: those whose last turn, taken by whatever replica, ended by `now`. Of
    /// several that ask at once exactly one is told so.
    async fn claim_turns(&self, turns: &[ProbeTurn], now: Timestamp) -> Result<Vec<ChannelId>, StoreError>;

    /// Grants a tenant's probe so much, unless more than `budget` would be granted on this day of UTC. What was
    /// granted stays granted, whatever the probe then costs.
    async fn spend_probe(
        &self,
        tenant: TenantId,
        at: Timestamp,
        cost: Micros,
        budget: Micros,
    ) -> Result<bool, StoreError>;

    /// Deletes up to `limit` events, and budgets of days, from before this time; answers how many events went.
    async fn forget_before(&self, at: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
