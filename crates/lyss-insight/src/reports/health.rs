//! How a tenant's channels fared: availability, ejections, what went wrong, who was slow, what probes found.

mod outages;
mod shown;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use lyss_domain::{Channel, ChannelId, FaultKind, HealthEvent, HealthEventKind, TenantScope, Timestamp};
use lyss_repositories::{HealthEventFilter, HealthEventSort, Listing, Page, SeriesPoint, Sort, StoreError};

use super::{Document, Period};
use crate::metrics::{SeriesInterval, Tally};
use crate::{Insight, LiveCondition};
pub(super) use shown::of_success;

/// Events that are read, the newest of a period. More than that is one channel flapping, and its figures say so.
const MOST_EVENTS: u32 = 20_000;

/// Channels with figures of their own, by traffic; each takes a query.
const MOST_CHANNELS: usize = 200;

/// Of the slowest models.
const SLOWEST: usize = 10;

/// Fewer answers are no rank.
const FEWEST_ANSWERS: u64 = 5;

#[derive(Clone, Debug, PartialEq)]
pub struct HealthReport {
    pub tenant: String,
    pub period: Period,
    pub since: Timestamp,
    pub until: Timestamp,
    pub total: Tally,
    /// Those in trouble first, then by name.
    pub channels: Vec<ChannelFare>,
    /// Channels whose traffic is not told, for they are more than can be looked through.
    pub channels_left_out: usize,
    /// By the 95th percentile of their whole answers, slowest first.
    pub slowest: Vec<SlowModel>,
    /// There was more than could be looked through: ejections and downtime are those of the newer part.
    pub events_cut: bool,
}

/// How one channel fared.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelFare {
    pub channel: Channel,
    pub tally: Tally,
    /// The part of the period in which the channel as a whole was not ejected.
    pub availability: f64,
    /// How long the channel as a whole was ejected.
    pub downtime: Duration,
    /// Of the channel as a whole, and of single models on it.
    pub ejections: u64,
    pub models_ejected: u64,
    pub failed_trials: u64,
    /// How often a vendor asked to be left alone.
    pub coolings: u64,
    pub probes_ok: u64,
    pub probes_failed: u64,
    pub last_event: Option<HealthEvent>,
    /// How it stands now, in the process that was asked.
    pub live: LiveCondition,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SlowModel {
    pub channel: String,
    pub model: String,
    pub answers: u64,
    pub latency_p50_us: Option<u64>,
    pub latency_p95_us: Option<u64>,
    pub ttft_p95_us: Option<u64>,
}

impl ChannelFare {
    /// Whether somebody should look at it.
    pub fn is_troubled(&self) -> bool {
        let fails = self.tally.sums.success_rate().is_some_and(|rate| rate < 0.95);
        fails || self.ejections + self.models_ejected + self.probes_failed > 0
    }
}

impl HealthReport {
    pub fn troubled(&self) -> impl Iterator<Item = &ChannelFare> {
        self.channels.iter().filter(|fare| fare.is_troubled())
    }

    pub fn document(&self) -> Document {
        shown::document(self)
    }
}

impl Insight {
    /// `None`: there is no such tenant.
    pub async fn health_report(
        &self,
        scope: &TenantScope,
        period: Period,
    ) -> Result<Option<HealthReport>, StoreError> {
        let until = self.clock.now();
        let since = until.before(period.length());
        let (events, events_cut) = self.events_since(scope, since).await?;
        let catalog = self.catalog.load();
        let Some(entry) = catalog.tenant(scope.tenant()) else { return Ok(None) };
        let busy = self.busiest(scope, since).await?;
        let channels_left_out = busy.len().saturating_sub(MOST_CHANNELS);
        let told: HashSet<_> = busy.into_iter().take(MOST_CHANNELS).collect();
        let mut report = HealthReport {
            tenant: entry.tenant.name.clone(),
            period,
            since,
            until,
            total: Tally::over(period.length()),
            channels: Vec::new(),
            channels_left_out,
            slowest: Vec::new(),
            events_cut,
        };
        let mut by_channel: BTreeMap<ChannelId, Vec<HealthEvent>> = BTreeMap::new();
        for event in events {
            by_channel.entry(event.channel).or_default().push(event);
        }
        for stored in &entry.channels {
            let id = stored.channel.id;
            let points = if told.contains(&id) {
                self.attempts.channel_series(scope, id, since, SeriesInterval::Day.length()).await?
            } else {
                Vec::new()
            };
            let own = by_channel.remove(&id).unwrap_or_default();
            let live = self.live_condition(id);
            report.add(&stored.channel, &points, &own, live);
        }
        report.order();
        Ok(Some(report))
    }

