//! `/api/v1/reports/health` and `/api/v1/reports/balancing`: as JSON, as Markdown, or as a page.

mod body;

use actix_web::http::Method;
use actix_web::web::Data;
use lyss_insight::{Document, Insight, Period};
use serde::Serialize;

use super::accept::{Accepted, Media};
use super::authorized::Authorized;
use super::code::Code;
use super::failure::Failure;
use super::figures::unread;
use super::managed::managed;
use super::query::Query;
use super::reply::Reply;
use super::use_cases::UseCases;
use super::{may, schema};
use crate::table::RouteEntry;
use body::{BalancingReportDto, HealthReportDto};

pub(super) fn routes() -> Vec<RouteEntry> {
    let entry = |path, handler, says| {
        let entry = RouteEntry::managed(Method::GET, path, handler).says("reports", says);
        entry
            .filter("period", schema::word::<Period>())
            .failing(&[406])
            .also_as(&["text/markdown", "text/html"])
    };
    vec![
        entry("/api/v1/reports/health", managed(health), "How the channels fared over a day or a week")
            .explains("Availability, ejections, what went wrong, who was slow, what probes found.")
            .answers::<HealthReportDto>(),
        entry(
            "/api/v1/reports/balancing",
            managed(balancing),
            "What each algorithm would do with the calls that came",
        )
        .explains(
            "Recorded calls are played again in simulated time. A report is told again for five minutes.",
        )
        .answers::<BalancingReportDto>(),
    ]
}

async fn health(
    access: Authorized<may::ReadReports>,
    accepted: Accepted,
    mut query: Query,
    insight: Data<Insight>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let period = query.word("period").unwrap_or_default();
    query.done()?;
    let (scope, insight) = (access.scope(), insight.into_inner());
    let read = async move { insight.health_report(&scope, period).await.map_err(unread) };
    let report = use_cases.detached(read).await?.ok_or_else(|| Failure::new(Code::TenantNotFound))?;
    let document = report.document();
    shown(accepted.0, document, || HealthReportDto::from(report))
}

async fn balancing(
    access: Authorized<may::ReadReports>,
    accepted: Accepted,
    mut query: Query,
    insight: Data<Insight>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let period = query.word("period").unwrap_or_default();
    query.done()?;
    let (scope, insight) = (access.scope(), insight.into_inner());
    let read = async move { insight.balancing_report(&scope, period).await.map_err(unread) };
    let report = use_cases.detached(read).await?.ok_or_else(|| Failure::new(Code::TenantNotFound))?;
    let document = report.document();
    shown(accepted.0, document, || BalancingReportDto::from(report))
}

fn shown<D: Serialize>(
    media: Media,
    document: Document,
    figures: impl FnOnce() -> D,
) -> Result<Reply, Failure> {
    match media {
        Media::Json => Reply::ok(&figures()),
        Media::Markdown => Reply::page(media, document.markdown()),
        Media::Html => Reply::page(media, document.html()),
    }
}
