//! Use-cases that change and list configuration: each change is one unit of work with its audit entry, and answers once
//! this replica serves it.
//!
//! Must never know: HTTP, SQL, a wire format. The right to touch a tenant's data is proven by the scope in [`Acting`];
//! who did it, for the audit log and for what may be given away, by its [`Actor`]. The permission a route needs is the
//! route's matter; that a grant never exceeds the grantor's own is this crate's.
//!
//! Every noun has the same five: `list_x`, `x`, `create_x`, `change_x`, `delete_x`. A change is a merge patch: `None` leaves
//! a field, `Some(None)` removes it. `expected` is the version that the caller saw. A foreign id answers exactly as one that
//! never was.
//!
//! Start reading at [`change`], then [`policies`], the plainest noun. To add a use-case: a function in the file of its
//! noun, and what its entry shows in `audit/detail.rs`.

pub mod acting;
pub mod audit;
pub mod change;
pub mod channels;
pub mod connection;
pub mod error;
pub mod idempotency;
pub mod keys;
pub mod policies;
pub mod prices;
pub mod providers;
pub mod tenants;

mod rules;
mod system;

#[cfg(test)]
mod office;

use std::sync::Arc;

use lyss_catalog::CatalogHandle;
use lyss_domain::Clock;
use lyss_quota::MemoryRateStore;
use lyss_repositories::Store;
use lyss_vault::{PurposeSecret, Vault, random};

pub use acting::{Acting, Actor};
pub use audit::verify::{AuditHead, AuditVerdict, Breach, Broken};
pub use change::MapChange;
pub use channels::{
    ChannelChange, ChannelDraft, ChannelLimitsChange, ChannelTimeoutsChange, ChannelView, CredentialsDraft,
};
pub use connection::{TestDraft, TestError, Tested};
pub use error::{Fields, ManagementError, Noun};
pub use idempotency::{Claim, Once, fingerprint};
pub use keys::{IssuedKey, KeyChange, KeyDraft, KeyLimitsChange, MAX_OVERLAP};
pub use lyss_adapters::ProbeClass;
pub use lyss_repositories::{
    AuditFilter, AuditSort, ChannelFilter, ChannelSort, KeyFilter, KeySort, Listing, Page, Paged,
    PolicyFilter, PolicySort, PriceFilter, PriceSort, ProviderFilter, ProviderSort, Sort, TenantFilter,
    TenantSort,
};
pub use lyss_wire::Transport;
pub use policies::{PolicyChange, PolicyDraft};
pub use prices::PriceDraft;
pub use providers::{OwnRow, ProviderChange, ProviderDraft, ProviderView};
pub use tenants::{RuleChange, TenantChange, TenantDraft};

/// What the use-cases are made of.
pub struct Management {
    pub store: Arc<dyn Store>,
    pub vault: Arc<Vault>,
    pub key_digests: Arc<PurposeSecret>,
    pub audit_chain: Arc<PurposeSecret>,
    pub catalog: Arc<CatalogHandle>,
    pub clock: Arc<dyn Clock>,
    pub guards: Guards,
}

/// Counts of this process that keep use-cases from being misused.
#[derive(Debug, Default)]
pub struct Guards {
    tests: MemoryRateStore,
    /// Of strangers, by network.
    refusals: audit::refusals::RefusalGuard,
    /// Of those who are known, by name.
    denials: audit::refusals::RefusalGuard,
}

impl Management {
    /// The random part of a new id and the moment of its making.
    fn id_parts(&self) -> Result<(u64, [u8; 10]), ManagementError> {
        let millis = u64::try_from(self.clock.now().as_millis()).unwrap_or(0);
        Ok((millis, random()?))
    }
}
