//! One port per aggregate. `create` refuses a taken name with `Conflict(field)`; `update` writes the value given and
//! sets its version to `expected + 1`, or answers `Stale` when the stored version is not `expected`.

use async_trait::async_trait;
use lyss_domain::{
    AuditEntry, Channel, ChannelId, DigestMatch, IdempotencyRecord, KeyDigest, KeyId, PolicyId, Price,
    Provider, ProviderSlug, QuotaPolicy, SealedCredential, Tenant, TenantId, TenantScope, Timestamp,
    VirtualKey,
};

use crate::{
    AuditFilter, AuditSort, ChannelFilter, ChannelSort, KeyFilter, KeySort, Listing, Paged, PolicyFilter,
    PolicySort, PriceFilter, PriceSort, ProviderFilter, ProviderSort, StoreError, TenantFilter, TenantSort,
};

/// Tenants. Listing and creating them is a platform administrator's matter, so those take no scope.
#[async_trait]
pub trait TenantRepository: Send {
    async fn create(&mut self, tenant: &Tenant) -> Result<(), StoreError>;
    async fn get(&mut self, id: TenantId) -> Result<Option<Tenant>, StoreError>;
    async fn by_slug(&mut self, slug: &str) -> Result<Option<Tenant>, StoreError>;
    /// Usually by slug.
    async fn list(
        &mut self,
        listing: &Listing<TenantFilter, TenantSort>,
    ) -> Result<Paged<Tenant>, StoreError>;
    async fn update(&mut self, tenant: &Tenant, expected: i64) -> Result<(), StoreError>;
    /// With all that belongs to it but the audit log and usage records. False: it was not there.
    async fn delete(&mut self, id: TenantId) -> Result<bool, StoreError>;
}

/// A tenant's own providers. Presets are data of `lyss-adapters` and never stored.
#[async_trait]
pub trait ProviderRepository: Send {
    async fn create(&mut self, scope: &TenantScope, provider: &Provider) -> Result<(), StoreError>;
    async fn get(&mut self, scope: &TenantScope, slug: &ProviderSlug)
    -> Result<Option<Provider>, StoreError>;
    /// Usually by slug.
    async fn list(
        &mut self,
        scope: &TenantScope,
        listing: &Listing<ProviderFilter, ProviderSort>,
    ) -> Result<Paged<Provider>, StoreError>;
    async fn update(
        &mut self,
        scope: &TenantScope,
        provider: &Provider,
        expected: i64,
    ) -> Result<(), StoreError>;
    async fn delete(&mut self, scope: &TenantScope, slug: &ProviderSlug) -> Result<bool, StoreError>;
}

/// Channels; names are unique within a tenant.
#[async_trait]
pub trait ChannelRepository: Send {
    async fn create(&mut self, scope: &TenantScope, channel: &Channel) -> Result<(), StoreError>;
    async fn get(&mut self, scope: &TenantScope, id: ChannelId) -> Result<Option<Channel>, StoreError>;
    async fn by_name(&mut self, scope: &TenantScope, name: &str) -> Result<Option<Channel>, StoreError>;
    /// Usually by name.
    async fn list(
        &mut self,
        scope: &TenantScope,
        listing: &Listing<ChannelFilter, ChannelSort>,
    ) -> Result<Paged<Channel>, StoreError>;
    async fn update(
        &mut self,
        scope: &TenantScope,
        channel: &Channel,
        expected: i64,
    ) -> Result<(), StoreError>;
    /// With its credential.
    async fn delete(&mut self, scope: &TenantScope, id: ChannelId) -> Result<bool, StoreError>;
}

/// One sealed credential per channel.
#[async_trait]
pub trait CredentialRepository: Send {
    /// Inserts or replaces.
    async fn put(&mut self, scope: &TenantScope, credential: &SealedCredential) -> Result<(), StoreError>;
    async fn get(
        &mut self,
        scope: &TenantScope,
        channel: ChannelId,
    ) -> Result<Option<SealedCredential>, StoreError>;
    async fn delete(&mut self, scope: &TenantScope, channel: ChannelId) -> Result<bool, StoreError>;
}

/// A data key of one tenant, wrapped under a master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    pub tenant: TenantId,
    pub version: i32,
    pub master_key_id: String,
    pub wrapped: Vec<u8>,
    pub created_at: Timestamp,
}

#[async_trait]
pub trait TenantKeyRepository: Send {
    async fn create(&mut self, scope: &TenantScope, key: &WrappedKey) -> Result<(), StoreError>;
    /// All versions, oldest first.
    async fn list(&mut self, scope: &TenantScope) -> Result<Vec<WrappedKey>, StoreError>;
    /// Rotation's, which stands above tenants and opens nothing of theirs: the same key under another master key.
    async fn rewrap(&mut self, key: &WrappedKey) -> Result<(), StoreError>;
    /// Rotation's view: up to `limit` keys wrapped under any master key other than this.
    async fn not_under(&mut self, master_key_id: &str, limit: u32) -> Result<Vec<WrappedKey>, StoreError>;
    /// How many keys each master key still wraps.
    async fn count_by_master_key(&mut self) -> Result<Vec<(String, u64)>, StoreError>;
}

