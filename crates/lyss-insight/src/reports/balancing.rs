//! What each of the five algorithms would do on a tenant's own channels under its own traffic, by the laboratory, beside what
//! was done.

mod figures;
mod kept;
mod shown;

use std::collections::BTreeMap;
use std::time::Duration;

use lyss_domain::{ChannelId, Operation, Strategy, TenantId, TenantScope, Timestamp};
use lyss_lab::tenant::{ChannelFigures, RecordedArrivals, TrafficFigures, scenario};
use lyss_lab::{Figures, Policy};
use lyss_repositories::{Arrival, LatencyHistogram, StoreError};

use super::{Document, Period};
use crate::Insight;
pub use kept::KeptReports;

/// Recorded calls that are looked through, the newest.
const MOST_RECORDED: u32 = 20_000;

/// Models that are compared, by traffic, and calls of each that are played again.
const MOST_MODELS: usize = 5;
const MOST_CALLS: usize = 1_000;

/// The busiest stretch of this length is played again: there the algorithms differ most.
const STRETCH: Duration = Duration::from_hours(1);

/// Fewer calls are played several times over, so that chance has less of a say.
const ENOUGH_CALLS: usize = 300;

/// Attempts whose algorithm is looked at.
const RECENT: u32 = 2_000;

#[derive(Clone, Debug, PartialEq)]
pub struct BalancingReport {
    pub tenant: String,
    pub period: Period,
    pub since: Timestamp,
    pub until: Timestamp,
    /// Conversations recorded in this time, up to a bound.
    pub calls: usize,
    /// By traffic.
    pub models: Vec<ModelComparison>,
    /// Models with traffic that only one channel serves, or none any more: there is nothing to choose.
    pub without_choice: Vec<String>,
    /// More models had traffic.
    pub models_left_out: usize,
}

/// One model that several channels serve.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelComparison {
    /// As callers ask for it.
    pub model: String,
    /// Recorded in the period, and of these played again.
    pub calls: usize,
    pub simulated: usize,
    /// The stretch that was played again.
    pub from: Timestamp,
    pub span: Duration,
    pub channels: Vec<MeasuredChannel>,
    /// In the order of [`Strategy::ALL`].
    pub algorithms: Vec<AlgorithmFigures>,
    /// Whoever knows everything: in the mean nothing does better, by luck a little may.
    pub oracle: Figures,
    pub actual: Actual,
}

/// A channel as it went into the simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredChannel {
    pub id: ChannelId,
    pub figures: ChannelFigures,
    /// Attempts it was measured by; 0: it was taken for as good as the others.
    pub measured: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlgorithmFigures {
    pub strategy: Strategy,
    pub figures: Figures,
}

/// What was done in the period.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actual {
    /// The algorithms that served it lately, the commonest first, with their parts.
    pub strategies: Vec<(Strategy, f64)>,
    pub attempts: u64,
    pub success_rate: Option<f64>,
    pub ttft: LatencyHistogram,
    pub latency: LatencyHistogram,
    pub cost_micros: i64,
    /// Of attempts, in the order of the channels.
    pub shares: Vec<f64>,
}

impl BalancingReport {
    pub fn document(&self) -> Document {
        shown::document(self)
    }

    /// Why there is nothing to compare, where nothing was recorded that could be played again.
    pub fn lack(&self) -> Option<String> {
        self.is_empty().then(|| shown::empty(self))
    }

    /// True where nothing was recorded that could be played again.
    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
    }
}

impl ModelComparison {
    /// The algorithm whose calls were done first in the mean, failures counted as their timeout.
    pub fn best(&self) -> Option<&AlgorithmFigures> {
        self.algorithms.iter().min_by(|a, b| a.figures.cost_ms.total_cmp(&b.figures.cost_ms))
    }
}

