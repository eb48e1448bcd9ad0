//! One channel's figures in JSON.

use std::collections::BTreeMap;

use lyss_domain::{ChannelId, ChannelState};
use lyss_insight::{ChannelMetrics, MetricsPoint, ModelMetrics, SeriesInterval, Tally};
use serde::Serialize;
use utoipa::ToSchema;

use super::body::Figures;
use crate::manage::schema;
use crate::manage::word::{Id, Moment, Named};

#[derive(Serialize, ToSchema)]
#[schema(as = ChannelMetrics)]
pub(super) struct ChannelMetricsDto {
    #[schema(schema_with = schema::id)]
    id: Id<ChannelId>,
    name: String,
    provider_id: String,
    #[schema(schema_with = schema::word::<ChannelState>)]
    state: Named<ChannelState>,
    #[schema(schema_with = schema::moment)]
    since: Moment,
    #[schema(schema_with = schema::moment)]
    until: Moment,
    #[schema(schema_with = schema::word::<SeriesInterval>)]
    interval: Named<SeriesInterval>,
    /// Attempts under way in the process that answers.
    in_flight: u32,
    total: TallyDto,
    /// Those with most traffic first, 100 at most.
    models: Vec<ModelMetricsDto>,
    /// How many more models had traffic.
    models_left_out: usize,
    /// One point for each interval, also where nothing happened; the first and the last one may be cut short.
    series: Vec<PointDto>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ChannelModelMetrics)]
struct ModelMetricsDto {
    /// As the vendor knows it.
    model: String,
    in_flight: u32,
    #[serde(flatten)]
    tally: TallyDto,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ChannelMetricsPoint)]
struct PointDto {
    /// When the interval began.
    #[schema(schema_with = schema::moment)]
    at: Moment,
    #[serde(flatten)]
    tally: TallyDto,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ChannelFigures)]
pub(in crate::manage) struct TallyDto {
    #[serde(flatten)]
    figures: Figures,
    /// Requests a second.
    qps: Option<f64>,
    /// How many attempts failed of what, such as `rate_limited` or `first_byte_timeout`.
    errors: BTreeMap<&'static str, u64>,
}

impl From<ChannelMetrics> for ChannelMetricsDto {
    fn from(metrics: ChannelMetrics) -> Self {
        let channel = metrics.channel;
        Self {
            id: Id(channel.id),
            name: channel.name,
            provider_id: channel.provider.as_str().to_owned(),
            state: Named(channel.state),
            since: Moment(metrics.since),
            until: Moment(metrics.until),
            interval: Named(metrics.interval),
            in_flight: metrics.in_flight,
            total: TallyDto::from(&metrics.total),
            models: metrics.models.into_iter().map(ModelMetricsDto::from).collect(),
            models_left_out: metrics.models_left_out,
            series: metrics.series.iter().map(PointDto::from).collect(),
        }
    }
}

impl From<ModelMetrics> for ModelMetricsDto {
    fn from(model: ModelMetrics) -> Self {
        Self { tally: TallyDto::from(&model.tally), in_flight: model.in_flight, model: model.model }
    }
}

impl From<&MetricsPoint> for PointDto {
    fn from(point: &MetricsPoint) -> Self {
        Self { at: Moment(point.at), tally: TallyDto::from(&point.tally) }
    }
}

impl From<&Tally> for TallyDto {
    fn from(tally: &Tally) -> Self {
        Self {
            figures: Figures::from(&tally.sums),
            qps: tally.per_second(),
            errors: tally.faults.iter().map(|(kind, count)| (kind.as_str(), *count)).collect(),
        }
    }
}
