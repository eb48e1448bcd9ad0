//! `/openapi.json`, made from the table of routes, and `/docs`, a page that shows it. The page is compiled in, so it works
//! without any other server.

pub(crate) mod operation;

use std::sync::Arc;
use std::sync::LazyLock;

use actix_web::http::Method;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::PartialSchema;
use utoipa::openapi::path::{HttpMethod, PathItem, Paths};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_swagger_ui::Config;

use crate::manage::failure::{ErrorDto, FailureDto};
use crate::manage::managed::RequestIds;
use crate::server;
use crate::table::{Access, RouteEntry, table};

const DOCUMENT: &str = "/openapi.json";
const PAGE: &str = "/docs";
const FILES: &str = "/docs/{file:.*}";

/// Paths that the document leaves out: parts of the page that shows it.
pub const UNDOCUMENTED: [&str; 1] = [FILES];

/// Written once a process: the table does not change.
static WRITTEN: LazyLock<String> = LazyLock::new(|| document().to_json().unwrap_or_default());

pub(crate) fn routes() -> Vec<RouteEntry> {
    let entry = |path, route, says| {
        RouteEntry::new(Method::GET, path, Access::Public, route).says("service", says).plainly("text/html")
    };
    let written = entry(DOCUMENT, web::to(written), "This document").plainly("application/json");
    let mut page = entry(PAGE, web::to(page), "A page that shows this document");
    page.doc.success = 302;
    vec![written, page, entry(FILES, web::to(file), "Parts of the page")]
}

/// The OpenAPI document of every route.
pub fn document() -> OpenApi {
    let entries: Vec<_> = table().into_iter().filter(|entry| !UNDOCUMENTED.contains(&entry.path)).collect();
    let mut paths = Paths::new();
    for entry in &entries {
        if let Some(method) = method(&entry.method) {
            let item = PathItem::new(method, operation::operation(entry));
            match paths.paths.get_mut(entry.path) {
                Some(known) => known.merge_operations(item),
                None => {
                    paths.paths.insert(entry.path.to_owned(), item);
                }
            }
        }
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let bearer = bearer.description(Some("A token (JWT) or a virtual key.")).build();
    let components = operation::referred(&entries)
        .into_iter()
        .fold(ComponentsBuilder::new(), |components, (name, schema)| components.schema(name, schema))
        .schema("Error", FailureDto::schema())
        .schema("ErrorBody", ErrorDto::schema())
        .security_scheme("bearer", SecurityScheme::Http(bearer));
    let info = InfoBuilder::new().title("Lyss Provider Service").version(env!("CARGO_PKG_VERSION"));
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build()
}

fn method(method: &Method) -> Option<HttpMethod> {
    match *method {
        Method::GET => Some(HttpMethod::Get),
        Method::POST => Some(HttpMethod::Post),
        Method::PATCH => Some(HttpMethod::Patch),
        Method::PUT => Some(HttpMethod::Put),
        Method::DELETE => Some(HttpMethod::Delete),
        _ => None,
    }
}

async fn written() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(WRITTEN.as_str())
}

/// The page's own addresses are relative to its folder.
async fn page() -> HttpResponse {
    HttpResponse::Found().insert_header(("location", "/docs/")).finish()
}

async fn file(request: HttpRequest, ids: Data<RequestIds>) -> HttpResponse {
    // The validator would be another server.
    let config = Config::from(DOCUMENT).validator_url("none");
    match utoipa_swagger_ui::serve(request.match_info().query("file"), Arc::new(config)) {
        Ok(Some(file)) => HttpResponse::Ok().content_type(file.content_type).body(file.bytes.into_owned()),
        Ok(None) => server::nowhere(ids).await,
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

#[cfg(test)]
mod tests;
