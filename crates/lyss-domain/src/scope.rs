//! Proof of who is acting. Made by `lyss-auth` and the few `system.rs` files named in `tests/it/house.rs`.

use crate::{KeyId, KeyScope, TenantId};

/// Permission to touch one tenant's data. Every repository method takes it, so a tenant's id alone opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TenantScope(TenantId);

impl TenantScope {
    /// Clippy refuses this call outside the homes listed in `tests/it/house.rs`.
    pub const fn grant(tenant: TenantId) -> Self {
        Self(tenant)
    }

    pub const fn tenant(self) -> TenantId {
        self.0
    }
}

/// An authenticated caller of the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    scope: TenantScope,
    key: KeyId,
    scopes: Vec<KeyScope>,
}

impl Caller {
    /// Clippy refuses this call outside the homes listed in `tests/it/house.rs`.
    pub fn grant(scope: TenantScope, key: KeyId, scopes: Vec<KeyScope>) -> Self {
        Self { scope, key, scopes }
    }

    pub fn scope(&self) -> TenantScope {
        self.scope
    }

    pub fn tenant(&self) -> TenantId {
        self.scope.tenant()
    }

    pub fn key(&self) -> KeyId {
        self.key
    }

    pub fn may(&self, scope: KeyScope) -> bool {
        self.scopes.contains(&scope)
    }
}
