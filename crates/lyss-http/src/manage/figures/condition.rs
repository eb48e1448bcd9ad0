//! How one channel is, in JSON.

use std::time::Duration;

use lyss_domain::{ChannelId, ChannelState, HealthEvent, HealthEventKind, HealthSource};
use lyss_insight::{BreakerCondition, ChannelCondition, Histogram, ModelCondition, Phase};
use lyss_management::Page;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::LastErrorDto;
use crate::manage::schema;
use crate::manage::word::{Id, Moment, Named};

#[derive(Serialize, ToSchema)]
#[schema(as = ChannelHealth)]
pub(super) struct ChannelHealthDto {
    #[schema(schema_with = schema::id)]
    id: Id<ChannelId>,
    name: String,
    provider_id: String,
    /// What its administrator wants; no breaker changes it.
    #[schema(schema_with = schema::word::<ChannelState>)]
    state: Named<ChannelState>,
    has_credential: bool,
    /// That of the channel as a whole; each model has one of its own.
    breaker: BreakerDto,
    /// Models whose own breaker is open or half-open.
    models_ejected: Vec<String>,
    /// Until the last of its models may be asked again.
    #[schema(schema_with = schema::moment_or_null)]
    cooling_until: Option<Moment>,
    last_error: Option<LastErrorDto>,
    /// Attempts under way in the process that answers.
    in_flight: u32,
    concurrency_limit: Option<u32>,
    /// Expected share of good attempts, newer ones weighing more; null: nothing was learned.
    success_rate: Option<f32>,
    /// Judged attempts since it was last reopened, over all models.
    samples: u64,
    /// What is left of the vendor's rate windows, 0 to 1, at the model that has least.
    headroom: Option<f32>,
    /// Of the last five to ten minutes.
    #[serde(flatten)]
    times: TimesDto,
    models: Vec<ModelHealthDto>,
    /// What happened before, newest first.
    #[schema(inline)]
    history: HistoryDto,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ModelHealth)]
struct ModelHealthDto {
    /// As the vendor knows it.
    model: String,
    breaker: BreakerDto,
    #[schema(schema_with = schema::moment_or_null)]
    cooling_until: Option<Moment>,
    last_error: Option<LastErrorDto>,
    #[schema(schema_with = schema::moment_or_null)]
    last_attempt_at: Option<Moment>,
    in_flight: u32,
    /// In other processes of this service, as they last said.
    in_flight_elsewhere: u32,
    success_rate: Option<f32>,
    samples: u32,
    headroom: f32,
    learned_limit: Option<LearnedLimitDto>,
    /// How many attempts it is believed to bear at once; null: not learned.
    learned_concurrency: Option<u32>,
    #[serde(flatten)]
    times: TimesDto,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Breaker)]
pub(in crate::manage) struct BreakerDto {
    #[schema(schema_with = schema::word::<Phase>)]
    state: Named<Phase>,
    /// What it was opened for, as in usage records; null while it is closed.
    reason: Option<&'static str>,
    #[schema(schema_with = schema::moment_or_null)]
    since: Option<Moment>,
    /// When a single request will show whether it is well again.
    #[schema(schema_with = schema::moment_or_null)]
    until: Option<Moment>,
    /// How often it opened without being well for long between.
    openings: u32,
}

/// By the minute, as the vendor's refusals taught.
#[derive(Serialize, ToSchema)]
#[schema(as = LearnedLimit)]
struct LearnedLimitDto {
    requests_per_minute: f32,
    tokens_per_minute: f32,
}

#[derive(Serialize, ToSchema)]
struct TimesDto {
    /// To the first token.
    ttft_ms: QuantilesDto,
    /// For each further token.
    tpot_ms: QuantilesDto,
    /// To the end.
    total_ms: QuantilesDto,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Quantiles)]
struct QuantilesDto {
    count: u64,
    p50: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
}

#[derive(Serialize, ToSchema)]
struct HistoryDto {
    items: Vec<HealthEventDto>,
    total: u64,
    page: u32,
    page_size: u32,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HealthEvent)]
