//! What the algorithms did when the baseline was accepted. A change that makes one of them worse must be seen.

use std::fmt::Write as _;

use crate::{Policy, Scenario, Trial, scenarios};

/// From the top folder of the repository.
pub const PATH: &str = "crates/lyss-lab/baseline.txt";

const COMMITTED: &str = include_str!("../baseline.txt");

/// Regret may grow by this part of itself: enough for another machine's last digits, too little for a change of mind.
pub const TOLERANCE: f64 = 0.03;

/// One line of the file.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    scenario: String,
    policy: Policy,
    full: f64,
    quick: f64,
}

/// The committed scenarios with one seed each, for a test.
pub fn quick_scenarios() -> Vec<Scenario> {
    let quick = |mut scenario: Scenario| {
        scenario.seeds.truncate(1);
        scenario
    };
    scenarios::all().into_iter().map(quick).collect()
}

/// The file's text.
pub fn render(full: &[Trial], quick: &[Trial]) -> String {
    let mut text = String::from(
        "# Regret by scenario and policy: of all seeds, and of the first one. Written by\n\
         # cargo run --release -p lyss-lab -- --write-baseline\n",
    );
    for (full, quick) in full.iter().zip(quick) {
        for row in full.report.rows.iter().filter(|row| is_held(row.policy)) {
            let quick = quick.report.row(row.policy).map_or(0.0, |row| row.figures.regret);
            let name = &full.report.scenario;
            let _ = writeln!(text, "{name} {} {:.4} {quick:.4}", row.policy, row.figures.regret);
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

fn compare(trials: &[Trial], entries: &[Entry], regret: impl Fn(&Entry) -> f64) -> Vec<String> {
    let mut worse = Vec::new();
    for trial in trials {
        let scenario = &trial.report.scenario;
        for row in trial.report.rows.iter().filter(|row| is_held(row.policy)) {
            let policy = row.policy;
            let known = entries.iter().find(|entry| entry.scenario == *scenario && entry.policy == policy);
            match known.map(&regret) {
                None => worse.push(format!(
                    "{scenario} with {policy} is not in the baseline; add it with --write-baseline"
                )),
                Some(before) if row.figures.regret > before * (1.0 + TOLERANCE) => worse.push(format!(
                    "{policy} became worse in {scenario}: regret {:.3}, in the baseline {before:.3} ({:+.1} %, allowed {:.0} %)",
                    row.figures.regret,
                    (row.figures.regret / before - 1.0) * 100.0,
                    TOLERANCE * 100.0,
                )),
                Some(_) => {}
            }
        }
    }
    worse
}

/// What they are compared with may change as it likes.
fn is_held(policy: Policy) -> bool {
    matches!(policy, Policy::Algorithm(_))
}

/// Lines that say something else are left out, and so become missing entries.
fn read(text: &str) -> Vec<Entry> {
    let entry = |line: &str| {
        let mut words = line.split_whitespace();
        let scenario = words.next().filter(|word| !word.starts_with('#'))?.to_owned();
        let policy = Policy::parse(words.next()?)?;
        Some(Entry {
            scenario,
            policy,
            full: words.next()?.parse().ok()?,
            quick: words.next()?.parse().ok()?,
        })
    };
    text.lines().filter_map(entry).collect()
}

#[cfg(test)]
mod tests;
