//! `/api/v1/channels`: one tenant's credentialed routes.

mod body;

use actix_web::http::Method;
use actix_web::web::Data;
use lyss_domain::{ChannelId, ChannelState};
use lyss_management::{ChannelFilter, ChannelSort, ChannelView};

use super::address::At;
use super::authorized::Authorized;
use super::failure::Failure;
use super::json::Json;
use super::managed::managed;
use super::once::Once;
use super::precondition::Expected;
use super::providers::TestedDto;
use super::query::Query;
use super::reply::Reply;
use super::use_cases::{UseCases, Vendors};
use super::{Shared, may, schema};
use crate::table::RouteEntry;
use body::{ChannelBody, ChannelDto, ChannelPatch};

const ALL: &str = "/api/v1/channels";
const ONE: &str = "/api/v1/channels/{id}";

/// `GET /api/v1/channels/status/overview` stands before these.
pub(super) fn routes() -> Vec<RouteEntry> {
    let entry =
        |method, path, handler, says| RouteEntry::managed(method, path, handler).says("channels", says);
    let state = |path, handler, says| entry(Method::POST, path, handler, says).gets::<ChannelDto>();
    vec![
        entry(Method::GET, ALL, managed(list), "List channels")
            .lists::<ChannelDto, ChannelSort>()
            .filter("provider_id", schema::text())
            .filter("state", schema::word::<ChannelState>())
            .filter("tag", schema::text())
            .filter("group", schema::text())
            .filter("search", schema::text()),
        entry(Method::POST, ALL, managed(create), "Make a channel").creates::<ChannelBody, ChannelDto>(),
        entry(Method::GET, ONE, managed(get), "Read a channel").gets::<ChannelDto>(),
        entry(Method::PATCH, ONE, managed(change), "Change a channel").changes::<ChannelPatch, ChannelDto>(),
        entry(
            Method::DELETE,
            ONE,
            managed(delete),
            "Remove a channel, its credential and the policies about it",
        )
        .deletes(),
        entry(Method::POST, "/api/v1/channels/{id}/test", managed(test), "Try the channel's own credential")
            .answers::<TestedDto>()
            .failing(&[409, 422, 429]),
        state("/api/v1/channels/{id}/enable", managed(enable), "Let a channel serve"),
        state("/api/v1/channels/{id}/disable", managed(disable), "Keep a channel from serving"),
        state(
            "/api/v1/channels/{id}/drain",
            managed(drain),
            "Give a channel no new calls; those under way finish",
        ),
    ]
}

async fn list(
    access: Authorized<may::ReadChannels>,
    mut query: Query,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let filter = ChannelFilter {
        provider: query.parsed("provider_id", "is no provider's id"),
        state: query.word("state"),
        tag: query.text("tag"),
        group: query.text("group"),
        search: query.text("search"),
    };
    let listing = query.listing::<_, ChannelSort>(filter)?;
    let (page, scope) = (listing.page, access.scope());
    let work = move |management: Shared| async move { management.list_channels(&scope, &listing).await };
    Reply::list::<_, ChannelDto>(use_cases.run(work).await?, page)
}

async fn create(
    access: Authorized<may::WriteChannels>,
    once: Once,
    body: Json<ChannelBody>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let ticket = once.with(&body.bytes);
    access.must_be_own(body.value.tenant_id.as_deref())?;
    let draft = body.value.draft()?;
    let holder = access.holder();
    let work = move |management: Shared| async move {
        let made = management.create_channel(&access.acting(), draft).await?;
        let location = format!("{ALL}/{}", made.channel.id);
        Ok(shown(made)?.made(Some(location)))
    };
    use_cases.once(holder, ticket, work).await
}

async fn get(
    access: Authorized<may::ReadChannels>,
    id: At<ChannelId>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let scope = access.scope();
    shown(use_cases.run(move |management| async move { management.channel(&scope, id.0).await }).await?)
}

async fn change(
    access: Authorized<may::WriteChannels>,
    id: At<ChannelId>,
    expected: Expected,
    patch: Json<ChannelPatch>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    access.must_be_own(patch.value.tenant_id.as_deref())?;
    let change = patch.value.change()?;
    let work = move |management: Shared| async move {
        management.change_channel(&access.acting(), id.0, expected.0, change).await
    };
    // Boxed: with all its fields a change is too large to stand in the worker's task.
    shown(Box::pin(use_cases.run(work)).await?)
}

async fn delete(
    access: Authorized<may::WriteChannels>,
    id: At<ChannelId>,
    expected: Expected,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let work = move |management: Shared| async move {
        management.delete_channel(&access.acting(), id.0, expected.0).await
    };
    use_cases.run(work).await?;
    Reply::nothing()
}

async fn test(
    access: Authorized<may::OperateChannels>,
    id: At<ChannelId>,
    vendors: Data<Vendors>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    let transport = vendors.shared();
    let work = move |management: Shared| async move {
        management.test_channel(&access.acting(), &*transport, id.0).await
    };
    Reply::ok(&TestedDto::from(use_cases.run(work).await?))
}

async fn enable(
    access: Authorized<may::OperateChannels>,
    id: At<ChannelId>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    set_state(access, id, use_cases, ChannelState::Enabled).await
}

async fn disable(
    access: Authorized<may::OperateChannels>,
    id: At<ChannelId>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    set_state(access, id, use_cases, ChannelState::Disabled).await
}

async fn drain(
    access: Authorized<may::OperateChannels>,
    id: At<ChannelId>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    set_state(access, id, use_cases, ChannelState::Draining).await
}

async fn set_state(
    access: Authorized<may::OperateChannels>,
    id: At<ChannelId>,
    use_cases: Data<UseCases>,
    state: ChannelState,
) -> Result<Reply, Failure> {
    let work = move |management: Shared| async move {
        management.set_channel_state(&access.acting(), id.0, state).await
    };
    shown(use_cases.run(work).await?)
}

fn shown(view: ChannelView) -> Result<Reply, Failure> {
    let version = view.channel.version;
    Ok(Reply::ok(&ChannelDto::from(view))?.at_version(Some(version)))
}
