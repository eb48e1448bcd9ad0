//! Which channel serves next: the balancing algorithms, pure over what they are given.
//!
//! Must never know: a socket, a runtime, a clock, a source of randomness, a tenant's configuration. Time and random
//! draws are arguments, so that any run can be replayed. Choosing and observing are apart: [`Balancer::pick`] only
//! chooses, and never blocks on more than a short lock of its own.
//!
//! Start reading at [`pool`] (what is chosen from), then [`weighted_random`], the smallest algorithm. To add one
//! more: one file beside its siblings that implements [`Balancer`], and one arm in [`Balancers::get`], where the
//! names of [`Strategy`] are read.

pub mod affinity;
pub mod choose;
pub mod health;
pub mod hedge;
pub mod observation;
pub mod pool;
pub mod queue;
pub mod retry_budget;
pub mod round_robin;
pub mod snapshot;
pub mod vitals;
pub mod weighted_random;

pub use choose::{Choice, Exclusion, Terms, Why};
pub use health::{ChannelHealth, Health};
pub use hedge::{HedgeTerms, Hedging};
pub use observation::{Ending, Observation};
pub use pool::{Balancer, Candidate, Objective, Pool, Remaining, Size};
pub use queue::{Bounds, Entrant, FairQueue, Full, Popped, Pushed, Removal, Removed, Ticket};
pub use retry_budget::{Budget, RetryBudget};
pub use round_robin::RoundRobin;
pub use snapshot::{REFERENCE_PROMPT, Snapshot, Standing};
pub use vitals::{InFlight, Refusal, Vitals};
pub use weighted_random::WeightedRandom;

use lyss_domain::Strategy;

/// One of each algorithm, with the state they keep; shared by every call of the process.
#[derive(Debug)]
pub struct Balancers {
    weighted_random: WeightedRandom,
    round_robin: RoundRobin,
}

impl Balancers {
    /// `seed` decides where each rotation begins; give every replica its own, so that they do not march in step.
    pub fn new(seed: u64) -> Self {
        Self { weighted_random: WeightedRandom, round_robin: RoundRobin::new(seed) }
    }

    /// `None`: this algorithm is not built yet.
    pub fn get(&self, strategy: Strategy) -> Option<&dyn Balancer> {
        match strategy {
            Strategy::WeightedRandom => Some(&self.weighted_random),
            Strategy::RoundRobin => Some(&self.round_robin),
            Strategy::LeastConnections | Strategy::BestPerformance | Strategy::Adaptive => None,
        }
    }
}
