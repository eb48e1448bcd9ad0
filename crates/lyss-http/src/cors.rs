//! Which web pages may call this service: those whose origin is named, exactly, and none otherwise. No origin is ever
//! reflected that is not in the list, there is no wildcard, and cookies are never asked for: callers prove themselves by
//! `Authorization` alone.

use std::sync::Arc;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap,
    HeaderValue, ORIGIN, VARY,
};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};

const METHODS: &str = "GET, POST, PATCH, DELETE";
const HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, If-Match, X-Tenant-Id, x-api-key, x-lyss-channel, \
                       x-lyss-strategy, x-lyss-tags, x-lyss-timeout-ms, x-lyss-session, x-lyss-strict";
const EXPOSED: &str = "ETag, Location, Retry-After, retry-after-ms, x-request-id, x-lyss-channel, x-lyss-attempts, \
                       x-lyss-panic, x-lyss-conversion-loss, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, \
                       x-ratelimit-reset-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, \
                       x-ratelimit-reset-tokens, idempotent-replayed, x-lyss-idempotent-replay";
const MAX_AGE_SECONDS: &str = "600";

/// Origins as browsers write them: `https://host` or `https://host:port`.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins(Arc<Vec<HeaderValue>>);

/// Why a text is no origin that may be allowed.
#[derive(Debug, PartialEq, Eq)]
pub struct BadOrigin(pub String);

impl AllowedOrigins {
    /// Refuses `*`, `null` and whatever a browser would not write, so that a mistake is met at the start.
    pub fn new(origins: &[String]) -> Result<Self, BadOrigin> {
        let read = |origin: &String| {
            let value = HeaderValue::from_str(origin).ok().filter(|_| is_origin(origin));
            value.ok_or_else(|| BadOrigin(origin.clone()))
        };
        Ok(Self(Arc::new(origins.iter().map(read).collect::<Result<_, _>>()?)))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn allow(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut sent = headers.get_all(ORIGIN);
        let (Some(origin), None) = (sent.next(), sent.next()) else { return None };
        self.0.iter().find(|allowed| *allowed == origin).cloned()
    }
}

impl std::fmt::Display for BadOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "'{}' is no origin such as https://console.example", self.0)
    }
}

impl std::error::Error for BadOrigin {}

fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let plain =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    matches!(scheme, "http" | "https") && !host.is_empty() && host.bytes().all(plain)
}

/// Answers what browsers ask beforehand, and says on every answer whether its page may read it.
pub(crate) async fn guard<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let allowed =
        request.app_data::<Data<AllowedOrigins>>().and_then(|origins| origins.allow(request.headers()));
    let asks_beforehand =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks_beforehand && allowed.is_some() {
        let mut answer = HttpResponse::NoContent();
        answer.insert_header((ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS)));
        answer.insert_header((ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS)));
        answer.insert_header((ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE_SECONDS)));
        request.into_response(answer.finish()).map_into_right_body()
    } else {
        next.call(request).await?.map_into_left_body()
    };
    let headers = response.headers_mut();
    // A cache must not give one origin's answer to another, also where the answer has no other header of this kind.
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
    Ok(response)
}

#[cfg(test)]
mod tests;
