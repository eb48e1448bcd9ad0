//! What lies in JSON columns. Domain types are not `Serialize`; these are their stored shapes, and a stored shape
//! changes only together with a migration.

use std::collections::BTreeMap;

use lyss_domain::{Affinity, AuthScheme, Objective, RoutingRule, RoutingSettings, Strategy, TenantSettings};
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
    #[serde(default = "one")]
    share: u32,
    #[serde(default)]
    default_rule: Wishes,
    /// Beside the strategies, so that a replica of the release before still reads those.
    #[serde(default)]
    model_rules: BTreeMap<String, Wishes>,
}

/// What a routing rule says besides the strategy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Wishes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hedge: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    objective: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    affinity: Option<String>,
}

fn one() -> u32 {
    1
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
        let text = |strategy: Strategy| strategy.as_str().to_owned();
        let RoutingSettings { default, models } = &settings.routing;
        Self {
            time_zone: settings.time_zone.clone(),
            default_strategy: default.strategy.map(text),
            model_strategies: models
                .iter()
                .filter_map(|(model, rule)| Some((model.clone(), text(rule.strategy?))))
                .collect(),
            retention_days: settings.retention_days,
            share: settings.share,
            default_rule: default.into(),
            model_rules: models
                .iter()
                .map(|(model, rule)| (model.clone(), Wishes::from(rule)))
                .filter(|(_, wishes)| *wishes != Wishes::default())
                .collect(),
        }
    }
}

impl TryFrom<Settings> for TenantSettings {
    type Error = StoreError;
    fn try_from(stored: Settings) -> Result<Self, StoreError> {
        let default = stored.default_strategy.as_deref().map(strategy).transpose()?;
        let default = RoutingRule { strategy: default, ..stored.default_rule.rule()? };
        let mut models = BTreeMap::new();
        for (model, wishes) in stored.model_rules {
            models.insert(model, wishes.rule()?);
        }
        for (model, text) in stored.model_strategies {
            models.entry(model).or_insert_with(RoutingRule::default).strategy = Some(strategy(&text)?);
        }
        Ok(Self {
            time_zone: stored.time_zone,
            routing: RoutingSettings { default, models },
            retention_days: stored.retention_days,
            share: stored.share,
        })
    }
}

impl From<&RoutingRule> for Wishes {
    fn from(rule: &RoutingRule) -> Self {
        Self {
            hedge: rule.hedge,
            objective: rule.objective.map(|one| one.as_str().to_owned()),
            affinity: rule.affinity.map(|one| one.as_str().to_owned()),
        }
    }
}

impl Wishes {
    /// Without a strategy.
    fn rule(self) -> Result<RoutingRule, StoreError> {
        let objective =
            self.objective.map(|text| Objective::parse(&text).ok_or(StoreError::Corrupt("objective")));
        let affinity =
            self.affinity.map(|text| Affinity::parse(&text).ok_or(StoreError::Corrupt("affinity")));
        Ok(RoutingRule {
            strategy: None,
            hedge: self.hedge,
            objective: objective.transpose()?,
            affinity: affinity.transpose()?,
        })
    }
}

pub(crate) fn strategy(text: &str) -> Result<Strategy, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt("strategy"))
}

#[cfg(test)]
mod tests;
