//! `/api/v1/keys`: virtual keys. Their text is in the answers of create and rotate, and nowhere else.

mod body;

use std::time::Duration;

use actix_web::http::Method;
use actix_web::web::Data;
use lyss_domain::{KeyId, VirtualKey};
use lyss_management::{KeyFilter, KeySort};

use super::address::At;
use super::authorized::Authorized;
use super::failure::Failure;
use super::json::{Json, OptionalJson};
use super::managed::managed;
use super::once::Once;
use super::precondition::Expected;
use super::query::Query;
use super::reply::Reply;
use super::use_cases::UseCases;
use super::{Shared, may, schema};
use crate::table::RouteEntry;
use body::{IssuedDto, KeyBody, KeyDto, KeyPatch, RotateBody};

const ALL: &str = "/api/v1/keys";
const ONE: &str = "/api/v1/keys/{id}";
/// How long a rotated key's old text goes on working where nobody says otherwise: time to hand out the new one.
const USUAL_OVERLAP: Duration = Duration::from_secs(24 * 3600);

pub(super) fn routes() -> Vec<RouteEntry> {
    let entry = |method, path, handler, says| RouteEntry::managed(method, path, handler).says("keys", says);
    vec![
        entry(Method::GET, ALL, managed(list), "List virtual keys")
            .lists::<KeyDto, KeySort>()
            .filter("search", schema::text())
            .filter("revoked", schema::flag()),
        entry(Method::POST, ALL, managed(create), "Make a virtual key; its text is shown this once")
            .creates::<KeyBody, IssuedDto>(),
        entry(Method::GET, ONE, managed(get), "Read a virtual key").gets::<KeyDto>(),
        entry(Method::PATCH, ONE, managed(change), "Change a virtual key").changes::<KeyPatch, KeyDto>(),
        entry(Method::DELETE, ONE, managed(delete), "Remove a virtual key and the policies about it")
            .deletes(),
        entry(
            Method::POST,
            "/api/v1/keys/{id}/rotate",
            managed(rotate),
            "Give a key a new text, shown this once",
        )
        .takes::<RotateBody>()
        .body_may_be_absent()
        .gets::<IssuedDto>()
        .once(),
        entry(
            Method::POST,
            "/api/v1/keys/{id}/revoke",
            managed(revoke),
            "Stop a key for good, but keep it in the lists",
        )
        .gets::<KeyDto>(),
    ]
}

async fn list(
    access: Authorized<may::ReadKeys>,
    mut query: Query,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let filter = KeyFilter { search: query.text("search"), revoked: query.flag("revoked") };
    let listing = query.listing::<_, KeySort>(filter)?;
    let (page, scope) = (listing.page, access.scope());
    let work = move |management: Shared| async move { management.list_keys(&scope, &listing).await };
    Reply::list::<_, KeyDto>(use_cases.run(work).await?, page)
}

async fn create(
    access: Authorized<may::WriteKeys>,
    once: Once,
    body: Json<KeyBody>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let ticket = once.with(&body.bytes);
    access.must_be_own(body.value.tenant_id.as_deref())?;
    let draft = body.value.draft();
    let holder = access.holder();
    let work = move |management: Shared| async move {
        let issued = management.create_key(&access.acting(), draft).await?;
        let (location, version) = (format!("{ALL}/{}", issued.key.id), issued.key.version);
        Ok(Reply::ok(&IssuedDto::from(issued))?.at_version(Some(version)).made(Some(location)))
    };
    use_cases.once(holder, ticket, work).await
}

async fn get(
    access: Authorized<may::ReadKeys>,
    id: At<KeyId>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let scope = access.scope();
    shown(use_cases.run(move |management| async move { management.key(&scope, id.0).await }).await?)
}

async fn change(
    access: Authorized<may::WriteKeys>,
    id: At<KeyId>,
    expected: Expected,
    patch: Json<KeyPatch>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    access.must_be_own(patch.value.tenant_id.as_deref())?;
    let change = patch.value.change();
    let work = move |management: Shared| async move {
        management.change_key(&access.acting(), id.0, expected.0, change).await
    };
    shown(use_cases.run(work).await?)
}

async fn delete(
    access: Authorized<may::WriteKeys>,
    id: At<KeyId>,
    expected: Expected,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let work = move |management: Shared| async move {
        management.delete_key(&access.acting(), id.0, expected.0).await
    };
    use_cases.run(work).await?;
    Reply::nothing()
}

async fn rotate(
    access: Authorized<may::WriteKeys>,
    id: At<KeyId>,
    once: Once,
    body: OptionalJson<RotateBody>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let (ticket, overlap) = match body.0 {
        Some(body) => (once.with(&body.bytes), body.value.overlap()),
        None => (once.with(&[]), None),
    };
    let holder = access.holder();
    let work = move |management: Shared| async move {
        let overlap = overlap.unwrap_or(USUAL_OVERLAP);
        let issued = management.rotate_key(&access.acting(), id.0, overlap).await?;
        let version = issued.key.version;
        Ok(Reply::ok(&IssuedDto::from(issued))?.at_version(Some(version)))
    };
    use_cases.once(holder, ticket, work).await
}

async fn revoke(
    access: Authorized<may::WriteKeys>,
    id: At<KeyId>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let work = move |management: Shared| async move { management.revoke_key(&access.acting(), id.0).await };
    shown(use_cases.run(work).await?)
}

fn shown(key: VirtualKey) -> Result<Reply, Failure> {
    let version = key.version;
    Ok(Reply::ok(&KeyDto::from(key))?.at_version(Some(version)))
}
