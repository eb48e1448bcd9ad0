//! `/api/v1/tenants`: a platform administrator's alone.

mod body;
mod routing;

use actix_web::http::Method;
use actix_web::web::Data;
use lyss_domain::{Tenant, TenantId};
use lyss_management::{TenantFilter, TenantSort};

use super::address::At;
use super::authorized::AboveTenants;
use super::failure::Failure;
use super::json::Json;
use super::managed::managed;
use super::once::Once;
use super::precondition::Expected;
use super::query::Query;
use super::reply::Reply;
use super::use_cases::UseCases;
use super::{Shared, may, schema};
use crate::table::RouteEntry;
use body::{TenantBody, TenantDto, TenantPatch};

const ALL: &str = "/api/v1/tenants";
const ONE: &str = "/api/v1/tenants/{id}";

pub(super) fn routes() -> Vec<RouteEntry> {
    let entry =
        |method, path, handler, says| RouteEntry::managed(method, path, handler).says("tenants", says);
    vec![
        entry(Method::GET, ALL, managed(list), "List tenants")
            .lists::<TenantDto, TenantSort>()
            .filter("search", schema::text())
            .filter("enabled", schema::flag()),
        entry(Method::POST, ALL, managed(create), "Make a tenant").creates::<TenantBody, TenantDto>(),
        entry(Method::GET, ONE, managed(get), "Read a tenant").gets::<TenantDto>(),
        entry(Method::PATCH, ONE, managed(change), "Change a tenant").changes::<TenantPatch, TenantDto>(),
        entry(Method::DELETE, ONE, managed(delete), "Remove a tenant with all its configuration").deletes(),
    ]
}

async fn list(
    _: AboveTenants<may::ReadTenants>,
    mut query: Query,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let filter = TenantFilter { search: query.text("search"), enabled: query.flag("enabled") };
    let listing = query.listing::<_, TenantSort>(filter)?;
    let page = listing.page;
    let found =
        use_cases.run(move |management| async move { management.list_tenants(&listing).await }).await?;
    Reply::list::<_, TenantDto>(found, page)
}

async fn create(
    access: AboveTenants<may::WriteTenants>,
    once: Once,
    body: Json<TenantBody>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let ticket = once.with(&body.bytes);
    let draft = body.value.draft();
    let holder = access.holder();
    let work = move |management: Shared| async move {
        let made = management.create_tenant(&access.actor(), draft).await?;
        let location = format!("{ALL}/{}", made.id);
        Ok(shown(made)?.made(Some(location)))
    };
    use_cases.once(holder, ticket, work).await
}

async fn get(
    _: AboveTenants<may::ReadTenants>,
    id: At<TenantId>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let found = use_cases.run(move |management| async move { management.tenant(id.0).await }).await?;
    shown(found)
}

async fn change(
    access: AboveTenants<may::WriteTenants>,
    id: At<TenantId>,
    expected: Expected,
    patch: Json<TenantPatch>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let change = patch.value.change();
    let work = move |management: Shared| async move {
        management.change_tenant(&access.actor(), id.0, expected.0, change).await
    };
    shown(use_cases.run(work).await?)
}

async fn delete(
    access: AboveTenants<may::WriteTenants>,
    id: At<TenantId>,
    expected: Expected,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let work = move |management: Shared| async move {
        management.delete_tenant(&access.actor(), id.0, expected.0).await
    };
    use_cases.run(work).await?;
    Reply::nothing()
}

fn shown(tenant: Tenant) -> Result<Reply, Failure> {
    let version = tenant.version;
    Ok(Reply::ok(&TenantDto::from(tenant))?.at_version(Some(version)))
}