struct HealthEventDto {
    #[schema(schema_with = schema::id)]
    id: String,
    #[schema(schema_with = schema::moment)]
    at: Moment,
    #[schema(schema_with = schema::word::<HealthEventKind>)]
    kind: Named<HealthEventKind>,
    /// As the vendor knows it; null: the channel as a whole.
    model: Option<String>,
    /// What went wrong, as in usage records.
    reason: Option<&'static str>,
    /// For how long it is to be left alone.
    for_ms: Option<u64>,
    /// What was noticed by the tenant's own calls, and what by asking.
    #[schema(schema_with = schema::word::<HealthSource>)]
    source: Named<HealthSource>,
    latency_ms: Option<u64>,
}

impl ChannelHealthDto {
    pub(super) fn of(condition: ChannelCondition, page: Page) -> Self {
        let ChannelCondition { channel, has_credential, live, models, times, history } = condition;
        Self {
            id: Id(channel.id),
            name: channel.name,
            provider_id: channel.provider.as_str().to_owned(),
            state: Named(channel.state),
            has_credential,
            breaker: BreakerDto::from(live.breaker),
            models_ejected: live.models_ejected,
            cooling_until: live.cooling_until.map(Moment),
            last_error: live.last_fault.map(LastErrorDto::from),
            in_flight: live.in_flight,
            concurrency_limit: channel.limits.concurrency,
            success_rate: live.success_rate,
            samples: live.samples,
            headroom: live.headroom,
            times: TimesDto::from(&times),
            models: models.into_iter().map(ModelHealthDto::from).collect(),
            history: HistoryDto {
                items: history.items.into_iter().map(HealthEventDto::from).collect(),
                total: history.total,
                page: page.number,
                page_size: page.size,
            },
        }
    }
}

impl From<ModelCondition> for ModelHealthDto {
    fn from(model: ModelCondition) -> Self {
        let limit = |(requests_per_minute, tokens_per_minute)| LearnedLimitDto {
            requests_per_minute,
            tokens_per_minute,
        };
        Self {
            times: TimesDto::from(&model.times),
            model: model.model,
            breaker: BreakerDto::from(model.breaker),
            cooling_until: model.cooling_until.map(Moment),
            last_error: model.last_fault.map(LastErrorDto::from),
            last_attempt_at: model.last_sent_at.map(Moment),
            in_flight: model.in_flight,
            in_flight_elsewhere: model.in_flight_elsewhere,
            success_rate: model.success_rate,
            samples: model.samples,
            headroom: model.headroom,
            learned_limit: model.learned_limit.map(limit),
            learned_concurrency: model.learned_concurrency,
        }
    }
}

impl From<BreakerCondition> for BreakerDto {
    fn from(breaker: BreakerCondition) -> Self {
        Self {
            state: Named(breaker.phase),
            reason: breaker.fault.map(lyss_domain::FaultKind::as_str),
            since: breaker.since.map(Moment),
            until: breaker.until.map(Moment),
            openings: breaker.openings,
        }
    }
}

impl From<&lyss_insight::Times> for TimesDto {
    fn from(times: &lyss_insight::Times) -> Self {
        Self {
            ttft_ms: QuantilesDto::from(&times.ttft),
            tpot_ms: QuantilesDto::from(&times.tpot),
            total_ms: QuantilesDto::from(&times.total),
        }
    }
}

impl From<&Histogram> for QuantilesDto {
    fn from(times: &Histogram) -> Self {
        let at = |q| times.quantile(q).map(milliseconds);
        Self { count: times.count(), p50: at(0.50), p95: at(0.95), p99: at(0.99) }
    }
}

impl From<HealthEvent> for HealthEventDto {
    fn from(event: HealthEvent) -> Self {
        let whole = |time: Duration| u64::try_from(time.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX);
        Self {
            id: event.id.to_string(),
            at: Moment(event.at),
            kind: Named(event.kind),
            model: event.model,
            reason: event.fault.map(lyss_domain::FaultKind::as_str),
            for_ms: event.lasting.map(whole),
            source: Named(event.source),
            latency_ms: event.latency.map(whole),
        }
    }
}

/// To a hundredth: a token takes a few of them.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}
