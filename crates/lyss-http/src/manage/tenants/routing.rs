//! Routing settings in JSON: what holds for all models stands beside `models`, its strategy under the name `default`.

use std::collections::BTreeMap;

use lyss_domain::{Affinity, Objective, RoutingRule, RoutingSettings, Strategy};
use lyss_management::{MapChange, RuleChange};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::manage::schema;
use crate::manage::word::{Named, Patch, patch};

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoutingCreate)]
pub(super) struct RoutingBody {
    #[schema(schema_with = schema::word::<Strategy>, required = false)]
    default: Option<Named<Strategy>>,
    /// Send a call that takes longer than most to a second channel as well; the first answer counts.
    hedge: Option<bool>,
    #[schema(schema_with = schema::word::<Objective>, required = false)]
    objective: Option<Named<Objective>>,
    #[schema(schema_with = schema::word::<Affinity>, required = false)]
    affinity: Option<Named<Affinity>>,
    /// By model, or prefix ending in `*`.
    #[serde(default)]
    models: BTreeMap<String, ModelRouting>,
}

/// What is said for one pattern; of several that match a model, the longest one that says a thing decides it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelRouting {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::word::<Strategy>, required = false)]
    strategy: Option<Named<Strategy>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hedge: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::word::<Objective>, required = false)]
    objective: Option<Named<Objective>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::word::<Affinity>, required = false)]
    affinity: Option<Named<Affinity>>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoutingPatch)]
pub(super) struct RoutingPatch {
    #[serde(default, deserialize_with = "patch")]
    #[schema(schema_with = schema::word_or_null::<Strategy>, required = false)]
    default: Patch<Named<Strategy>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<bool>)]
    hedge: Patch<bool>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(schema_with = schema::word_or_null::<Objective>, required = false)]
    objective: Patch<Named<Objective>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(schema_with = schema::word_or_null::<Affinity>, required = false)]
    affinity: Patch<Named<Affinity>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<BTreeMap<String, ModelRoutingPatch>>)]
    models: Patch<BTreeMap<String, Option<ModelRoutingPatch>>>,
}

/// What is not named stays as it is; a null in place of all of it removes the pattern.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelRoutingPatch {
    #[serde(default, deserialize_with = "patch")]
    #[schema(schema_with = schema::word_or_null::<Strategy>, required = false)]
    strategy: Patch<Named<Strategy>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<bool>)]
    hedge: Patch<bool>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(schema_with = schema::word_or_null::<Objective>, required = false)]
    objective: Patch<Named<Objective>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(schema_with = schema::word_or_null::<Affinity>, required = false)]
    affinity: Patch<Named<Affinity>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Routing)]
pub(super) struct RoutingDto {
    #[schema(schema_with = schema::word_or_null::<Strategy>)]
    default: Option<Named<Strategy>>,
    hedge: Option<bool>,
    #[schema(schema_with = schema::word_or_null::<Objective>)]
    objective: Option<Named<Objective>>,
    #[schema(schema_with = schema::word_or_null::<Affinity>)]
    affinity: Option<Named<Affinity>>,
    models: BTreeMap<String, ModelRouting>,
}

impl RoutingBody {
    pub(super) fn settings(self) -> RoutingSettings {
        let default = RoutingRule {
            strategy: word(self.default),
            hedge: self.hedge,
            objective: word(self.objective),
            affinity: word(self.affinity),
        };
        let rule = |one: ModelRouting| RoutingRule {
            strategy: word(one.strategy),
            hedge: one.hedge,
            objective: word(one.objective),
            affinity: word(one.affinity),
        };
        RoutingSettings {
            default,
            models: self.models.into_iter().map(|(model, one)| (model, rule(one))).collect(),
        }
    }
}

impl RoutingPatch {
    /// Brings back the default of everything.
    pub(super) fn reset() -> Self {
        Self {
            default: Some(None),
            hedge: Some(None),
            objective: Some(None),
            affinity: Some(None),
            models: Some(None),
        }
    }

    /// What is to change for all models, and for those of a pattern.
    pub(super) fn changes(self) -> (RuleChange, Option<Option<MapChange<RuleChange>>>) {
        let default = RuleChange {
            strategy: self.default.map(word),
            hedge: self.hedge,
            objective: self.objective.map(word),
            affinity: self.affinity.map(word),
        };
        let change = |one: ModelRoutingPatch| RuleChange {
            strategy: one.strategy.map(word),
            hedge: one.hedge,
            objective: one.objective.map(word),
            affinity: one.affinity.map(word),
        };
        let models = self.models.map(|models| {
            let models = models?;
            Some(models.into_iter().map(|(model, one)| (model, one.map(change))).collect())
        });
        (default, models)
    }
}

impl From<RoutingSettings> for RoutingDto {
    fn from(RoutingSettings { default, models }: RoutingSettings) -> Self {
        let rule = |rule: RoutingRule| ModelRouting {
            strategy: rule.strategy.map(Named),
            hedge: rule.hedge,
            objective: rule.objective.map(Named),
            affinity: rule.affinity.map(Named),
        };
        Self {
            default: default.strategy.map(Named),
            hedge: default.hedge,
            objective: default.objective.map(Named),
            affinity: default.affinity.map(Named),
            models: models.into_iter().map(|(model, one)| (model, rule(one))).collect(),
        }
    }
}

fn word<T>(named: Option<Named<T>>) -> Option<T> {
    named.map(|named| named.0)
}
