//! The laboratory: the production balancing code in simulated time, beside an oracle that knows everything.
//!
//! Calls arrive, vendors queue, slow down, refuse, cut and come back; each call walks the same loop as the proxy's,
//! through `Balancers::choose` and `Vitals`. The same seed gives the same table.
//!
//! Must never know: a socket, a clock, a thread's randomness, the proxy's own types. Time is the agenda's, draws come
//! from [`draws`], and both are handed to the code under test.
//!
//! Start reading at [`scenario`] (what is simulated), then [`vendor`] (how an upstream behaves) and [`walk`] (how a
//! call is served). To add one more scenario: one function in [`scenarios`]; it runs, is printed and is held to the
//! baseline by itself. A tenant's own figures come in by [`tenant`].

pub mod aggressor;
mod attempt;
pub mod bandit;
pub mod baseline;
pub mod claims;
pub mod command;
pub mod decision_time;
pub mod draws;
pub mod engine;
pub mod metrics;
pub mod oracle;
pub mod page;
pub mod policy;
pub mod record;
pub mod report;
pub mod scenario;
pub mod scenarios;
pub mod tenant;
pub mod trace;
pub mod traffic;
pub mod trial;
pub mod vendor;
mod walk;
mod world;

pub use metrics::{Figures, Report, Row, Spread, Timeline};
pub use policy::Policy;
pub use scenario::{Change, Scenario, Timers, Upstream};
pub use trial::Trial;

/// Runs a scenario with every policy.
pub fn simulate(scenario: &Scenario) -> Report {
    simulate_with(scenario, &Policy::ALL)
}

/// Runs a scenario with these policies; regret is 0 unless the oracle is among them.
pub fn simulate_with(scenario: &Scenario, policies: &[Policy]) -> Report {
    Trial::run(scenario, policies).report
}
