//! The demo acts for the tenant it made: one of the named places where a scope comes to be.

use lyss_domain::{TenantId, TenantScope};
use lyss_management::Actor;

/// The scope of the demo's own tenant.
#[expect(
    clippy::disallowed_methods,
    reason = "the demo is its own administrator; tests/it/house.rs names this file"
)]
pub(crate) fn scope(tenant: TenantId) -> TenantScope {
    TenantScope::grant(tenant)
}

pub(crate) fn actor() -> Actor {
    Actor { name: "system:demo".to_owned(), address: None }
}
