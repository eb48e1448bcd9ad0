//! `/api/v1/providers/statistics` and `/api/v1/channels/status/overview`: read from usage records and from what the
//! pipeline does at this moment.

mod body;

use actix_web::http::Method;
use actix_web::web::Data;
use lyss_insight::{Insight, StatisticsWindow};
use lyss_management::ManagementError;

use super::authorized::Authorized;
use super::failure::Failure;
use super::managed::managed;
use super::may;
use super::query::Query;
use super::reply::Reply;
use super::schema;
use super::use_cases::UseCases;
use crate::table::RouteEntry;
use body::{ChannelStatusDto, ProviderStatisticsDto};

pub(super) fn routes() -> Vec<RouteEntry> {
    let entry = |path, handler, tag, says| RouteEntry::managed(Method::GET, path, handler).says(tag, says);
    vec![
        entry("/api/v1/providers/statistics", managed(statistics), "providers", "What each provider did")
            .explains("One entry for each provider that the tenant has a channel to, or used in this time.")
            .tells::<ProviderStatisticsDto>()
            .filter("window", schema::word::<StatisticsWindow>()),
        entry("/api/v1/channels/status/overview", managed(overview), "channels", "How every channel stands")
            .explains("Attempts under way are those of the process that answers; breakers come with a later release.")
            .tells::<ChannelStatusDto>()
            .filter("window", schema::word::<StatisticsWindow>()),
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
    let read = async move {
        let told = insight.provider_statistics(&scope, window).await;
        told.map_err(|error| Failure::from(ManagementError::from(error)))
    };
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
    let read = async move {
        let told = insight.channel_overview(&scope, window).await;
        told.map_err(|error| Failure::from(ManagementError::from(error)))
    };
    Reply::part::<_, ChannelStatusDto>(use_cases.detached(read).await?, page)
}
