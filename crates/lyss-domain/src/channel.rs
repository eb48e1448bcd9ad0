//! Channels: one tenant's credentialed route to a provider.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{ChannelId, ProviderSlug, TenantId, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    pub id: ChannelId,
    pub tenant: TenantId,
    pub name: String,
    pub provider: ProviderSlug,
    /// Overrides the provider's address. Its origin is bound into the sealed credential.
    pub api_base: Option<String>,
    /// Models served; empty: the provider's list. A name, or a prefix ending in `*`.
    pub supported_models: Vec<String>,
    /// What the caller asks for to what the vendor is asked for.
    pub model_mapping: BTreeMap<String, String>,
    /// Share among channels of the same priority, 0 to 1,000,000; 0 never serves.
    pub weight: u32,
    /// Lower is tried first.
    pub priority: i32,
    pub limits: ChannelLimits,
    pub timeouts: ChannelTimeouts,
    /// Further attempts allowed after one failed on this channel; `None`: the service's default.
    pub max_retries: Option<u32>,
    pub state: ChannelState,
    pub tags: Vec<String>,
    /// A label for people and reports.
    pub group: Option<String>,
    /// Azure: the `api-version` query parameter.
    pub api_version: Option<String>,
    /// Azure: model name to deployment name, where they differ.
    pub deployment_map: BTreeMap<String, String>,
    /// Models reached through the vendor's responses API alone, names or prefixes ending in `*`; `None`: those that the
    /// provider's preset knows of.
    pub responses_models: Option<Vec<String>>,
    pub probe: ProbeMode,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
}

/// What an administrator wants of a channel; its health is another matter and never changes this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelState {
    Enabled,
    Disabled,
    /// Takes no new calls; those under way finish.
    Draining,
}

impl ChannelState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Draining => "draining",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Enabled, Self::Disabled, Self::Draining].into_iter().find(|s| s.as_str() == text)
    }
}

/// How the service looks after a channel that has no traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ProbeMode {
    Off,
    /// By what costs nothing: the vendor's list of models.
    #[default]
    Free,
    /// By asking for one token, within the tenant's budget for a day; without budget as `Free`.
    Paid,
}

impl ProbeMode {
    pub const ALL: [Self; 3] = [Self::Off, Self::Free, Self::Paid];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Free => "free",
            Self::Paid => "paid",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

/// `None`: no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ChannelLimits {
    pub requests_per_minute: Option<u32>,
    pub tokens_per_minute: Option<u32>,
    pub concurrency: Option<u32>,
    /// Fewer attempts at a time than `concurrency` where the channel shows that it bears no more.
    pub adaptive_concurrency: bool,
}

/// The four timers of an attempt; `None`: the service's default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ChannelTimeouts {
    pub connect: Option<Duration>,
    pub first_byte: Option<Duration>,
    pub idle: Option<Duration>,
    pub total: Option<Duration>,
}

/// A channel's credential as it rests: ciphertext, and what it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedCredential {
    pub tenant: TenantId,
    pub channel: ChannelId,
    /// `scheme://host:port` that this credential may be sent to, and no other.
    pub origin: String,
    /// Grows with every change of the credential.
    pub version: i32,
    /// Which of the tenant's data keys sealed it.
    pub data_key_version: i32,
    /// Nonce, ciphertext and tag in the vault's format.
    pub sealed: Vec<u8>,
    /// What a person may see: at most the last four characters.
    pub hint: String,
}