    /// Oldest first, and whether there were more.
    async fn events_since(
        &self,
        scope: &TenantScope,
        since: Timestamp,
    ) -> Result<(Vec<HealthEvent>, bool), StoreError> {
        let filter = HealthEventFilter { from: Some(since), ..HealthEventFilter::default() };
        let sort = Sort { by: HealthEventSort::At, descending: true };
        let page = Page { number: 1, size: MOST_EVENTS };
        let mut found = self.health.events(scope, &Listing { filter, sort, page }).await?;
        found.items.reverse();
        let cut = found.total > found.items.len() as u64;
        Ok((found.items, cut))
    }

    /// Channels that had traffic, most of it first.
    pub(crate) async fn busiest(
        &self,
        scope: &TenantScope,
        since: Timestamp,
    ) -> Result<Vec<ChannelId>, StoreError> {
        let mut attempts: BTreeMap<ChannelId, u64> = BTreeMap::new();
        for figures in self.attempts.figures(scope, since).await? {
            *attempts.entry(figures.channel).or_default() += figures.attempts;
        }
        let mut busy: Vec<_> = attempts.into_iter().collect();
        busy.sort_by_key(|(_, attempts)| std::cmp::Reverse(*attempts));
        Ok(busy.into_iter().map(|(channel, _)| channel).collect())
    }
}

impl HealthReport {
    fn add(
        &mut self,
        channel: &Channel,
        points: &[SeriesPoint],
        events: &[HealthEvent],
        live: LiveCondition,
    ) {
        let mut tally = Tally::over(self.period.length());
        let mut models: BTreeMap<&str, Tally> = BTreeMap::new();
        for point in points {
            tally.add(point);
            self.total.add(point);
            models.entry(&point.model).or_default().add(point);
        }
        for (model, tally) in models {
            let (latency, ttft) = (&tally.sums.latency, &tally.sums.ttft);
            if latency.count() >= FEWEST_ANSWERS {
                self.slowest.push(SlowModel {
                    channel: channel.name.clone(),
                    model: model.to_owned(),
                    answers: latency.count(),
                    latency_p50_us: latency.quantile(0.50),
                    latency_p95_us: latency.quantile(0.95),
                    ttft_p95_us: ttft.quantile(0.95),
                });
            }
        }
        let whole: Vec<_> = events.iter().filter(|event| event.model.is_none()).collect();
        let downtime = outages::downtime(&whole, self.since, self.until);
        let count = |kind: HealthEventKind, of: fn(&HealthEvent) -> bool| {
            events.iter().filter(|event| event.kind == kind && of(event)).count() as u64
        };
        let share = downtime.as_secs_f64() / self.period.length().as_secs_f64();
        self.channels.push(ChannelFare {
            channel: channel.clone(),
            tally,
            availability: (1.0 - share).clamp(0.0, 1.0),
            downtime,
            ejections: count(HealthEventKind::Ejected, |event| event.model.is_none()),
            models_ejected: count(HealthEventKind::Ejected, |event| event.model.is_some()),
            failed_trials: count(HealthEventKind::TrialFailed, |_| true),
            coolings: count(HealthEventKind::Cooling, |_| true),
            probes_ok: count(HealthEventKind::ProbeOk, |_| true),
            probes_failed: count(HealthEventKind::ProbeFailed, |_| true),
            last_event: events.last().cloned(),
            live,
        });
    }

    fn order(&mut self) {
        self.channels.sort_by(|a, b| {
            let key = |fare: &ChannelFare| (!fare.is_troubled(), fare.channel.name.clone());
            key(a).cmp(&key(b))
        });
        self.slowest.sort_by_key(|slow| std::cmp::Reverse(slow.latency_p95_us));
        self.slowest.truncate(SLOWEST);
    }

    /// The commonest kinds of failure, most first.
    pub fn faults(&self) -> Vec<(FaultKind, u64)> {
        let mut faults: Vec<_> = self.total.faults.iter().map(|(kind, count)| (*kind, *count)).collect();
        faults.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        faults
    }
}

#[cfg(test)]
mod tests;