/// Virtual keys; names are unique within a tenant, digests everywhere, current and previous ones together. `update`
/// leaves the last use as it is: that is the ledger's.
#[async_trait]
pub trait KeyRepository: Send {
    async fn create(&mut self, scope: &TenantScope, key: &VirtualKey) -> Result<(), StoreError>;
    async fn get(&mut self, scope: &TenantScope, id: KeyId) -> Result<Option<VirtualKey>, StoreError>;
    async fn by_name(&mut self, scope: &TenantScope, name: &str) -> Result<Option<VirtualKey>, StoreError>;
    /// The only look-up without a scope: it is how a scope is found. Digest only, never the key. Finds a rotated key by
    /// its previous digest too, whether that still holds or not, and says which it was.
    async fn by_digest(
        &mut self,
        digest: &KeyDigest,
    ) -> Result<Option<(VirtualKey, DigestMatch)>, StoreError>;
    /// Usually by name.
    async fn list(
        &mut self,
        scope: &TenantScope,
        listing: &Listing<KeyFilter, KeySort>,
    ) -> Result<Paged<VirtualKey>, StoreError>;
    async fn update(
        &mut self,
        scope: &TenantScope,
        key: &VirtualKey,
        expected: i64,
    ) -> Result<(), StoreError>;
    async fn delete(&mut self, scope: &TenantScope, id: KeyId) -> Result<bool, StoreError>;
}

#[async_trait]
pub trait PolicyRepository: Send {
    async fn create(&mut self, scope: &TenantScope, policy: &QuotaPolicy) -> Result<(), StoreError>;
    async fn get(&mut self, scope: &TenantScope, id: PolicyId) -> Result<Option<QuotaPolicy>, StoreError>;
    /// Usually by the time of their making.
    async fn list(
        &mut self,
        scope: &TenantScope,
        listing: &Listing<PolicyFilter, PolicySort>,
    ) -> Result<Paged<QuotaPolicy>, StoreError>;
    async fn update(
        &mut self,
        scope: &TenantScope,
        policy: &QuotaPolicy,
        expected: i64,
    ) -> Result<(), StoreError>;
    async fn delete(&mut self, scope: &TenantScope, id: PolicyId) -> Result<bool, StoreError>;
}

/// A tenant's own prices; they are added, never changed.
#[async_trait]
pub trait PriceRepository: Send {
    async fn create(&mut self, scope: &TenantScope, price: &Price) -> Result<(), StoreError>;
    /// Usually by model, then by date.
    async fn list(
        &mut self,
        scope: &TenantScope,
        listing: &Listing<PriceFilter, PriceSort>,
    ) -> Result<Paged<Price>, StoreError>;
}

/// Append-only, which the database itself holds. The chain of [`TenantId::NONE`] is of what concerns no tenant.
#[async_trait]
pub trait AuditRepository: Send {
    /// The newest entry, its tenant's chain locked until this unit of work ends.
    async fn last(&mut self, scope: &TenantScope) -> Result<Option<AuditEntry>, StoreError>;
    async fn append(&mut self, scope: &TenantScope, entry: &AuditEntry) -> Result<(), StoreError>;
    /// Usually oldest first.
    async fn list(
        &mut self,
        scope: &TenantScope,
        listing: &Listing<AuditFilter, AuditSort>,
    ) -> Result<Paged<AuditEntry>, StoreError>;
    /// Ascending from a sequence number.
    async fn from(
        &mut self,
        scope: &TenantScope,
        sequence: i64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError>;
}

/// What a claim of an idempotency key found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdempotencyClaim {
    /// Nobody used it: this request goes on and must `finish`.
    Fresh,
    /// Used before (perhaps for another request: compare fingerprints).
    Seen(IdempotencyRecord),
}

/// [`TenantId::NONE`] may claim too: a platform administrator's requests concern no tenant.
#[async_trait]
pub trait IdempotencyRepository: Send {
    /// Takes the key, or says who had it. Expired records count as absent, finished or not.
    async fn claim(
        &mut self,
        scope: &TenantScope,
        record: &IdempotencyRecord,
    ) -> Result<IdempotencyClaim, StoreError>;
    /// Keeps the answer of a claim until `expires_at`: a claim is for as long as a request may run, an answer for longer.
    /// `Stale`: it ran out and is somebody else's by now.
    async fn finish(
        &mut self,
        scope: &TenantScope,
        claimed: &IdempotencyRecord,
        answer: (u16, &[u8]),
        expires_at: Timestamp,
    ) -> Result<(), StoreError>;
    /// Gives back a claim that was not finished, for a request that failed: the next one of this key is fresh. A
    /// finished one stays, and one that is not there is no error.
    async fn release(&mut self, scope: &TenantScope, claimed: &IdempotencyRecord) -> Result<(), StoreError>;
    /// Removes what expired before `now`; answers how many.
    async fn sweep(&mut self, now: Timestamp) -> Result<u64, StoreError>;
}
