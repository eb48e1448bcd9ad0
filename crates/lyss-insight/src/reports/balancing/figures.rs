//! What was measured of a tenant's channels, in the words of the laboratory.

use std::collections::HashMap;
use std::time::Duration;

use lyss_catalog::TenantEntry;
use lyss_domain::{Channel, ChannelId, FaultKind, FaultOwner, TenantScope, Timestamp};
use lyss_lab::tenant::{ChannelFigures, Quantiles};
use lyss_repositories::{LatencyHistogram, SeriesPoint, StoreError};

use super::{Actual, MeasuredChannel, Serving};
use crate::Insight;
use crate::metrics::{SeriesInterval, Tally};

/// Fewer whole answers measure nothing.
const FEWEST: u64 = 5;

/// For channels that nothing is known of, where nothing is known of any.
const USUAL_TTFT: Quantiles = quantiles(400, 800);
const USUAL_TPOT: Quantiles = quantiles(15, 25);

/// Reads each channel's records once, however many models it serves.
pub(super) struct Measuring<'a> {
    insight: &'a Insight,
    scope: &'a TenantScope,
    since: Timestamp,
    read: HashMap<ChannelId, Vec<SeriesPoint>>,
}

pub(super) struct Measured {
    pub(super) channels: Vec<MeasuredChannel>,
    pub(super) actual: Actual,
}

const fn quantiles(p50_ms: u64, p95_ms: u64) -> Quantiles {
    Quantiles { p50: Duration::from_millis(p50_ms), p95: Duration::from_millis(p95_ms) }
}

impl<'a> Measuring<'a> {
    pub(super) fn new(insight: &'a Insight, scope: &'a TenantScope, since: Timestamp) -> Self {
        Self { insight, scope, since, read: HashMap::new() }
    }

    /// Every channel that serves the model, by its records of it; one without enough of them is taken for the middle of
    /// the others.
    pub(super) async fn of(
        &mut self,
        entry: &TenantEntry,
        model: &str,
        serving: &Serving,
        now: Timestamp,
    ) -> Result<Measured, StoreError> {
        let (mut channels, mut tallies) = (Vec::new(), Vec::new());
        for (id, upstream) in serving {
            let stored = entry.channels.iter().find(|stored| stored.channel.id == *id);
            let Some(stored) = stored else { continue };
            let tally = self.tally(*id, upstream).await?;
            let price = entry.price(upstream, now).or_else(|| entry.price(model, now));
            let rates = price.map(|price| price.rates).unwrap_or_default();
            let figures = figures(&stored.channel, &tally);
            let measured = if figures.is_some() { tally.sums.attempts } else { 0 };
            // Failures count however few answers there were to take the time of.
            let (failure_rate, rate_limited) = failures(&tally);
            let figures = ChannelFigures {
                failure_rate,
                rate_limited,
                prompt_micros_per_million: u64::try_from(rates.input).unwrap_or(0),
                output_micros_per_million: u64::try_from(rates.output).unwrap_or(0),
                ..figures.unwrap_or_else(|| unmeasured(&stored.channel))
            };
            channels.push(MeasuredChannel { id: *id, figures, measured });
            tallies.push(tally);
        }
        assume_middle(&mut channels);
        Ok(Measured { channels, actual: actual(&tallies) })
    }

    async fn tally(&mut self, channel: ChannelId, upstream: &str) -> Result<Tally, StoreError> {
        if !self.read.contains_key(&channel) {
            let day = SeriesInterval::Day.length();
            let points = self.insight.attempts.channel_series(self.scope, channel, self.since, day).await?;
            self.read.insert(channel, points);
        }
        let mut tally = Tally::default();
        let points = self.read.get(&channel).into_iter().flatten();
        points.filter(|point| point.model == upstream).for_each(|point| tally.add(point));
        Ok(tally)
    }
}

