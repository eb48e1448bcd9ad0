//! One proxied call, in whatever dialect its path speaks.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::web::{self, Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, Route};
use futures_core::Stream;
use futures_util::FutureExt;
use lyss_adapters::{Ask, Dialect, Fault, Framing, scan_at};
use lyss_domain::{CallId, FaultKind};
use lyss_proxy::{
    Answer, AnswerBody, Failed, Headers, InForce, Incoming, Outlet, Proxy, Relay, Steering, Upload,
};

use crate::body::{self, BodyLimits};
use crate::caller::{Admittee, Doorkeeper};
use crate::replay::{self, Replays, Ticket};
use crate::way::Way;
use crate::{fault, form, steering};

/// A handler for paths of this kind. A panic of ours is an error of its call alone.
pub(crate) fn handler(way: Way) -> Route {
    web::to(
        move |request: HttpRequest,
              payload: Payload,
              proxy: Data<Proxy>,
              outlet: Data<Outlet>,
              doorkeeper: Data<Doorkeeper>,
              replays: Data<Replays>,
              limits: Data<BodyLimits>| async move {
            let counter = Counter { way, call: proxy.new_call(), proxy: &proxy, doorkeeper: &doorkeeper };
            let walked = counter.serve(&request, payload, (&outlet, &replays), **limits);
            match AssertUnwindSafe(walked).catch_unwind().await {
                Ok(response) => response,
                Err(_) => {
                    tracing::error!(call = %counter.call, "a handler panicked");
                    let fault = Fault::new(FaultKind::Internal, "The service failed on this call.");
                    refuse(&proxy, way.dialect(), counter.call, &fault)
                }
            }
        },
    )
}

/// Where one call is taken in.
struct Counter<'a> {
    way: Way,
    call: CallId,
    proxy: &'a Data<Proxy>,
    doorkeeper: &'a Doorkeeper,
}

impl Counter<'_> {
    async fn serve(
        &self,
        request: &HttpRequest,
        payload: Payload,
        (outlet, replays): (&Data<Outlet>, &Replays),
        limits: BodyLimits,
    ) -> HttpResponse {
        let (dialect, call) = (self.way.dialect(), self.call);
        let served = match self.take_in(request, payload, limits).await {
            Ok((taken, None)) => {
                let framing = taken.ask.framing;
                // The walk is large; boxed, so that the worker's task stays small while it waits.
                return match Box::pin(taken.walk(self.proxy, outlet, call)).await {
                    Ok(answer) => respond(dialect, answer, framing),
                    Err(failed) => fault::fail(dialect, &failed.head, &failed.fault),
                };
            }
            Ok((taken, Some(ticket))) => {
                let (proxy, outlet) = (self.proxy.clone(), outlet.clone());
                let walk = async move { Box::pin(taken.walk(&proxy, &outlet, call)).await };
                replays.once(ticket, dialect, call, walk).await
            }
            Err(fault) => Err(fault),
        };
        served.unwrap_or_else(|fault| refuse(self.proxy, dialect, call, &fault))
    }

    /// Who asks for what. The head is judged before the body is read.
    async fn take_in(
        &self,
        request: &HttpRequest,
        payload: Payload,
        limits: BodyLimits,
    ) -> Result<(Taken, Option<Ticket>), Fault> {
        let (proxy, doorkeeper) = (self.proxy, self.doorkeeper);
        let mut table = proxy.routes();
        let mut admittee = doorkeeper.admit(request, &table, proxy.clock()).await?;
        let words = self.way.words(request)?;
        let (ask, upload) = if form::is_form(request) {
            let (model, upload) = form::read(request, payload, limits, words.usual_model).await?;
            (Ask::unread(self.way.dialect(), model, words.errand), Some(upload))
        } else {
            let body = body::read(request, payload, limits).await?;
            (scan_at(self.way.dialect(), body, words)?, None)
        };
        // A body may take its time, and what was revoked or changed meanwhile is so for this call.
        let in_force = proxy.routes();
        if !Arc::ptr_eq(&table, &in_force) {
            table = in_force;
            admittee = doorkeeper.admit(request, &table, proxy.clock()).await?;
        }
        let steering = steering::read(request.headers())?;
        let strict = steering::strict(request.headers())?;
        let forwarded = steering::forwarded(self.way.dialect(), request.headers());
        let whole = !ask.stream && upload.is_none();
        let ticket = if whole { replay::ticket(request, &admittee.caller, &ask.body, proxy)? } else { None };
        let taken = Taken { table, admittee, ask, steering, strict, forwarded, upload };
        Ok((taken, ticket))
    }
}

/// A request that may begin its walk.
struct Taken {
    table: InForce,
    admittee: Admittee,
    ask: Ask,
    steering: Steering,
    strict: bool,
    forwarded: Headers,
    upload: Option<Upload>,
}

impl Taken {
    async fn walk(self, proxy: &Proxy, outlet: &Outlet, call: CallId) -> Result<Answer, Failed> {
        let Self { table, admittee, ask, steering, strict, forwarded, upload } = self;
        let (caller, key) = (&admittee.caller, &*admittee.key);
        let incoming = Incoming { call, caller, key, ask, steering, strict, forwarded, upload };
        proxy.chat(outlet, &table, incoming).await
    }
}

fn refuse(proxy: &Proxy, dialect: Dialect, call: CallId, fault: &Fault) -> HttpResponse {
    proxy.count_refusal(fault);
    fault::refuse(dialect, call, fault)
}

pub(crate) fn respond(dialect: Dialect, answer: Answer, framing: Framing) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    fault::write_head(&mut response, dialect, &answer.head);
    match answer.body {
        AnswerBody::Whole(bytes) => {
            response.insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")));
            response.body(bytes)
        }
        AnswerBody::Other(form, relay) => {
            if let Ok(form) = HeaderValue::from_bytes(form.as_bytes()) {
                response.insert_header((CONTENT_TYPE, form));
            }
            response.body(RelayBody(relay))
        }
        AnswerBody::Stream(relay) => {
            let form = match framing {
                Framing::Events => "text/event-stream; charset=utf-8",
                Framing::Array => "application/json",
            };
            response.insert_header((CONTENT_TYPE, HeaderValue::from_static(form)));
            response.insert_header((CACHE_CONTROL, HeaderValue::from_static("no-cache")));
            // nginx buffers event streams unless told not to.
            response.insert_header(("x-accel-buffering", "no"));
            response.body(RelayBody(relay))
        }
    }
}

/// A relay as actix takes it. Dropped by actix when the caller hangs up, which cancels the upstream.
pub(crate) struct RelayBody(pub(crate) Relay);

/// The answer broke off where no error of ours could be written: the connection ends without the body's end.
#[derive(Debug, thiserror::Error)]
#[error("the upstream's answer broke off")]
pub(crate) struct Broken;

impl MessageBody for RelayBody {
    type Error = Broken;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        let next = std::task::ready!(Pin::new(&mut self.0).poll_next(cx));
        Poll::Ready(match next {
            None if self.0.is_broken() => Some(Err(Broken)),
            next => next.map(Ok),
        })
    }
}
