//! A channel as it is shown: never its credential.

use std::collections::BTreeMap;
use std::time::Duration;

use lyss_domain::{ChannelState, ProbeMode};
use lyss_management::ChannelView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::manage::schema;
use crate::manage::word::{Moment, Named};

#[derive(Serialize, ToSchema)]
#[schema(as = Channel)]
pub(in crate::manage::channels) struct ChannelDto {
    #[schema(schema_with = schema::id)]
    id: String,
    name: String,
    provider_id: String,
    api_base: Option<String>,
    /// `…` and at most the last four characters; null: it holds no credential.
    credential_hint: Option<String>,
    supported_models: Vec<String>,
    model_mapping: BTreeMap<String, String>,
    weight: u32,
    priority: i32,
    limits: LimitsDto,
    timeouts_ms: TimeoutsDto,
    max_retries: Option<u32>,
    /// False while disabled or draining.
    enabled: bool,
    #[schema(schema_with = schema::word::<ChannelState>)]
    state: Named<ChannelState>,
    tags: Vec<String>,
    group: Option<String>,
    api_version: Option<String>,
    deployment_map: BTreeMap<String, String>,
    /// Null: those that the provider is known for.
    responses_models: Option<Vec<String>>,
    #[schema(schema_with = schema::word::<ProbeMode>)]
    probe: Named<ProbeMode>,
    #[schema(schema_with = schema::moment)]
    created_at: Moment,
    #[schema(schema_with = schema::moment)]
    updated_at: Moment,
    version: i64,
}

#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelLimits)]
pub(super) struct LimitsDto {
    /// Requests a minute.
    pub(super) rpm: Option<u32>,
    /// Tokens a minute.
    pub(super) tpm: Option<u32>,
    /// Calls at a time.
    pub(super) concurrency: Option<u32>,
    /// Whether fewer are sent at a time where the channel shows that it bears no more.
    pub(super) adaptive_concurrency: Option<bool>,
}

/// The service's own unless given.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelTimeouts)]
pub(super) struct TimeoutsDto {
    pub(super) connect: Option<u64>,
    pub(super) first_byte: Option<u64>,
    pub(super) idle: Option<u64>,
    pub(super) total: Option<u64>,
}

impl From<ChannelView> for ChannelDto {
    fn from(ChannelView { channel, credential_hint }: ChannelView) -> Self {
        Self {
            id: channel.id.to_string(),
            name: channel.name,
            provider_id: channel.provider.to_string(),
            api_base: channel.api_base,
            credential_hint,
            supported_models: channel.supported_models,
            model_mapping: channel.model_mapping,
            weight: channel.weight,
            priority: channel.priority,
            limits: LimitsDto {
                rpm: channel.limits.requests_per_minute,
                tpm: channel.limits.tokens_per_minute,
                concurrency: channel.limits.concurrency,
                adaptive_concurrency: Some(channel.limits.adaptive_concurrency),
            },
            timeouts_ms: TimeoutsDto {
                connect: millis(channel.timeouts.connect),
                first_byte: millis(channel.timeouts.first_byte),
                idle: millis(channel.timeouts.idle),
                total: millis(channel.timeouts.total),
            },
            max_retries: channel.max_retries,
            enabled: channel.state == ChannelState::Enabled,
            state: Named(channel.state),
            tags: channel.tags,
            group: channel.group,
            api_version: channel.api_version,
            deployment_map: channel.deployment_map,
            responses_models: channel.responses_models,
            probe: Named(channel.probe),
            created_at: Moment(channel.created_at),
            updated_at: Moment(channel.updated_at),
            version: channel.version,
        }
    }
}

fn millis(span: Option<Duration>) -> Option<u64> {
    span.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}
