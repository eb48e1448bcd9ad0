//! Tenants and their settings.

use crate::{RoutingSettings, TenantId, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub id: TenantId,
    /// Readable name in tokens and bodies; 1 to 64 of `a-z`, `0-9`, `-`, `_`; unique.
    pub slug: String,
    pub name: String,
    pub enabled: bool,
    pub settings: TenantSettings,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Grows by one with every change; the `ETag`.
    pub version: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantSettings {
    /// IANA name; day and month windows follow its calendar.
    pub time_zone: String,
    pub routing: RoutingSettings,
    /// Days that usage records are kept; `None`: for ever.
    pub retention_days: Option<u32>,
    /// What a tenant's calls count for against others' where calls have to wait; 1 to 1000.
    pub share: u32,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            time_zone: "UTC".to_owned(),
            routing: RoutingSettings::default(),
            retention_days: None,
            share: 1,
        }
    }
}

/// True when `name` is the pattern, or begins with what stands before the pattern's final `*`.
pub fn pattern_matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    }
}
