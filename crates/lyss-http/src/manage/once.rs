//! `Idempotency-Key`: what makes something is done once, however often it is sent.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::FutureExt;
use lyss_management::{Management, Once as Claimed, fingerprint};
use tracing::{error, warn};

use super::authorized::Holder;
use super::code::Code;
use super::failure::Failure;
use super::reply::Reply;
use super::use_cases::UseCases;

const HEADER: &str = "idempotency-key";
/// When a request whose first sending is still under way may ask again.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// The header's value, where it was sent, and what it was sent with but the body.
pub struct Once(Option<(String, String)>);

/// A key for one request.
pub struct Ticket {
    key: String,
    fingerprint: [u8; 32],
}

impl FromRequest for Once {
    type Error = Failure;
    type Future = std::future::Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(read(request))
    }
}

fn read(request: &HttpRequest) -> Result<Once, Failure> {
    let Some(key) = request.headers().get(HEADER) else { return Ok(Once(None)) };
    let key = key.as_bytes();
    let visible = key.iter().all(u8::is_ascii_graphic);
    match std::str::from_utf8(key) {
        Ok(key) if visible && (1..=255).contains(&key.len()) => {
            // As matched, not as written: an absolute address names the same route.
            let line = format!("{} {}?{}", request.method(), request.path(), request.query_string());
            Ok(Once(Some((key.to_owned(), line))))
        }
        _ => Err(Failure::field("Idempotency-Key", "must be 1 to 255 visible ASCII characters")),
    }
}

impl Once {
    /// For a request with this body.
    pub fn with(self, body: &[u8]) -> Option<Ticket> {
        let (key, line) = self.0?;
        Some(Ticket { key, fingerprint: fingerprint(&[line.as_bytes(), body]) })
    }
}

impl UseCases {
    /// Runs what makes something, unless it was run for this ticket before: then the answer of that time is told again.
    pub async fn once<F>(
        &self,
        holder: Holder,
        ticket: Option<Ticket>,
        work: impl FnOnce(Arc<Management>) -> F,
    ) -> Result<Reply, Failure>
    where
        F: Future<Output = Result<Reply, Failure>> + Send + 'static,
    {
        let management = self.shared();
        let work = work(Arc::clone(&management));
        let Some(ticket) = ticket else { return self.detached(work).await };
        self.detached(async move {
            let Ticket { key, fingerprint } = ticket;
            let claimed =
                management.claim_once(holder.scope.as_ref(), &holder.principal, &key, fingerprint).await?;
            let claim = match claimed {
                Claimed::Fresh(claim) => claim,
                Claimed::Answered { status, body } => return Reply::from_kept(status, &body),
                Claimed::OtherRequest => return Err(Failure::new(Code::IdempotencyConflict)),
                Claimed::UnderWay => {
                    let failure = Failure::new(Code::IdempotencyInProgress);
                    return Err(Failure { retry_after: Some(UNDER_WAY), ..failure });
                }
            };
            let done = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
                error!("a use-case panicked");
                Err(Failure::new(Code::Internal))
            });
            // Done is done: an answer that could not be kept is told all the same.
            let settled = match done.as_ref().ok().map(Reply::to_kept) {
                Some(Ok((status, body))) => management.finish_once(claim, status, &body).await,
                Some(Err(_)) | None => management.release_once(claim).await,
            };
            if let Err(error) = settled {
                warn!(%error, "the answer for an Idempotency-Key could not be settled");
            }
            done
        })
        .await
    }
}
