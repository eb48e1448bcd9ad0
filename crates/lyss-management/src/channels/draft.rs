//! What a channel is made from, and what may be changed of it.

use std::collections::BTreeMap;
use std::time::Duration;

use lyss_domain::{ChannelLimits, ChannelState, ChannelTimeouts, ProbeMode, Secret};

use crate::change::MapChange;

/// What a channel is made from.
pub struct ChannelDraft {
    pub name: String,
    /// A provider's slug.
    pub provider: String,
    /// `None`: the provider's own address.
    pub api_base: Option<String>,
    /// `None` only where the provider takes none.
    pub credentials: Option<CredentialsDraft>,
    pub supported_models: Vec<String>,
    pub model_mapping: BTreeMap<String, String>,
    pub weight: u32,
    pub priority: i32,
    pub limits: ChannelLimits,
    pub timeouts: ChannelTimeouts,
    pub max_retries: Option<u32>,
    pub state: ChannelState,
    pub tags: Vec<String>,
    pub group: Option<String>,
    /// Azure's; in the API a part of `credentials`.
    pub api_version: Option<String>,
    /// Azure's; in the API a part of `credentials`.
    pub deployment_map: BTreeMap<String, String>,
    /// `None`: those that the provider's preset knows of.
    pub responses_models: Option<Vec<String>>,
    pub probe: ProbeMode,
}

/// A vendor's key, as it came.
pub enum CredentialsDraft {
    /// `credentials.api_key`.
    Plain(Secret),
    /// `encrypted_credentials`: made by `lyss-provider seal` for this tenant and this channel's address.
    Sealed(String),
}

/// A merge patch: `None` leaves a field, `Some(None)` removes it or brings back its default.
#[derive(Default)]
pub struct ChannelChange {
    pub name: Option<String>,
    pub provider: Option<String>,
    pub api_base: Option<Option<String>>,
    pub credentials: Option<CredentialsDraft>,
    pub supported_models: Option<Option<Vec<String>>>,
    pub model_mapping: Option<Option<MapChange<String>>>,
    pub weight: Option<Option<u32>>,
    pub priority: Option<Option<i32>>,
    pub limits: Option<Option<ChannelLimitsChange>>,
    pub timeouts: Option<Option<ChannelTimeoutsChange>>,
    pub max_retries: Option<Option<u32>>,
    pub state: Option<ChannelState>,
    pub tags: Option<Option<Vec<String>>>,
    pub group: Option<Option<String>>,
    pub api_version: Option<Option<String>>,
    pub deployment_map: Option<Option<MapChange<String>>>,
    pub responses_models: Option<Option<Vec<String>>>,
    pub probe: Option<Option<ProbeMode>>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct ChannelLimitsChange {
    pub requests_per_minute: Option<Option<u32>>,
    pub tokens_per_minute: Option<Option<u32>>,
    pub concurrency: Option<Option<u32>>,
    pub adaptive_concurrency: Option<Option<bool>>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct ChannelTimeoutsChange {
    pub connect: Option<Option<Duration>>,
    pub first_byte: Option<Option<Duration>>,
    pub idle: Option<Option<Duration>>,
    pub total: Option<Option<Duration>>,
}

impl ChannelDraft {
    /// Weight 1, priority 0, no limits, enabled.
    pub fn new(name: &str, provider: &str) -> Self {
        Self {
            name: name.to_owned(),
            provider: provider.to_owned(),
            api_base: None,
            credentials: None,
            supported_models: Vec::new(),
            model_mapping: BTreeMap::new(),
            weight: 1,
            priority: 0,
            limits: ChannelLimits::default(),
            timeouts: ChannelTimeouts::default(),
            max_retries: None,
            state: ChannelState::Enabled,
            tags: Vec::new(),
            group: None,
            api_version: None,
            deployment_map: BTreeMap::new(),
            responses_models: None,
            probe: ProbeMode::default(),
        }
    }
}
