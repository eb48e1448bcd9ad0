//! The unit of work: several ports over one transaction.

use async_trait::async_trait;
use lyss_domain::Timestamp;

use crate::StoreError;
use crate::ports::{
    AuditRepository, ChannelRepository, CredentialRepository, IdempotencyRepository, KeyRepository,
    PolicyRepository, PriceRepository, ProviderRepository, TenantKeyRepository, TenantRepository,
};
use crate::system::PurposeKeyRepository;

/// Where units of work begin.
#[async_trait]
pub trait Store: Send + Sync {
    /// For changes. On SQLite writers queue here (`BEGIN IMMEDIATE`); nobody is ever told "busy".
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError>;

    /// For reading alone: one consistent picture, beside which writers go on.
    async fn read(&self) -> Result<Box<dyn UnitOfWork>, StoreError>;

    /// One trivial round trip, for health.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// One transaction. Dropped without [`commit`](Self::commit), nothing of it happened. After `Conflict`, `Reference` or
/// `Unavailable` it can only be dropped: `commit` refuses, on every database alike. `Stale` dooms nothing.
#[async_trait]
pub trait UnitOfWork: Send {
    fn tenants(&mut self) -> &mut dyn TenantRepository;
    fn providers(&mut self) -> &mut dyn ProviderRepository;
    fn channels(&mut self) -> &mut dyn ChannelRepository;
    fn credentials(&mut self) -> &mut dyn CredentialRepository;
    fn tenant_keys(&mut self) -> &mut dyn TenantKeyRepository;
    fn purpose_keys(&mut self) -> &mut dyn PurposeKeyRepository;
    fn keys(&mut self) -> &mut dyn KeyRepository;
    fn policies(&mut self) -> &mut dyn PolicyRepository;
    fn prices(&mut self) -> &mut dyn PriceRepository;
    fn audit(&mut self) -> &mut dyn AuditRepository;
    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository;

    /// Commits. `changed_at` says that the catalog's picture changed: its generation grows by one in the same
    /// transaction and the change feed tells of it. Answers the generation now in force.
    async fn commit(self: Box<Self>, changed_at: Option<Timestamp>) -> Result<i64, StoreError>;
}
