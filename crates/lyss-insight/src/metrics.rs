//! What one channel did over a window: in total, per model, and over time.

use std::collections::BTreeMap;
use std::time::Duration;

use lyss_domain::{Channel, ChannelId, FaultKind, TenantScope, Timestamp};
use lyss_repositories::{SeriesPoint, StoreError};

use crate::{Insight, StatisticsWindow, Sums};

/// Points of a series at most: a caller that wants them finer asks for a shorter window.
pub const MOST_POINTS: u64 = 1_500;

/// Models told one by one, those with most traffic; a caller may invent names without end.
pub const MOST_MODELS: usize = 100;

/// How far apart the points of a series are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeriesInterval {
    Minute,
    FiveMinutes,
    QuarterHour,
    Hour,
    SixHours,
    Day,
}

/// What is asked of a channel's figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsAsk {
    pub window: StatisticsWindow,
    /// `None`: what suits the window.
    pub interval: Option<SeriesInterval>,
    /// As the vendor knows it; `None`: all.
    pub model: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ChannelMetrics {
    pub channel: Channel,
    pub since: Timestamp,
    pub until: Timestamp,
    pub interval: SeriesInterval,
    /// At this moment, in the process that was asked.
    pub in_flight: u32,
    pub total: Tally,
    /// By traffic, at most [`MOST_MODELS`].
    pub models: Vec<ModelMetrics>,
    /// How many models had traffic and are not among these.
    pub models_left_out: usize,
    /// One point for each interval, also where nothing happened.
    pub series: Vec<MetricsPoint>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ModelMetrics {
    /// As the vendor knows it.
    pub model: String,
    pub in_flight: u32,
    pub tally: Tally,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MetricsPoint {
    /// When the interval began. The first and the last one may be cut short by the window.
    pub at: Timestamp,
    pub tally: Tally,
}

/// Figures, what went wrong, and over how long a time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub sums: Sums,
    pub faults: BTreeMap<FaultKind, u64>,
    pub span: Duration,
}

impl SeriesInterval {
    pub const ALL: [Self; 6] =
        [Self::Minute, Self::FiveMinutes, Self::QuarterHour, Self::Hour, Self::SixHours, Self::Day];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::FiveMinutes => "5m",
            Self::QuarterHour => "15m",
            Self::Hour => "1h",
            Self::SixHours => "6h",
            Self::Day => "1d",
        }
    }

    pub const fn length(self) -> Duration {
        match self {
            Self::Minute => Duration::from_mins(1),
            Self::FiveMinutes => Duration::from_mins(5),
            Self::QuarterHour => Duration::from_mins(15),
            Self::Hour => Duration::from_hours(1),
            Self::SixHours => Duration::from_hours(6),
            Self::Day => Duration::from_hours(24),
        }
    }

    /// What suits a window: 12 to 60 points.
    pub const fn suiting(window: StatisticsWindow) -> Self {
        match window {
            StatisticsWindow::Hour => Self::Minute,
            StatisticsWindow::Day => Self::Hour,
            StatisticsWindow::Week => Self::SixHours,
            StatisticsWindow::Month => Self::Day,
        }
    }

    /// Whether a window is told in no more points than [`MOST_POINTS`].
    pub fn fits(self, window: StatisticsWindow) -> bool {
        window.length().as_secs() / self.length().as_secs() <= MOST_POINTS
    }

    /// When the interval began that `at` lies in.
    fn floor(self, at: Timestamp) -> Timestamp {
        let length = i64::try_from(self.length().as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(at.as_micros().div_euclid(length).saturating_mul(length))
    }
}

impl Tally {
    /// Requests a second; `None`: over no time.
    pub fn per_second(&self) -> Option<f64> {
        let seconds = self.span.as_secs_f64();
        (seconds > 0.0).then(|| self.sums.attempts as f64 / seconds)
    }

    pub(crate) fn over(span: Duration) -> Self {
        Self { span, ..Self::default() }
    }

    pub(crate) fn add(&mut self, point: &SeriesPoint) {
        self.sums.add_point(point);
        for (kind, count) in &point.faults {
            let known = self.faults.entry(*kind).or_default();
            *known = known.saturating_add(*count);
        }
    }
}

impl Insight {
    /// `None`: the tenant has no such channel.
    pub async fn channel_metrics(
        &self,
        scope: &TenantScope,
        id: ChannelId,
        ask: &MetricsAsk,
    ) -> Result<Option<ChannelMetrics>, StoreError> {
        let Some(channel) = self.channel(scope, id) else { return Ok(None) };
        let until = self.clock.now();
        let since = ask.window.since(until);
        let interval = ask.interval.unwrap_or_else(|| SeriesInterval::suiting(ask.window));
        let mut points = self.attempts.channel_series(scope, id, since, interval.length()).await?;
        if let Some(model) = &ask.model {
            points.retain(|point| point.model == *model);
        }
        let mut told = ChannelMetrics {
            channel,
            since,
            until,
            interval,
            in_flight: self.live.in_flight(id),
            total: Tally::over(until.since(since)),
            models: Vec::new(),
            models_left_out: 0,
            series: empty_series(interval, since, until),
        };
        told.fill(&points);
        for model in &mut told.models {
            model.in_flight = self.model_in_flight(id, &model.model);
        }
        Ok(Some(told))
    }
}

impl ChannelMetrics {
    fn fill(&mut self, points: &[SeriesPoint]) {
        let mut models: BTreeMap<&str, Tally> = BTreeMap::new();
        let first = self.series.first().map(|point| point.at);
        for point in points {
            self.total.add(point);
            models.entry(&point.model).or_insert_with(|| Tally::over(self.total.span)).add(point);
            let place = first.map(|first| point.at.since(first).as_secs() / self.interval.length().as_secs());
            let place = place.and_then(|place| usize::try_from(place).ok());
            // What began after the window's end stands in its last interval.
            let last = self.series.len().saturating_sub(1);
            if let Some(known) = place.and_then(|place| self.series.get_mut(place.min(last))) {
                known.tally.add(point);
            }
        }
        let told = models.into_iter().map(|(model, tally)| ModelMetrics {
            model: model.to_owned(),
            in_flight: 0,
            tally,
        });
        self.models = told.collect();
        // Stable: equals stay by name.
        self.models.sort_by_key(|model| std::cmp::Reverse(model.tally.sums.attempts));
        self.models_left_out = self.models.len().saturating_sub(MOST_MODELS);
        self.models.truncate(MOST_MODELS);
    }
}

/// A point for each interval that the time from `since` to `until` touches.
fn empty_series(interval: SeriesInterval, since: Timestamp, until: Timestamp) -> Vec<MetricsPoint> {
    let begin = interval.floor(since);
    let mut series = Vec::new();
    let mut at = begin;
    while at < until {
        let next = at.after(interval.length());
        series.push(MetricsPoint { at, tally: Tally::over(next.min(until).since(at.max(since))) });
        at = next;
    }
    series
}

#[cfg(test)]
mod tests;
