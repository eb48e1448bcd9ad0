//! Ports of the system itself, which stands above tenants: the catalog's loader, the ledger's writer, the vault's
//! purpose keys. Only `lyss-catalog`, `lyss-ledger` and the vault's opener use them.

use std::time::Duration;

use async_trait::async_trait;
use lyss_domain::{
    AttemptId, AttemptRecord, CallId, Channel, ChannelId, KeyId, Price, Provider, QuotaPolicy,
    SealedCredential, Tenant, TenantId, TenantScope, Timestamp, VirtualKey,
};

use crate::StoreError;
use crate::figures::{Arrival, ChannelFigures, SeriesPoint};
use crate::ports::WrappedKey;

/// Everything the catalog holds, read in one transaction, so that all parts fit each other.
#[derive(Debug, Default)]
pub struct CatalogRows {
    pub generation: i64,
    pub tenants: Vec<Tenant>,
    pub providers: Vec<Provider>,
    pub channels: Vec<Channel>,
    pub credentials: Vec<SealedCredential>,
    pub tenant_keys: Vec<WrappedKey>,
    pub keys: Vec<VirtualKey>,
    pub policies: Vec<QuotaPolicy>,
    pub prices: Vec<Price>,
}

#[async_trait]
pub trait CatalogSource: Send + Sync {
    /// The generation number in force: one indexed read.
    async fn generation(&self) -> Result<i64, StoreError>;
    async fn load(&self) -> Result<CatalogRows, StoreError>;
}

/// Usage records: the ledger writes them, quotas and statistics read them. Outside any unit of work. Sums and figures
/// leave out the service's own probes ([`Operation::Health`](lyss_domain::Operation::Health)).
#[async_trait]
pub trait AttemptStore: Send + Sync {
    /// Writes a batch in one transaction. A record whose id is there already is left as it is, so a batch may be
    /// written twice. Answers how many were new.
    async fn write(&self, records: &[AttemptRecord]) -> Result<u64, StoreError>;
    async fn get(&self, scope: &TenantScope, id: AttemptId) -> Result<Option<AttemptRecord>, StoreError>;
    /// The attempts of one call, the first one first.
    async fn of_call(&self, scope: &TenantScope, call: CallId) -> Result<Vec<AttemptRecord>, StoreError>;
    /// Newest first, by the beginning of their calls.
    async fn recent(&self, scope: &TenantScope, limit: u32) -> Result<Vec<AttemptRecord>, StoreError>;
    async fn count(&self, scope: &TenantScope) -> Result<u64, StoreError>;
    /// What was used since `since`, per key, channel and model asked: what quotas start from.
    async fn totals(&self, scope: &TenantScope, since: Timestamp) -> Result<Vec<UsageTotal>, StoreError>;
    /// How attempts went that started since `since`: a row for each channel and provider that had any, by their ids.
    async fn figures(&self, scope: &TenantScope, since: Timestamp)
    -> Result<Vec<ChannelFigures>, StoreError>;
    /// How one channel's attempts went that started since `since`: a point for each interval and model that had any, by
    /// time and then by model. Intervals begin at whole multiples of their length since 1970, and are at least one second.
    async fn channel_series(
        &self,
        scope: &TenantScope,
        channel: ChannelId,
        since: Timestamp,
        interval: Duration,
    ) -> Result<Vec<SeriesPoint>, StoreError>;
    /// The calls that arrived since `since`, oldest first; where they had more than `limit` attempts, the newest of
    /// them.
    async fn traffic(
        &self,
        scope: &TenantScope,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arrival>, StoreError>;
}

/// The audit log's view from above, for verifying every chain.
#[async_trait]
pub trait AuditSource: Send + Sync {
    /// Whoever has entries: tenants that are there, tenants that are gone, and [`TenantId::NONE`].
    async fn tenants_with_entries(&self) -> Result<Vec<TenantId>, StoreError>;
}

/// Sums over a tenant's records. `requests` counts calls that were charged: of a call's attempts exactly the one that
/// answered, wholly or in part, has a usage source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageTotal {
    pub key: KeyId,
    pub channel: ChannelId,
    pub model_asked: String,
    pub requests: u64,
    pub tokens: u64,
    pub cost_micros: i64,
}

/// Key material for one purpose (virtual-key digests, the audit chain, cursors), wrapped under a master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurposeKey {
    pub purpose: String,
    pub master_key_id: String,
    pub wrapped: Vec<u8>,
    pub created_at: Timestamp,
}

#[async_trait]
pub trait PurposeKeyRepository: Send {
    /// Stores it unless the purpose has one already; answers what is stored afterwards.
    async fn create_if_absent(&mut self, key: &PurposeKey) -> Result<PurposeKey, StoreError>;
    async fn list(&mut self) -> Result<Vec<PurposeKey>, StoreError>;
    /// The same key under another master key.
    async fn rewrap(&mut self, key: &PurposeKey) -> Result<(), StoreError>;
}
