//! Use-cases that change configuration: each is one unit of work with its audit entry, and answers once this replica
//! serves the change.
//!
//! Must never know: HTTP, SQL, a wire format. A caller's right to do a thing is proven by the [`TenantScope`] it hands
//! in; who did it, for the audit log, by the [`Actor`].
//!
//! Start reading at [`channels`]. This issue holds what the demo needs (tenants, channels, keys, policies); listing,
//! editing and the rest come with the management API. To add a use-case: a function in the file of its noun.

pub mod audit;
pub mod channels;
pub mod error;
pub mod keys;
pub mod policies;
pub mod tenants;

use std::sync::Arc;

use lyss_catalog::CatalogHandle;
use lyss_domain::{Clock, TenantScope};
use lyss_repositories::{Store, UnitOfWork};
use lyss_vault::{PurposeSecret, Vault, random};

pub use channels::ChannelDraft;
pub use error::ManagementError;
pub use keys::{IssuedKey, KeyDraft};
pub use policies::PolicyDraft;
pub use tenants::TenantDraft;

/// What the use-cases are made of.
pub struct Management {
    pub store: Arc<dyn Store>,
    pub vault: Arc<Vault>,
    pub key_digests: Arc<PurposeSecret>,
    pub audit_chain: Arc<PurposeSecret>,
    pub catalog: Arc<CatalogHandle>,
    pub clock: Arc<dyn Clock>,
}

/// Who acts, for the audit log.
#[derive(Clone, Debug)]
pub struct Actor {
    /// A token's subject, a key's id, or `system:<part>`.
    pub name: String,
    pub address: Option<String>,
}

impl Management {
    /// The random part of a new id and the moment of its making.
    fn id_parts(&self) -> Result<(u64, [u8; 10]), ManagementError> {
        let millis = u64::try_from(self.clock.now().as_millis()).unwrap_or(0);
        Ok((millis, random()?))
    }

    /// Writes the audit entry, commits both, and waits until this replica serves the change.
    async fn conclude(
        &self,
        mut work: Box<dyn UnitOfWork>,
        scope: &TenantScope,
        actor: &Actor,
        done: audit::Done<'_>,
    ) -> Result<(), ManagementError> {
        audit::append(self, &mut *work, scope, actor, done).await?;
        let generation = work.commit(Some(self.clock.now())).await?;
        self.catalog.serving(generation).await;
        Ok(())
    }
}
