//! The guards: who asks, whether they may, and for which tenant. A handler of the management API takes one as its first
//! argument, so that the permission it needs stands in its signature.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use lyss_auth::{Permission, Principal};
use lyss_catalog::Catalog;
use lyss_domain::{TenantId, TenantScope};
use lyss_management::{Acting, Actor};

use super::code::Code;
use super::failure::Failure;
use super::may::May;
use crate::identity::{self, Misnamed};

/// The first argument of a management handler. It is made by [`managed`](super::managed::managed()) alone, before
/// anything else of the request is looked at.
pub trait Guard: FromRequest<Error = Failure> + 'static {
    const PERMISSION: Permission;

    /// What more is asked of somebody who has the permission: for which tenant, say.
    fn entitle(request: &HttpRequest, who: Known, catalog: &Catalog) -> Result<Self, Failure>;
}

/// Somebody who has proven who they are.
#[derive(Clone)]
pub struct Known {
    pub(crate) principal: Principal,
    pub(crate) address: Option<String>,
}

/// May do `P` to the data of one tenant.
pub struct Authorized<P> {
    who: Known,
    scope: TenantScope,
    slug: String,
    permission: PhantomData<fn() -> P>,
}

/// May do `P`, which concerns no single tenant.
pub struct AboveTenants<P> {
    who: Known,
    permission: PhantomData<fn() -> P>,
}

/// Who holds an `Idempotency-Key`.
pub struct Holder {
    pub(crate) principal: Principal,
    pub(crate) scope: Option<TenantScope>,
}

impl<P> Authorized<P> {
    pub fn scope(&self) -> TenantScope {
        self.scope
    }

    pub fn acting(&self) -> Acting<'_> {
        Acting::new(self.scope, &self.who.principal, self.who.address.as_deref())
    }

    pub fn holder(&self) -> Holder {
        Holder { principal: self.who.principal.clone(), scope: Some(self.scope) }
    }

    /// A tenant in a body, by id or slug, must be the one that is acted for.
    pub fn must_be_own(&self, named: Option<&str>) -> Result<(), Failure> {
        let own = |name: &str| {
            name == self.slug || name.parse::<TenantId>().is_ok_and(|id| id == self.scope.tenant())
        };
        if named.is_none_or(own) { Ok(()) } else { Err(Failure::new(Code::TenantMismatch)) }
    }
}

impl<P> AboveTenants<P> {
    pub fn actor(&self) -> Actor<'_> {
        Actor::of(&self.who.principal, self.who.address.as_deref())
    }

    pub fn holder(&self) -> Holder {
        Holder { principal: self.who.principal.clone(), scope: None }
    }
}

impl<P: May> Guard for Authorized<P> {
    const PERMISSION: Permission = P::PERMISSION;

    fn entitle(request: &HttpRequest, who: Known, catalog: &Catalog) -> Result<Self, Failure> {
        let named = match identity::named_tenant(request, &who.principal, catalog) {
            Ok(named) => named,
            Err(Misnamed::Denied(denial)) => return Err(denial.into()),
            Err(Misnamed::Unknown) => return Err(Failure::new(Code::TenantNotFound)),
        };
        let scope = who.principal.entitle(P::PERMISSION, named)?;
        let entry = catalog.tenant(scope.tenant()).ok_or_else(|| Failure::new(Code::TenantNotFound))?;
        // Whoever stands above tenants may still look after one that serves nobody.
        if !entry.tenant.enabled && who.principal.home.is_some() {
            return Err(Failure::saying(Code::Forbidden, "This tenant is not active."));
        }
        Ok(Self { who, scope, slug: entry.tenant.slug.clone(), permission: PhantomData })
    }
}

impl<P: May> Guard for AboveTenants<P> {
    const PERMISSION: Permission = P::PERMISSION;

    fn entitle(_: &HttpRequest, who: Known, _: &Catalog) -> Result<Self, Failure> {
        if who.principal.home.is_some() {
            return Err(Failure::new(Code::Forbidden));
        }
        Ok(Self { who, permission: PhantomData })
    }
}

/// A guard that stood its ground, on its way to the handler.
pub(super) struct Passed<G>(pub(super) G);

impl<P: May> FromRequest for Authorized<P> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(take(request))
    }
}

impl<P: May> FromRequest for AboveTenants<P> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(take(request))
    }
}

/// Outside `managed` nobody let it pass, so nobody is let in.
fn take<G: Guard>(request: &HttpRequest) -> Result<G, Failure> {
    let passed = request.extensions_mut().remove::<Passed<G>>();
    passed.map(|passed| passed.0).ok_or_else(|| Failure::new(Code::Internal))
}
