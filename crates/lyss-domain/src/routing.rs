//! How a tenant wants its calls routed, model by model.

use std::collections::BTreeMap;
use std::fmt;

use crate::Strategy;
use crate::tenant::pattern_matches;

/// What a tenant set.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RoutingSettings {
    /// For all models, where no pattern says otherwise.
    pub default: RoutingRule,
    /// By model pattern: a name, or a prefix ending in `*`.
    pub models: BTreeMap<String, RoutingRule>,
}

/// What was said in one place; `None`: nothing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RoutingRule {
    pub strategy: Option<Strategy>,
    pub hedge: Option<bool>,
    pub objective: Option<Objective>,
    pub affinity: Option<Affinity>,
}

/// What holds for one model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Rule {
    /// `None`: the service's own default.
    pub strategy: Option<Strategy>,
    /// A call that takes longer than most is sent to a second channel as well, and the first answer counts.
    pub hedge: bool,
    pub objective: Objective,
    pub affinity: Affinity,
}

/// What the channels of equal priority are compared by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Objective {
    #[default]
    Latency,
    Balanced,
    Cost,
}

/// Which calls belong together, so that one channel serves them as long as it can and finds its cache warm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Affinity {
    #[default]
    None,
    /// Those of one session, as the caller names it.
    Session,
    /// Those whose prompts begin alike.
    Prefix,
}

impl RoutingSettings {
    /// Each part from the longest matching pattern that says it, else from what holds for all models.
    pub fn rule_for(&self, model: &str) -> Rule {
        let mut found = self.default;
        let (mut strategy, mut hedge, mut objective, mut affinity) = (0, 0, 0, 0);
        for (pattern, rule) in &self.models {
            if pattern_matches(pattern, model) {
                // One more than its length: `""` is no pattern, and nothing said has length 0.
                let length = pattern.len() + 1;
                more_exact(&mut found.strategy, rule.strategy, &mut strategy, length);
                more_exact(&mut found.hedge, rule.hedge, &mut hedge, length);
                more_exact(&mut found.objective, rule.objective, &mut objective, length);
                more_exact(&mut found.affinity, rule.affinity, &mut affinity, length);
            }
        }
        Rule {
            strategy: found.strategy,
            hedge: found.hedge.unwrap_or_default(),
            objective: found.objective.unwrap_or_default(),
            affinity: found.affinity.unwrap_or_default(),
        }
    }
}

fn more_exact<T: Copy>(found: &mut Option<T>, said: Option<T>, known: &mut usize, length: usize) {
    if said.is_some() && length > *known {
        *found = said;
        *known = length;
    }
}

impl RoutingRule {
    /// A rule that says only this.
    pub fn strategy(strategy: Strategy) -> Self {
        Self { strategy: Some(strategy), ..Self::default() }
    }

    pub fn says_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Objective {
    pub const ALL: [Self; 3] = [Self::Latency, Self::Balanced, Self::Cost];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Balanced => "balanced",
            Self::Cost => "cost",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

impl Affinity {
    pub const ALL: [Self; 3] = [Self::None, Self::Session, Self::Prefix];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Session => "session",
            Self::Prefix => "prefix",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Affinity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_comes_from_the_longest_pattern_that_says_it() {
        let hedged = RoutingRule {
            hedge: Some(true),
            objective: Some(Objective::Cost),
            ..RoutingRule::strategy(Strategy::RoundRobin)
        };
        let exact = RoutingRule { hedge: Some(false), ..RoutingRule::strategy(Strategy::WeightedRandom) };
        let routing = RoutingSettings {
            default: RoutingRule {
                affinity: Some(Affinity::Session),
                objective: Some(Objective::Balanced),
                ..RoutingRule::strategy(Strategy::Adaptive)
            },
            models: BTreeMap::from([
                ("gpt-*".to_owned(), hedged),
                ("gpt-4o*".to_owned(), exact),
                (
                    "gpt-4o-mini".to_owned(),
                    RoutingRule { affinity: Some(Affinity::None), ..Default::default() },
                ),
            ]),
        };
        let mini = Rule {
            strategy: Some(Strategy::WeightedRandom),
            hedge: false,
            objective: Objective::Cost,
            affinity: Affinity::None,
        };
        assert_eq!(routing.rule_for("gpt-4o-mini"), mini);
        let five = Rule {
            strategy: Some(Strategy::RoundRobin),
            hedge: true,
            objective: Objective::Cost,
            affinity: Affinity::Session,
        };
        assert_eq!(routing.rule_for("gpt-5"), five);
        assert_eq!(routing.rule_for("claude").strategy, Some(Strategy::Adaptive));
        assert_eq!(routing.rule_for("claude").objective, Objective::Balanced);
        assert_eq!(RoutingSettings::default().rule_for("claude"), Rule::default());
    }

    #[test]
    fn every_word_is_read_back() {
        assert!(Objective::ALL.iter().all(|one| Objective::parse(one.as_str()) == Some(*one)));
        assert!(Affinity::ALL.iter().all(|one| Affinity::parse(one.as_str()) == Some(*one)));
        assert_eq!(Objective::parse("speed"), None);
    }
}
