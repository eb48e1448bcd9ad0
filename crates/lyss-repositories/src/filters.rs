//! What each list may be filtered and sorted by. A sort's name is the field's name in JSON.
//!
//! A filter that is `None` lets everything pass; those given must all hold. Text is compared whole and exactly, except
//! for `search`: a part of the field, where `a` and `A` are the same (in ASCII alone) and no sign stands for others.

use lyss_domain::{
    AuditOutcome, ChannelId, ChannelState, HealthEventKind, HealthSource, PolicyMode, ProviderKind,
    ProviderSlug, ScopeKind, Timestamp, Window,
};

/// Tenants: `search` looks into slug and name.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TenantFilter {
    pub search: Option<String>,
    pub enabled: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TenantSort {
    #[default]
    Slug,
    Name,
    CreatedAt,
    UpdatedAt,
}

/// A tenant's own providers: `search` looks into slug and name.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ProviderFilter {
    pub kind: Option<ProviderKind>,
    pub search: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ProviderSort {
    #[default]
    Slug,
    Name,
    CreatedAt,
    UpdatedAt,
}

/// Channels: `search` looks into the name.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ChannelFilter {
    pub provider: Option<ProviderSlug>,
    pub state: Option<ChannelState>,
    /// One of the channel's tags, exactly.
    pub tag: Option<String>,
    pub group: Option<String>,
    pub search: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ChannelSort {
    #[default]
    Name,
    Weight,
    Priority,
    CreatedAt,
    UpdatedAt,
}

/// Virtual keys: `search` looks into the name.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct KeyFilter {
    pub search: Option<String>,
    pub revoked: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum KeySort {
    #[default]
    Name,
    CreatedAt,
    ExpiresAt,
    LastUsedAt,
}

/// Quota policies.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PolicyFilter {
    pub scope: Option<ScopeKind>,
    /// The key, channel, model or tenant a policy is about, as a client writes it.
    pub scope_id: Option<String>,
    pub window: Option<Window>,
    pub mode: Option<PolicyMode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PolicySort {
    #[default]
    CreatedAt,
    UpdatedAt,
}

/// A tenant's own prices.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PriceFilter {
    pub model: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PriceSort {
    /// Within a model by date.
    #[default]
    Model,
    EffectiveFrom,
}

/// Entries of one chain; `from` is inside, `until` is not.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AuditFilter {
    pub actor: Option<String>,
    pub action: Option<String>,
    pub target: Option<String>,
    pub outcome: Option<AuditOutcome>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AuditSort {
    #[default]
    Sequence,
}

/// What happened to the health of a tenant's channels; `from` is inside, `until` is not.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HealthEventFilter {
    pub channel: Option<ChannelId>,
    /// Of this model alone, as the vendor knows it; what concerns the whole channel is then left out.
    pub model: Option<String>,
    pub kind: Option<HealthEventKind>,
    pub source: Option<HealthSource>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum HealthEventSort {
    #[default]
    At,
}

impl TenantSort {
    pub const ALL: [Self; 4] = [Self::Slug, Self::Name, Self::CreatedAt, Self::UpdatedAt];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slug => "slug",
            Self::Name => "name",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

impl ProviderSort {
    pub const ALL: [Self; 4] = [Self::Slug, Self::Name, Self::CreatedAt, Self::UpdatedAt];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slug => "provider_id",
            Self::Name => "name",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

impl ChannelSort {
    pub const ALL: [Self; 5] = [Self::Name, Self::Weight, Self::Priority, Self::CreatedAt, Self::UpdatedAt];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Weight => "weight",
            Self::Priority => "priority",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

impl KeySort {
    pub const ALL: [Self; 4] = [Self::Name, Self::CreatedAt, Self::ExpiresAt, Self::LastUsedAt];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::CreatedAt => "created_at",
            Self::ExpiresAt => "expires_at",
            Self::LastUsedAt => "last_used_at",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

impl PolicySort {
    pub const ALL: [Self; 2] = [Self::CreatedAt, Self::UpdatedAt];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

impl PriceSort {
    pub const ALL: [Self; 2] = [Self::Model, Self::EffectiveFrom];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::EffectiveFrom => "effective_from",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

impl AuditSort {
    pub const ALL: [Self; 1] = [Self::Sequence];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

impl HealthEventSort {
    pub const ALL: [Self; 1] = [Self::At];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::At => "at",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}
