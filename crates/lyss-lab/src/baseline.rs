//! What the algorithms did when the baseline was accepted. A change that makes one of them worse must be seen, and
//! chance must not be taken for one: each figure is measured with several lucks, and its spread is kept beside it.

use std::fmt::Write as _;

use crate::{Policy, Report, Scenario, Trial, scenarios, trial};

/// From the top folder of the repository.
pub const PATH: &str = "crates/lyss-lab/baseline.txt";

const COMMITTED: &str = include_str!("../baseline.txt");

/// Regret may grow by this part of itself, and by so many standard deviations of chance.
pub const TOLERANCE: f64 = 0.03;
const DEVIATIONS: f64 = 3.0;

/// How many lucks a figure is measured with.
const LUCKS: u64 = 6;

/// One line of the file.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    scenario: String,
    policy: Policy,
    full: Known,
    quick: Known,
}

/// A regret over several lucks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Known {
    mean: f64,
    deviation: f64,
}

/// The committed scenarios with one seed each, for a test.
pub fn quick_scenarios() -> Vec<Scenario> {
    let quick = |mut scenario: Scenario| {
        scenario.seeds.truncate(1);
        scenario
    };
    scenarios::all().into_iter().map(quick).collect()
}

/// Whom the baseline holds, and the oracle they are measured by. What they are compared with may change as it likes.
pub fn held() -> Vec<Policy> {
    Policy::ALL.into_iter().filter(|policy| is_held(*policy) || *policy == Policy::Oracle).collect()
}

fn is_held(policy: Policy) -> bool {
    matches!(policy, Policy::Algorithm(_))
}

/// Runs everything with several lucks, on so many threads: the file's text.
pub fn measure(threads: usize) -> String {
    let reports = |scenarios: Vec<Scenario>| -> Vec<Vec<Report>> {
        (0..LUCKS)
            .map(|luck| {
                let with_luck = |scenario: &Scenario| Scenario { luck, ..scenario.clone() };
                let scenarios: Vec<Scenario> = scenarios.iter().map(with_luck).collect();
                trial::run_all(&scenarios, &held(), threads).into_iter().map(|trial| trial.report).collect()
            })
            .collect()
    };
    render(&reports(scenarios::all()), &reports(quick_scenarios()))
}

/// `full` and `quick`: for each luck the reports of all scenarios.
fn render(full: &[Vec<Report>], quick: &[Vec<Report>]) -> String {
    let mut text = String::from(
        "# Regret by scenario and policy, mean and standard deviation over several lucks: of all seeds, and of the first.\n\
         # Written by cargo run --release -p lyss-lab -- --write-baseline\n",
    );
    let known = |lucks: &[Vec<Report>], scenario: &str, policy: Policy| {
        let reports = lucks.iter().flatten().filter(|report| report.scenario == scenario);
        Known::of(reports.filter_map(|report| Some(report.row(policy)?.figures.regret)).collect())
    };
    for report in full.first().into_iter().flatten() {
        for row in report.rows.iter().filter(|row| is_held(row.policy)) {
            let (name, policy) = (report.scenario.as_str(), row.policy);
            let (full, quick) = (known(full, name, policy), known(quick, name, policy));
            let _ = writeln!(
                text,
                "{name} {policy} {:.4} {:.4} {:.4} {:.4}",
                full.mean, full.deviation, quick.mean, quick.deviation
            );
        }
    }
    text
}

/// One sentence for each algorithm that became worse, over all seeds.
pub fn compare_full(trials: &[Trial]) -> Vec<String> {
    compare(trials, &read(COMMITTED), |entry| entry.full)
}

/// The same for trials of [`quick_scenarios`].
pub fn compare_quick(trials: &[Trial]) -> Vec<String> {
    compare(trials, &read(COMMITTED), |entry| entry.quick)
}

fn compare(trials: &[Trial], entries: &[Entry], known: impl Fn(&Entry) -> Known) -> Vec<String> {
    let mut worse = Vec::new();
    for trial in trials {
        let scenario = &trial.report.scenario;
        for row in trial.report.rows.iter().filter(|row| is_held(row.policy)) {
            let (policy, regret) = (row.policy, row.figures.regret);
            let entry = entries.iter().find(|entry| entry.scenario == *scenario && entry.policy == policy);
            let Some(before) = entry.map(&known) else {
                worse.push(format!(
                    "{scenario} with {policy} is not in the baseline; add it with --write-baseline"
                ));
                continue;
            };
            if regret > before.allowed() {
                worse.push(format!(
                    "{policy} became worse in {scenario}: regret {regret:.3}, in the baseline {:.3} ({:+.1} %, allowed {:+.1} %)",
                    before.mean,
                    (regret / before.mean - 1.0) * 100.0,
                    (before.allowed() / before.mean - 1.0) * 100.0,
                ));
            }
        }
    }
    worse
}

impl Known {
    fn of(regrets: Vec<f64>) -> Self {
        let count = regrets.len().max(1) as f64;
        let mean = regrets.iter().sum::<f64>() / count;
        let squares: f64 = regrets.iter().map(|regret| (regret - mean) * (regret - mean)).sum();
        Self { mean, deviation: (squares / (count - 1.0).max(1.0)).sqrt() }
    }

    fn allowed(&self) -> f64 {
        self.mean * (1.0 + TOLERANCE) + DEVIATIONS * self.deviation
    }
}

/// Lines that say something else are left out, and so become missing entries.
fn read(text: &str) -> Vec<Entry> {
    let entry = |line: &str| {
        let mut words = line.split_whitespace();
        let scenario = words.next().filter(|word| !word.starts_with('#'))?.to_owned();
        let policy = Policy::parse(words.next()?)?;
        let mut figure = || words.next()?.parse::<f64>().ok();
        let full = Known { mean: figure()?, deviation: figure()? };
        let quick = Known { mean: figure()?, deviation: figure()? };
        Some(Entry { scenario, policy, full, quick })
    };
    text.lines().filter_map(entry).collect()
}

#[cfg(test)]
mod tests;
