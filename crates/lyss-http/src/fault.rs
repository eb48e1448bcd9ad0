//! Answers: the headers every proxied one carries, and faults in the caller's dialect.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, HttpResponseBuilder};
use lyss_adapters::{Dialect, Fault};
use lyss_domain::CallId;
use lyss_proxy::AnswerHead;

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const X_LYSS_CHANNEL: HeaderName = HeaderName::from_static("x-lyss-channel");
const X_LYSS_ATTEMPTS: HeaderName = HeaderName::from_static("x-lyss-attempts");

/// Longest list of lost fields that is named in a header.
const MAX_LOSS_BYTES: usize = 512;

/// A fault of a call that has not begun its walk.
pub fn refuse(dialect: Dialect, call: CallId, fault: &Fault) -> HttpResponse {
    let mut response = HttpResponse::build(status(fault));
    write_id(&mut response, dialect, call);
    respond(dialect, &mut response, fault)
}

/// A fault of a call that has.
pub fn fail(dialect: Dialect, head: &AnswerHead, fault: &Fault) -> HttpResponse {
    let mut response = HttpResponse::build(status(fault));
    write_head(&mut response, dialect, head);
    respond(dialect, &mut response, fault)
}

/// `x-request-id`, `x-lyss-channel`, `x-lyss-attempts`, `x-ratelimit-*` and what was lost in conversion.
pub fn write_head(response: &mut HttpResponseBuilder, dialect: Dialect, head: &AnswerHead) {
    write_id(response, dialect, head.call);
    let mut text = [0; 36];
    if let Some(channel) = head.channel {
        response.insert_header((X_LYSS_CHANNEL, plain(channel.write(&mut text).as_bytes())));
    }
    response.insert_header((X_LYSS_ATTEMPTS, HeaderValue::from(head.attempts)));
    if head.panicked {
        response.insert_header(("x-lyss-panic", "true"));
    }
    for (unit, state) in &head.windows {
        let [limit, remaining, reset] = window_headers(*unit);
        response.insert_header((limit, HeaderValue::from(state.limit)));
        response.insert_header((remaining, HeaderValue::from(state.remaining)));
        let mut digits = itoa::Buffer::new();
        let wait = digits.format(state.reset_after.as_millis());
        response.insert_header((reset, plain(&[wait.as_bytes(), b"ms"].concat())));
    }
    if let Some(who) = head.counted {
        response.insert_header(("x-lyss-token-count", who.as_str()));
    }
    if !head.losses.is_empty() {
        let mut list = head.losses.join(",");
        list.retain(|c| c.is_ascii_graphic());
        list.truncate(MAX_LOSS_BYTES);
        response.insert_header(("x-lyss-conversion-loss", list));
    }
}

/// `x-request-id`, and under the name that Anthropic's SDKs read for their callers.
pub(crate) fn write_id(response: &mut HttpResponseBuilder, dialect: Dialect, call: CallId) {
    let mut text = [0; 36];
    let id = plain(call.write(&mut text).as_bytes());
    if dialect == Dialect::AnthropicMessages {
        response.insert_header((REQUEST_ID, id.clone()));
    }
    response.insert_header((X_REQUEST_ID, id));
}

fn respond(dialect: Dialect, response: &mut HttpResponseBuilder, fault: &Fault) -> HttpResponse {
    if let Some(wait) = fault.retry_after {
        let seconds = wait.as_millis().div_ceil(1_000).max(1);
        response.insert_header((RETRY_AFTER, seconds.to_string()));
        response.insert_header(("retry-after-ms", wait.as_millis().to_string()));
    }
    response.insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")));
    match dialect.caller() {
        Some(caller) => response.body(caller.render_fault(fault)),
        None => response.finish(),
    }
}

/// Digits, letters and dashes.
fn plain(text: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(text).unwrap_or(HeaderValue::from_static(""))
}

fn status(fault: &Fault) -> StatusCode {
    StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn window_headers(unit: lyss_quota::RateUnit) -> [HeaderName; 3] {
    match unit {
        lyss_quota::RateUnit::Requests => [
            HeaderName::from_static("x-ratelimit-limit-requests"),
            HeaderName::from_static("x-ratelimit-remaining-requests"),
            HeaderName::from_static("x-ratelimit-reset-requests"),
        ],
        lyss_quota::RateUnit::Tokens => [
            HeaderName::from_static("x-ratelimit-limit-tokens"),
            HeaderName::from_static("x-ratelimit-remaining-tokens"),
            HeaderName::from_static("x-ratelimit-reset-tokens"),
        ],
    }
}
