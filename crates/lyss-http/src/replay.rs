//! `Idempotency-Key` on a proxied call that does not stream: one that is sent again is answered as the first time, and no
//! vendor is asked twice.
//!
//! The claim lies in the database, so that it holds across replicas; without the header nothing here is touched. The call
//! goes on when its caller hangs up, since whoever sends it again wants its answer. Answers rest sealed for a day, as
//! those of the management API do. A failure that may pass is not kept: the same key may be tried again.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_core::Stream;
use futures_util::FutureExt;
use lyss_adapters::{Dialect, Fault, Framing};
use lyss_domain::{CallId, Caller, FaultKind, FaultOwner};
use lyss_management::{Claim, Once, fingerprint};
use lyss_proxy::{Answer, AnswerBody, Failed, Proxy, Relay};
use tokio::sync::Semaphore;
use tracing::{error, warn};

use crate::call::{Broken, RelayBody, respond};
use crate::fault;
use crate::manage::code::Code;
use crate::manage::use_cases::UseCases;

const HEADER: &str = "idempotency-key";
/// On every answer for which the key was honoured: whether it is one of before.
const REPLAY: HeaderName = HeaderName::from_static("x-lyss-idempotent-replay");
/// The largest answer that is kept.
const MAX_KEPT_BYTES: usize = 1 << 20;
/// When a call whose first sending is still under way may be sent again.
const UNDER_WAY: Duration = Duration::from_secs(1);
/// How much longer than the longest call a claim holds, for the ends of both.
const MARGIN: Duration = Duration::from_secs(60);
/// Claims at once: callers with keys of their own leave connections to the database for everybody else.
const AT_ONCE: usize = 4;

/// Where answers are kept; one for all workers.
#[derive(Clone)]
pub(crate) struct Replays {
    use_cases: UseCases,
    at_once: Arc<Semaphore>,
}

/// A key for one call.
pub(crate) struct Ticket {
    caller: Caller,
    key: String,
    fingerprint: [u8; 32],
    under_way: Duration,
}

/// What is left of a call for whoever sends it again.
enum Kept {
    /// Status, content type and body.
    Answer(u16, HeaderValue, Bytes),
    /// There was an answer, which is not kept.
    TooLarge,
    /// It may be tried again.
    Nothing,
}

/// The ticket of a call, where its caller sent a key.
pub(crate) fn ticket(
    request: &HttpRequest,
    caller: &Caller,
    body: &[u8],
    proxy: &Proxy,
) -> Result<Option<Ticket>, Fault> {
    let Some(key) = request.headers().get(HEADER) else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| (1..=255).contains(&key.len()));
    let key = key.filter(|key| key.bytes().all(|b| b.is_ascii_graphic())).ok_or_else(|| {
        let message = "The header 'Idempotency-Key' must be 1 to 255 visible ASCII characters.";
        Fault::bad_request(message, Some("Idempotency-Key"))
    })?;
    // As matched, not as written: an absolute address names the same route.
    let line = format!("{} {}?{}", request.method(), request.path(), request.query_string());
    Ok(Some(Ticket {
        caller: caller.clone(),
        key: key.to_owned(),
        fingerprint: fingerprint(&[line.as_bytes(), body]),
        under_way: proxy.longest_call() + MARGIN,
    }))
}

