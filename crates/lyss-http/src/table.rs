//! Every route of the server as data: method, path, who may call it, what it takes and answers. The server is configured
//! from it, the OpenAPI document is made from it, and tests walk it.

use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Route};
use lyss_auth::Permission;
use lyss_domain::CallId;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::docs::operation::{Doc, Schemas};
use crate::manage::managed::{Managed, RequestIds};
use crate::manage::word::{Word, words};
use crate::manage::{Code, Failure};
use crate::{docs, health, manage, metrics, proxied, server};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Callers of the proxy; errors speak the caller's dialect.
    Proxy,
    /// Callers of the management API whose credential has this permission.
    Permission(Permission),
}

/// One method of one path.
pub struct RouteEntry {
    pub method: Method,
    /// As actix matches it; `{…}` is a parameter.
    pub path: &'static str,
    pub access: Access,
    pub(crate) doc: Doc,
    route: Route,
}

/// All routes there are, in the order they are matched.
pub fn table() -> Vec<RouteEntry> {
    let parts = [proxied::routes(), manage::routes(), health::routes(), metrics::routes(), docs::routes()];
    parts.into_iter().flatten().collect()
}

/// Registers the table: one resource a path, so that a known path answers a wrong method with what it allows.
pub fn configure(config: &mut ServiceConfig) {
    let mut paths: Vec<(&'static str, Vec<RouteEntry>)> = Vec::new();
    for entry in table() {
        match paths.iter_mut().find(|(path, _)| *path == entry.path) {
            Some((_, entries)) => entries.push(entry),
            None => paths.push((entry.path, vec![entry])),
        }
    }
    for (path, entries) in paths {
        let methods: Vec<_> = entries.iter().map(|entry| entry.method.as_str()).collect();
        let allowed = HeaderValue::from_str(&methods.join(", ")).ok();
        let is_proxied = entries.iter().any(|entry| entry.access == Access::Proxy);
        let refuse = move |ids: web::Data<RequestIds>| {
            let response = method_not_allowed((ids.0)(), is_proxied, allowed.as_ref());
            async move { response }
        };
        let resource = web::resource(path).default_service(web::to(refuse));
        let resource = entries.into_iter().fold(resource, |resource, entry| resource.route(entry.route));
        config.service(resource);
    }
    config.default_service(web::to(server::nowhere));
}

/// A known path that was asked with another method than it has.
fn method_not_allowed(id: CallId, is_proxied: bool, allowed: Option<&HeaderValue>) -> HttpResponse {
    let code = Code::MethodNotAllowed;
    let mut response = if is_proxied { server::bilingual(id, code) } else { Failure::new(code).respond(id) };
    if let Some(allowed) = allowed {
        response.headers_mut().insert(ALLOW, allowed.clone());
    }
    response
}

impl RouteEntry {
    pub(crate) fn new(method: Method, path: &'static str, access: Access, route: Route) -> Self {
        let route = route.method(method.clone());
        Self { method, path, access, doc: Doc::default(), route }
    }

    pub(crate) fn managed(method: Method, path: &'static str, handler: Managed) -> Self {
        Self::new(method, path, Access::Permission(handler.permission), handler.route)
    }

    pub(crate) fn says(mut self, tag: &'static str, summary: &'static str) -> Self {
        (self.doc.tag, self.doc.summary) = (tag, summary);
        self
    }

    /// More than the summary says.
    pub(crate) fn explains(mut self, description: &'static str) -> Self {
        self.doc.description = Some(description);
        self
    }

    /// Answers a page of a list, which can be sorted.
    pub(crate) fn lists<D: ToSchema, S: Word>(mut self) -> Self {
        self.doc.answer = Some(Schemas::page_of::<D>());
        let sorts = words::<S>().into_iter().flat_map(|word| [word.to_owned(), format!("-{word}")]);
        self.doc.sorts = sorts.collect();
        self.pages()
    }

    /// Answers a page of a list in an order of its own.
    pub(crate) fn tells<D: ToSchema>(mut self) -> Self {
        self.doc.answer = Some(Schemas::page_of::<D>());
        self.pages()
    }

    pub(crate) fn gets<D: ToSchema>(mut self) -> Self {
        self.doc.answer = Some(Schemas::of::<D>());
        self.doc.has_version = true;
        self
    }

    /// Answers what is not versioned.
    pub(crate) fn answers<D: ToSchema>(mut self) -> Self {
        self.doc.answer = Some(Schemas::of::<D>());
        self
    }

    pub(crate) fn unversioned(mut self) -> Self {
        self.doc.has_version = false;
        self
    }

    pub(crate) fn takes<B: ToSchema>(mut self) -> Self {
        self.doc.body = Some(Schemas::of::<B>());
        self.failing(&[408, 413, 415, 422])
    }

    /// Takes an object whose form is a dialect's matter.
    pub(crate) fn takes_any(mut self) -> Self {
        self.doc.body = Some(Schemas::anything());
        self
    }

    pub(crate) fn body_may_be_absent(mut self) -> Self {
        self.doc.body_required = false;
        self
    }

    pub(crate) fn creates<B: ToSchema, D: ToSchema>(self) -> Self {
        let mut entry = self.takes::<B>().gets::<D>().once();
        entry.doc.success = 201;
        entry
    }

    pub(crate) fn changes<B: ToSchema, D: ToSchema>(self) -> Self {
        self.takes::<B>().gets::<D>().expecting()
    }

    pub(crate) fn deletes(self) -> Self {
        self.expecting()
    }

    /// Honours `Idempotency-Key`.
    pub(crate) fn once(mut self) -> Self {
        self.doc.once = true;
        self.failing(&[409, 422])
    }

    /// Honours `If-Match`.
    fn expecting(mut self) -> Self {
        self.doc.expects_version = true;
        self.failing(&[409, 412])
    }

    /// A success that is no envelope.
    pub(crate) fn plainly(mut self, media: &'static str) -> Self {
        self.doc.plain = Some(media);
        self
    }

    /// A success is there in these forms too.
    pub(crate) fn also_as(mut self, media: &'static [&'static str]) -> Self {
        self.doc.also = media;
        self
    }

    pub(crate) fn failing(mut self, statuses: &[u16]) -> Self {
        self.doc.failures.extend(statuses);
        self
    }

    /// Takes `page` and `page_size` for a list within its answer.
    pub(crate) fn pages(mut self) -> Self {
        self.doc.is_paged = true;
        self.failing(&[422])
    }

    /// A query parameter that is not a list's own.
    pub(crate) fn filter(mut self, name: &'static str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.doc.filters.push((name, schema.into()));
        self.failing(&[422])
    }
}