impl Insight {
    /// As it was made in the last minutes, else made now. Only one is made at a time. `None`: there is no such tenant.
    pub async fn balancing_report(
        &self,
        scope: &TenantScope,
        period: Period,
    ) -> Result<Option<BalancingReport>, StoreError> {
        let mut kept = self.kept.lock().await;
        if let Some(report) = kept.fresh(scope.tenant(), period, self.clock.now()) {
            return Ok(Some(report));
        }
        let Some(report) = self.compare(scope, period).await? else { return Ok(None) };
        kept.keep(scope.tenant(), report.clone());
        Ok(Some(report))
    }

    async fn compare(
        &self,
        scope: &TenantScope,
        period: Period,
    ) -> Result<Option<BalancingReport>, StoreError> {
        let until = self.clock.now();
        let since = until.before(period.length());
        let recorded = self.attempts.traffic(scope, since, MOST_RECORDED).await?;
        let catalog = self.catalog.load();
        let Some(entry) = catalog.tenant(scope.tenant()) else { return Ok(None) };
        let by_model = by_model(&recorded);
        let mut report = BalancingReport {
            tenant: entry.tenant.name.clone(),
            period,
            since,
            until,
            calls: by_model.iter().map(|(_, calls)| calls.len()).sum(),
            models: Vec::new(),
            without_choice: Vec::new(),
            models_left_out: 0,
        };
        let used = self.strategies_used(scope, since).await?;
        let mut figures = figures::Measuring::new(self, scope, since);
        for (model, calls) in by_model {
            let serving = self.live.serving(scope.tenant(), model);
            if serving.len() < 2 {
                report.without_choice.push(model.to_owned());
                continue;
            }
            if report.models.len() >= MOST_MODELS {
                report.models_left_out += 1;
                continue;
            }
            let measured = figures.of(entry, model, &serving, until).await?;
            let strategies = used.get(model).map(shares).unwrap_or_default();
            let actual = Actual { strategies, ..measured.actual };
            report.models.push(played(model, &calls, measured.channels, actual).await);
        }
        report.without_choice.truncate(MOST_RECORDED as usize / 1_000);
        Ok(Some(report))
    }

    /// By model, how often which algorithm chose, of the newest attempts.
    async fn strategies_used(
        &self,
        scope: &TenantScope,
        since: Timestamp,
    ) -> Result<BTreeMap<String, BTreeMap<Strategy, u64>>, StoreError> {
        let mut used: BTreeMap<String, BTreeMap<Strategy, u64>> = BTreeMap::new();
        for record in self.attempts.recent(scope, RECENT).await? {
            if record.started_at >= since && record.operation == Operation::Chat {
                *used.entry(record.model_asked).or_default().entry(record.strategy).or_default() += 1;
            }
        }
        Ok(used)
    }
}

/// Conversations by the model that was asked for, those with most calls first; each in the order of time.
fn by_model(recorded: &[Arrival]) -> Vec<(&str, Vec<&Arrival>)> {
    let mut by_model: BTreeMap<&str, Vec<&Arrival>> = BTreeMap::new();
    for call in recorded.iter().filter(|call| call.operation == Operation::Chat) {
        by_model.entry(&call.model).or_default().push(call);
    }
    let mut by_model: Vec<_> = by_model.into_iter().collect();
    by_model.sort_by_key(|(_, calls)| std::cmp::Reverse(calls.len()));
    by_model
}

fn shares(counts: &BTreeMap<Strategy, u64>) -> Vec<(Strategy, f64)> {
    let all = counts.values().sum::<u64>().max(1) as f64;
    let mut shares: Vec<_> =
        counts.iter().map(|(strategy, count)| (*strategy, *count as f64 / all)).collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares
}

async fn played(
    model: &str,
    calls: &[&Arrival],
    channels: Vec<MeasuredChannel>,
    actual: Actual,
) -> ModelComparison {
    let stretch = busiest(calls);
    let from = stretch.first().map(|call| call.at).unwrap_or_default();
    let traffic = traffic(stretch, from);
    let measured: Vec<_> = channels.iter().map(|channel| channel.figures.clone()).collect();
    let (name, span, simulated) = (model.to_owned(), traffic.span, stretch.len());
    // Away from those who serve: it computes for as long as it takes.
    let ran = tokio::task::spawn_blocking(move || simulate(&name, &measured, &traffic));
    let (oracle, algorithms) = ran.await.unwrap_or_default();
    ModelComparison {
        model: model.to_owned(),
        calls: calls.len(),
        simulated,
        from,
        span,
        channels,
        algorithms,
        oracle,
        actual,
    }
}

