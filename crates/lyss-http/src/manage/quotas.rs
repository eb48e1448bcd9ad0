//! `/api/v1/quotas`: policies. What they have used is another matter.

mod body;

use actix_web::http::Method;
use actix_web::web::Data;
use lyss_domain::{PolicyId, PolicyMode, QuotaPolicy, ScopeKind, Window};
use lyss_management::{PolicyFilter, PolicySort};

use super::address::At;
use super::authorized::Authorized;
use super::failure::Failure;
use super::json::Json;
use super::managed::managed;
use super::may;
use super::once::Once;
use super::precondition::Expected;
use super::query::Query;
use super::reply::Reply;
use super::schema;
use super::use_cases::UseCases;
use crate::table::RouteEntry;
use body::{QuotaBody, QuotaDto, QuotaPatch};

const ALL: &str = "/api/v1/quotas";
const ONE: &str = "/api/v1/quotas/{id}";

pub(super) fn routes() -> Vec<RouteEntry> {
    let entry = |method, path, handler, says| RouteEntry::managed(method, path, handler).says("quotas", says);
    vec![
        entry(Method::GET, ALL, managed(list), "List quota policies")
            .lists::<QuotaDto, PolicySort>()
            .filter("scope", schema::word::<ScopeKind>())
            .filter("scope_id", schema::text())
            .filter("window", schema::word::<Window>())
            .filter("mode", schema::word::<PolicyMode>()),
        entry(Method::POST, ALL, managed(create), "Make a quota policy").creates::<QuotaBody, QuotaDto>(),
        entry(Method::GET, ONE, managed(get), "Read a quota policy").gets::<QuotaDto>(),
        entry(Method::PATCH, ONE, managed(change), "Change a quota policy").changes::<QuotaPatch, QuotaDto>(),
        entry(Method::DELETE, ONE, managed(delete), "Remove a quota policy").deletes(),
    ]
}

async fn list(
    access: Authorized<may::ReadQuotas>,
    mut query: Query,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let filter = PolicyFilter {
        scope: query.word("scope"),
        scope_id: query.text("scope_id"),
        window: query.word("window"),
        mode: query.word("mode"),
    };
    let listing = query.listing::<_, PolicySort>(filter)?;
    let page = listing.page;
    let scope = access.scope();
    let found = use_cases
        .run(move |management| async move { management.list_policies(&scope, &listing).await })
        .await?;
    Reply::list::<_, QuotaDto>(found, page)
}

async fn create(
    access: Authorized<may::WriteQuotas>,
    once: Once,
    body: Json<QuotaBody>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let ticket = once.with(&body.bytes);
    let draft = body.value.draft(&access)?;
    let holder = access.holder();
    let work = move |management: super::Shared| async move {
        let made = management.create_policy(&access.acting(), draft).await?;
        let location = format!("{ALL}/{}", made.id);
        Ok(shown(made)?.made(Some(location)))
    };
    use_cases.once(holder, ticket, work).await
}

async fn get(
    access: Authorized<may::ReadQuotas>,
    id: At<PolicyId>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let scope = access.scope();
    let found = use_cases.run(move |management| async move { management.policy(&scope, id.0).await }).await?;
    shown(found)
}

async fn change(
    access: Authorized<may::WriteQuotas>,
    id: At<PolicyId>,
    expected: Expected,
    patch: Json<QuotaPatch>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    access.must_be_own(patch.value.tenant_id.as_deref())?;
    let change = patch.value.change();
    let work = move |management: super::Shared| async move {
        management.change_policy(&access.acting(), id.0, expected.0, change).await
    };
    shown(use_cases.run(work).await?)
}

async fn delete(
    access: Authorized<may::WriteQuotas>,
    id: At<PolicyId>,
    expected: Expected,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let work = move |management: super::Shared| async move {
        management.delete_policy(&access.acting(), id.0, expected.0).await
    };
    use_cases.run(work).await?;
    Reply::nothing()
}

fn shown(policy: QuotaPolicy) -> Result<Reply, Failure> {
    let version = policy.version;
    Ok(Reply::ok(&QuotaDto::from(policy))?.at_version(Some(version)))
}
