//! Who chooses: one of the five algorithms, or one of those they are compared with.

use std::fmt;

use lyss_domain::Strategy;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// Production code, as a tenant would select it.
    Algorithm(Strategy),
    /// Learns which of the other four algorithms to follow, from how its calls went; sees nothing of the channels.
    MetaBandit,
    /// Any untried channel of weight above 0, whatever is known of it: no balancing at all.
    PlainRandom,
    /// Knows what every vendor would do with this call now.
    Oracle,
}

impl Policy {
    /// In the order of the table; the oracle comes first in every run, since regret is counted from it.
    pub const ALL: [Self; 8] = [
        Self::Oracle,
        Self::Algorithm(Strategy::Adaptive),
        Self::Algorithm(Strategy::BestPerformance),
        Self::Algorithm(Strategy::LeastConnections),
        Self::Algorithm(Strategy::RoundRobin),
        Self::Algorithm(Strategy::WeightedRandom),
        Self::MetaBandit,
        Self::PlainRandom,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Algorithm(strategy) => strategy.as_str(),
            Self::MetaBandit => "meta_bandit",
            Self::PlainRandom => "plain_random",
            Self::Oracle => "oracle",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
