//! A JSON body: capped, of the right media type, and told by field what is wrong with it.

use std::future::Future;
use std::pin::Pin;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Bytes, Data};
use actix_web::{FromRequest, HttpRequest, dev};
use lyss_adapters::Fault;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::code::Code;
use super::failure::Failure;
use crate::body::{self, BodyLimits};

/// Caps of the management API's bodies, apart from the proxy's.
#[derive(Clone, Copy, Debug)]
pub struct ManagementBody(pub BodyLimits);

/// A body, and its bytes as they came.
pub struct Json<T> {
    pub value: T,
    pub(crate) bytes: Bytes,
}

/// The same where the body may be left out.
pub struct OptionalJson<T>(pub Option<Json<T>>);

type Reading<T> = Pin<Box<dyn Future<Output = Result<T, Failure>>>>;

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Failure;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            require_json(&request)?;
            let bytes = read(&request, payload).await?;
            Ok(Self { value: parse(&bytes)?, bytes })
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for OptionalJson<T> {
    type Error = Failure;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read(&request, payload).await?;
            if bytes.is_empty() {
                return Ok(Self(None));
            }
            require_json(&request)?;
            Ok(Self(Some(Json { value: parse(&bytes)?, bytes })))
        })
    }
}

async fn read(request: &HttpRequest, mut payload: dev::Payload) -> Result<Bytes, Failure> {
    let payload = web::Payload::from_request(request, &mut payload).await;
    let payload = payload.map_err(|_| Failure::new(Code::MalformedJson))?;
    let limits = request.app_data::<Data<ManagementBody>>().map(|limits| limits.0);
    let limits = limits.ok_or_else(|| Failure::new(Code::Internal))?;
    body::read(request, payload, limits).await.map_err(unread)
}

/// The proxy's fault, in this API's words.
fn unread(fault: Fault) -> Failure {
    let code = match fault.status {
        413 => Code::BodyTooLarge,
        408 => Code::RequestTimeout,
        _ => Code::MalformedJson,
    };
    Failure::saying(code, fault.message)
}

/// `application/json`, or a type built on it such as `application/merge-patch+json`.
fn require_json(request: &HttpRequest) -> Result<(), Failure> {
    let named = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let built_on_json = essence.starts_with("application/") && essence.ends_with("+json");
    if essence == "application/json" || built_on_json {
        Ok(())
    } else {
        Err(Failure::new(Code::UnsupportedMediaType))
    }
}

/// First whether it is JSON at all, which is another failure than a field that cannot be used.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(bytes) {
        let place = format!("line {}, column {}", error.line(), error.column());
        return Err(Failure::saying(
            Code::MalformedJson,
            format!("The request body is not readable JSON: see {place}."),
        ));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let (field, reason) = told(&path, &error.inner().to_string());
        Failure::field(field, reason)
    })
}

/// serde's words without the value they quote, which may be a secret, and with the field that they name in its path.
fn told(path: &str, text: &str) -> (String, String) {
    let root = if path == "." { "" } else { path };
    let text = text.rsplit_once(" at line ").map_or(text, |(text, _)| text);
    let quoted = |prefix: &str| text.strip_prefix(prefix)?.split('`').next();
    let below = |field: &str| if root.is_empty() { field.to_owned() } else { format!("{root}.{field}") };
    if let Some(field) = quoted("missing field `") {
        return (below(field), "is required".to_owned());
    }
    if let Some(field) = quoted("duplicate field `") {
        let path = if root.rsplit('.').next() == Some(field) { root.to_owned() } else { below(field) };
        return (path, "is given twice".to_owned());
    }
    let place = if root.is_empty() { "body".to_owned() } else { root.to_owned() };
    if let Some(field) = quoted("unknown field `") {
        let path = if root.rsplit('.').next() == Some(field) { root.to_owned() } else { below(field) };
        return (path, "is not a known field".to_owned());
    }
    match text.rsplit_once(", expected ") {
        Some((_, expected)) => (place, format!("must be {}", plain(expected))),
        None if text.starts_with("invalid ") => (place, "cannot be read".to_owned()),
        None => (place, text.to_owned()),
    }
}

/// What serde expected, in JSON's words instead of Rust's.
fn plain(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        _ if expected.starts_with("struct ") => "an object",
        _ => expected,
    }
}

#[cfg(test)]
mod tests;
