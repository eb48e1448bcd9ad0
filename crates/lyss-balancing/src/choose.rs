//! One decision: who may serve, then the algorithm. The pipeline, the laboratory, `explain` and replays all come
//! through here.

use std::time::Duration;

use lyss_domain::{Strategy, Tick};

use crate::{Balancers, Pool, Standing};

/// What a decision depends on besides the pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms<'a> {
    /// Indices that served this call before and failed.
    pub tried: &'a [usize],
    /// A stable hash of session or prompt prefix, with the tenant in it; `None`: no affinity is wanted.
    pub affinity: Option<u64>,
    pub draw: u64,
    pub now: Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Chosen {
        index: usize,
        why: Why,
    },
    /// Everything left waits for a vendor's window; the shortest of the waits.
    Cooling(Duration),
    /// Nothing is left.
    Nobody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Algorithm,
    /// Its session or prompt prefix was served there.
    Affinity,
    /// It was ejected, and this call shows whether it is well again.
    Trial,
    /// All are ejected, and this one is the least bad.
    Panic,
}

/// Why a candidate was not considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusion {
    Tried,
    /// Weight 0.
    Drained,
    /// Another priority comes first.
    WorsePriority,
    Ejected,
    TrialTaken,
    Cooling,
    /// At its concurrency limit.
    Full,
}

impl Balancers {
    /// Never waits and never allocates.
    pub fn choose(&self, strategy: Strategy, pool: &Pool<'_>, terms: &Terms<'_>) -> Choice {
        let Some(balancer) = self.get(strategy).or_else(|| self.get(Strategy::WeightedRandom)) else {
            return Choice::Nobody;
        };
        match balancer.pick(pool, terms.tried, terms.draw, terms.now) {
            Some(index) => Choice::Chosen { index, why: Why::Algorithm },
            None => Choice::Nobody,
        }
    }
}

impl Standing {
    pub fn may_serve(self) -> bool {
        matches!(self, Self::Open | Self::OnTrial)
    }
}
