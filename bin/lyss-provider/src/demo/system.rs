//! The demo acts for the tenant it made: one of the named places where a scope comes to be.

use lyss_domain::{TenantId, TenantScope};
use lyss_management::{Acting, Actor};

/// As the audit log names it.
const NAME: &str = "system:demo";

/// The scope of the demo's own tenant.
#[expect(
    clippy::disallowed_methods,
    reason = "the demo is its own administrator; tests/it/house.rs names this file"
)]
pub(crate) fn scope(tenant: TenantId) -> TenantScope {
    TenantScope::grant(tenant)
}

/// The demo before it has a tenant.
pub(crate) fn actor() -> Actor<'static> {
    Actor::system(NAME)
}

pub(crate) fn acting(scope: TenantScope) -> Acting<'static> {
    Acting::system(scope, NAME)
}
