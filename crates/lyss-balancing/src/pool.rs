//! What is chosen from, and the seam every algorithm stands behind.

pub use lyss_domain::Objective;
use lyss_domain::{ChannelId, Tick};
use smallvec::SmallVec;

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

/// Those of a pool that may serve this call: indices into its candidates, in their order, all of one priority. Held
/// without an allocation up to 32.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remaining(SmallVec<[usize; 32]>);

pub trait Balancer: Send + Sync {
    /// An index into `pool.candidates`, out of `remaining`; `None` only when that is empty. `draw` is a fresh uniform
    /// 64-bit number.
    fn pick(&self, pool: &Pool<'_>, remaining: &Remaining, draw: u64, now: Tick) -> Option<usize>;
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
}

impl Remaining {
    /// What weights, priorities and earlier attempts leave, whatever health says: the untried of weight above 0, of
    /// the best priority that has one.
    pub fn untried(pool: &Pool<'_>, tried: &[usize]) -> Self {
        let mut remaining = Self::default();
        let mut best = i32::MAX;
        for (index, candidate) in pool.candidates.iter().enumerate() {
            if candidate.weight > 0 && !tried.contains(&index) {
                remaining.admit(index, candidate.priority, &mut best);
            }
        }
        remaining
    }

    /// Adds a candidate unless a better priority is there already; a better one turns the others out.
    pub(crate) fn admit(&mut self, index: usize, priority: i32, best: &mut i32) {
        if priority < *best {
            self.0.clear();
        }
        if priority <= *best {
            *best = priority;
            self.0.push(index);
        }
    }

    pub fn indices(&self) -> &[usize] {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn of<'p, 'r>(
        &'r self,
        pool: &Pool<'p>,
    ) -> impl Iterator<Item = (usize, &'p Candidate)> + Clone + use<'p, 'r> {
        let candidates = pool.candidates;
        self.0.iter().filter_map(move |index| Some((*index, candidates.get(*index)?)))
    }
}

#[cfg(test)]
pub(crate) mod tests;
