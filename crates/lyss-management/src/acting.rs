//! Who acts, and for which tenant: handed to every use-case that changes something.

use lyss_auth::{Credential, Permission, Permissions, Principal};
use lyss_domain::{KeyId, TenantScope};

use crate::ManagementError;

/// Who acts: for the audit log, and for what it may give away.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    /// A token's subject, `key:<id>`, or `system:<part>`.
    pub name: &'a str,
    pub permissions: Permissions,
    /// The virtual key that acts, whose own limits bound what it may give to other keys.
    pub key: Option<KeyId>,
    pub address: Option<&'a str>,
}

/// An actor and the tenant whose data it was entitled to.
#[derive(Clone, Copy, Debug)]
pub struct Acting<'a> {
    pub scope: TenantScope,
    pub actor: Actor<'a>,
}

impl<'a> Actor<'a> {
    pub fn of(principal: &'a Principal, address: Option<&'a str>) -> Self {
        let key = match principal.credential {
            Credential::Key(key) => Some(key),
            Credential::Token(_) => None,
        };
        Self { name: &principal.name, permissions: principal.permissions, key, address }
    }

    /// A part of the service itself, such as `system:demo`: it may give away anything.
    pub fn system(name: &'a str) -> Self {
        Self { name, permissions: Permissions::of(&Permission::ALL), key: None, address: None }
    }

    pub(crate) fn must_have(&self, permission: Permission) -> Result<(), ManagementError> {
        if self.permissions.has(permission) {
            return Ok(());
        }
        Err(ManagementError::Exceeds(vec![permission.as_str()]))
    }
}

impl<'a> Acting<'a> {
    pub fn new(scope: TenantScope, principal: &'a Principal, address: Option<&'a str>) -> Self {
        Self { scope, actor: Actor::of(principal, address) }
    }

    pub fn system(scope: TenantScope, name: &'a str) -> Self {
        Self { scope, actor: Actor::system(name) }
    }
}
