//! Channels in JSON: what one is made from, and how it is changed. How it is shown stands in `shown.rs`.

mod shown;

use std::collections::BTreeMap;
use std::time::Duration;

use lyss_domain::{ChannelLimits, ChannelState, ChannelTimeouts, ProbeMode};
use lyss_management::{
    ChannelChange, ChannelDraft, ChannelLimitsChange, ChannelTimeoutsChange, CredentialsDraft, MapChange,
};
use serde::Deserialize;
use utoipa::ToSchema;

pub(super) use shown::ChannelDto;
use shown::{LimitsDto, TimeoutsDto};

use crate::manage::failure::Failure;
use crate::manage::schema;
use crate::manage::word::{Named, Patch, SecretText, patch, present};

/// A credential is given as `credentials`, or as `encrypted_credentials`, which `lyss-provider seal` makes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelCreate, example = json!({
    "name": "OpenAI main", "provider_id": "openai", "credentials": { "api_key": "sk-..." },
    "supported_models": ["gpt-3.5-turbo"], "weight": 10, "limits": { "rpm": 600 }
}))]
pub(super) struct ChannelBody {
    /// Id or slug; must be the tenant that is acted for.
    pub(super) tenant_id: Option<String>,
    name: String,
    provider_id: String,
    credentials: Option<Credentials>,
    encrypted_credentials: Option<String>,
    /// The provider's own unless given.
    api_base: Option<String>,
    /// The provider's list unless given.
    supported_models: Option<Vec<String>>,
    /// What callers ask for to what the vendor is asked for.
    model_mapping: Option<BTreeMap<String, String>>,
    /// Share among channels of the same priority; 1 unless given, 0 never serves.
    #[schema(maximum = 1_000_000)]
    weight: Option<u32>,
    /// Lower is tried first; 0 unless given.
    priority: Option<i32>,
    limits: Option<LimitsDto>,
    timeouts_ms: Option<TimeoutsDto>,
    /// Further attempts allowed after one failed on this channel.
    max_retries: Option<u32>,
    /// True unless given.
    enabled: Option<bool>,
    tags: Option<Vec<String>>,
    /// A label for people and reports.
    group: Option<String>,
    /// Models reached through the vendor's responses API alone; those known to be so unless given.
    responses_models: Option<Vec<String>>,
    /// How the channel is looked after while it has no traffic: `free` (asks for the list of models) unless given, `paid`
    /// (asks for one token, within the budget for a day), `off`.
    #[schema(schema_with = schema::word::<ProbeMode>, required = false)]
    probe: Option<Named<ProbeMode>>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelCredentials)]
struct Credentials {
    #[schema(value_type = Option<String>)]
    api_key: Option<SecretText>,
    /// Azure's, such as `2024-10-21`.
    api_version: Option<String>,
    /// Azure's: model to deployment, where their names differ.
    deployment_map: Option<BTreeMap<String, String>>,
}

/// A JSON merge patch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelPatch, example = json!({ "weight": 20, "limits": { "rpm": null } }))]
pub(super) struct ChannelPatch {
    /// Id or slug; must be the tenant that is acted for.
    pub(super) tenant_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    provider_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    credentials: Option<CredentialsPatch>,
    #[serde(default, deserialize_with = "present")]
    encrypted_credentials: Option<String>,
    /// Another address needs the credential again.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>)]
    api_base: Patch<String>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Vec<String>>)]
    supported_models: Patch<Vec<String>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(schema_with = schema::patch_of_map, required = false)]
    model_mapping: Patch<MapChange<String>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u32>)]
    weight: Patch<u32>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<i32>)]
    priority: Patch<i32>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<LimitsPatch>)]
    limits: Patch<LimitsPatch>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<TimeoutsPatch>)]
    timeouts_ms: Patch<TimeoutsPatch>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u32>)]
    max_retries: Patch<u32>,
    #[serde(default, deserialize_with = "present")]
    enabled: Option<bool>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Vec<String>>)]
    tags: Patch<Vec<String>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>)]
    group: Patch<String>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Vec<String>>)]
    responses_models: Patch<Vec<String>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(schema_with = schema::word_or_null::<ProbeMode>, required = false)]
    probe: Patch<Named<ProbeMode>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelCredentialsPatch)]
struct CredentialsPatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    api_key: Option<SecretText>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>)]
    api_version: Patch<String>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(schema_with = schema::patch_of_map, required = false)]
    deployment_map: Patch<MapChange<String>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelLimitsPatch)]
