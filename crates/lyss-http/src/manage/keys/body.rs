//! Virtual keys in JSON.

use std::time::Duration;

use lyss_domain::{ChannelId, KeyLimits, KeyScope, Strategy, VirtualKey};
use lyss_management::{IssuedKey, KeyChange, KeyDraft, KeyLimitsChange};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::manage::schema;
use crate::manage::word::{Id, Moment, Named, Patch, patch, present};

/// With only a name it may call every model of its tenant through the proxy, and nothing else.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyCreate, example = json!({ "name": "billing", "models": ["gpt-4o*"], "limits": { "rpm": 600 } }))]
pub(super) struct KeyBody {
    /// Id or slug; must be the tenant that is acted for.
    pub(super) tenant_id: Option<String>,
    name: String,
    #[schema(schema_with = schema::words_of::<KeyScope>, required = false)]
    scopes: Option<Vec<Named<KeyScope>>>,
    /// Names, or prefixes ending in `*`; all unless given.
    models: Option<Vec<String>>,
    /// Ids; all unless given.
    #[schema(schema_with = schema::ids, required = false)]
    channels: Option<Vec<Id<ChannelId>>>,
    /// A channel must carry one of these.
    tags: Option<Vec<String>>,
    /// Networks in CIDR form, or single addresses.
    allowed_ips: Option<Vec<String>>,
    limits: Option<LimitsDto>,
    #[schema(schema_with = schema::word::<Strategy>, required = false)]
    strategy: Option<Named<Strategy>>,
    /// May choose channel and strategy by request header.
    may_steer: Option<bool>,
    #[schema(schema_with = schema::moment, required = false)]
    expires_at: Option<Moment>,
}

#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyLimits)]
struct LimitsDto {
    /// Requests a minute.
    rpm: Option<u32>,
    /// Tokens a minute.
    tpm: Option<u32>,
}

/// A JSON merge patch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyPatch)]
pub(super) struct KeyPatch {
    /// Id or slug; must be the tenant that is acted for.
    pub(super) tenant_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    name: Option<String>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(schema_with = schema::words_of::<KeyScope>, required = false)]
    scopes: Patch<Vec<Named<KeyScope>>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Vec<String>>)]
    models: Patch<Vec<String>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(schema_with = schema::ids, required = false)]
    channels: Patch<Vec<Id<ChannelId>>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Vec<String>>)]
    tags: Patch<Vec<String>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Vec<String>>)]
    allowed_ips: Patch<Vec<String>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<LimitsPatch>)]
    limits: Patch<LimitsPatch>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(schema_with = schema::word_or_null::<Strategy>, required = false)]
    strategy: Patch<Named<Strategy>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<bool>)]
    may_steer: Patch<bool>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(schema_with = schema::moment_or_null, required = false)]
    expires_at: Patch<Moment>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyLimitsPatch)]
struct LimitsPatch {
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u32>)]
    rpm: Patch<u32>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u32>)]
    tpm: Patch<u32>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyRotate, example = json!({ "overlap_seconds": 3600 }))]
