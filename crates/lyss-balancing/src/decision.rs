//! Everything one choice depended on, kept so that it can be explained and made again.
//!
//! A decision is recorded as it is made: the candidates with what was known of each, the draw, and the little that the
//! algorithms remember between calls. [`replay`] needs nothing else and comes to the same choice.

use lyss_domain::{Strategy, Tick};
use smallvec::SmallVec;

use crate::choose::{self, filter};
use crate::least_connections::Unit;
use crate::regime::Regime;
use crate::round_robin::Credits;
use crate::{
    Adaptive, Balancer, Balancers, BestPerformance, Candidate, Choice, LeastConnections, Objective, Pool,
    RoundRobin, Size, Terms, WeightedRandom, Why, affinity,
};

mod codec;
mod explain;
mod foresee;

pub use codec::{Unreadable, VERSION};
pub use explain::{Explained, Term, explain};

/// One choice with its reasons. Held without an allocation for up to 4 candidates.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub strategy: Strategy,
    pub choice: Choice,
    pub group: u64,
    pub size: Size,
    pub objective: Objective,
    pub candidates: SmallVec<[Candidate; 4]>,
    /// Indices of candidates that served this call before and failed.
    pub tried: SmallVec<[usize; 4]>,
    pub affinity: Option<u64>,
    pub last: bool,
    pub draw: u64,
    pub now: Tick,
    pub memory: Memory,
}

/// What the algorithm remembered of earlier calls, before this one.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Memory {
    /// It remembers nothing, or was not asked.
    #[default]
    Nothing,
    /// What each of those that remained was owed in the rotation, in their order.
    Credits(Credits),
    Regime(Regime),
    /// What is counted as under way.
    Counting(Unit),
}

impl Balancers {
    /// As [`Balancers::choose`], and what the choice depended on.
    pub fn choose_recorded(
        &self,
        strategy: Strategy,
        pool: &Pool<'_>,
        terms: &Terms<'_>,
    ) -> (Choice, Decision) {
        let mut memory = Memory::Nothing;
        let choice = self.decide(strategy, pool, terms, Some(&mut memory));
        (choice, Decision::new(strategy, pool, terms, choice, memory))
    }
}

impl Decision {
    fn new(strategy: Strategy, pool: &Pool<'_>, terms: &Terms<'_>, choice: Choice, memory: Memory) -> Self {
        Self {
            strategy,
            choice,
            group: pool.group,
            size: pool.size,
            objective: pool.objective,
            candidates: SmallVec::from_slice(pool.candidates),
            tried: SmallVec::from_slice(terms.tried),
            affinity: terms.affinity,
            last: terms.last,
            draw: terms.draw,
            now: terms.now,
            memory,
        }
    }

    pub fn pool(&self) -> Pool<'_> {
        Pool { group: self.group, size: self.size, objective: self.objective, candidates: &self.candidates }
    }

    pub fn terms(&self) -> Terms<'_> {
        let Self { tried, affinity, last, draw, now, .. } = self;
        Terms { tried, affinity: *affinity, last: *last, again: false, draw: *draw, now: *now }
    }
}

/// Chooses again by what was recorded.
pub fn replay(decision: &Decision) -> Choice {
    let (pool, terms) = (decision.pool(), decision.terms());
    let remaining = match filter(&pool, &terms) {
        Ok(remaining) => remaining,
        Err(settled) => return settled,
    };
    if let Some(index) = terms.affinity.and_then(|key| affinity::pick(&pool, &remaining, key)) {
        return Choice::Chosen { index, why: Why::Affinity };
    }
    let (draw, now) = (terms.draw, terms.now);
    choose::by_algorithm(match (decision.strategy, &decision.memory) {
        (Strategy::WeightedRandom, _) => WeightedRandom.pick(&pool, &remaining, draw, now),
        (Strategy::RoundRobin, Memory::Credits(credits)) => RoundRobin::replay(&pool, &remaining, credits),
        (Strategy::RoundRobin, _) => RoundRobin::replay(&pool, &remaining, &[]),
        (Strategy::LeastConnections, memory) => {
            let unit = if let Memory::Counting(unit) = memory { *unit } else { Unit::default() };
            LeastConnections::counting(unit).pick(&pool, &remaining, draw, now)
        }
        (Strategy::BestPerformance, _) => BestPerformance.pick(&pool, &remaining, draw, now),
        (Strategy::Adaptive, memory) => {
            let regime = if let Memory::Regime(regime) = memory { *regime } else { Regime::default() };
            Adaptive::pick_in(&pool, &remaining, draw, regime)
        }
    })
}

#[cfg(test)]
mod tests;
