//! What is chosen from, and the seam every algorithm stands behind.

use lyss_domain::{ChannelId, Tick};

use crate::Snapshot;

/// One channel able to serve, in the order of the route table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    pub channel: ChannelId,
    /// Share within its priority; 0 never serves.
    pub weight: u32,
    /// Lower is tried first.
    pub priority: i32,
    /// What this call would cost here, in millionths of a US dollar; 0: not known, or nobody asks.
    pub price_micros: u32,
    /// What is known of this channel and model at the moment of the choice.
    pub snapshot: Snapshot,
}

/// Candidates of one model group of one tenant, and the call that one of them is to serve.
#[derive(Clone, Copy, Debug)]
pub struct Pool<'a> {
    /// Names the state an algorithm keeps for this pool: a stable hash of tenant and model group.
    pub group: u64,
    pub size: Size,
    pub objective: Objective,
    pub candidates: &'a [Candidate],
}

/// How much work a call is expected to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    pub prompt_tokens: u32,
    /// Expected, not the limit.
    pub output_tokens: u32,
}

/// What a tenant wants of its calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Objective {
    #[default]
    Latency,
    Balanced,
    Cost,
}

pub trait Balancer: Send + Sync {
    /// An index into `pool.candidates`, or `None` when none is left.
    ///
    /// Only the lowest priority number that still has an untried candidate of weight above 0 is considered. `tried`
    /// holds indices into the same list, `draw` is a fresh uniform 64-bit number.
    fn pick(&self, pool: &Pool<'_>, tried: &[usize], draw: u64, now: Tick) -> Option<usize>;
}

impl Candidate {
    /// A candidate of which nothing is known yet.
    pub const fn new(channel: ChannelId, weight: u32, priority: i32) -> Self {
        Self { channel, weight, priority, price_micros: 0, snapshot: Snapshot::UNKNOWN }
    }
}

impl<'a> Pool<'a> {
    /// A pool for a call of which nothing is known.
    pub fn new(group: u64, candidates: &'a [Candidate]) -> Self {
        Self { group, size: Size::default(), objective: Objective::default(), candidates }
    }

    /// The candidates that may serve now, with their indices: untried, of weight above 0, of the best priority.
    pub(crate) fn eligible<'t>(
        &self,
        tried: &'t [usize],
    ) -> impl Iterator<Item = (usize, &'a Candidate)> + Clone + use<'a, 't> {
        let able = self
            .candidates
            .iter()
            .enumerate()
            .filter(move |(index, candidate)| candidate.weight > 0 && !tried.contains(index));
        let best = able.clone().map(|(_, candidate)| candidate.priority).min();
        able.filter(move |(_, candidate)| Some(candidate.priority) == best)
    }
}

#[cfg(test)]
pub(crate) mod tests;
