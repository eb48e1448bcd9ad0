//! What a route's line in the table says of it, and the OpenAPI operation made from that.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::StatusCode;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder, Responses, ResponsesBuilder};
use utoipa::openapi::schema::{Array, ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, Ref, RefOr, Required, Schema};

use crate::manage::code::Code;
use crate::manage::schema;
use crate::table::{Access, RouteEntry};

/// A named schema, and those it refers to.
#[derive(Clone)]
pub(crate) struct Schemas {
    name: String,
    all: Vec<(String, RefOr<Schema>)>,
    is_page: bool,
}

pub(crate) struct Doc {
    pub(crate) tag: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: Option<&'static str>,
    pub(crate) body: Option<Schemas>,
    pub(crate) body_required: bool,
    /// `None`: the data of a success is null.
    pub(crate) answer: Option<Schemas>,
    pub(crate) success: u16,
    /// Statuses of failures beside those that its access brings.
    pub(crate) failures: BTreeSet<u16>,
    pub(crate) sorts: Vec<String>,
    /// Takes a page's number and size.
    pub(crate) is_paged: bool,
    pub(crate) filters: Vec<(&'static str, RefOr<Schema>)>,
    pub(crate) once: bool,
    pub(crate) has_version: bool,
    pub(crate) expects_version: bool,
    /// Media type of a success that is no envelope.
    pub(crate) plain: Option<&'static str>,
    /// Media types of a success beside the envelope: texts for people.
    pub(crate) also: &'static [&'static str],
}

/// What every management operation may fail with.
const MANAGED: [u16; 6] = [400, 401, 403, 404, 500, 503];

impl Default for Doc {
    fn default() -> Self {
        Self {
            tag: "",
            summary: "",
            description: None,
            body: None,
            body_required: true,
            answer: None,
            success: 200,
            failures: BTreeSet::new(),
            sorts: Vec::new(),
            is_paged: false,
            filters: Vec::new(),
            once: false,
            has_version: false,
            expects_version: false,
            plain: None,
            also: &[],
        }
    }
}

impl Schemas {
    pub(crate) fn of<T: ToSchema>() -> Self {
        let mut all = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut all);
        Self { name: T::name().into_owned(), all, is_page: false }
    }

    pub(crate) fn page_of<T: ToSchema>() -> Self {
        Self { is_page: true, ..Self::of::<T>() }
    }

    pub(crate) fn named(&self) -> impl Iterator<Item = (String, RefOr<Schema>)> {
        self.all.iter().cloned()
    }

    pub(crate) fn anything() -> Self {
        let name = "AnyObject".to_owned();
        let object = ObjectBuilder::new().schema_type(Type::Object).examples([loose_example()]);
        Self { all: vec![(name.clone(), object.into())], name, is_page: false }
    }

    fn refer(&self) -> RefOr<Schema> {
        let one = || RefOr::Ref(Ref::from_schema_name(&self.name));
        if !self.is_page {
            return one();
        }
        let count = || ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
        let page = ObjectBuilder::new()
            .property("items", Array::new(one()))
            .property("total", count())
            .property("page", count())
            .property("page_size", count());
        let page = ["items", "total", "page", "page_size"].into_iter().fold(page, ObjectBuilder::required);
        page.into()
    }
}

pub(crate) fn operation(entry: &RouteEntry) -> Operation {
    let doc = &entry.doc;
    let mut operation = OperationBuilder::new()
        .tag(doc.tag)
        .summary(Some(doc.summary))
        .operation_id(Some(operation_id(entry)))
        .description(doc.description)
        .request_body(doc.body.as_ref().map(|body| request_body(doc, body)))
        .responses(responses(entry));
    for parameter in parameters(entry) {
        operation = operation.parameter(parameter);
    }
    if entry.access != Access::Public {
        operation = operation.security(SecurityRequirement::new("bearer", [] as [&str; 0]));
    }
    operation.build()
}

/// `get_api_v1_keys_id`: unique, and the same in every release.
fn operation_id(entry: &RouteEntry) -> String {
    let words = entry.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let path: Vec<_> = words.collect();
    format!("{}_{}", entry.method.as_str().to_ascii_lowercase(), path.join("_"))
}

fn request_body(doc: &Doc, body: &Schemas) -> RequestBody {
    let required = if doc.body_required { Required::True } else { Required::False };
    let merges = doc.expects_version.then_some("application/merge-patch+json");
    let written = RequestBodyBuilder::new().required(Some(required));
    let media = merges.into_iter().chain(["application/json"]);
    media.fold(written, |written, media| written.content(media, Content::new(Some(body.refer())))).build()
}

