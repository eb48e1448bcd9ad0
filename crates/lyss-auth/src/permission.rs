//! What may be done, and by whom. A role or a key's scope is a set of permissions; a grant is allowed when the set it
//! gives is a part of the grantor's own.

use lyss_domain::{KeyScope, Role};

/// What a route of the management API, or the proxy, asks of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// Calling models through the proxy.
    CallModels,
    ReadProviders,
    WriteProviders,
    /// Sending a credential from a request body to a vendor.
    TestProviders,
    ReadChannels,
    WriteChannels,
    /// Enable, disable, drain, test.
    OperateChannels,
    ReadKeys,
    WriteKeys,
    ReadQuotas,
    WriteQuotas,
    ReadPrices,
    WritePrices,
    /// Usage records, single calls, statistics.
    ReadUsage,
    ExplainRouting,
    ReadReports,
    ReadAlerts,
    WriteAlerts,
    ReadAudit,
    /// Tenants stand above one tenant's data: a platform administrator's alone.
    ReadTenants,
    WriteTenants,
}

/// Some permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Permissions(u32);

impl Permission {
    pub const ALL: [Self; 21] = [
        Self::CallModels,
        Self::ReadProviders,
        Self::WriteProviders,
        Self::TestProviders,
        Self::ReadChannels,
        Self::WriteChannels,
        Self::OperateChannels,
        Self::ReadKeys,
        Self::WriteKeys,
        Self::ReadQuotas,
        Self::WriteQuotas,
        Self::ReadPrices,
        Self::WritePrices,
        Self::ReadUsage,
        Self::ExplainRouting,
        Self::ReadReports,
        Self::ReadAlerts,
        Self::WriteAlerts,
        Self::ReadAudit,
        Self::ReadTenants,
        Self::WriteTenants,
    ];

    /// As documents and the audit log name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CallModels => "models:call",
            Self::ReadProviders => "providers:read",
            Self::WriteProviders => "providers:write",
            Self::TestProviders => "providers:test",
            Self::ReadChannels => "channels:read",
            Self::WriteChannels => "channels:write",
            Self::OperateChannels => "channels:operate",
            Self::ReadKeys => "keys:read",
            Self::WriteKeys => "keys:write",
            Self::ReadQuotas => "quotas:read",
            Self::WriteQuotas => "quotas:write",
            Self::ReadPrices => "prices:read",
            Self::WritePrices => "prices:write",
            Self::ReadUsage => "usage:read",
            Self::ExplainRouting => "routing:explain",
            Self::ReadReports => "reports:read",
            Self::ReadAlerts => "alerts:read",
            Self::WriteAlerts => "alerts:write",
            Self::ReadAudit => "audit:read",
            Self::ReadTenants => "tenants:read",
            Self::WriteTenants => "tenants:write",
        }
    }
}

impl Permissions {
    pub const NONE: Self = Self(0);

    pub const fn of(list: &[Permission]) -> Self {
        let mut set = Self::NONE;
        let mut rest = list;
        while let [first, more @ ..] = rest {
            set.0 |= 1 << *first as u32;
            rest = more;
        }
        set
    }

    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn has(self, permission: Permission) -> bool {
        self.0 & 1 << permission as u32 != 0
    }

    /// True when nothing in `other` is missing here: who holds this may grant `other`.
    pub const fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.has(*permission))
    }
}

const VIEWER: Permissions = Permissions::of(&[
    Permission::ReadProviders,
    Permission::ReadChannels,
    Permission::ReadKeys,
    Permission::ReadQuotas,
    Permission::ReadPrices,
    Permission::ReadUsage,
    Permission::ReadReports,
    Permission::ReadAlerts,
]);

const DEVELOPER: Permissions = VIEWER.with(Permissions::of(&[
    Permission::CallModels,
    Permission::WriteKeys,
    Permission::ExplainRouting,
]));

const OPERATOR: Permissions =
    DEVELOPER.with(Permissions::of(&[Permission::OperateChannels, Permission::WriteAlerts]));

const TENANT_ADMIN: Permissions = OPERATOR.with(Permissions::of(&[
    Permission::WriteProviders,
    Permission::TestProviders,
    Permission::WriteChannels,
    Permission::WriteQuotas,
    Permission::WritePrices,
    Permission::ReadAudit,
]));

const PLATFORM_ADMIN: Permissions =
    TENANT_ADMIN.with(Permissions::of(&[Permission::ReadTenants, Permission::WriteTenants]));

/// What a role may do: each includes what the weaker ones may.
pub const fn of_role(role: Role) -> Permissions {
    match role {
        Role::PlatformAdmin => PLATFORM_ADMIN,
        Role::TenantAdmin => TENANT_ADMIN,
        Role::Operator => OPERATOR,
        Role::Developer => DEVELOPER,
        Role::Viewer => VIEWER,
    }
}

/// What a virtual key's scope allows. A key that may write may do what a tenant's administrator may, but read the audit
/// log and test foreign credentials.
pub const fn of_scope(scope: KeyScope) -> Permissions {
    match scope {
        KeyScope::Proxy => Permissions::of(&[Permission::CallModels]),
        KeyScope::ManagementRead => VIEWER,
        KeyScope::ManagementWrite => VIEWER.with(Permissions::of(&[
            Permission::WriteProviders,
            Permission::WriteChannels,
            Permission::OperateChannels,
            Permission::WriteKeys,
            Permission::WriteQuotas,
            Permission::WritePrices,
            Permission::ExplainRouting,
            Permission::WriteAlerts,
        ])),
    }
}

/// What several scopes allow together.
pub fn of_scopes(scopes: &[KeyScope]) -> Permissions {
    scopes.iter().fold(Permissions::NONE, |set, scope| set.with(of_scope(*scope)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_covers_the_weaker_ones_and_no_stronger_one() {
        for pair in Role::ALL.windows(2) {
            let [stronger, weaker] = [pair[0], pair[1]].map(of_role);
            assert!(stronger.covers(weaker) && !weaker.covers(stronger), "{pair:?}");
        }
    }

    #[test]
    fn no_scope_reaches_above_its_tenant_or_into_the_audit_log() {
        let all = of_scopes(&KeyScope::ALL);
        assert!(of_role(Role::TenantAdmin).covers(all));
        for never in [
            Permission::ReadAudit,
            Permission::TestProviders,
            Permission::ReadTenants,
            Permission::WriteTenants,
        ] {
            assert!(!all.has(never), "{never:?}");
        }
    }

    #[test]
    fn all_names_every_permission_once() {
        let set = Permissions::of(&Permission::ALL);
        assert_eq!(set.iter().count(), Permission::ALL.len());
        let mut names: Vec<_> = Permission::ALL.map(Permission::as_str).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Permission::ALL.len());
    }
}
