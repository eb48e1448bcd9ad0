//! What is reported of a scenario: figures per policy, as means over its seeds.

use std::time::Duration;

use lyss_domain::Tick;

use crate::Policy;
use crate::record::{CallRecord, Record, Sent};
use crate::scenario::Scenario;

/// One scenario, all policies asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub scenario: String,
    pub about: String,
    /// Names of the upstreams, in the order of all shares.
    pub upstreams: Vec<String>,
    /// The oracle first.
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub policy: Policy,
    pub figures: Figures,
    pub timeline: Timeline,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Per run.
    pub calls: f64,
    /// Calls per second answered wholly and with their first token within [`Figures::GOOD_TTFT_S`].
    pub goodput_per_s: f64,
    /// Calls answered wholly over all calls.
    pub success: f64,
    /// From arrival to the first token, over calls answered wholly, with all attempts that failed before.
    pub ttft_ms: Spread,
    /// From arrival to the last token, of the same calls.
    pub total_ms: Spread,
    /// Attempts sent that failed, 429s among them, over calls answered wholly.
    pub failed_per_success: f64,
    /// Attempts answered by a 429, over calls answered wholly.
    pub limited_per_success: f64,
    /// The largest of `shares`.
    pub max_share: f64,
    /// Of all attempts sent, per upstream.
    pub shares: Vec<f64>,
    /// What a call's tokens cost, in the mean over all calls.
    pub spent_micros_per_call: f64,
    /// Mean over all calls of the time to completion, or of the call's timeout where it failed.
    pub cost_ms: f64,
    /// `cost_ms` over the oracle's in the same runs.
    pub regret: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

/// Shares of attempts over time, in the first run: one list per upstream, one value per equal part of the span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    pub step_s: f64,
    pub shares: Vec<Vec<f64>>,
}

impl Figures {
    pub const GOOD_TTFT_S: f64 = 10.0;
}

impl Report {
    pub fn row(&self, policy: Policy) -> Option<&Row> {
        self.rows.iter().find(|row| row.policy == policy)
    }
}

/// Runs every policy asked for and reckons its figures; the oracle runs whether asked for or not.
pub(crate) fn report(scenario: &Scenario, runs: &[(Policy, Vec<Record>)]) -> Report {
    let costs = |records: &[Record]| records.iter().map(Record::mean_cost_ms).collect::<Vec<_>>();
    let best = runs.iter().find(|(policy, _)| *policy == Policy::Oracle).map(|(_, records)| costs(records));
    let best = mean(best.unwrap_or_default().iter().copied());
    let row = |(policy, records): &(Policy, Vec<Record>)| {
        let singles: Vec<Figures> = records.iter().map(|record| figures(record, scenario)).collect();
        let mut figures = means(&singles, scenario.upstreams.len());
        figures.regret = if best > 0.0 { figures.cost_ms / best } else { 0.0 };
        let timeline = records.first().map(|record| timeline(record, scenario)).unwrap_or_default();
        Row { policy: *policy, figures, timeline }
    };
    Report {
        scenario: scenario.name.clone(),
        about: scenario.about.clone(),
        upstreams: scenario.upstreams.iter().map(|upstream| upstream.name.clone()).collect(),
        rows: runs.iter().map(row).collect(),
    }
}

/// Of one run.
fn figures(record: &Record, scenario: &Scenario) -> Figures {
    let timeout = record.timeout;
    let served: Vec<&CallRecord> = record.calls.iter().filter(|call| call.ok).collect();
    let ttft = |call: &CallRecord| call.first_token.map_or(0.0, |at| millis(at.since(call.arrived)));
    let good = served.iter().filter(|call| ttft(call) <= Figures::GOOD_TTFT_S * 1_000.0).count();
    let (calls, successes) = (record.calls.len() as f64, served.len().max(1) as f64);
    let per_success = |count: fn(&CallRecord) -> u32| {
        record.calls.iter().map(|call| f64::from(count(call))).sum::<f64>() / successes
    };
    let shares = shares(record.sent.iter(), scenario.upstreams.len());
    Figures {
        calls,
        goodput_per_s: good as f64 / record.span.as_secs_f64().max(f64::MIN_POSITIVE),
        success: served.len() as f64 / calls.max(1.0),
        ttft_ms: Spread::of(served.iter().map(|call| ttft(call)).collect()),
        total_ms: Spread::of(served.iter().map(|call| millis(call.cost(timeout))).collect()),
        failed_per_success: per_success(|call| call.failed_attempts),
        limited_per_success: per_success(|call| call.limited_attempts),
        max_share: shares.iter().copied().fold(0.0, f64::max),
        shares,
        spent_micros_per_call: mean(record.calls.iter().map(|call| call.spent_micros)),
        cost_ms: record.mean_cost_ms(),
        regret: 0.0,
    }
}

/// Parts of attempts by upstream.
pub(crate) fn shares<'a>(sent: impl Iterator<Item = &'a Sent>, upstreams: usize) -> Vec<f64> {
    let mut counts = vec![0.0; upstreams];
    let mut all = 0.0;
    for sent in sent {
        if let Some(count) = counts.get_mut(sent.upstream) {
            *count += 1.0;
            all += 1.0;
        }
    }
    counts.into_iter().map(|count| if all > 0.0 { count / all } else { 0.0 }).collect()
}

/// Points of a line over the span.
const STEPS: u32 = 60;

fn timeline(record: &Record, scenario: &Scenario) -> Timeline {
    let step = record.span / STEPS;
    let mut lines = vec![Vec::new(); scenario.upstreams.len()];
    let mut rest = record.sent.as_slice();
    for index in 1..=STEPS {
        let end = Tick::default().after(step * index);
        let (now, later) = rest.split_at(rest.partition_point(|sent| sent.at < end));
        rest = later;
        for (line, share) in lines.iter_mut().zip(shares(now.iter(), scenario.upstreams.len())) {
            line.push(share);
        }
    }
    Timeline { step_s: step.as_secs_f64(), shares: lines }
}

fn means(singles: &[Figures], upstreams: usize) -> Figures {
    let of = |figure: fn(&Figures) -> f64| mean(singles.iter().map(figure));
    let spread = |spread: fn(&Figures) -> Spread| Spread {
        p50: mean(singles.iter().map(|figures| spread(figures).p50)),
        p95: mean(singles.iter().map(|figures| spread(figures).p95)),
        p99: mean(singles.iter().map(|figures| spread(figures).p99)),
    };
    let share = |place: usize| mean(singles.iter().filter_map(|figures| figures.shares.get(place).copied()));
    Figures {
        calls: of(|f| f.calls),
        goodput_per_s: of(|f| f.goodput_per_s),
        success: of(|f| f.success),
        ttft_ms: spread(|f| f.ttft_ms),
        total_ms: spread(|f| f.total_ms),
        failed_per_success: of(|f| f.failed_per_success),
        limited_per_success: of(|f| f.limited_per_success),
        max_share: of(|f| f.max_share),
        shares: (0..upstreams).map(share).collect(),
        spent_micros_per_call: of(|f| f.spent_micros_per_call),
        cost_ms: of(|f| f.cost_ms),
        regret: 0.0,
    }
}

impl Spread {
    /// By nearest rank; zeros where there is nothing.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let at = |hundredths: usize| {
            let rank = (values.len() * hundredths).div_ceil(100).saturating_sub(1);
            values.get(rank).copied().unwrap_or(0.0)
        };
        Self { p50: at(50), p95: at(95), p99: at(99) }
    }
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    if count > 0.0 { sum / count } else { 0.0 }
}

#[cfg(test)]
mod tests;
