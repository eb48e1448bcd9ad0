//! The system acts for every tenant of the picture: one of the named places where a scope comes to be.

use lyss_domain::TenantScope;

use crate::TenantEntry;

impl TenantEntry {
    /// For what the service does by itself with a tenant's data, such as counting what it used when it starts. Whoever
    /// acts on a request has its caller's scope.
    #[expect(
        clippy::disallowed_methods,
        reason = "the system acts for each tenant it serves; tests/it/house names this file"
    )]
    pub fn system_scope(&self) -> TenantScope {
        TenantScope::grant(self.tenant.id)
    }
}
