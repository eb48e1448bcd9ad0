//! A channel's fields: how a draft and a merge patch come onto it, and what they may be.

use std::time::Duration;

use lyss_domain::{
    Channel, ChannelId, ChannelLimits, ChannelState, ChannelTimeouts, ProbeMode, ProviderSlug, TenantId,
    Timestamp,
};

use super::{ChannelChange, ChannelDraft, ChannelLimitsChange, ChannelTimeoutsChange, CredentialsDraft};
use crate::change::{merge, set, set_or_reset};
use crate::error::Fields;
use crate::rules;

const MAX_WEIGHT: u32 = 1_000_000;
const MAX_RETRIES: u32 = 10;
const MAX_GROUP_LEN: usize = 64;
const MAX_API_VERSION_LEN: usize = 64;
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// A channel that nothing was asked of yet.
pub(super) fn blank(id: ChannelId, tenant: TenantId, provider: ProviderSlug, now: Timestamp) -> Channel {
    Channel {
        id,
        tenant,
        name: String::new(),
        provider,
        api_base: None,
        supported_models: Vec::new(),
        model_mapping: Default::default(),
        weight: 1,
        priority: 0,
        limits: ChannelLimits::default(),
        timeouts: ChannelTimeouts::default(),
        max_retries: None,
        state: ChannelState::Enabled,
        tags: Vec::new(),
        group: None,
        api_version: None,
        deployment_map: Default::default(),
        responses_models: None,
        probe: ProbeMode::default(),
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

/// Gives a channel the whole shape of a draft; answers the credential to be sealed.
pub(super) fn replace(
    fields: &mut Fields,
    channel: &mut Channel,
    draft: ChannelDraft,
) -> Option<CredentialsDraft> {
    provider(fields, channel, Some(draft.provider));
    channel.name = draft.name;
    channel.api_base = draft.api_base;
    channel.supported_models = draft.supported_models;
    channel.model_mapping = draft.model_mapping;
    channel.weight = draft.weight;
    channel.priority = draft.priority;
    channel.limits = draft.limits;
    channel.timeouts = draft.timeouts;
    channel.max_retries = draft.max_retries;
    channel.state = draft.state;
    channel.tags = draft.tags;
    channel.group = draft.group;
    channel.api_version = draft.api_version;
    channel.deployment_map = draft.deployment_map;
    channel.responses_models = draft.responses_models;
    channel.probe = draft.probe;
    draft.credentials
}

/// Applies a merge patch; answers the credential to be sealed anew.
pub(super) fn apply(
    fields: &mut Fields,
    channel: &mut Channel,
    patch: ChannelChange,
) -> Option<CredentialsDraft> {
    provider(fields, channel, patch.provider);
    set(&mut channel.name, patch.name);
    set(&mut channel.api_base, patch.api_base);
    set_or_reset(&mut channel.supported_models, patch.supported_models);
    merge(&mut channel.model_mapping, patch.model_mapping);
    set(&mut channel.weight, patch.weight.map(|weight| weight.unwrap_or(1)));
    set_or_reset(&mut channel.priority, patch.priority);
    limits(&mut channel.limits, patch.limits);
    timeouts(&mut channel.timeouts, patch.timeouts);
    set(&mut channel.max_retries, patch.max_retries);
    set(&mut channel.state, patch.state);
    set_or_reset(&mut channel.tags, patch.tags);
    set(&mut channel.group, patch.group);
    set(&mut channel.api_version, patch.api_version);
    merge(&mut channel.deployment_map, patch.deployment_map);
    set(&mut channel.responses_models, patch.responses_models);
    set_or_reset(&mut channel.probe, patch.probe);
    patch.credentials
}

/// Everything that can be judged without looking further than the channel itself.
pub(super) fn check(fields: &mut Fields, channel: &Channel) {
    rules::name(fields, "name", &channel.name);
    rules::models(fields, "supported_models", &channel.supported_models);
    rules::model_map(fields, "model_mapping", &channel.model_mapping);
    if channel.weight > MAX_WEIGHT {
        fields.refuse("weight", format!("must be between 0 and {MAX_WEIGHT}"));
    }
    let limits = &channel.limits;
    rules::above_zero(fields, "limits.rpm", limits.requests_per_minute);
    rules::above_zero(fields, "limits.tpm", limits.tokens_per_minute);
    rules::above_zero(fields, "limits.concurrency", limits.concurrency);
    let timeouts = &channel.timeouts;
    let timers = [
        ("timeouts_ms.connect", timeouts.connect),
        ("timeouts_ms.first_byte", timeouts.first_byte),
        ("timeouts_ms.idle", timeouts.idle),
        ("timeouts_ms.total", timeouts.total),
    ];
    for (field, timer) in timers {
        if timer.is_some_and(|timer| timer < Duration::from_millis(1) || timer > MAX_TIMEOUT) {
            fields.refuse(field, format!("must be between 1 and {}", MAX_TIMEOUT.as_millis()));
        }
    }
    if channel.max_retries.is_some_and(|retries| retries > MAX_RETRIES) {
        fields.refuse("max_retries", format!("must be between 0 and {MAX_RETRIES}"));
    }
    rules::tags(fields, "tags", &channel.tags);
    if let Some(group) = &channel.group {
        rules::text(fields, "group", group, MAX_GROUP_LEN);
    }
    if let Some(version) = &channel.api_version {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        if version.is_empty() || version.len() > MAX_API_VERSION_LEN || !version.bytes().all(plain) {
            fields.refuse("credentials.api_version", "must be a version such as 2024-10-21");
        }
    }
    rules::model_map(fields, "credentials.deployment_map", &channel.deployment_map);
    if let Some(models) = &channel.responses_models {
        rules::models(fields, "responses_models", models);
    }
}

/// A text that is no slug names no provider there is.
fn provider(fields: &mut Fields, channel: &mut Channel, slug: Option<String>) {
    let Some(slug) = slug else { return };
    match slug.parse() {
        Ok(slug) => channel.provider = slug,
        Err(_) => fields.refuse("provider_id", "there is no such provider"),
    }
}

fn limits(limits: &mut ChannelLimits, patch: Option<Option<ChannelLimitsChange>>) {
    let Some(patch) = patch else { return };
    let Some(patch) = patch else { return *limits = ChannelLimits::default() };
    set(&mut limits.requests_per_minute, patch.requests_per_minute);
    set(&mut limits.tokens_per_minute, patch.tokens_per_minute);
    set(&mut limits.concurrency, patch.concurrency);
    set_or_reset(&mut limits.adaptive_concurrency, patch.adaptive_concurrency);
}

fn timeouts(timeouts: &mut ChannelTimeouts, patch: Option<Option<ChannelTimeoutsChange>>) {
    let Some(patch) = patch else { return };
    let Some(patch) = patch else { return *timeouts = ChannelTimeouts::default() };
    set(&mut timeouts.connect, patch.connect);
    set(&mut timeouts.first_byte, patch.first_byte);
    set(&mut timeouts.idle, patch.idle);
    set(&mut timeouts.total, patch.total);
}
