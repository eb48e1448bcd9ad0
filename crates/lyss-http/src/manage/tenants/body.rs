//! Tenants in JSON.

use lyss_domain::{Tenant, TenantSettings};
use lyss_management::{TenantChange, TenantDraft};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::routing::{RoutingBody, RoutingDto, RoutingPatch};
use crate::manage::schema;
use crate::manage::word::{Moment, Patch, patch, present};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TenantCreate, example = json!({ "slug": "acme", "name": "Acme", "settings": { "time_zone": "Asia/Shanghai" } }))]
pub(super) struct TenantBody {
    /// 1 to 64 of `a-z`, `0-9`, `-`, `_`. It never changes.
    slug: String,
    name: String,
    settings: Option<SettingsBody>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TenantSettingsCreate)]
struct SettingsBody {
    /// IANA name; `UTC` unless given.
    time_zone: Option<String>,
    /// Days that usage records are kept; for ever unless given.
    retention_days: Option<u32>,
    /// What this tenant's calls count for against others' where calls have to wait, 1 to 1000; 1 unless given.
    share: Option<u32>,
    routing: Option<RoutingBody>,
}

/// A JSON merge patch.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TenantPatch)]
pub(super) struct TenantPatch {
    #[serde(default, deserialize_with = "present")]
    name: Option<String>,
    /// A tenant that is not enabled keeps its configuration and serves nobody.
    #[serde(default, deserialize_with = "present")]
    enabled: Option<bool>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<SettingsPatch>)]
    settings: Patch<SettingsPatch>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TenantSettingsPatch)]
struct SettingsPatch {
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>)]
    time_zone: Patch<String>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u32>)]
    retention_days: Patch<u32>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<u32>)]
    share: Patch<u32>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<RoutingPatch>)]
    routing: Patch<RoutingPatch>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(super) struct TenantDto {
    #[schema(schema_with = schema::id)]
    id: String,
    slug: String,
    name: String,
    enabled: bool,
    settings: SettingsDto,
    #[schema(schema_with = schema::moment)]
    created_at: Moment,
    #[schema(schema_with = schema::moment)]
    updated_at: Moment,
    version: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TenantSettings)]
struct SettingsDto {
    time_zone: String,
    retention_days: Option<u32>,
    share: u32,
    routing: RoutingDto,
}

impl TenantBody {
    pub(super) fn draft(self) -> TenantDraft {
        let given = self.settings.unwrap_or_default();
        let usual = TenantSettings::default();
        let settings = TenantSettings {
            time_zone: given.time_zone.unwrap_or(usual.time_zone),
            routing: given.routing.map(RoutingBody::settings).unwrap_or_default(),
            retention_days: given.retention_days,
            share: given.share.unwrap_or(usual.share),
        };
        TenantDraft { slug: self.slug, name: self.name, settings }
    }
}

impl TenantPatch {
    pub(super) fn change(self) -> TenantChange {
        let change = TenantChange { name: self.name, enabled: self.enabled, ..TenantChange::default() };
        let Some(settings) = self.settings else { return change };
        // Null brings back the default of everything below it.
        let settings = settings.unwrap_or(SettingsPatch {
            time_zone: Some(None),
            retention_days: Some(None),
            share: Some(None),
            routing: Some(None),
        });
        let routing = settings.routing.map(|routing| routing.unwrap_or_else(RoutingPatch::reset));
        let (routing_default, routing_models) = routing.unwrap_or_default().changes();
        TenantChange {
            time_zone: settings.time_zone,
            retention_days: settings.retention_days,
            share: settings.share,
            routing_default,
            routing_models,
            ..change
        }
    }
}

impl From<Tenant> for TenantDto {
    fn from(tenant: Tenant) -> Self {
        let TenantSettings { time_zone, routing, retention_days, share } = tenant.settings;
        Self {
            id: tenant.id.to_string(),
            slug: tenant.slug,
            name: tenant.name,
            enabled: tenant.enabled,
            settings: SettingsDto { time_zone, retention_days, share, routing: routing.into() },
            created_at: Moment(tenant.created_at),
            updated_at: Moment(tenant.updated_at),
            version: tenant.version,
        }
    }
}
