//! A key's fields: how a draft and a merge patch come onto it, and what they may be.

use lyss_domain::{KeyDigest, KeyId, KeyLimits, KeyScope, TenantId, Timestamp, VirtualKey};

use super::{KeyChange, KeyDraft, grants};
use crate::change::{set, set_or_reset};
use crate::error::Fields;
use crate::rules;

const MAX_NETWORKS: usize = 100;
const MAX_CHANNELS: usize = 200;

/// A key that nothing was asked of yet.
pub(super) fn blank(id: KeyId, tenant: TenantId, digest: KeyDigest, now: Timestamp) -> VirtualKey {
    VirtualKey {
        id,
        tenant,
        name: String::new(),
        digest,
        previous: None,
        hint: String::new(),
        scopes: Vec::new(),
        models: Vec::new(),
        channels: Vec::new(),
        tags: Vec::new(),
        allowed_ips: Vec::new(),
        limits: KeyLimits::default(),
        strategy: None,
        may_steer: false,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

/// Gives a key the whole shape of a draft.
pub(super) fn replace(key: &mut VirtualKey, draft: KeyDraft) {
    key.name = draft.name;
    key.scopes = draft.scopes;
    key.models = draft.models;
    key.channels = draft.channels;
    key.tags = draft.tags;
    key.allowed_ips = draft.allowed_ips;
    key.limits = draft.limits;
    key.strategy = draft.strategy;
    key.may_steer = draft.may_steer;
    key.expires_at = draft.expires_at;
}

pub(super) fn apply(key: &mut VirtualKey, patch: KeyChange) {
    set(&mut key.name, patch.name);
    // The scope a key has that was asked for none.
    set(&mut key.scopes, patch.scopes.map(|scopes| scopes.unwrap_or_else(|| vec![KeyScope::Proxy])));
    set_or_reset(&mut key.models, patch.models);
    set_or_reset(&mut key.channels, patch.channels);
    set_or_reset(&mut key.tags, patch.tags);
    set_or_reset(&mut key.allowed_ips, patch.allowed_ips);
    match patch.limits {
        None => {}
        Some(None) => key.limits = KeyLimits::default(),
        Some(Some(limits)) => {
            set(&mut key.limits.requests_per_minute, limits.requests_per_minute);
            set(&mut key.limits.tokens_per_minute, limits.tokens_per_minute);
        }
    }
    set(&mut key.strategy, patch.strategy);
    set_or_reset(&mut key.may_steer, patch.may_steer);
    set(&mut key.expires_at, patch.expires_at);
}

/// Everything that can be judged without looking further than the key itself.
pub(super) fn check(fields: &mut Fields, before: Option<&VirtualKey>, key: &VirtualKey, now: Timestamp) {
    rules::name(fields, "name", &key.name);
    let twice = |scope: &KeyScope| key.scopes.iter().filter(|other| *other == scope).count() > 1;
    if key.scopes.is_empty() || key.scopes.iter().any(twice) {
        fields.refuse("scopes", "must name at least one scope, and each once");
    }
    rules::models(fields, "models", &key.models);
    rules::tags(fields, "tags", &key.tags);
    if key.channels.len() > MAX_CHANNELS {
        fields.refuse("channels", format!("at most {MAX_CHANNELS}"));
    }
    if key.allowed_ips.len() > MAX_NETWORKS {
        fields.refuse("allowed_ips", format!("at most {MAX_NETWORKS}"));
    }
    if let Some(odd) = key.allowed_ips.iter().find(|text| grants::network(text).is_none()) {
        let shown: String = odd.chars().filter(|c| !c.is_control()).take(64).collect();
        fields.refuse("allowed_ips", format!("'{shown}' is neither an address nor a network in CIDR form"));
    }
    rules::above_zero(fields, "limits.rpm", key.limits.requests_per_minute);
    rules::above_zero(fields, "limits.tpm", key.limits.tokens_per_minute);
    let changed = before.is_none_or(|before| before.expires_at != key.expires_at);
    if changed && key.expires_at.is_some_and(|end| end <= now) {
        fields.refuse("expires_at", "must lie in the future");
    }
}