struct LimitsPatch {
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u32>)]
    rpm: Patch<u32>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u32>)]
    tpm: Patch<u32>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u32>)]
    concurrency: Patch<u32>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<bool>)]
    adaptive_concurrency: Patch<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelTimeoutsPatch)]
struct TimeoutsPatch {
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u64>)]
    connect: Patch<u64>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u64>)]
    first_byte: Patch<u64>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u64>)]
    idle: Patch<u64>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u64>)]
    total: Patch<u64>,
}

impl ChannelBody {
    pub(super) fn draft(self) -> Result<ChannelDraft, Failure> {
        let given = self.credentials.unwrap_or_default();
        let usual = ChannelDraft::new(&self.name, &self.provider_id);
        let limits = self.limits.unwrap_or_default();
        let timeouts = self.timeouts_ms.unwrap_or_default();
        Ok(ChannelDraft {
            api_base: self.api_base,
            credentials: one_credential(given.api_key, self.encrypted_credentials)?,
            supported_models: self.supported_models.unwrap_or_default(),
            model_mapping: self.model_mapping.unwrap_or_default(),
            weight: self.weight.unwrap_or(usual.weight),
            priority: self.priority.unwrap_or(usual.priority),
            limits: ChannelLimits {
                requests_per_minute: limits.rpm,
                tokens_per_minute: limits.tpm,
                concurrency: limits.concurrency,
                adaptive_concurrency: limits.adaptive_concurrency.unwrap_or_default(),
            },
            timeouts: ChannelTimeouts {
                connect: timeouts.connect.map(Duration::from_millis),
                first_byte: timeouts.first_byte.map(Duration::from_millis),
                idle: timeouts.idle.map(Duration::from_millis),
                total: timeouts.total.map(Duration::from_millis),
            },
            max_retries: self.max_retries,
            state: self.enabled.map_or(usual.state, state_of),
            tags: self.tags.unwrap_or_default(),
            group: self.group,
            api_version: given.api_version,
            deployment_map: given.deployment_map.unwrap_or_default(),
            responses_models: self.responses_models,
            probe: self.probe.map_or(usual.probe, |mode| mode.0),
            name: usual.name,
            provider: usual.provider,
        })
    }
}

impl ChannelPatch {
    pub(super) fn change(self) -> Result<ChannelChange, Failure> {
        let (api_key, api_version, deployment_map) = match self.credentials {
            Some(given) => (given.api_key, given.api_version, given.deployment_map),
            None => (None, None, None),
        };
        Ok(ChannelChange {
            name: self.name,
            provider: self.provider_id,
            api_base: self.api_base,
            credentials: one_credential(api_key, self.encrypted_credentials)?,
            supported_models: self.supported_models,
            model_mapping: self.model_mapping,
            weight: self.weight,
            priority: self.priority,
            limits: self.limits.map(|given| given.map(ChannelLimitsChange::from)),
            timeouts: self.timeouts_ms.map(|given| given.map(ChannelTimeoutsChange::from)),
            max_retries: self.max_retries,
            state: self.enabled.map(state_of),
            tags: self.tags,
            group: self.group,
            api_version,
            deployment_map,
            responses_models: self.responses_models,
            probe: self.probe.map(|mode| mode.map(|mode| mode.0)),
        })
    }
}

impl From<LimitsPatch> for ChannelLimitsChange {
    fn from(limits: LimitsPatch) -> Self {
        Self {
            requests_per_minute: limits.rpm,
            tokens_per_minute: limits.tpm,
            concurrency: limits.concurrency,
            adaptive_concurrency: limits.adaptive_concurrency,
        }
    }
}

impl From<TimeoutsPatch> for ChannelTimeoutsChange {
    fn from(timeouts: TimeoutsPatch) -> Self {
        let span = |millis: Patch<u64>| millis.map(|millis| millis.map(Duration::from_millis));
        Self {
            connect: span(timeouts.connect),
            first_byte: span(timeouts.first_byte),
            idle: span(timeouts.idle),
            total: span(timeouts.total),
        }
    }
}

fn one_credential(
    plain: Option<SecretText>,
    sealed: Option<String>,
) -> Result<Option<CredentialsDraft>, Failure> {
    match (plain, sealed) {
        (Some(_), Some(_)) => {
            Err(Failure::field("encrypted_credentials", "cannot stand beside credentials.api_key"))
        }
        (Some(plain), None) => Ok(Some(CredentialsDraft::Plain(plain.0))),
        (None, sealed) => Ok(sealed.map(CredentialsDraft::Sealed)),
    }
}

/// Draining is a state that one is put into by its own route.
fn state_of(enabled: bool) -> ChannelState {
    if enabled { ChannelState::Enabled } else { ChannelState::Disabled }
}