pub(super) struct RotateBody {
    /// How long the old text goes on working, at most seven days; a day unless given.
    overlap_seconds: Option<u64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub(super) struct KeyDto {
    #[schema(schema_with = schema::id)]
    id: String,
    name: String,
    /// The key's beginning and its last four characters.
    hint: String,
    #[schema(schema_with = schema::words_of::<KeyScope>)]
    scopes: Vec<Named<KeyScope>>,
    models: Vec<String>,
    #[schema(schema_with = schema::ids)]
    channels: Vec<Id<ChannelId>>,
    tags: Vec<String>,
    allowed_ips: Vec<String>,
    limits: LimitsDto,
    #[schema(schema_with = schema::word_or_null::<Strategy>)]
    strategy: Option<Named<Strategy>>,
    may_steer: bool,
    #[schema(schema_with = schema::moment_or_null)]
    expires_at: Option<Moment>,
    #[schema(schema_with = schema::moment_or_null)]
    revoked_at: Option<Moment>,
    #[schema(schema_with = schema::moment_or_null)]
    last_used_at: Option<Moment>,
    /// Until when the text before the last rotation goes on working.
    #[schema(schema_with = schema::moment_or_null)]
    previous_valid_until: Option<Moment>,
    #[schema(schema_with = schema::moment)]
    created_at: Moment,
    #[schema(schema_with = schema::moment)]
    updated_at: Moment,
    version: i64,
}

/// A key with its one showing.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedKey)]
pub(super) struct IssuedDto {
    /// The key itself. It is stored nowhere and shown never again.
    key: String,
    #[serde(flatten)]
    entry: KeyDto,
}

impl KeyBody {
    pub(super) fn draft(self) -> KeyDraft {
        let usual = KeyDraft::new(&self.name);
        let limits = self.limits.unwrap_or_default();
        KeyDraft {
            scopes: self.scopes.map_or(usual.scopes, |scopes| scopes.into_iter().map(|one| one.0).collect()),
            models: self.models.unwrap_or_default(),
            channels: self.channels.unwrap_or_default().into_iter().map(|id| id.0).collect(),
            tags: self.tags.unwrap_or_default(),
            allowed_ips: self.allowed_ips.unwrap_or_default(),
            limits: KeyLimits { requests_per_minute: limits.rpm, tokens_per_minute: limits.tpm },
            strategy: self.strategy.map(|one| one.0),
            may_steer: self.may_steer.unwrap_or(usual.may_steer),
            expires_at: self.expires_at.map(|at| at.0),
            name: usual.name,
        }
    }
}

impl KeyPatch {
    pub(super) fn change(self) -> KeyChange {
        let limits = |limits: LimitsPatch| KeyLimitsChange {
            requests_per_minute: limits.rpm,
            tokens_per_minute: limits.tpm,
        };
        let scopes = |scopes: Vec<Named<KeyScope>>| scopes.into_iter().map(|one| one.0).collect();
        let channels = |ids: Vec<Id<ChannelId>>| ids.into_iter().map(|id| id.0).collect();
        KeyChange {
            name: self.name,
            scopes: self.scopes.map(|given| given.map(scopes)),
            models: self.models,
            channels: self.channels.map(|given| given.map(channels)),
            tags: self.tags,
            allowed_ips: self.allowed_ips,
            limits: self.limits.map(|given| given.map(limits)),
            strategy: self.strategy.map(|given| given.map(|one| one.0)),
            may_steer: self.may_steer,
            expires_at: self.expires_at.map(|given| given.map(|at| at.0)),
        }
    }
}

impl RotateBody {
    pub(super) fn overlap(&self) -> Option<Duration> {
        self.overlap_seconds.map(Duration::from_secs)
    }
}

impl From<VirtualKey> for KeyDto {
    fn from(key: VirtualKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name,
            hint: key.hint,
            scopes: key.scopes.into_iter().map(Named).collect(),
            models: key.models,
            channels: key.channels.into_iter().map(Id).collect(),
            tags: key.tags,
            allowed_ips: key.allowed_ips,
            limits: LimitsDto { rpm: key.limits.requests_per_minute, tpm: key.limits.tokens_per_minute },
            strategy: key.strategy.map(Named),
            may_steer: key.may_steer,
            expires_at: key.expires_at.map(Moment),
            revoked_at: key.revoked_at.map(Moment),
            last_used_at: key.last_used_at.map(Moment),
            previous_valid_until: key.previous.map(|previous| Moment(previous.valid_until)),
            created_at: Moment(key.created_at),
            updated_at: Moment(key.updated_at),
            version: key.version,
        }
    }
}

impl From<IssuedKey> for IssuedDto {
    #[expect(clippy::disallowed_methods, reason = "this is a key's one showing")]
    fn from(issued: IssuedKey) -> Self {
        let key = String::from_utf8_lossy(issued.text.expose()).into_owned();
        Self { key, entry: issued.key.into() }
    }
}
