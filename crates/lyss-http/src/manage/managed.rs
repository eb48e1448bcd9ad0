//! What makes a function a management handler: its first argument is a guard. The order of things stands here, once:
//! who, whether they may, for which tenant; only then is anything else of the request looked at, so that nobody learns
//! from a validation message what they may not know.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix_web::web::{self, Data};
use actix_web::{FromRequest, Handler, HttpMessage, HttpRequest, HttpResponse, Route};
use futures_util::FutureExt;
use lyss_auth::{Permission, Refusal, TokenRefusal};
use lyss_domain::CallId;
use tracing::error;

use super::authorized::{Guard, Known, Passed};
use super::code::Code;
use super::failure::Failure;
use super::reply::Reply;
use super::use_cases::{Denied, UseCases};
use crate::caller::Doorkeeper;
use crate::identity::{self, Unproven};

/// Makes the ids that answers carry as `x-request-id`.
#[derive(Clone)]
pub struct RequestIds(pub Arc<dyn Fn() -> CallId + Send + Sync>);

/// A handler ready for a route, and the permission that its signature names.
pub struct Managed {
    pub permission: Permission,
    pub(crate) route: Route,
}

/// Arguments that begin with a guard.
pub trait Guarded: FromRequest + 'static {
    type Guard: Guard;
}

impl<G: Guard> Guarded for (G,) {
    type Guard = G;
}

impl<G: Guard, A: FromRequest + 'static> Guarded for (G, A) {
    type Guard = G;
}

impl<G: Guard, A: FromRequest + 'static, B: FromRequest + 'static> Guarded for (G, A, B) {
    type Guard = G;
}

impl<G, A, B, C> Guarded for (G, A, B, C)
where
    G: Guard,
    A: FromRequest + 'static,
    B: FromRequest + 'static,
    C: FromRequest + 'static,
{
    type Guard = G;
}

impl<G, A, B, C, D> Guarded for (G, A, B, C, D)
where
    G: Guard,
    A: FromRequest + 'static,
    B: FromRequest + 'static,
    C: FromRequest + 'static,
    D: FromRequest + 'static,
{
    type Guard = G;
}

/// A handler of the management API. One that asks for no permission is none:
///
/// ```
/// use lyss_http::manage::{Authorized, Failure, Reply, managed, may};
///
/// async fn guarded(_: Authorized<may::ReadKeys>) -> Result<Reply, Failure> {
///     Reply::nothing()
/// }
/// managed(guarded);
/// ```
///
/// ```compile_fail,E0277
/// use lyss_http::manage::{Failure, Query, Reply, managed};
///
/// async fn open_to_all(_: Query) -> Result<Reply, Failure> {
///     Reply::nothing()
/// }
/// managed(open_to_all);
/// ```
pub fn managed<F, Args>(handler: F) -> Managed
where
    F: Handler<Args, Output = Result<Reply, Failure>>,
    Args: Guarded,
{
    let route = web::to(move |request: HttpRequest, payload: web::Payload| {
        let handler = handler.clone();
        async move {
            let walked = AssertUnwindSafe(walk(&handler, &request, payload)).catch_unwind().await;
            let outcome = walked.unwrap_or_else(|_| {
                error!("a handler panicked");
                Err(Failure::new(Code::Internal))
            });
            respond::<Args::Guard>(&request, outcome)
        }
    });
    Managed { permission: Args::Guard::PERMISSION, route }
}

async fn walk<F, Args>(handler: &F, request: &HttpRequest, payload: web::Payload) -> Result<Reply, Failure>
where
    F: Handler<Args, Output = Result<Reply, Failure>>,
    Args: Guarded,
{
    let guard = admit::<Args::Guard>(request).await?;
    request.extensions_mut().insert(Passed(guard));
    let args = Args::from_request(request, &mut payload.into_inner()).await;
    let args = args.map_err(|error| {
        let error: actix_web::Error = error.into();
        error.as_error::<Failure>().cloned().unwrap_or_else(|| {
            error!(%error, "a handler lacks a piece it asks for");
            Failure::new(Code::Internal)
        })
    })?;
    handler.call(args).await
}

async fn admit<G: Guard>(request: &HttpRequest) -> Result<G, Failure> {
    let door = piece::<Doorkeeper>(request)?;
    let use_cases = piece::<UseCases>(request)?;
    let management = use_cases.management();
    let catalog = management.catalog.load();
    let address = identity::address(request).map(|address| address.to_string());
    let proven = door.principal(request, &catalog, management.clock.now()).await;
    let principal = match proven {
        Ok(principal) => principal,
        Err(why) => {
            if !why.is_outage() {
                use_cases.failed_login(address, why.code());
            }
            return Err(unproven(why));
        }
    };
    let who = Known { principal, address };
    request.extensions_mut().insert(who.clone());
    who.principal.permit(G::PERMISSION)?;
    G::entitle(request, who, &catalog)
}

fn piece<T: 'static>(request: &HttpRequest) -> Result<Data<T>, Failure> {
    request.app_data::<Data<T>>().cloned().ok_or_else(|| Failure::new(Code::Internal))
}

fn unproven(why: Unproven) -> Failure {
    match why {
        Unproven::Missing => Failure::saying(
            Code::Unauthenticated,
            "No credential was sent. Send a token or a key as 'Authorization: Bearer …'.",
        ),
        Unproven::Key(Refusal::AddressNotAllowed) => {
            Failure::saying(Code::Forbidden, "This API key may not be used from here.")
        }
        Unproven::Unreadable | Unproven::Key(_) => {
            Failure::saying(Code::Unauthenticated, "The API key is not valid.")
        }
        Unproven::Token(TokenRefusal::Expired) => Failure::new(Code::TokenExpired),
        Unproven::Token(TokenRefusal::Unavailable) => {
            Failure::saying(Code::Unavailable, "Tokens cannot be verified at the moment.")
        }
        Unproven::Token(_) => Failure::saying(Code::Unauthenticated, "The token is not valid."),
    }
}

fn respond<G: Guard>(request: &HttpRequest, outcome: Result<Reply, Failure>) -> HttpResponse {
    let Ok(ids) = piece::<RequestIds>(request) else {
        return HttpResponse::InternalServerError().finish();
    };
    let id = (ids.0)();
    let failure = match outcome {
        Ok(reply) => return reply.respond(id),
        Err(failure) => failure,
    };
    let who = request.extensions().get::<Known>().cloned();
    if let (true, Some(who), Ok(use_cases)) = (failure.is_denial(), who, piece::<UseCases>(request)) {
        use_cases.denied(Denied {
            principal: who.principal,
            address: who.address,
            action: G::PERMISSION.as_str(),
            target: identity::route(request),
            reason: failure.message.clone().into_owned(),
        });
    }
    failure.respond(id)
}