impl Replays {
    pub(crate) fn new(use_cases: UseCases) -> Self {
        Self { use_cases, at_once: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Makes the call, unless it was made for this ticket before.
    pub(crate) async fn once(
        &self,
        ticket: Ticket,
        dialect: Dialect,
        call: CallId,
        walk: impl Future<Output = Result<Answer, Failed>> + 'static,
    ) -> Result<HttpResponse, Fault> {
        let replays = self.clone();
        // A task of this worker's own: the connections it uses live here, and it outlives a caller that hangs up.
        let task = actix_web::rt::spawn(async move { replays.run(ticket, dialect, call, walk).await });
        task.await.unwrap_or_else(|_| Err(broke_down()))
    }

    async fn run(
        &self,
        ticket: Ticket,
        dialect: Dialect,
        call: CallId,
        walk: impl Future<Output = Result<Answer, Failed>>,
    ) -> Result<HttpResponse, Fault> {
        let claim = match self.claim(ticket).await? {
            Once::Fresh(claim) => claim,
            Once::Answered { status, body } => return told_again(dialect, call, status, body.into()),
            Once::UnderWay => return Err(under_way()),
            Once::OtherRequest => return Err(other_request()),
        };
        let walked = AssertUnwindSafe(walk).catch_unwind().await;
        let (response, kept) = match walked {
            Ok(Ok(answer)) => answered(dialect, answer).await,
            Ok(Err(failed)) => failed_with(dialect, &failed),
            Err(_) => {
                error!(%call, "a handler panicked");
                (Err(broke_down()), Kept::Nothing)
            }
        };
        self.settle(claim, kept).await;
        let mut response = response?;
        response.headers_mut().insert(REPLAY, HeaderValue::from_static("false"));
        Ok(response)
    }

    async fn claim(&self, ticket: Ticket) -> Result<Once, Fault> {
        let _turn = self.at_once.acquire().await;
        let claimed = self.use_cases.run(|management| async move {
            let Ticket { caller, key, fingerprint, under_way } = ticket;
            management.claim_call_once(&caller, &key, fingerprint, under_way).await
        });
        claimed.await.map_err(|failure| match failure.code {
            Code::Conflict => cannot_be_read(),
            _ => {
                let message = "It cannot be found out whether this Idempotency-Key was used before.";
                Fault::new(FaultKind::Unavailable, message).with_retry_after(Some(UNDER_WAY))
            }
        })
    }

    /// Where this fails, the claim stands until it runs out: rather no answer than a second call.
    async fn settle(&self, claim: Claim, kept: Kept) {
        let _turn = self.at_once.acquire().await;
        let settled = self.use_cases.run(|management| async move {
            match kept {
                Kept::Answer(status, form, body) => {
                    let kept = [form.as_bytes(), b"\n", &body].concat();
                    management.finish_once(claim, status, &kept).await
                }
                Kept::TooLarge => management.finish_once(claim, StatusCode::OK.as_u16(), b"").await,
                Kept::Nothing => management.release_once(claim).await,
            }
        });
        if let Err(failure) = settled.await {
            warn!(code = failure.code.as_str(), "the answer for an Idempotency-Key could not be settled");
        }
    }
}

/// The answer that [`Replays::settle`] kept, under the new call's id.
fn told_again(dialect: Dialect, call: CallId, status: u16, kept: Bytes) -> Result<HttpResponse, Fault> {
    let Some(end) = kept.iter().position(|byte| *byte == b'\n') else { return Err(too_large()) };
    let form = kept.get(..end).and_then(|form| HeaderValue::from_bytes(form).ok());
    let status = StatusCode::from_u16(status).ok();
    let (Some(form), Some(status)) = (form, status) else { return Err(cannot_be_read()) };
    let mut response = HttpResponse::build(status);
    fault::write_id(&mut response, dialect, call);
    response.insert_header((CONTENT_TYPE, form)).insert_header((REPLAY, "true"));
    Ok(response.body(kept.slice(end + 1..)))
}

/// What an answer is told as, and what is kept of it.
async fn answered(dialect: Dialect, answer: Answer) -> (Result<HttpResponse, Fault>, Kept) {
    let json = HeaderValue::from_static("application/json");
    match answer.body {
        AnswerBody::Whole(ref bytes) => {
            let kept = Kept::of(StatusCode::OK.as_u16(), json, bytes.clone());
            (Ok(respond(dialect, answer, Framing::default())), kept)
        }
        AnswerBody::Other(form, relay) => {
            let mut response = HttpResponse::Ok();
            fault::write_head(&mut response, dialect, &answer.head);
            let form = HeaderValue::from_bytes(form.as_bytes()).unwrap_or(json);
            response.insert_header((CONTENT_TYPE, form.clone()));
            let (gathered, kept) = gather(form, relay).await;
            (Ok(response.body(gathered)), kept)
        }
        // Nobody asked for one.
        AnswerBody::Stream(_) => (Ok(respond(dialect, answer, Framing::default())), Kept::TooLarge),
    }
}

/// A refusal that every repetition would meet again is kept, once a vendor has said it. All else may pass.
fn failed_with(dialect: Dialect, failed: &Failed) -> (Result<HttpResponse, Fault>, Kept) {
    let fault = &failed.fault;
    let for_good = failed.head.attempts > 0 && fault.kind.owner() == FaultOwner::Caller;
    let kept = dialect.caller().filter(|_| for_good).map_or(Kept::Nothing, |caller| {
        let json = HeaderValue::from_static("application/json");
        Kept::of(fault.status, json, caller.render_fault(fault))
    });
    (Ok(fault::fail(dialect, &failed.head, fault)), kept)
}

impl Kept {
    fn of(status: u16, form: HeaderValue, body: Bytes) -> Self {
        if body.len() > MAX_KEPT_BYTES { Self::TooLarge } else { Self::Answer(status, form, body) }
    }
}

/// Reads an answer that passes as it comes, until it is whole or too large to be kept.
async fn gather(form: HeaderValue, mut relay: Relay) -> (Gathered, Kept) {
    let (mut pieces, mut size) = (VecDeque::new(), 0);
    while let Some(piece) = poll_fn(|cx| Pin::new(&mut relay).poll_next(cx)).await {
        size += piece.len();
        pieces.push_back(piece);
        if size > MAX_KEPT_BYTES {
            return (Gathered { pieces, rest: RelayBody(relay) }, Kept::TooLarge);
        }
    }
    let kept = if relay.is_broken() {
        Kept::Nothing
    } else {
        let whole: Vec<u8> = pieces.iter().flat_map(|piece: &Bytes| piece.iter().copied()).collect();
        Kept::of(StatusCode::OK.as_u16(), form, whole.into())
    };
    (Gathered { pieces, rest: RelayBody(relay) }, kept)
}

/// What was read of an answer, and then the rest of it.
struct Gathered {
    pieces: VecDeque<Bytes>,
    rest: RelayBody,
}

impl MessageBody for Gathered {
    type Error = Broken;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        if let Some(piece) = self.pieces.pop_front() {
            return Poll::Ready(Some(Ok(piece)));
        }
        Poll::Ready(ready!(Pin::new(&mut self.rest).poll_next(cx)))
    }
}

fn conflict(status: u16, code: &str, message: &str) -> Fault {
    let vendor_code = Some(code.to_owned());
    Fault { status, vendor_code, ..Fault::bad_request(message, Some("Idempotency-Key")) }
}

fn under_way() -> Fault {
    let message = "The first call with this Idempotency-Key is still under way. Send it again in a moment.";
    conflict(409, "idempotency_in_progress", message).with_retry_after(Some(UNDER_WAY))
}

fn other_request() -> Fault {
    let message = "This Idempotency-Key was used for another request. Take a new key for a new request.";
    conflict(422, "idempotency_conflict", message)
}

fn too_large() -> Fault {
    let message = "This call was answered before, and its answer was too large to be kept. It is not made again under \
                   this Idempotency-Key.";
    conflict(409, "idempotency_answer_not_kept", message)
}

fn cannot_be_read() -> Fault {
    let message = "This call was answered before, and its answer cannot be read any more.";
    conflict(409, "idempotency_answer_not_kept", message)
}

fn broke_down() -> Fault {
    Fault::new(FaultKind::Internal, "The service failed on this call.")
}
