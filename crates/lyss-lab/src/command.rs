//! The laboratory from a terminal.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::aggressor::Aggression;
use crate::claims::{self, Claim};
use crate::{Policy, Scenario, Trial, baseline, decision_time, page, report, scenarios, trace, trial};

const EXAMPLES: &str = "\
Examples:
  cargo run --release -p lyss-lab                                   the whole table and all claims
  cargo run --release -p lyss-lab -- --scenario slow_drift          one scenario
  cargo run --release -p lyss-lab -- --strategy adaptive,best_performance --seeds 2
  cargo run --release -p lyss-lab -- --shift 1000                   do the claims hold with other luck as well?
  cargo run --release -p lyss-lab -- --trace recovery --strategy adaptive --step 5
  cargo run --release -p lyss-lab -- --html target/lab.html         the page, elsewhere than target/lyss-lab.html
  cargo run --release -p lyss-lab -- --write-baseline               accept what the algorithms do now

The exit code is 1 when a claim does not hold or a figure is worse than the committed baseline.";

/// Where those begin that are not committed.
const FURTHER_SEEDS: u64 = 10_000;

/// Records of all runs are held until the table is printed.
const MOST_SEEDS: usize = 50;

/// Runs the production balancing code in simulated time and compares it with an oracle that knows everything.
#[derive(Debug, Parser)]
#[command(name = "lyss-lab", after_help = EXAMPLES)]
pub struct Arguments {
    /// Only these scenarios, by name, separated by commas.
    #[arg(long, value_delimiter = ',')]
    scenario: Vec<String>,
    /// Only these policies beside the oracle: adaptive, best_performance, least_connections, round_robin,
    /// weighted_random, meta_bandit, plain_random.
    #[arg(long, value_delimiter = ',')]
    strategy: Vec<String>,
    /// How many seeds are run for each scenario: of the committed ones first, then others.
    #[arg(long, default_value_t = scenarios::SEEDS.len(), value_name = "N")]
    seeds: usize,
    /// Adds this to every seed: other calls and other luck than those the algorithms were tuned on. Nothing is then
    /// compared with the baseline.
    #[arg(long, default_value_t = 0, value_name = "N")]
    shift: u64,
    /// One scenario over time: shares, and what was learned of each channel.
    #[arg(long, value_name = "SCENARIO")]
    trace: Option<String>,
    /// Seconds between two lines of a trace.
    #[arg(long, default_value_t = 10.0)]
    step: f64,
    /// Where the page goes; a drawing of all regrets goes beside it, as .svg.
    #[arg(long, default_value = "target/lyss-lab.html", value_name = "PATH")]
    html: PathBuf,
    /// Writes the baseline anew instead of comparing with it.
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = baseline::PATH)]
    write_baseline: Option<PathBuf>,
    /// Names and descriptions of all scenarios.
    #[arg(long)]
    list: bool,
}

pub fn run() -> ExitCode {
    let mut text = String::new();
    let outcome = Arguments::parse().act(&mut text);
    // A reader that has seen enough is no failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "lyss-lab: {message}");
            ExitCode::from(2)
        }
    }
}

