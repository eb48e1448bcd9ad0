//! `/api/v1/requests/{id}`: one call, as its attempts recorded it.

mod body;

use actix_web::http::Method;
use actix_web::web::Data;
use lyss_domain::CallId;
use lyss_insight::Insight;

use super::address::{Addressed, At};
use super::authorized::Authorized;
use super::failure::Failure;
use super::figures::unread;
use super::managed::managed;
use super::may;
use super::reply::Reply;
use super::use_cases::UseCases;
use crate::table::RouteEntry;
use body::RequestDto;

pub(super) fn routes() -> Vec<RouteEntry> {
    let entry = RouteEntry::managed(Method::GET, "/api/v1/requests/{id}", managed(get));
    let entry =
        entry.says("requests", "One call: its attempts, why their channels were chosen, and how it ended");
    vec![
        entry
            .explains("The id is the answer's `x-request-id`. A call is there once it has ended and its record is written.")
            .answers::<RequestDto>(),
    ]
}

async fn get(
    access: Authorized<may::ReadUsage>,
    id: At<CallId>,
    insight: Data<Insight>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let (scope, insight) = (access.scope(), insight.into_inner());
    let read = async move { insight.call(&scope, id.0).await.map_err(unread) };
    let call = use_cases.detached(read).await?;
    let told = call.and_then(RequestDto::of).ok_or_else(|| Failure::new(CallId::MISSING))?;
    Reply::ok(&told)
}
