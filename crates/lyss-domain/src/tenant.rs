//! Tenants and their settings.

use std::collections::BTreeMap;

use crate::{Strategy, TenantId, Timestamp};

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
}

/// Which algorithm serves which models.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RoutingSettings {
    /// Where neither the key nor a model pattern says otherwise; `None`: the service's default.
    pub default: Option<Strategy>,
    /// Model pattern (a name, or a prefix ending in `*`) to strategy; the longest match wins.
    pub models: BTreeMap<String, Strategy>,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self { time_zone: "UTC".to_owned(), routing: RoutingSettings::default(), retention_days: None }
    }
}

impl RoutingSettings {
    /// The strategy for a model: its longest matching pattern, else the default.
    pub fn strategy_for(&self, model: &str) -> Option<Strategy> {
        self.models
            .iter()
            .filter(|(pattern, _)| pattern_matches(pattern, model))
            .max_by_key(|(pattern, _)| pattern.len())
            .map(|(_, strategy)| *strategy)
            .or(self.default)
    }
}

/// True when `name` is the pattern, or begins with what stands before the pattern's final `*`.
pub fn pattern_matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_pattern_wins() {
        let routing = RoutingSettings {
            default: Some(Strategy::Adaptive),
            models: BTreeMap::from([
                ("gpt-*".to_owned(), Strategy::RoundRobin),
                ("gpt-4o*".to_owned(), Strategy::WeightedRandom),
            ]),
        };
        assert_eq!(routing.strategy_for("gpt-4o-mini"), Some(Strategy::WeightedRandom));
        assert_eq!(routing.strategy_for("gpt-5"), Some(Strategy::RoundRobin));
        assert_eq!(routing.strategy_for("claude"), Some(Strategy::Adaptive));
        assert_eq!(RoutingSettings::default().strategy_for("claude"), None);
    }
}