/// The most calls that came within [`STRETCH`], up to [`MOST_CALLS`] of them; of equally many those that came closest.
fn busiest<'a>(calls: &'a [&'a Arrival]) -> &'a [&'a Arrival] {
    let (mut begin, mut best) = (0, 0..0);
    let span = |begin: usize, end: usize| {
        let pair = calls.get(begin).zip(calls.get(end));
        pair.map_or(Duration::MAX, |(first, last)| last.at.since(first.at))
    };
    let mut shortest = Duration::MAX;
    for end in 0..calls.len() {
        while span(begin, end) > STRETCH || end + 1 - begin > MOST_CALLS {
            begin += 1;
        }
        let (count, time) = (end + 1 - begin, span(begin, end));
        if count > best.len() || (count == best.len() && time < shortest) {
            (best, shortest) = (begin..end + 1, time);
        }
    }
    calls.get(best).unwrap_or_default()
}

fn traffic(calls: &[&Arrival], from: Timestamp) -> TrafficFigures {
    let arrivals: Vec<_> = calls.iter().map(|call| call.at.since(from)).collect();
    let usual = |of: fn(&Arrival) -> u64, otherwise: u64| {
        let counted: Vec<_> = calls.iter().map(|call| of(call)).filter(|tokens| *tokens > 0).collect();
        counted.iter().sum::<u64>().checked_div(counted.len() as u64).unwrap_or(otherwise).max(1)
    };
    // Of a call that failed nothing was counted: it was as large as the others.
    let sizes = |of: fn(&Arrival) -> u64, otherwise: u64| {
        let usual = usual(of, otherwise);
        let sized = calls.iter().map(|call| if of(call) > 0 { of(call) } else { usual });
        sized.map(|tokens| u32::try_from(tokens).unwrap_or(u32::MAX)).collect::<Vec<_>>()
    };
    let last = arrivals.last().copied().unwrap_or_default();
    TrafficFigures {
        prompt_tokens: sizes(|call| call.prompt_tokens, 500),
        output_tokens: sizes(|call| call.output_tokens, 200),
        span: last.saturating_add(Duration::from_secs(1)),
        arrivals: RecordedArrivals::At(arrivals),
        replicas: 1,
    }
}

fn simulate(
    name: &str,
    channels: &[ChannelFigures],
    traffic: &TrafficFigures,
) -> (Figures, Vec<AlgorithmFigures>) {
    let mut scenario = scenario(name, channels, traffic);
    // One process hears of nobody, and hints would be most of the work.
    scenario.hints_every = None;
    if traffic.prompt_tokens.len() < ENOUGH_CALLS {
        scenario.seeds = vec![1, 2, 3, 4];
    }
    let policies = std::iter::once(Policy::Oracle).chain(Strategy::ALL.map(Policy::Algorithm));
    let report = lyss_lab::simulate_with(&scenario, &policies.collect::<Vec<_>>());
    let oracle = report.row(Policy::Oracle).map(|row| row.figures.clone()).unwrap_or_default();
    let of = |strategy| report.row(Policy::Algorithm(strategy)).map(|row| row.figures.clone());
    let algorithms = Strategy::ALL
        .into_iter()
        .filter_map(|strategy| Some(AlgorithmFigures { strategy, figures: of(strategy)? }));
    (oracle, algorithms.collect())
}

/// Which channels serve a model now, and under which name each vendor knows it.
pub type Serving = Vec<(ChannelId, String)>;

/// Whose report.
pub(crate) type Whose = (TenantId, Period);

#[cfg(test)]
mod tests;