impl Arguments {
    /// `false`: a claim does not hold, or something became worse.
    fn act(&self, text: &mut String) -> Result<bool, String> {
        if self.list {
            for scenario in scenarios::all() {
                let _ = writeln!(text, "{:<16} {}", scenario.name, scenario.about);
            }
            return Ok(true);
        }
        if let Some(name) = &self.trace {
            let scenario = self.prepared(found(name)?);
            let seed = scenario.seeds.first().copied().unwrap_or_default();
            let step = Duration::try_from_secs_f64(self.step).map_err(|_| "--step is a number of seconds")?;
            for policy in self
                .policies()?
                .into_iter()
                .filter(|policy| self.strategy.is_empty() || *policy != Policy::Oracle)
            {
                text.push_str(&trace::trace(&scenario, policy, seed, step));
            }
            return Ok(true);
        }
        if let Some(path) = &self.write_baseline {
            return self.renew(path, text);
        }
        let trials = trial::run_all(&self.scenarios()?, &self.policies()?, threads());
        let aggression = self.scenario.is_empty().then(|| Aggression::run(&scenarios::SEEDS));
        for trial in &trials {
            let _ = writeln!(text, "{}", report::table(&trial.report));
        }
        if let Some(aggression) = &aggression {
            let _ = writeln!(text, "{}", report::aggression(aggression));
        }
        text.push_str(&report::summary(&trials));
        if self.strategy.is_empty() {
            text.push_str(&report::decision_times(&decision_time::measure()));
        }
        let claims = claims::check(&trials, aggression.as_ref());
        text.push_str(&report::claims(&claims));
        let worse = if self.shift == 0 && self.seeds == scenarios::SEEDS.len() {
            baseline::compare_full(&trials)
        } else {
            Vec::new()
        };
        text.push_str(&report::regressions(&worse));
        self.write_page(&trials, aggression.as_ref(), &claims, text)?;
        Ok(worse.is_empty() && claims.iter().all(|claim: &Claim| claim.holds))
    }

    fn scenarios(&self) -> Result<Vec<Scenario>, String> {
        let wanted: Result<Vec<Scenario>, String> = self.scenario.iter().map(|name| found(name)).collect();
        let chosen = if self.scenario.is_empty() { scenarios::all() } else { wanted? };
        Ok(chosen.into_iter().map(|scenario| self.prepared(scenario)).collect())
    }

    fn prepared(&self, mut scenario: Scenario) -> Scenario {
        scenario.seeds.truncate(self.seeds.clamp(1, MOST_SEEDS));
        scenario
            .seeds
            .extend((FURTHER_SEEDS..).take(self.seeds.min(MOST_SEEDS).saturating_sub(scenario.seeds.len())));
        for seed in &mut scenario.seeds {
            *seed = seed.wrapping_add(self.shift);
        }
        scenario
    }

    /// The oracle is always among them, since regret is counted from it.
    fn policies(&self) -> Result<Vec<Policy>, String> {
        if self.strategy.is_empty() {
            return Ok(Policy::ALL.to_vec());
        }
        let mut chosen = vec![Policy::Oracle];
        for name in &self.strategy {
            let policy = Policy::parse(name).ok_or_else(|| {
                let known: Vec<&str> = Policy::ALL.iter().map(|policy| policy.as_str()).collect();
                format!("there is no policy '{name}'; there are {}", known.join(", "))
            })?;
            if !chosen.contains(&policy) {
                chosen.push(policy);
            }
        }
        Ok(chosen)
    }

    fn renew(&self, path: &PathBuf, text: &mut String) -> Result<bool, String> {
        let written = std::fs::write(path, baseline::measure(threads()));
        written.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        let _ = writeln!(text, "wrote {}", path.display());
        Ok(true)
    }

    fn write_page(
        &self,
        trials: &[Trial],
        aggression: Option<&Aggression>,
        claims: &[Claim],
        text: &mut String,
    ) -> Result<(), String> {
        if let Some(folder) = self.html.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        }
        std::fs::write(&self.html, page::page(trials, aggression, claims))
            .map_err(|error| format!("cannot write {}: {error}", self.html.display()))?;
        let drawing = self.html.with_extension("svg");
        std::fs::write(&drawing, page::drawing(trials))
            .map_err(|error| format!("cannot write {}: {error}", drawing.display()))?;
        let _ = writeln!(
            text,
            "The same as a page: {}, and in one drawing: {}",
            self.html.display(),
            drawing.display()
        );
        Ok(())
    }
}

fn found(name: &str) -> Result<Scenario, String> {
    let all = scenarios::all();
    let known: Vec<&str> = all.iter().map(|scenario| scenario.name.as_str()).collect();
    let missing = format!("there is no scenario '{name}'; there are {}", known.join(", "));
    all.into_iter().find(|scenario| scenario.name == name).ok_or(missing)
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
