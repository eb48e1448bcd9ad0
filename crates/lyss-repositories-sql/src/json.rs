//! What lies in JSON columns. Domain types are not `Serialize`; these are their stored shapes, and a stored shape
//! changes only together with a migration.

use std::collections::BTreeMap;

use lyss_domain::{AuthScheme, RoutingSettings, Strategy, TenantSettings};
use lyss_repositories::StoreError;
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Strings(pub(crate) Vec<String>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct StringMap(pub(crate) BTreeMap<String, String>);

/// Name and value, in the order they are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Headers(pub(crate) Vec<(String, String)>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(tag = "scheme", rename_all = "snake_case")]
pub enum Auth {
    Bearer,
    Header { name: String },
    None,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Settings {
    time_zone: String,
    #[serde(default)]
    default_strategy: Option<String>,
    #[serde(default)]
    model_strategies: BTreeMap<String, String>,
    #[serde(default)]
    retention_days: Option<u32>,
}

impl From<&AuthScheme> for Auth {
    fn from(scheme: &AuthScheme) -> Self {
        match scheme {
            AuthScheme::Bearer => Self::Bearer,
            AuthScheme::Header(name) => Self::Header { name: name.clone() },
            AuthScheme::None => Self::None,
        }
    }
}

impl From<Auth> for AuthScheme {
    fn from(auth: Auth) -> Self {
        match auth {
            Auth::Bearer => Self::Bearer,
            Auth::Header { name } => Self::Header(name),
            Auth::None => Self::None,
        }
    }
}

impl From<&TenantSettings> for Settings {
    fn from(settings: &TenantSettings) -> Self {
        let text = |strategy: &Strategy| strategy.as_str().to_owned();
        let models = &settings.routing.models;
        Self {
            time_zone: settings.time_zone.clone(),
            default_strategy: settings.routing.default.as_ref().map(text),
            model_strategies: models.iter().map(|(model, s)| (model.clone(), text(s))).collect(),
            retention_days: settings.retention_days,
        }
    }
}

impl TryFrom<Settings> for TenantSettings {
    type Error = StoreError;
    fn try_from(stored: Settings) -> Result<Self, StoreError> {
        let default = stored.default_strategy.as_deref().map(strategy).transpose()?;
        let models = stored
            .model_strategies
            .into_iter()
            .map(|(model, s)| Ok((model, strategy(&s)?)))
            .collect::<Result<BTreeMap<_, _>, StoreError>>()?;
        Ok(Self {
            time_zone: stored.time_zone,
            routing: RoutingSettings { default, models },
            retention_days: stored.retention_days,
        })
    }
}

pub(crate) fn strategy(text: &str) -> Result<Strategy, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt("strategy"))
}
