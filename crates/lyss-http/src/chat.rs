//! `POST /v1/chat/completions` and the same under `/api/v1/proxy`.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_core::Stream;
use futures_util::FutureExt;
use lyss_adapters::{Dialect, Fault, scan};
use lyss_domain::{CallId, FaultKind};
use lyss_proxy::{Answer, AnswerBody, Incoming, Outlet, Proxy, Relay};

use crate::body::{self, BodyLimits};
use crate::caller::Doorkeeper;
use crate::{fault, steering};

/// An OpenAI chat completion, streamed or whole. A panic of ours is an error of this call alone.
pub async fn openai_chat(
    request: HttpRequest,
    payload: Payload,
    proxy: Data<Proxy>,
    outlet: Data<Outlet>,
    doorkeeper: Data<Doorkeeper>,
    limits: Data<BodyLimits>,
) -> HttpResponse {
    let dialect = Dialect::OpenAiChat;
    let call = proxy.new_call();
    let walked = chat(&request, payload, &proxy, &outlet, &doorkeeper, **limits, dialect, call);
    match AssertUnwindSafe(walked).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!(%call, "a handler panicked");
            refuse(
                &proxy,
                dialect,
                call,
                &Fault::new(FaultKind::Internal, "The service failed on this call."),
            )
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the handler's own pieces, one level down")]
async fn chat(
    request: &HttpRequest,
    payload: Payload,
    proxy: &Proxy,
    outlet: &Outlet,
    doorkeeper: &Doorkeeper,
    limits: BodyLimits,
    dialect: Dialect,
    call: CallId,
) -> HttpResponse {
    let mut table = proxy.routes();
    let mut admittee = match doorkeeper.admit(request, &table, proxy.clock()).await {
        Ok(admittee) => admittee,
        Err(fault) => return refuse(proxy, dialect, call, &fault),
    };
    let scanned = match body::read(request, payload, limits).await {
        Ok(body) => scan(dialect, body).map_err(Fault::from),
        Err(fault) => Err(fault),
    };
    let ask = match scanned {
        Ok(ask) => ask,
        Err(fault) => return refuse(proxy, dialect, call, &fault),
    };
    // A body may take its time, and what was revoked or changed meanwhile is so for this call.
    let in_force = proxy.routes();
    if !Arc::ptr_eq(&table, &in_force) {
        table = in_force;
        admittee = match doorkeeper.admit(request, &table, proxy.clock()).await {
            Ok(admittee) => admittee,
            Err(fault) => return refuse(proxy, dialect, call, &fault),
        };
    }
    let steering = match steering::read(request.headers()) {
        Ok(steering) => steering,
        Err(fault) => return refuse(proxy, dialect, call, &fault),
    };
    let incoming = Incoming { call, caller: &admittee.caller, key: &admittee.key, ask, steering };
    let walked = proxy.chat(outlet, &table, incoming);
    // The walk is large; boxed, so that the worker's task stays small while it waits.
    match Box::pin(walked).await {
        Ok(answer) => respond(answer),
        Err(failed) => fault::fail(dialect, &failed.head, &failed.fault),
    }
}

fn refuse(proxy: &Proxy, dialect: Dialect, call: CallId, fault: &Fault) -> HttpResponse {
    proxy.count_refusal(fault);
    fault::refuse(dialect, call, fault)
}

fn respond(answer: Answer) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    fault::write_head(&mut response, &answer.head);
    match answer.body {
        AnswerBody::Whole(bytes) => {
            response.insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")));
            response.body(bytes)
        }
        AnswerBody::Stream(relay) => {
            response
                .insert_header((CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8")));
            response.insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")));
            // nginx buffers event streams unless told not to.
            response.insert_header(("x-accel-buffering", "no"));
            response.body(RelayBody(relay))
        }
    }
}

/// A relay as actix takes it. Dropped by actix when the caller hangs up, which cancels the upstream.
struct RelayBody(Relay);

impl MessageBody for RelayBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Pin::new(&mut self.0).poll_next(cx).map(|next| next.map(Ok))
    }
}
