//! Reading a request body: capped, bounded in time, without growth copies.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;
use lyss_adapters::Fault;
use lyss_domain::FaultKind;

/// How much is read, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    pub max_bytes: usize,
    pub timeout: Duration,
}

/// Memory taken on the word of a `Content-Length` alone.
const MAX_PRESIZE: usize = 1 << 20;

/// Reads the whole body. More than the cap is refused as soon as it is announced or seen.
pub async fn read(request: &HttpRequest, payload: Payload, limits: BodyLimits) -> Result<Bytes, Fault> {
    let announced =
        request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limits.max_bytes) {
        return Err(too_large(limits.max_bytes));
    }
    let mut collecting = pin!(collect(payload, announced, limits.max_bytes));
    // Nearly always the body is there already: no timer then.
    if let Poll::Ready(read) = poll_fn(|cx| Poll::Ready(collecting.as_mut().poll(cx))).await {
        return read;
    }
    match tokio::time::timeout(limits.timeout, collecting).await {
        Ok(read) => read,
        Err(_) => {
            let message = "The request body did not arrive in time.";
            Err(Fault { status: 408, ..Fault::new(FaultKind::BadRequest, message) })
        }
    }
}

async fn collect(mut payload: Payload, announced: Option<usize>, max_bytes: usize) -> Result<Bytes, Fault> {
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_| Fault::bad_request("The request body could not be read.", None))?;
        // Nearly always a small body comes in one piece.
        if first.is_none() && rest.is_empty() {
            first = Some(piece);
            continue;
        }
        if let Some(head) = first.take() {
            rest.reserve(
                announced
                    .unwrap_or(0)
                    .clamp(head.len() + piece.len(), MAX_PRESIZE.max(head.len() + piece.len())),
            );
            rest.extend_from_slice(&head);
        }
        if rest.len() + piece.len() > max_bytes {
            return Err(too_large(max_bytes));
        }
        rest.extend_from_slice(&piece);
    }
    let body = first.unwrap_or_else(|| rest.freeze());
    if body.len() > max_bytes { Err(too_large(max_bytes)) } else { Ok(body) }
}

pub(crate) fn too_large(max_bytes: usize) -> Fault {
    let message = format!("The request body is larger than {max_bytes} bytes.");
    Fault { status: 413, ..Fault::new(FaultKind::BadRequest, message) }
}
