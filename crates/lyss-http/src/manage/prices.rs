//! `/api/v1/prices`: dated prices. They are added, never changed, so they have no address of their own.

mod body;

use actix_web::http::Method;
use actix_web::web::Data;
use lyss_management::{PriceFilter, PriceSort};

use super::authorized::Authorized;
use super::failure::Failure;
use super::json::Json;
use super::managed::managed;
use super::once::Once;
use super::query::Query;
use super::reply::Reply;
use super::use_cases::UseCases;
use super::{Shared, may, schema};
use crate::table::RouteEntry;
use body::{PriceBody, PriceDto};

const ALL: &str = "/api/v1/prices";

pub(super) fn routes() -> Vec<RouteEntry> {
    let entry = |method, path, handler, says| RouteEntry::managed(method, path, handler).says("prices", says);
    vec![
        entry(Method::GET, ALL, managed(list), "List prices, built in and the tenant's own")
            .lists::<PriceDto, PriceSort>()
            .filter("model", schema::text()),
        entry(Method::POST, ALL, managed(create), "Add a price")
            .creates::<PriceBody, PriceDto>()
            .unversioned(),
    ]
}

async fn list(
    access: Authorized<may::ReadPrices>,
    mut query: Query,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let filter = PriceFilter { model: query.text("model") };
    let listing = query.listing::<_, PriceSort>(filter)?;
    let (page, scope) = (listing.page, access.scope());
    let work = move |management: Shared| async move { management.list_prices(&scope, &listing).await };
    Reply::list::<_, PriceDto>(use_cases.run(work).await?, page)
}

async fn create(
    access: Authorized<may::WritePrices>,
    once: Once,
    body: Json<PriceBody>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let ticket = once.with(&body.bytes);
    access.must_be_own(body.value.tenant_id.as_deref())?;
    let draft = body.value.draft();
    let holder = access.holder();
    let work = move |management: Shared| async move {
        let made = management.create_price(&access.acting(), draft).await?;
        Ok(Reply::ok(&PriceDto::from(made))?.made(None))
    };
    use_cases.once(holder, ticket, work).await
}
