//! What a call would be given now, were there one: nothing is sent, no turn is used up and no arrival is counted.

use lyss_domain::Strategy;

use super::{Decision, Memory, replay};
use crate::choose::filter;
use crate::{Balancers, Choice, Pool, Terms};

impl Balancers {
    /// The decision that [`Balancers::choose_recorded`] would record.
    pub fn foresee(&self, strategy: Strategy, pool: &Pool<'_>, terms: &Terms<'_>) -> Decision {
        let memory = self.memory(strategy, pool, terms);
        let mut decision = Decision::new(strategy, pool, terms, Choice::Nobody, memory);
        decision.choice = replay(&decision);
        decision
    }

    fn memory(&self, strategy: Strategy, pool: &Pool<'_>, terms: &Terms<'_>) -> Memory {
        match strategy {
            Strategy::Adaptive => Memory::Regime(self.regime(pool.group)),
            Strategy::RoundRobin => match filter(pool, terms) {
                Ok(remaining) => Memory::Credits(self.round_robin.owed(pool, &remaining, terms.now)),
                Err(_) => Memory::Nothing,
            },
            Strategy::LeastConnections => Memory::Counting(self.least_connections.unit()),
            Strategy::WeightedRandom | Strategy::BestPerformance => Memory::Nothing,
        }
    }
}

#[cfg(test)]
mod tests;
