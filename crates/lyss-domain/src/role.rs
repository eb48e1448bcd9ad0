//! Roles of management callers, weakest last.

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    PlatformAdmin,
    TenantAdmin,
    Operator,
    Developer,
    Viewer,
}

impl Role {
    pub const ALL: [Self; 5] =
        [Self::PlatformAdmin, Self::TenantAdmin, Self::Operator, Self::Developer, Self::Viewer];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PlatformAdmin => "platform_admin",
            Self::TenantAdmin => "tenant_admin",
            Self::Operator => "operator",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }
}
