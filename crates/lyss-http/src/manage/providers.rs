//! `/api/v1/providers`: the catalogue, built in and the tenant's own.

mod body;

use actix_web::http::Method;
use actix_web::web::Data;
use lyss_domain::ProviderKind;
use lyss_management::{ManagementError, ProviderFilter, ProviderSort, ProviderView};

use super::address::AtProvider;
use super::authorized::Authorized;
use super::code::Code;
use super::failure::Failure;
use super::json::Json;
use super::managed::managed;
use super::once::Once;
use super::precondition::Expected;
use super::query::Query;
use super::reply::Reply;
use super::use_cases::{UseCases, Vendors};
use super::{Shared, may, schema};
use crate::table::RouteEntry;
pub(super) use body::TestedDto;
use body::{ProviderBody, ProviderDto, ProviderPatch, TestBody};

const ALL: &str = "/api/v1/providers";
const ONE: &str = "/api/v1/providers/{id}";

/// `GET /api/v1/providers/statistics` stands before these: `statistics` is the id of no provider.
pub(super) fn routes() -> Vec<RouteEntry> {
    let entry =
        |method, path, handler, says| RouteEntry::managed(method, path, handler).says("providers", says);
    vec![
        entry(Method::GET, ALL, managed(list), "List providers, built in and the tenant's own")
            .lists::<ProviderDto, ProviderSort>()
            .filter("kind", schema::word::<ProviderKind>())
            .filter("search", schema::text()),
        entry(
            Method::POST,
            ALL,
            managed(create),
            "Make a provider; one that has a built-in's id overrides it",
        )
        .creates::<ProviderBody, ProviderDto>(),
        entry(Method::GET, ONE, managed(get), "Read a provider").gets::<ProviderDto>(),
        entry(Method::PATCH, ONE, managed(change), "Change a provider of the tenant's own")
            .changes::<ProviderPatch, ProviderDto>(),
        entry(Method::DELETE, ONE, managed(delete), "Remove a provider of the tenant's own").deletes(),
        entry(
            Method::POST,
            "/api/v1/providers/{id}/test",
            managed(test),
            "Try a credential, which is then forgotten",
        )
        .takes::<TestBody>()
        .answers::<TestedDto>()
        .failing(&[429]),
    ]
}

async fn list(
    access: Authorized<may::ReadProviders>,
    mut query: Query,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let filter = ProviderFilter { kind: query.word("kind"), search: query.text("search") };
    let listing = query.listing::<_, ProviderSort>(filter)?;
    let (page, scope) = (listing.page, access.scope());
    let work = move |management: Shared| async move { management.list_providers(&scope, &listing).await };
    Reply::list::<_, ProviderDto>(use_cases.run(work).await?, page)
}

async fn create(
    access: Authorized<may::WriteProviders>,
    once: Once,
    body: Json<ProviderBody>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let ticket = once.with(&body.bytes);
    access.must_be_own(body.value.tenant_id.as_deref())?;
    let draft = body.value.draft();
    let holder = access.holder();
    let work = move |management: Shared| async move {
        let made = management.create_provider(&access.acting(), draft).await?;
        let location = format!("{ALL}/{}", made.slug);
        Ok(shown(made)?.made(Some(location)))
    };
    use_cases.once(holder, ticket, work).await
}

async fn get(
    access: Authorized<may::ReadProviders>,
    id: AtProvider,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let scope = access.scope();
    shown(use_cases.run(move |management| async move { management.provider(&scope, &id.0).await }).await?)
}

async fn change(
    access: Authorized<may::WriteProviders>,
    id: AtProvider,
    expected: Expected,
    patch: Json<ProviderPatch>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    access.must_be_own(patch.value.tenant_id.as_deref())?;
    let change = patch.value.change();
    let work = move |management: Shared| async move {
        management.change_provider(&access.acting(), &id.0, expected.0, change).await
    };
    shown(use_cases.run(work).await?)
}

async fn delete(
    access: Authorized<may::WriteProviders>,
    id: AtProvider,
    expected: Expected,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let management = use_cases.shared();
    let work = async move {
        let deleted = management.delete_provider(&access.acting(), &id.0, expected.0).await;
        deleted.map_err(|error| match error {
            // A removal conflicts with nothing but what still needs it.
            error @ ManagementError::Conflict { .. } => Failure { code: Code::InUse, ..error.into() },
            error => error.into(),
        })
    };
    use_cases.detached(work).await?;
    Reply::nothing()
}

async fn test(
    access: Authorized<may::TestProviders>,
    id: AtProvider,
    body: Json<TestBody>,
    vendors: Data<Vendors>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    access.must_be_own(body.value.tenant_id.as_deref())?;
    let draft = body.value.draft();
    let transport = vendors.shared();
    let work = move |management: Shared| async move {
        management.test_provider(&access.acting(), &*transport, &id.0, draft).await
    };
    Reply::ok(&TestedDto::from(use_cases.run(work).await?))
}

fn shown(provider: ProviderView) -> Result<Reply, Failure> {
    let version = provider.own.map(|own| own.version);
    Ok(Reply::ok(&ProviderDto::from(provider))?.at_version(version))
}