/// `None`: too little was answered.
fn figures(channel: &Channel, tally: &Tally) -> Option<ChannelFigures> {
    let sums = &tally.sums;
    if sums.latency.count() < FEWEST || sums.ttft.count() < FEWEST {
        return None;
    }
    Some(ChannelFigures { ttft: quantiles_of(&sums.ttft)?, tpot: tpot(tally), ..unmeasured(channel) })
}

/// The parts of the judged attempts that failed by the channel's own doing, and that its vendor's rate limit refused.
fn failures(tally: &Tally) -> (f64, f64) {
    let judged = tally.sums.succeeded.saturating_add(tally.sums.failed).max(1) as f64;
    let limited = tally.faults.get(&FaultKind::VendorRateLimited).copied().unwrap_or(0);
    let failed: u64 =
        tally.faults.iter().filter(|(kind, _)| is_its_own(**kind)).map(|(_, count)| count).sum();
    (failed as f64 / judged, limited as f64 / judged)
}

/// What a caller did wrong would go wrong anywhere.
fn is_its_own(kind: FaultKind) -> bool {
    kind != FaultKind::VendorRateLimited && !matches!(kind.owner(), FaultOwner::Caller | FaultOwner::Ours)
}

fn quantiles_of(times: &LatencyHistogram) -> Option<Quantiles> {
    let at = |q| times.quantile(q).map(|micros| Duration::from_micros(micros.max(1)));
    Some(Quantiles { p50: at(0.50)?, p95: at(0.95)? })
}

/// What a whole answer takes beyond its first token, for each token of it. Answers that came whole have shown their first
/// token at their end, so that all of their time is in the first.
fn tpot(tally: &Tally) -> Quantiles {
    let sums = &tally.sums;
    let mean = |times: &LatencyHistogram| times.mean().unwrap_or(0);
    let beyond = mean(&sums.latency).saturating_sub(mean(&sums.ttft));
    let tokens = sums.completion_tokens.checked_div(sums.succeeded).unwrap_or(0).max(1);
    let each = Duration::from_micros(beyond.checked_div(tokens).unwrap_or(0));
    let spread = match (sums.latency.quantile(0.50), sums.latency.quantile(0.95)) {
        (Some(p50), Some(p95)) if p50 > 0 => (p95 as f64 / p50 as f64).clamp(1.0, 5.0),
        _ => 1.0,
    };
    Quantiles { p50: each, p95: each.mul_f64(spread) }
}

fn unmeasured(channel: &Channel) -> ChannelFigures {
    ChannelFigures {
        name: channel.name.clone(),
        weight: channel.weight,
        priority: channel.priority,
        concurrency: channel.limits.concurrency,
        ttft: USUAL_TTFT,
        tpot: USUAL_TPOT,
        failure_rate: 0.0,
        rate_limited: 0.0,
        prompt_micros_per_million: 0,
        output_micros_per_million: 0,
    }
}

fn assume_middle(channels: &mut [MeasuredChannel]) {
    let known = |of: fn(&ChannelFigures) -> Quantiles| {
        let measured = channels.iter().filter(|channel| channel.measured > 0);
        let mut all: Vec<_> = measured.map(|channel| of(&channel.figures)).collect();
        all.sort_by_key(|quantiles| quantiles.p50);
        all.get(all.len() / 2).copied()
    };
    let (Some(ttft), Some(tpot)) = (known(|figures| figures.ttft), known(|figures| figures.tpot)) else {
        return;
    };
    for channel in channels.iter_mut().filter(|channel| channel.measured == 0) {
        channel.figures.ttft = ttft;
        channel.figures.tpot = tpot;
    }
}

fn actual(tallies: &[Tally]) -> Actual {
    let mut all = Tally::default();
    tallies.iter().for_each(|tally| all.sums.merge(&tally.sums));
    let attempts = all.sums.attempts.max(1) as f64;
    Actual {
        strategies: Vec::new(),
        attempts: all.sums.attempts,
        success_rate: all.sums.success_rate(),
        cost_micros: all.sums.cost_micros,
        shares: tallies.iter().map(|tally| tally.sums.attempts as f64 / attempts).collect(),
        ttft: all.sums.ttft,
        latency: all.sums.latency,
    }
}
