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
pub mod breaker;
mod channel_state;
pub mod choose;
mod concurrency_limit;
pub mod cooldown;
pub mod health;
pub mod hedge;
pub mod hints;
pub mod histogram;
pub mod kept;
mod learned_headroom;
pub mod observation;
pub mod pool;
pub mod queue;
pub mod report;
pub mod retry_budget;
pub mod round_robin;
pub mod settings;
pub mod snapshot;
mod speed;
pub mod success;
pub mod transitions;
pub mod vitals;
pub mod weighted_random;

pub use breaker::{BreakerSettings, Phase};
pub use choose::{Choice, Exclusion, Terms, Why};
pub use cooldown::CooldownSettings;
pub use health::{ChannelHealth, Health};
pub use hedge::{HedgeTerms, Hedging};
pub use hints::{Hint, HintEjected, HintError, HintStore};
pub use histogram::{Histogram, Times};
pub use kept::{Figures, Kept, KeptFault, KeptOpening};
pub use observation::{Ending, Observation};
pub use pool::{Balancer, Candidate, Objective, Pool, Remaining, Size};
pub use queue::{Bounds, Entrant, FairQueue, Full, Popped, Pushed, Removal, Removed, Ticket};
pub use report::{BreakerReport, ChannelReport, ModelReport};
pub use retry_budget::{Budget, RetryBudget};
pub use round_robin::RoundRobin;
pub use settings::HealthSettings;
pub use snapshot::{PROMPT_EXPONENT, REFERENCE_PROMPT, Snapshot, Standing, prompt_factor};
pub use success::{cautious_success, mean_success};
pub use transitions::Transition;
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
