//! Which channel serves next: the balancing algorithms, pure over what they are given.
//!
//! Must never know: a socket, a runtime, a clock, a source of randomness, a tenant's configuration. Time and random
//! draws are arguments, so that any run can be replayed. Choosing and observing are apart: [`Balancer::pick`] only
//! chooses, and never blocks on more than a short lock of its own.
//!
//! Start reading at [`pool`] (what is chosen from), then [`choose`] (who may serve, and the door of every decision) and
//! [`least_connections`], the smallest algorithm. To add one more: one file beside its siblings that implements
//! [`Balancer`], and one arm each in [`Balancers::get`], where the names of [`Strategy`] are read, in [`decision::replay`]
//! and in what `decision::explain` says of it.

pub mod adaptive;
pub mod affinity;
pub mod best_performance;
pub mod breaker;
mod channel_state;
pub mod choose;
mod concurrency_limit;
pub mod cooldown;
pub mod decision;
mod groups;
pub mod health;
pub mod hedge;
pub mod hints;
pub mod histogram;
pub mod kept;
mod learned_headroom;
pub mod least_connections;
mod losses;
pub mod observation;
pub mod pool;
mod prediction;
pub mod queue;
pub mod regime;
pub mod report;
pub mod retry_budget;
pub mod round_robin;
pub mod settings;
mod slices;
pub mod snapshot;
mod speed;
pub mod success;
pub mod transitions;
pub mod vitals;
pub mod weighted_random;

pub use adaptive::Adaptive;
pub use best_performance::BestPerformance;
pub use breaker::{BreakerSettings, Phase};
pub use choose::{Choice, Exclusion, Terms, Why};
pub use cooldown::CooldownSettings;
pub use decision::{Decision, Explained, Memory, explain, replay};
pub use health::{ChannelHealth, Health};
pub use hedge::{HedgeTerms, Hedging};
pub use hints::{Hint, HintEjected, HintError, HintStore};
pub use histogram::{Histogram, Times};
pub use kept::{Figures, Kept, KeptFault, KeptOpening};
pub use least_connections::{LeastConnections, Unit};
pub use observation::{Ending, Observation};
pub use pool::{Balancer, Candidate, Objective, Pool, Remaining, Size};
pub use queue::{Bounds, Entrant, FairQueue, Full, Popped, Pushed, Removal, Removed, Ticket};
pub use regime::{Regime, RegimeChange};
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
    least_connections: LeastConnections,
    best_performance: BestPerformance,
    adaptive: Adaptive,
}

impl Balancers {
    /// `seed` decides where each rotation begins; give every replica its own, so that they do not march in step.
    pub fn new(seed: u64) -> Self {
        Self {
            weighted_random: WeightedRandom,
            round_robin: RoundRobin::new(seed),
            least_connections: LeastConnections::default(),
            best_performance: BestPerformance,
            adaptive: Adaptive::new(),
        }
    }

    /// What `least_connections` counts; connections unless said.
    #[must_use]
    pub fn counting(mut self, unit: Unit) -> Self {
        self.least_connections = LeastConnections::counting(unit);
        self
    }

    /// One algorithm alone. Calls go through [`Balancers::choose`], which asks first who may serve.
    pub fn get(&self, strategy: Strategy) -> &dyn Balancer {
        match strategy {
            Strategy::WeightedRandom => &self.weighted_random,
            Strategy::RoundRobin => &self.round_robin,
            Strategy::LeastConnections => &self.least_connections,
            Strategy::BestPerformance => &self.best_performance,
            Strategy::Adaptive => &self.adaptive,
        }
    }

    /// The state that `adaptive` sees a group in; idle where it was never asked.
    pub fn regime(&self, group: u64) -> Regime {
        self.adaptive.regimes.of(group)
    }

    /// Of all groups that `adaptive` was asked for, in no order.
    pub fn regimes(&self) -> Vec<(u64, Regime)> {
        self.adaptive.regimes.all()
    }

    /// What changed since this was last asked, in the order of time; the last 1,024 are kept.
    pub fn take_regime_changes(&self) -> Vec<RegimeChange> {
        self.adaptive.regimes.take_changes()
    }
}
