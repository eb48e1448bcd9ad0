//! The table people read in a terminal.

use std::fmt::Write as _;

use lyss_domain::Strategy;

use crate::aggressor::Aggression;
use crate::claims::Claim;
use crate::metrics::{Report, Row};
use crate::{Policy, Trial, draws};

/// One scenario: a heading and a line per policy.
pub fn table(report: &Report) -> String {
    let mut text = format!("{}: {}\n", report.scenario, report.about);
    text.push_str(
        "  policy               good/s    ok %  ttft ms p50     p95     p99  total s p50    p95    p99  fail/ok   429/ok  max %  micros  cost s  regret\n",
    );
    for row in &report.rows {
        line(&mut text, row);
    }
    text
}

fn line(text: &mut String, row: &Row) {
    let f = &row.figures;
    let seconds = |ms: f64| ms / 1_000.0;
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "  {:<18} {:>8.2} {:>7.2} {:>12.0} {:>7.0} {:>7.0} {:>12.2} {:>6.2} {:>6.2} {:>8.4} {:>8.4} {:>6.1} {:>7.0} {:>7.3} {:>7.3}",
        row.policy,
        f.goodput_per_s,
        f.success * 100.0,
        f.ttft_ms.p50,
        f.ttft_ms.p95,
        f.ttft_ms.p99,
        seconds(f.total_ms.p50),
        seconds(f.total_ms.p95),
        seconds(f.total_ms.p99),
        f.failed_per_success,
        f.limited_per_success,
        f.max_share * 100.0,
        f.spent_micros_per_call,
        seconds(f.cost_ms),
        f.regret,
    );
}

/// The tenant that floods, in the same form.
pub fn aggression(aggression: &Aggression) -> String {
    let mut text = String::from(
        "aggressor: one tenant sends twenty times what the victim does, through one gate of forty places\n  \
         queue                victim ms p50     p95     p99  over alone  victim ok %  aggressor ok %\n",
    );
    for (name, fate) in [
        ("alone", &aggression.alone),
        ("fair queue", &aggression.fair),
        ("first come", &aggression.first_come),
    ] {
        let _ = writeln!(
            text,
            "  {name:<18} {:>15.0} {:>7.0} {:>7.0} {:>11.3} {:>12.2} {:>15.2}",
            fate.victim_ms.p50,
            fate.victim_ms.p95,
            fate.victim_ms.p99,
            aggression.ratio(fate),
            fate.victim_served * 100.0,
            fate.aggressor_served * 100.0,
        );
    }
    text
}

/// Regret of everybody everywhere, and its geometric mean.
pub fn summary(trials: &[Trial]) -> String {
    let policies: Vec<Policy> =
        trials.first().map(|trial| trial.runs.iter().map(|(p, _)| *p).collect()).unwrap_or_default();
    let mut text = format!("{:<16}", "regret");
    for policy in &policies {
        let _ = write!(text, " {policy:>17}");
    }
    text.push('\n');
    let mut logs = vec![0.0; policies.len()];
    for trial in trials {
        let _ = write!(text, "{:<16}", trial.report.scenario);
        for (policy, log) in policies.iter().zip(&mut logs) {
            let regret = trial.report.row(*policy).map_or(0.0, |row| row.figures.regret);
            *log += draws::ln(regret.max(f64::MIN_POSITIVE));
            let _ = write!(text, " {regret:>17.3}");
        }
        text.push('\n');
    }
    let _ = write!(text, "{:<16}", "geometric mean");
    for log in logs {
        let _ = write!(text, " {:>17.3}", draws::exp(log / trials.len().max(1) as f64));
    }
    text.push_str("\n\n");
    text
}

pub fn decision_times(measured: &[(Strategy, f64)]) -> String {
    let each: Vec<String> = measured.iter().map(|(strategy, ns)| format!("{strategy} {ns:.0} ns")).collect();
    format!("A decision among 16 candidates on this machine: {}\n\n", each.join(", "))
}

pub fn claims(claims: &[Claim]) -> String {
    let mut text = String::new();
    for claim in claims {
        let _ = writeln!(text, "{} {}", if claim.holds { "holds " } else { "FAILS " }, claim.text);
    }
    let failed = claims.iter().filter(|claim| !claim.holds).count();
    let _ = match failed {
        0 => writeln!(text, "All {} claims hold.", claims.len()),
        _ => writeln!(text, "{failed} of {} claims do not hold.", claims.len()),
    };
    text
}

/// What became worse than the committed baseline.
pub fn regressions(worse: &[String]) -> String {
    worse.iter().map(|line| format!("WORSE {line}\n")).collect()
}
