//! Figures in JSON. Latencies are whole milliseconds, null where there were none.

use lyss_domain::{ChannelId, ChannelState, FaultKind};
use lyss_insight::LatencyHistogram;
use lyss_insight::{ChannelStanding, LastFault, ProviderStatistics, Sums};
use serde::Serialize;
use utoipa::ToSchema;

use super::condition::BreakerDto;
use crate::manage::schema;
use crate::manage::word::{Id, Moment, Named};

#[derive(Serialize, ToSchema)]
#[schema(as = ProviderStatistics)]
pub(super) struct ProviderStatisticsDto {
    provider_id: String,
    /// The tenant's channels to it, whatever their state.
    channels: u64,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ChannelStatus)]
pub(super) struct ChannelStatusDto {
    #[schema(schema_with = schema::id)]
    id: Id<ChannelId>,
    name: String,
    provider_id: String,
    #[schema(schema_with = schema::word::<ChannelState>)]
    state: Named<ChannelState>,
    has_credential: bool,
    /// Attempts under way in the process that answers.
    in_flight: u32,
    /// That of the channel as a whole, in the process that answers.
    breaker: BreakerDto,
    /// Models whose own breaker is open or half-open.
    models_ejected: Vec<String>,
    /// Until the last of its models may be asked again.
    #[schema(schema_with = schema::moment_or_null)]
    cooling_until: Option<Moment>,
    /// What is left of the vendor's rate windows, 0 to 1, at the model that has least; null: nothing is known.
    headroom: Option<f32>,
    #[serde(flatten)]
    figures: Figures,
    #[schema(schema_with = schema::moment_or_null)]
    last_attempt_at: Option<Moment>,
    last_error: Option<LastErrorDto>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = LastError)]
pub(super) struct LastErrorDto {
    /// As in usage records, such as `rate_limited` or `first_byte_timeout`.
    class: &'static str,
    #[schema(schema_with = schema::moment)]
    at: Moment,
}

/// Sums over the window that was asked for.
#[derive(Serialize, ToSchema)]
pub(super) struct Figures {
    /// Sent upstream, failed ones and retries included.
    requests: u64,
    succeeded: u64,
    failed: u64,
    client_gone: u64,
    /// Of those that succeeded or failed; null where there was neither.
    success_rate: Option<f64>,
    prompt_tokens: u64,
    completion_tokens: u64,
    cost_micros: i64,
    latency_ms: LatencyDto,
    ttft_ms: LatencyDto,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Latency)]
pub(in crate::manage) struct LatencyDto {
    mean: Option<u64>,
    p50: Option<u64>,
    p95: Option<u64>,
    p99: Option<u64>,
}

impl From<ProviderStatistics> for ProviderStatisticsDto {
    fn from(statistics: ProviderStatistics) -> Self {
        Self {
            provider_id: statistics.provider.as_str().to_owned(),
            channels: statistics.channels,
            figures: Figures::from(&statistics.sums),
        }
    }
}

impl From<ChannelStanding> for ChannelStatusDto {
    fn from(standing: ChannelStanding) -> Self {
        let ChannelStanding { channel, has_credential, live, sums, last_attempt_at, last_fault } = standing;
        Self {
            id: Id(channel.id),
            name: channel.name,
            provider_id: channel.provider.as_str().to_owned(),
            state: Named(channel.state),
            has_credential,
            in_flight: live.in_flight,
            breaker: BreakerDto::from(live.breaker),
            models_ejected: live.models_ejected,
            cooling_until: live.cooling_until.map(Moment),
            headroom: live.headroom,
            figures: Figures::from(&sums),
            last_attempt_at: last_attempt_at.map(Moment),
            last_error: last_fault.map(LastErrorDto::from),
        }
    }
}

impl From<LastFault> for LastErrorDto {
    fn from(fault: LastFault) -> Self {
        Self { class: FaultKind::as_str(fault.kind), at: Moment(fault.at) }
    }
}

impl From<&Sums> for Figures {
    fn from(sums: &Sums) -> Self {
        Self {
            requests: sums.attempts,
            succeeded: sums.succeeded,
            failed: sums.failed,
            client_gone: sums.client_gone,
            success_rate: sums.success_rate(),
            prompt_tokens: sums.prompt_tokens,
            completion_tokens: sums.completion_tokens,
            cost_micros: sums.cost_micros,
            latency_ms: LatencyDto::from(&sums.latency),
            ttft_ms: LatencyDto::from(&sums.ttft),
        }
    }
}

impl From<&LatencyHistogram> for LatencyDto {
    fn from(histogram: &LatencyHistogram) -> Self {
        let millis = |micros: u64| micros.div_ceil(1_000);
        Self {
            mean: histogram.mean().map(millis),
            p50: histogram.quantile(0.50).map(millis),
            p95: histogram.quantile(0.95).map(millis),
            p99: histogram.quantile(0.99).map(millis),
        }
    }
}
