//! One run, looked at closely: who was sent what over time, and what was known of everybody.

use std::fmt::Write as _;
use std::time::Duration;

use lyss_balancing::{Snapshot, Standing};
use lyss_domain::Tick;

use crate::metrics::shares;
use crate::world::{self, Look};
use crate::{Policy, Scenario, traffic};

/// A line for each `every`: per channel the share of attempts since the line before, and what the first process knew.
pub fn trace(scenario: &Scenario, policy: Policy, seed: u64, every: Duration) -> String {
    let calls = traffic::calls(scenario, seed);
    let (record, looks) = world::watch(scenario, policy, seed, &calls, every.max(Duration::from_millis(10)));
    let mut text = format!(
        "{} with {policy}, seed {seed}: {}\n\
         share % of attempts | in flight/outstanding tokens | standing | samples | ttft ms, tpot ms, spread | good-bad | headroom\n",
        scenario.name, scenario.about
    );
    let mut rest = record.sent.as_slice();
    let mut before = Tick::default();
    for look in &looks {
        let (now, later) = rest.split_at(rest.partition_point(|sent| sent.at < look.at));
        rest = later;
        let cost = mean_cost(&record, before, look.at);
        before = look.at;
        lines(&mut text, scenario, look, &shares(now.iter(), scenario.upstreams.len()), now.len(), cost);
    }
    let _ = writeln!(text, "mean cost of a call: {:.3} s", record.mean_cost_ms() / 1_000.0);
    text
}

/// Of calls that arrived between the two, in seconds.
fn mean_cost(record: &crate::record::Record, from: Tick, until: Tick) -> f64 {
    let here = record.calls.iter().filter(|call| call.arrived >= from && call.arrived < until);
    let (sum, count) = here
        .fold((0.0, 0.0), |(sum, count), call| (sum + call.cost(record.timeout).as_secs_f64(), count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

fn lines(text: &mut String, scenario: &Scenario, look: &Look, shares: &[f64], sent: usize, cost: f64) {
    let at = look.at.since(Tick::default()).as_secs_f64();
    let _ = writeln!(
        text,
        "{at:>6.1} s  {sent} attempts, mean cost of those that came {cost:.2} s, {:?}",
        look.regime
    );
    for ((upstream, snapshot), share) in scenario.upstreams.iter().zip(&look.snapshots).zip(shares) {
        let _ = writeln!(
            text,
            "  {:<10} {:>5.1} | {:>3}/{:>6} | {:<10} | {:>4} | {:>6.0} {:>6.2} {:>4.2} | {:>6.1}-{:<5.1} | {:.2}",
            upstream.name,
            share * 100.0,
            snapshot.in_flight,
            snapshot.outstanding_tokens,
            standing(snapshot),
            snapshot.samples,
            snapshot.ttft_us / 1_000.0,
            snapshot.tpot_us / 1_000.0,
            snapshot.spread,
            snapshot.good,
            snapshot.bad,
            snapshot.headroom,
        );
    }
}

fn standing(snapshot: &Snapshot) -> String {
    match snapshot.standing {
        Standing::Open => "open".to_owned(),
        Standing::OnTrial => "on trial".to_owned(),
        Standing::TrialTaken => "trial".to_owned(),
        Standing::Ejected(left) => format!("out {:.1}s", left.as_secs_f64()),
        Standing::Cooling(left) => format!("cool {:.1}s", left.as_secs_f64()),
    }
}
