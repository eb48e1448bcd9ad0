//! A caller of the management API, and the moment it becomes entitled to act on one tenant's data.

use lyss_domain::{KeyId, Role, TenantId, TenantScope, Timestamp};

use crate::permission::{Permission, Permissions};

/// How a virtual key is named as a principal; no token's subject may begin like it, lest the audit log be misled.
pub(crate) const KEY_NAME_PREFIX: &str = "key:";

/// Who proved what, before it is known what it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// As the audit log names it: a token's subject, or `key:<id>`.
    pub name: String,
    pub credential: Credential,
    pub permissions: Permissions,
    /// The tenant its credential names; `None`: a platform administrator, who stands above them.
    pub home: Option<TenantId>,
}

/// A tenant as a token's name for it is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Home {
    pub tenant: TenantId,
    /// When it was made: a token from before belongs to an earlier tenant of the same name.
    pub since: Timestamp,
}

/// By what it was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    Token(Role),
    Key(KeyId),
}

/// Why a known caller may not do this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    #[error("this credential lacks the permission {}", .0.as_str())]
    Lacks(Permission),
    /// Another tenant than the credential's own was named.
    #[error("this credential belongs to another tenant")]
    ForeignTenant,
    /// A platform administrator must say for whom it acts.
    #[error("name the tenant to act for in the header X-Tenant-Id")]
    NoTenant,
}

impl Principal {
    /// The right to do one kind of thing to one tenant's data. `named` is the tenant that the request names beside its
    /// credential: only a platform administrator may name another than its own.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where a principal becomes entitled to a tenant's data"
    )]
    pub fn entitle(&self, permission: Permission, named: Option<TenantId>) -> Result<TenantScope, Denial> {
        self.permit(permission)?;
        match (self.home, named) {
            (Some(home), Some(named)) if home != named => Err(Denial::ForeignTenant),
            (Some(home), _) => Ok(TenantScope::grant(home)),
            (None, Some(named)) => Ok(TenantScope::grant(named)),
            (None, None) => Err(Denial::NoTenant),
        }
    }

    /// The right to do what concerns no single tenant.
    pub fn permit(&self, permission: Permission) -> Result<(), Denial> {
        if self.permissions.has(permission) { Ok(()) } else { Err(Denial::Lacks(permission)) }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::permission::of_role;

    fn principal(role: Role, home: Option<u128>) -> Principal {
        Principal {
            name: "somebody".to_owned(),
            credential: Credential::Token(role),
            permissions: of_role(role),
            home: home.map(|id| TenantId(Uuid::from_u128(id))),
        }
    }

    #[test]
    fn a_tenants_own_never_reach_another_tenant() {
        let [own, foreign] = [1, 2].map(|id| TenantId(Uuid::from_u128(id)));
        for role in [Role::TenantAdmin, Role::Operator, Role::Developer, Role::Viewer] {
            let somebody = principal(role, Some(1));
            let read = |named| somebody.entitle(Permission::ReadChannels, named);
            assert_eq!(read(None).unwrap().tenant(), own);
            assert_eq!(read(Some(own)).unwrap().tenant(), own);
            assert_eq!(read(Some(foreign)), Err(Denial::ForeignTenant));
        }
    }

    #[test]
    fn a_platform_administrator_names_its_tenant() {
        let above = principal(Role::PlatformAdmin, None);
        let named = TenantId(Uuid::from_u128(7));
        assert_eq!(above.entitle(Permission::WriteKeys, Some(named)).unwrap().tenant(), named);
        assert_eq!(above.entitle(Permission::WriteKeys, None), Err(Denial::NoTenant));
    }

    #[test]
    fn what_is_not_permitted_is_denied_before_the_tenant_is_looked_at() {
        let viewer = principal(Role::Viewer, Some(1));
        let foreign = Some(TenantId(Uuid::from_u128(2)));
        let lacks = Err(Denial::Lacks(Permission::WriteKeys));
        assert_eq!(viewer.entitle(Permission::WriteKeys, foreign), lacks);
    }
}