fn parameters(entry: &RouteEntry) -> Vec<Parameter> {
    let doc = &entry.doc;
    let mut all = Vec::new();
    let segments = entry.path.split('/').filter_map(|part| part.strip_prefix('{')?.split('}').next());
    for name in segments {
        all.push(parameter(name, ParameterIn::Path, schema::text()).required(Required::True).build());
    }
    if matches!(entry.access, Access::Permission(_)) {
        let says = "The tenant to act for, by id or slug: a platform administrator's to name.";
        all.push(
            parameter("X-Tenant-Id", ParameterIn::Header, schema::text()).description(Some(says)).build(),
        );
    }
    if doc.is_paged {
        let number = |most: Option<u32>| {
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(most)
        };
        all.push(parameter("page", ParameterIn::Query, number(Some(u32::MAX))).build());
        all.push(parameter("page_size", ParameterIn::Query, number(Some(200))).build());
    }
    if !doc.sorts.is_empty() {
        let sorts = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(doc.sorts.clone()));
        all.push(parameter("sort", ParameterIn::Query, sorts).build());
    }
    for (name, schema) in &doc.filters {
        all.push(parameter(name, ParameterIn::Query, schema.clone()).build());
    }
    if doc.once {
        let says = "Done once: the same request with the same key is answered as the first time, for 24 hours. It has no effect on streams and forms.";
        let key = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[!-~]{1,255}$"));
        all.push(parameter("Idempotency-Key", ParameterIn::Header, key).description(Some(says)).build());
    }
    if doc.expects_version {
        let says = "The ETag of the version this is meant for; another one answers 412.";
        all.push(parameter("If-Match", ParameterIn::Header, schema::text()).description(Some(says)).build());
    }
    all
}

fn parameter(name: &str, place: ParameterIn, schema: impl Into<RefOr<Schema>>) -> ParameterBuilder {
    ParameterBuilder::new().name(name).parameter_in(place).required(Required::False).schema(Some(schema))
}

fn responses(entry: &RouteEntry) -> Responses {
    let doc = &entry.doc;
    let mut failures = doc.failures.clone();
    if matches!(entry.access, Access::Permission(_)) {
        failures.extend(MANAGED);
    }
    let responses = ResponsesBuilder::new().response(doc.success.to_string(), success(entry));
    let responses = failures.into_iter().fold(responses, |responses, status| {
        responses.response(status.to_string(), failure(entry.access, status))
    });
    responses.build()
}

fn success(entry: &RouteEntry) -> Response {
    let doc = &entry.doc;
    let response = ResponseBuilder::new().description(doc.summary);
    if doc.success == 302 {
        return response.header("location", Header::new(schema::text())).build();
    }
    if let Some(media) = doc.plain {
        let schema = doc.answer.as_ref().map_or_else(schema::anything, Schemas::refer);
        return response.content(media, Content::new(Some(schema))).build();
    }
    let data = doc.answer.as_ref().map_or_else(schema::null, Schemas::refer);
    let yes = ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([true]));
    let envelope = ObjectBuilder::new()
        .property("success", yes)
        .property("data", data)
        .property("request_id", schema::id());
    let envelope = ["success", "data", "request_id"].into_iter().fold(envelope, ObjectBuilder::required);
    let mut response = response
        .content("application/json", Content::new(Some(envelope)))
        .header("x-request-id", Header::new(schema::id()));
    for media in doc.also {
        response = response.content(*media, Content::new(Some(schema::text())));
    }
    if doc.has_version {
        response = response.header("ETag", Header::new(schema::text()));
    }
    response.build()
}

/// The codes that a status may carry, in words.
fn failure(access: Access, status: u16) -> Response {
    let says = |code: &Code| format!("`{}`: {}", code.as_str(), code.line());
    let codes = Code::ALL.iter().filter(|code| code.status().as_u16() == status).map(says);
    if let Access::Permission(_) = access {
        let codes: Vec<_> = codes.collect();
        let schema = RefOr::<Schema>::Ref(Ref::from_schema_name("Error"));
        let response = ResponseBuilder::new().description(codes.join(" · "));
        return response.content("application/json", Content::new(Some(schema))).build();
    }
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let content = Content::new(Some(schema::anything()));
    let response = ResponseBuilder::new().description(reason.unwrap_or("Failure"));
    response.content("application/json", content).build()
}

/// Everything that operations refer to.
pub(crate) fn referred(entries: &[RouteEntry]) -> BTreeMap<String, RefOr<Schema>> {
    let docs = entries.iter().map(|entry| &entry.doc);
    docs.flat_map(|doc| [&doc.body, &doc.answer]).flatten().flat_map(Schemas::named).collect()
}

fn loose_example() -> serde_json::Value {
    json!({ "model": "gpt-4o-mini", "messages": [{ "role": "user", "content": "Hello" }] })
}
