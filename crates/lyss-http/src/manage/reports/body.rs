//! Reports in JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use lyss_domain::{ChannelId, ChannelState, HealthEventKind, Strategy};
use lyss_insight::reports::balancing::{Actual, AlgorithmFigures, MeasuredChannel, ModelComparison};
use lyss_insight::reports::health::{ChannelFare, SlowModel};
use lyss_insight::{BalancingReport, HealthReport, LabFigures, Period};
use serde::Serialize;
use utoipa::ToSchema;

use crate::manage::figures::{BreakerDto, LatencyDto, TallyDto};
use crate::manage::schema;
use crate::manage::word::{Id, Moment, Named};

#[derive(Serialize, ToSchema)]
#[schema(as = HealthReport)]
pub(super) struct HealthReportDto {
    /// The tenant's name.
    tenant: String,
    #[schema(schema_with = schema::word::<Period>)]
    period: Named<Period>,
    #[schema(schema_with = schema::moment)]
    since: Moment,
    #[schema(schema_with = schema::moment)]
    until: Moment,
    total: TallyDto,
    /// Those in trouble first, then by name.
    channels: Vec<ChannelFareDto>,
    /// Channels whose traffic is not told.
    channels_left_out: usize,
    /// By the 95th percentile of their whole answers.
    slowest: Vec<SlowModelDto>,
    /// There were more events than can be looked through: ejections and downtime are those of the newer part.
    events_cut: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ChannelFare)]
struct ChannelFareDto {
    #[schema(schema_with = schema::id)]
    id: Id<ChannelId>,
    name: String,
    provider_id: String,
    #[schema(schema_with = schema::word::<ChannelState>)]
    state: Named<ChannelState>,
    /// Now, in the process that answers.
    breaker: BreakerDto,
    troubled: bool,
    /// The part of the period in which the channel as a whole was not ejected.
    availability: f64,
    downtime_ms: u64,
    /// Of the channel as a whole.
    ejections: u64,
    /// Of single models on it.
    models_ejected: u64,
    failed_trials: u64,
    /// How often a vendor asked to be left alone.
    coolings: u64,
    probes_ok: u64,
    probes_failed: u64,
    last_event: Option<LastEventDto>,
    #[serde(flatten)]
    tally: TallyDto,
}

#[derive(Serialize, ToSchema)]
#[schema(as = LastHealthEvent)]
struct LastEventDto {
    #[schema(schema_with = schema::moment)]
    at: Moment,
    #[schema(schema_with = schema::word::<HealthEventKind>)]
    kind: Named<HealthEventKind>,
    model: Option<String>,
    reason: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SlowModel)]
struct SlowModelDto {
    channel: String,
    model: String,
    answers: u64,
    latency_ms_p50: Option<u64>,
    latency_ms_p95: Option<u64>,
    ttft_ms_p95: Option<u64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = BalancingReport)]
pub(super) struct BalancingReportDto {
    /// The tenant's name.
    tenant: String,
    #[schema(schema_with = schema::word::<Period>)]
    period: Named<Period>,
    #[schema(schema_with = schema::moment)]
    since: Moment,
    #[schema(schema_with = schema::moment)]
    until: Moment,
    /// Conversations recorded in this time, 20,000 at most.
    calls: usize,
    /// By traffic, five at most.
    models: Vec<ModelComparisonDto>,
    /// Models with traffic that fewer than two channels serve.
    without_choice: Vec<String>,
    models_left_out: usize,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ModelComparison)]
struct ModelComparisonDto {
    /// As callers ask for it.
    model: String,
    calls: usize,
    /// Played again: the busiest stretch.
    calls_simulated: usize,
    #[schema(schema_with = schema::moment)]
    from: Moment,
    span_ms: u64,
    /// Whose calls would be done first in the mean.
    #[schema(schema_with = schema::word_or_null::<Strategy>)]
    best: Option<Named<Strategy>>,
    algorithms: Vec<AlgorithmDto>,
    /// Whoever knows everything.
    oracle: ExpectedDto,
    /// What was done in the whole period, as recorded.
    actual: ActualDto,
    channels: Vec<MeasuredChannelDto>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AlgorithmExpectation)]
struct AlgorithmDto {
    #[schema(schema_with = schema::word::<Strategy>)]
    strategy: Named<Strategy>,
    #[serde(flatten)]
    expected: ExpectedDto,
}

/// Figures of simulated calls.
#[derive(Serialize, ToSchema)]
#[schema(as = ExpectedFigures)]
struct ExpectedDto {
    /// Calls a second answered wholly and begun within ten seconds.
    goodput_per_second: f64,
    success_rate: f64,
    ttft_ms: SpreadDto,
    total_ms: SpreadDto,
    failed_attempts_per_success: f64,
    cost_micros_per_call: f64,
    /// Mean time to completion; a failed call counts its timeout.
    mean_ms: f64,
    /// That over the oracle's.
    regret: f64,
    max_share: f64,
    /// Of attempts, in the order of `channels`.
    shares: Vec<f64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Spread)]
struct SpreadDto {
    p50: f64,
    p95: f64,
    p99: f64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ActualFigures)]
struct ActualDto {
    /// Which algorithms chose lately, and their parts.
    strategies: BTreeMap<&'static str, f64>,
    attempts: u64,
    success_rate: Option<f64>,
    ttft_ms: LatencyDto,
    latency_ms: LatencyDto,
    cost_micros: i64,
    /// Of attempts, in the order of `channels`.
    shares: Vec<f64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = MeasuredChannel)]
