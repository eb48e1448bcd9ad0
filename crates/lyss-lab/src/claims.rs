//! What is promised of the algorithms, checked on every run. Each claim says the figure it rests on.

use std::time::Duration;

use lyss_domain::{Strategy, Tick};

use crate::aggressor::Aggression;
use crate::metrics::shares;
use crate::record::{Record, Sent};
use crate::scenario::{Change, Scenario};
use crate::scenarios::{
    BLACK_HOLE, DRIFT_FACTOR, DRIFT_FROM, DRIFT_UNTIL, DRIFTING, RECOVERED_AT, RECOVERING,
};
use crate::traffic::seconds;
use crate::trial::Trial;
use crate::{Policy, Report};

#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    pub holds: bool,
    /// What is claimed, and the figure that was found.
    pub text: String,
}

const ADAPTIVE: Policy = Policy::Algorithm(Strategy::Adaptive);
const BEST_PERFORMANCE: Policy = Policy::Algorithm(Strategy::BestPerformance);

/// What adaptive may cost more than the best of the others.
const TIE: f64 = 1.03;
const HOLE_LEARNED_AFTER: Duration = Duration::from_secs(30);
const HOLE_SHARE: f64 = 0.02;
const DRIFT_REQUESTS: usize = 20;
const RECOVERED_WITHIN: Duration = Duration::from_secs(30);
const RECOVERED_SHARE: f64 = 0.8;
const TAIL_RATIO: f64 = 3.0;
const HEDGED: f64 = 2.0;
const AGGRESSION: f64 = 1.3;

/// Those that the given trials can show.
pub fn check(trials: &[Trial], aggression: Option<&Aggression>) -> Vec<Claim> {
    let mut claims: Vec<Claim> = trials.iter().filter_map(|trial| adaptive_ties(&trial.report)).collect();
    claims.extend(adaptive_beats_bandit(trials));
    for trial in trials {
        for policy in [BEST_PERFORMANCE, ADAPTIVE] {
            if trial.records(policy).is_empty() {
                continue;
            }
            match trial.scenario.name.as_str() {
                "black_hole" => claims.push(hole_is_avoided(trial, policy)),
                "slow_drift" => claims.push(drift_is_noticed(trial, policy)),
                "recovery" => claims.push(recovery_is_noticed(trial, policy)),
                _ => {}
            }
        }
        match trial.scenario.name.as_str() {
            "one_slow" => claims.extend(tail_is_short(&trial.report)),
            "weight_edits" => claims.push(drained_rest(trial)),
            _ => {}
        }
    }
    claims.extend(hedges_help(trials));
    claims.extend(aggression.map(aggressor_is_held));
    claims
}

fn adaptive_ties(report: &Report) -> Option<Claim> {
    let own = report.row(ADAPTIVE)?.figures.cost_ms;
    let others = report
        .rows
        .iter()
        .filter(|row| matches!(row.policy, Policy::Algorithm(strategy) if strategy != Strategy::Adaptive));
    let best = others.min_by(|a, b| a.figures.cost_ms.total_cmp(&b.figures.cost_ms))?;
    let ratio = own / best.figures.cost_ms;
    let text = format!(
        "{}: adaptive is best or within 3 % by mean cost of a call: {:.3} s, the best other ({}) {:.3} s, {:+.1} %",
        report.scenario,
        own / 1_000.0,
        best.policy,
        best.figures.cost_ms / 1_000.0,
        (ratio - 1.0) * 100.0,
    );
    Some(Claim { holds: ratio <= TIE, text })
}

/// Nowhere more than a tie behind it, and ahead of it over all.
fn adaptive_beats_bandit(trials: &[Trial]) -> Option<Claim> {
    let ratios: Vec<(f64, &str)> = trials
        .iter()
        .filter_map(|trial| {
            let cost = |policy| trial.report.row(policy).map(|row| row.figures.cost_ms);
            Some((cost(ADAPTIVE)? / cost(Policy::MetaBandit)?, trial.scenario.name.as_str()))
        })
        .collect();
    let (worst, place) = ratios.iter().copied().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let mean = ratios.iter().map(|(ratio, _)| ratio).sum::<f64>() / ratios.len() as f64;
    let text = format!(
        "adaptive beats the meta-bandit: its mean cost over the bandit's is {mean:.3} in the mean of {} scenarios (below 1), at worst {worst:.3} in {place} (at most {TIE})",
        ratios.len(),
    );
    Some(Claim { holds: mean < 1.0 && worst <= TIE, text })
}

fn hole_is_avoided(trial: &Trial, policy: Policy) -> Claim {
    let share = worst_of(trial, policy, |record| {
        let later = record.sent.iter().filter(|sent| since_start(sent.at) >= HOLE_LEARNED_AFTER);
        shares(later, trial.scenario.upstreams.len()).get(BLACK_HOLE).copied().unwrap_or(1.0)
    });
    Claim {
        holds: share < HOLE_SHARE,
        text: format!(
            "black_hole: {policy} sends less than 2 % of attempts to it after the first 30 s: {:.2} % in the worst run",
            share * 100.0
        ),
    }
}

fn drift_is_noticed(trial: &Trial, policy: Policy) -> Claim {
    let needed = worst_of(trial, policy, |record| requests_until_noticed(&record.sent) as f64);
    Claim {
        holds: needed < DRIFT_REQUESTS as f64,
        text: format!(
            "slow_drift: {policy} notices in less than {DRIFT_REQUESTS} requests: {needed} were sent there after it took twice as long and before it had less than half its fair share of the last {WINDOW} attempts, in the worst run"
        ),
    }
}

