//! A scenario run with several policies: what is reported of it, and the records that claims are checked against.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::metrics;
use crate::oracle::Plan;
use crate::record::Record;
use crate::traffic::{self, Call};
use crate::world;
use crate::{Policy, Report, Scenario};

#[derive(Clone, Debug)]
pub struct Trial {
    pub scenario: Scenario,
    /// Per policy one record for each seed.
    pub runs: Vec<(Policy, Vec<Record>)>,
    pub report: Report,
}

impl Trial {
    /// Regret is 0 unless the oracle is among the policies.
    pub fn run(scenario: &Scenario, policies: &[Policy]) -> Self {
        let traffic: Vec<(u64, Vec<Call>)> =
            scenario.seeds.iter().map(|seed| (*seed, traffic::calls(scenario, *seed))).collect();
        let with = |policy: Policy, plan: Plan| -> Vec<Record> {
            traffic.iter().map(|(seed, calls)| world::run(scenario, policy, plan, *seed, calls)).collect()
        };
        let records = |policy: Policy| match policy {
            Policy::Oracle => {
                let plans = Plan::ALL.into_iter().map(|plan| with(policy, plan));
                let cost = |records: &Vec<Record>| records.iter().map(Record::mean_cost_ms).sum::<f64>();
                plans.min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or_default()
            }
            _ => with(policy, Plan::default()),
        };
        let runs: Vec<_> = policies.iter().map(|policy| (*policy, records(*policy))).collect();
        Self { scenario: scenario.clone(), report: metrics::report(scenario, &runs), runs }
    }

    pub fn records(&self, policy: Policy) -> &[Record] {
        self.runs.iter().find(|(known, _)| *known == policy).map_or(&[], |(_, records)| records)
    }
}

/// Scenarios side by side on so many threads; in the order they were given.
pub fn run_all(scenarios: &[Scenario], policies: &[Policy], threads: usize) -> Vec<Trial> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Trial)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, scenarios.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(scenario) = scenarios.get(index) else { break };
                    let trial = Trial::run(scenario, policies);
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, trial));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, trial)| trial).collect()
}
