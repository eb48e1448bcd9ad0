//! How providers and channels did and do: `/api/v1/providers/statistics`, `/api/v1/channels/status/overview`, and a single
//! channel's `/health` and `/metrics`. Read from usage records, from the history of health, and from what the pipeline knows
//! at this moment.

mod body;
mod condition;
mod metrics;

use actix_web::http::Method;
use actix_web::web::Data;
use lyss_domain::{ChannelId, HealthEventKind, HealthSource};
use lyss_insight::{HealthEventFilter, Insight, MetricsAsk, SeriesInterval, StatisticsWindow, StoreError};
use lyss_management::ManagementError;

use super::address::At;
use super::authorized::Authorized;
use super::code::Code;
use super::failure::Failure;
use super::managed::managed;
use super::may;
use super::query::Query;
use super::reply::Reply;
use super::schema;
use super::use_cases::UseCases;
use crate::table::RouteEntry;
pub(super) use body::LatencyDto;
use body::{ChannelStatusDto, ProviderStatisticsDto};
pub(super) use condition::BreakerDto;
use condition::ChannelHealthDto;
use metrics::ChannelMetricsDto;
pub(super) use metrics::TallyDto;

pub(super) fn routes() -> Vec<RouteEntry> {
    let entry = |path, handler, tag, says| RouteEntry::managed(Method::GET, path, handler).says(tag, says);
    vec![
        entry("/api/v1/providers/statistics", managed(statistics), "providers", "What each provider did")
            .explains("One entry for each provider that the tenant has a channel to, or used in this time.")
            .tells::<ProviderStatisticsDto>()
            .filter("window", schema::word::<StatisticsWindow>()),
        entry("/api/v1/channels/status/overview", managed(overview), "channels", "How every channel stands")
            .explains("Breakers, waits and attempts under way are those of the process that answers.")
            .tells::<ChannelStatusDto>()
            .filter("window", schema::word::<StatisticsWindow>()),
        entry(
            "/api/v1/channels/{id}/health",
            managed(health),
            "channels",
            "How a channel is, and what happened to it",
        )
        .explains(
            "What was learned is that of the process that answers; the history is everybody's, newest first.",
        )
        .answers::<ChannelHealthDto>()
        .pages()
        .filter("kind", schema::word::<HealthEventKind>())
        .filter("model", schema::text())
        .filter("source", schema::word::<HealthSource>())
        .filter("since", schema::moment()),
        entry("/api/v1/channels/{id}/metrics", managed(metrics), "channels", "What a channel did")
            .explains("In total, per model and over time. A window is told in 1,500 points at most.")
            .answers::<ChannelMetricsDto>()
            .filter("window", schema::word::<StatisticsWindow>())
            .filter("interval", schema::word::<SeriesInterval>())
            .filter("model", schema::text()),
    ]
}

async fn statistics(
    access: Authorized<may::ReadUsage>,
    mut query: Query,
    insight: Data<Insight>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let window = query.word("window").unwrap_or_default();
    let page = query.last_page()?;
    let (scope, insight) = (access.scope(), insight.into_inner());
    let read = async move { insight.provider_statistics(&scope, window).await.map_err(unread) };
    Reply::part::<_, ProviderStatisticsDto>(use_cases.detached(read).await?, page)
}

async fn overview(
    access: Authorized<may::ReadChannels>,
    mut query: Query,
    insight: Data<Insight>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let window = query.word("window").unwrap_or_default();
    let page = query.last_page()?;
    let (scope, insight) = (access.scope(), insight.into_inner());
    let read = async move { insight.channel_overview(&scope, window).await.map_err(unread) };
    Reply::part::<_, ChannelStatusDto>(use_cases.detached(read).await?, page)
}

async fn health(
    access: Authorized<may::ReadChannels>,
    id: At<ChannelId>,
    mut query: Query,
    insight: Data<Insight>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let filter = HealthEventFilter {
        kind: query.word("kind"),
        model: query.text("model"),
        source: query.word("source"),
        from: query.moment("since"),
        ..HealthEventFilter::default()
    };
    let page = query.last_page()?;
    let (scope, insight) = (access.scope(), insight.into_inner());
    let read = async move { insight.channel_condition(&scope, id.0, filter, page).await.map_err(unread) };
    let condition = use_cases.detached(read).await?.ok_or_else(|| Failure::new(Code::ChannelNotFound))?;
    Reply::ok(&ChannelHealthDto::of(condition, page))
}

async fn metrics(
    access: Authorized<may::ReadChannels>,
    id: At<ChannelId>,
    mut query: Query,
    insight: Data<Insight>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let ask = MetricsAsk {
        window: query.word("window").unwrap_or_default(),
        interval: query.word("interval"),
        model: query.text("model"),
    };
    if ask.interval.is_some_and(|interval| !interval.fits(ask.window)) {
        query.refuse("interval", "is too short for this window: 1,500 points are told at most");
    }
    query.done()?;
    let (scope, insight) = (access.scope(), insight.into_inner());
    let read = async move { insight.channel_metrics(&scope, id.0, &ask).await.map_err(unread) };
    let metrics = use_cases.detached(read).await?.ok_or_else(|| Failure::new(Code::ChannelNotFound))?;
    Reply::ok(&ChannelMetricsDto::from(metrics))
}

/// A reading that could not be done.
pub(super) fn unread(error: StoreError) -> Failure {
    Failure::from(ManagementError::from(error))
}
