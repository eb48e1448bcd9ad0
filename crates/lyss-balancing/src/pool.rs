//! What is chosen from, and the seam every algorithm stands behind.

use lyss_domain::{ChannelId, Tick};

/// One channel able to serve, in the order of the route table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub channel: ChannelId,
    /// Share within its priority; 0 never serves.
    pub weight: u32,
    /// Lower is tried first.
    pub priority: i32,
}

/// Candidates of one model group of one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Pool<'a> {
    /// Names the state an algorithm keeps for this pool: a stable hash of tenant and model group.
    pub group: u64,
    pub candidates: &'a [Candidate],
}

pub trait Balancer: Send + Sync {
    /// An index into `pool.candidates`, or `None` when none is left.
    ///
    /// Only the lowest priority number that still has an untried candidate of weight above 0 is considered. `tried`
    /// holds indices into the same list, `draw` is a fresh uniform 64-bit number.
    fn pick(&self, pool: &Pool<'_>, tried: &[usize], draw: u64, now: Tick) -> Option<usize>;
}

impl<'a> Pool<'a> {
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
