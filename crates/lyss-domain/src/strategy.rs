//! The five balancing algorithms by name.

use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strategy {
    WeightedRandom,
    RoundRobin,
    LeastConnections,
    BestPerformance,
    Adaptive,
}

impl Strategy {
    pub const ALL: [Self; 5] = [
        Self::WeightedRandom,
        Self::RoundRobin,
        Self::LeastConnections,
        Self::BestPerformance,
        Self::Adaptive,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WeightedRandom => "weighted_random",
            Self::RoundRobin => "round_robin",
            Self::LeastConnections => "least_connections",
            Self::BestPerformance => "best_performance",
            Self::Adaptive => "adaptive",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No strategy has this name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a strategy is one of weighted_random, round_robin, least_connections, best_performance, adaptive")]
pub struct UnknownStrategy;

impl FromStr for Strategy {
    type Err = UnknownStrategy;
    fn from_str(text: &str) -> Result<Self, UnknownStrategy> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or(UnknownStrategy)
    }
}
