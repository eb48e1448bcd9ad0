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
