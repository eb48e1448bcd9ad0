//! Quota policies.

use crate::{ChannelId, KeyId, Micros, PolicyId, TenantId, Timestamp, Window};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaPolicy {
    pub id: PolicyId,
    pub tenant: TenantId,
    pub scope: PolicyScope,
    pub window: Window,
    pub limit_requests: Option<u64>,
    pub limit_tokens: Option<u64>,
    pub limit_cost: Option<Micros>,
    pub mode: PolicyMode,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
}

/// Whose use a policy counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PolicyScope {
    Tenant,
    Key(KeyId),
    Channel(ChannelId),
    /// A model name as asked, or a prefix ending in `*`.
    Model(String),
}

/// Which kind of thing a policy is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScopeKind {
    Tenant,
    Key,
    Channel,
    Model,
}

impl PolicyScope {
    pub const fn kind(&self) -> ScopeKind {
        match self {
            Self::Tenant => ScopeKind::Tenant,
            Self::Key(_) => ScopeKind::Key,
            Self::Channel(_) => ScopeKind::Channel,
            Self::Model(_) => ScopeKind::Model,
        }
    }
}

impl ScopeKind {
    pub const ALL: [Self; 4] = [Self::Tenant, Self::Key, Self::Channel, Self::Model];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Key => "key",
            Self::Channel => "channel",
            Self::Model => "model",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyMode {
    /// Refuses what does not fit.
    Enforce,
    /// Counts and reports what it would have refused.
    Shadow,
}

impl PolicyMode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Enforce, Self::Shadow].into_iter().find(|m| m.as_str() == text)
    }
}