struct MeasuredChannelDto {
    #[schema(schema_with = schema::id)]
    id: Id<ChannelId>,
    name: String,
    weight: u32,
    priority: i32,
    /// Attempts it was measured by; 0: it was taken for the middle of the others.
    measured_by: u64,
    ttft_ms_p50: f64,
    ttft_ms_p95: f64,
    tpot_ms_p50: f64,
    failure_rate: f64,
    rate_limited: f64,
}

impl From<HealthReport> for HealthReportDto {
    fn from(report: HealthReport) -> Self {
        Self {
            tenant: report.tenant,
            period: Named(report.period),
            since: Moment(report.since),
            until: Moment(report.until),
            total: TallyDto::from(&report.total),
            channels: report.channels.into_iter().map(ChannelFareDto::from).collect(),
            channels_left_out: report.channels_left_out,
            slowest: report.slowest.into_iter().map(SlowModelDto::from).collect(),
            events_cut: report.events_cut,
        }
    }
}

impl From<ChannelFare> for ChannelFareDto {
    fn from(fare: ChannelFare) -> Self {
        let last_event = fare.last_event.as_ref().map(|event| LastEventDto {
            at: Moment(event.at),
            kind: Named(event.kind),
            model: event.model.clone(),
            reason: event.fault.map(lyss_domain::FaultKind::as_str),
        });
        Self {
            troubled: fare.is_troubled(),
            tally: TallyDto::from(&fare.tally),
            id: Id(fare.channel.id),
            name: fare.channel.name,
            provider_id: fare.channel.provider.as_str().to_owned(),
            state: Named(fare.channel.state),
            breaker: BreakerDto::from(fare.live.breaker),
            availability: fare.availability,
            downtime_ms: milliseconds(fare.downtime),
            ejections: fare.ejections,
            models_ejected: fare.models_ejected,
            failed_trials: fare.failed_trials,
            coolings: fare.coolings,
            probes_ok: fare.probes_ok,
            probes_failed: fare.probes_failed,
            last_event,
        }
    }
}

impl From<SlowModel> for SlowModelDto {
    fn from(slow: SlowModel) -> Self {
        let millis = |micros: u64| micros.div_ceil(1_000);
        Self {
            channel: slow.channel,
            model: slow.model,
            answers: slow.answers,
            latency_ms_p50: slow.latency_p50_us.map(millis),
            latency_ms_p95: slow.latency_p95_us.map(millis),
            ttft_ms_p95: slow.ttft_p95_us.map(millis),
        }
    }
}

impl From<BalancingReport> for BalancingReportDto {
    fn from(report: BalancingReport) -> Self {
        Self {
            tenant: report.tenant,
            period: Named(report.period),
            since: Moment(report.since),
            until: Moment(report.until),
            calls: report.calls,
            models: report.models.into_iter().map(ModelComparisonDto::from).collect(),
            without_choice: report.without_choice,
            models_left_out: report.models_left_out,
        }
    }
}

impl From<ModelComparison> for ModelComparisonDto {
    fn from(model: ModelComparison) -> Self {
        Self {
            best: model.best().map(|best| Named(best.strategy)),
            calls: model.calls,
            calls_simulated: model.simulated,
            from: Moment(model.from),
            span_ms: milliseconds(model.span),
            algorithms: model.algorithms.iter().map(AlgorithmDto::from).collect(),
            oracle: ExpectedDto::from(&model.oracle),
            actual: ActualDto::from(&model.actual),
            channels: model.channels.iter().map(MeasuredChannelDto::from).collect(),
            model: model.model,
        }
    }
}

impl From<&AlgorithmFigures> for AlgorithmDto {
    fn from(one: &AlgorithmFigures) -> Self {
        Self { strategy: Named(one.strategy), expected: ExpectedDto::from(&one.figures) }
    }
}

impl From<&LabFigures> for ExpectedDto {
    fn from(figures: &LabFigures) -> Self {
        let spread =
            |spread: lyss_insight::LabSpread| SpreadDto { p50: spread.p50, p95: spread.p95, p99: spread.p99 };
        Self {
            goodput_per_second: figures.goodput_per_s,
            success_rate: figures.success,
            ttft_ms: spread(figures.ttft_ms),
            total_ms: spread(figures.total_ms),
            failed_attempts_per_success: figures.failed_per_success,
            cost_micros_per_call: figures.spent_micros_per_call,
            mean_ms: figures.cost_ms,
            regret: figures.regret,
            max_share: figures.max_share,
            shares: figures.shares.clone(),
        }
    }
}

impl From<&Actual> for ActualDto {
    fn from(actual: &Actual) -> Self {
        let strategies = actual.strategies.iter().map(|(strategy, share)| (strategy.as_str(), *share));
        Self {
            strategies: strategies.collect(),
            attempts: actual.attempts,
            success_rate: actual.success_rate,
            ttft_ms: LatencyDto::from(&actual.ttft),
            latency_ms: LatencyDto::from(&actual.latency),
            cost_micros: actual.cost_micros,
            shares: actual.shares.clone(),
        }
    }
}

impl From<&MeasuredChannel> for MeasuredChannelDto {
    fn from(channel: &MeasuredChannel) -> Self {
        let figures = &channel.figures;
        let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
        Self {
            id: Id(channel.id),
            name: figures.name.clone(),
            weight: figures.weight,
            priority: figures.priority,
            measured_by: channel.measured,
            ttft_ms_p50: millis(figures.ttft.p50),
            ttft_ms_p95: millis(figures.ttft.p95),
            tpot_ms_p50: millis(figures.tpot.p50),
            failure_rate: figures.failure_rate,
            rate_limited: figures.rate_limited,
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