/// Attempts that a share is seen in.
const WINDOW: usize = 40;

/// Sent to the drifting channel since it took twice as long, until its share was below half of a fair one.
fn requests_until_noticed(sent: &[Sent]) -> usize {
    let part = 1.0 / (DRIFT_FACTOR - 1.0);
    let twice_as_slow = DRIFT_FROM + (DRIFT_UNTIL - DRIFT_FROM).mul_f64(part);
    let mut since = 0;
    for (index, attempt) in sent.iter().enumerate() {
        if since_start(attempt.at) < twice_as_slow {
            continue;
        }
        since += usize::from(attempt.upstream == DRIFTING);
        let window = sent.get((index + 1).saturating_sub(WINDOW)..=index).unwrap_or_default();
        let there = window.iter().filter(|sent| sent.upstream == DRIFTING).count();
        // Four channels: a fair share is a quarter.
        if there * 8 < WINDOW {
            return since;
        }
    }
    since
}

fn recovery_is_noticed(trial: &Trial, policy: Policy) -> Claim {
    let fair = 1.0 / trial.scenario.upstreams.len() as f64;
    let from = RECOVERED_AT + RECOVERED_WITHIN;
    let share = -worst_of(trial, policy, |record| {
        let after = record.sent.iter().filter(|sent| {
            let at = since_start(sent.at);
            at >= from && at < from + RECOVERED_WITHIN
        });
        -shares(after, trial.scenario.upstreams.len()).get(RECOVERING).copied().unwrap_or(0.0)
    });
    Claim {
        holds: share >= RECOVERED_SHARE * fair,
        text: format!(
            "recovery: {policy} gives the channel at least 80 % of a fair share again 30 s after it came back: {:.0} % in the half minute after that, in the worst run",
            share / fair * 100.0
        ),
    }
}

fn tail_is_short(report: &Report) -> Option<Claim> {
    let p99 =
        |strategy| report.row(Policy::Algorithm(strategy)).map(|row| row.figures.total_ms.p99 / 1_000.0);
    let (rotating, least) = (p99(Strategy::RoundRobin)?, p99(Strategy::LeastConnections)?);
    Some(Claim {
        holds: least * TAIL_RATIO <= rotating,
        text: format!(
            "one_slow: the p99 of least_connections is at least three times better than that of round_robin: {least:.2} s and {rotating:.2} s, {:.1} times",
            rotating / least
        ),
    })
}

/// A drained channel gets nothing from the moment of its edit.
fn drained_rest(trial: &Trial) -> Claim {
    let algorithms = trial.runs.iter().filter(|(policy, _)| matches!(policy, Policy::Algorithm(_)));
    let sent: usize = algorithms
        .flat_map(|(_, records)| records)
        .map(|record| record.sent.iter().filter(|sent| weight_at(&trial.scenario, sent) == 0).count())
        .sum();
    Claim {
        holds: sent == 0,
        text: format!(
            "weight_edits: no attempt goes to a channel of weight 0, from the moment of the edit: {sent} in all runs of the five algorithms"
        ),
    }
}

/// Of the channel an attempt went to, at that moment.
fn weight_at(scenario: &Scenario, sent: &Sent) -> u32 {
    let before = scenario.changes.iter().filter(|planned| planned.at <= since_start(sent.at));
    let edits = before.filter(|planned| planned.upstream == sent.upstream);
    let mut edited = edits.filter_map(|planned| match planned.change {
        Change::Weight(weight) => Some(weight),
        _ => None,
    });
    let first = scenario.upstreams.get(sent.upstream).map_or(0, |upstream| upstream.weight);
    edited.next_back().unwrap_or(first)
}

/// With the same calls and the same silences.
fn hedges_help(trials: &[Trial]) -> Option<Claim> {
    let p99 = |name: &str| {
        let trial = trials.iter().find(|trial| trial.scenario.name == name)?;
        Some(trial.report.row(ADAPTIVE)?.figures.ttft_ms.p99 / 1_000.0)
    };
    let (plain, hedged) = (p99("stalls")?, p99("stalls_hedged")?);
    Some(Claim {
        holds: hedged * HEDGED <= plain,
        text: format!(
            "stalls: hedging at least halves the p99 of the first token where one request in fifty is never answered, with adaptive: {plain:.2} s and {hedged:.2} s"
        ),
    })
}

fn aggressor_is_held(aggression: &Aggression) -> Claim {
    let (fair, fifo) = (aggression.ratio(&aggression.fair), aggression.ratio(&aggression.first_come));
    Claim {
        holds: fair < AGGRESSION,
        text: format!(
            "aggressor: a tenant at twenty times the load moves the victim's p99 by less than 1.3 times: {fair:.3} times with the fair queue ({fifo:.1} times first come, first served)"
        ),
    }
}

fn worst_of(trial: &Trial, policy: Policy, figure: impl Fn(&Record) -> f64) -> f64 {
    trial.records(policy).iter().map(figure).fold(f64::NEG_INFINITY, f64::max)
}

fn since_start(at: Tick) -> Duration {
    at.since(Tick::default()).max(seconds(0.0))
}

#[cfg(test)]
mod tests;
