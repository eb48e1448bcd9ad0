//! Scopes that no principal was entitled to: a tenant's that is just being made or removed by somebody above tenants, and
//! the chain of what concerns no tenant. One of the named places where a scope comes to be.

use lyss_domain::{TenantId, TenantScope};

/// For the audit chain of a tenant, and for the first and last writes to it. The caller has proven `WriteTenants`, or
/// writes of a refusal.
#[expect(clippy::disallowed_methods, reason = "tests/it/house/homes.rs names this file")]
pub(crate) fn scope_of(tenant: TenantId) -> TenantScope {
    TenantScope::grant(tenant)
}

/// The chain of entries that belong to no tenant.
pub(crate) fn nobodys_chain() -> TenantScope {
    scope_of(TenantId::NONE)
}
