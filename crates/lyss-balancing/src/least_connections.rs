//! The channel with the least under way for its weight: what is slow keeps its calls longer, and so gets fewer.
//!
//! A call counts from before it is sent until its last byte, or its end, whatever the end: that is what
//! [`crate::InFlight`] holds. Equals are drawn, so that replicas do not all turn to the same one.

use lyss_domain::Tick;

use crate::round_robin::mix;
use crate::{Balancer, Candidate, Pool, Remaining, Size};

/// Keeps no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastConnections {
    unit: Unit,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    #[default]
    Connections,
    /// Tokens still to be read and written: a long answer weighs more than a short one.
    Tokens,
}

impl LeastConnections {
    pub fn counting(unit: Unit) -> Self {
        Self { unit }
    }
}

impl Balancer for LeastConnections {
    fn pick(&self, pool: &Pool<'_>, remaining: &Remaining, draw: u64, _now: Tick) -> Option<usize> {
        let mut best: Option<(u64, u64, u64, usize)> = None;
        for (index, candidate) in remaining.of(pool) {
            let (load, weight) = (self.load(candidate, pool.size), u64::from(candidate.weight));
            let tie = mix(draw ^ index as u64);
            let is_less = best.is_none_or(|(least, its_weight, its_tie, _)| {
                // Compared as fractions, without dividing.
                let (this, that) =
                    (u128::from(load) * u128::from(its_weight), u128::from(least) * u128::from(weight));
                (this, tie) < (that, its_tie)
            });
            if is_less {
                best = Some((load, weight, tie, index));
            }
        }
        best.map(|(_, _, _, index)| index)
    }
}

impl LeastConnections {
    pub(crate) fn unit(&self) -> Unit {
        self.unit
    }

    /// With this call.
    pub(crate) fn load(&self, candidate: &Candidate, size: Size) -> u64 {
        let snapshot = &candidate.snapshot;
        let (here, elsewhere) = (u64::from(snapshot.in_flight), u64::from(snapshot.in_flight_elsewhere));
        match self.unit {
            Unit::Connections => here + elsewhere + 1,
            Unit::Tokens => {
                let own = (u64::from(size.prompt_tokens) + u64::from(size.output_tokens)).max(1);
                let outstanding = u64::from(snapshot.outstanding_tokens);
                // What is under way elsewhere is known by number only.
                let each = outstanding.checked_div(here).unwrap_or(own);
                outstanding + elsewhere * each + own
            }
        }
    }
}

#[cfg(test)]
mod tests;
