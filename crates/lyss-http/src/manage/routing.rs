//! `/api/v1/routing/explain`: what would serve a call now, and why not the others. Nothing is sent.

mod body;

use actix_web::http::Method;
use actix_web::web::Data;
use lyss_auth::Refusal;
use lyss_domain::{KeyId, TenantScope, VirtualKey};
use lyss_management::{ManagementError, Noun};
use lyss_proxy::Proxy;

use super::Shared;
use super::authorized::Authorized;
use super::code::Code;
use super::failure::Failure;
use super::json::Json;
use super::managed::managed;
use super::may;
use super::reply::Reply;
use super::use_cases::UseCases;
use crate::table::RouteEntry;
use body::{ExplainBody, ExplanationDto};

pub(super) fn routes() -> Vec<RouteEntry> {
    let entry = RouteEntry::managed(Method::POST, "/api/v1/routing/explain", managed(explain));
    let entry = entry.says("routing", "What would serve a call now, and why not the others");
    vec![
        entry
            .explains("Nothing is sent, charged or counted. What is known of channels is what the process that answers knows.")
            .takes::<ExplainBody>()
            .answers::<ExplanationDto>(),
    ]
}

async fn explain(
    access: Authorized<may::ExplainRouting>,
    body: Json<ExplainBody>,
    proxy: Data<Proxy>,
    use_cases: Data<UseCases>,
) -> Result<Reply, Failure> {
    access.must_be_own(body.value.tenant_id.as_deref())?;
    let scope = access.scope();
    let management = use_cases.shared();
    let known = management.catalog.load();
    let channels = known.tenant(scope.tenant()).map(|entry| &entry.channels[..]).unwrap_or_default();
    let ask = body.value.ask(channels.iter().map(|stored| stored.channel.id))?;
    let key = match body.value.key_id.as_ref() {
        Some(id) => Some(key_of(&use_cases, scope, id.0).await?),
        None => None,
    };
    let now = management.clock.now();
    if let Some(refusal) = key.as_ref().and_then(|key| lyss_auth::authenticate(key, now, None).err()) {
        return Reply::ok(&ExplanationDto::refused(&ask, says(refusal)));
    }
    let explained = proxy.explain(scope.tenant(), key.as_ref(), &ask);
    // A tenant that is not active serves nobody, whoever looks after it.
    let explained =
        explained.ok_or_else(|| Failure::saying(Code::Forbidden, "This tenant is not active."))?;
    Reply::ok(&ExplanationDto::of(&ask, explained))
}

/// A key that is not there is a field that cannot be used: the call is thought of, the key is not.
async fn key_of(use_cases: &UseCases, scope: TenantScope, id: KeyId) -> Result<VirtualKey, Failure> {
    let found = use_cases.run(move |management: Shared| async move {
        match management.key(&scope, id).await {
            Ok(key) => Ok(Some(key)),
            Err(ManagementError::NotFound(Noun::Key)) => Ok(None),
            Err(error) => Err(error),
        }
    });
    found.await?.ok_or_else(|| Failure::field("key_id", "is no key of this tenant"))
}

const fn says(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Revoked => "This key is revoked.",
        Refusal::Expired => "This key has expired.",
        Refusal::ScopeMissing => "This key may not call models.",
        // Where from is not asked.
        Refusal::Unknown | Refusal::AddressNotAllowed => "This key may be used from certain networks alone.",
    }
}
