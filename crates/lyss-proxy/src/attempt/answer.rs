//! Reading what a channel answered: a refusal, a stream, or a whole.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use lyss_adapters::google::embed::{self, EmbeddingFormat};
use lyss_adapters::headroom;
use lyss_adapters::passing::{self, EventsTap};
use lyss_adapters::responses::kept;
use lyss_adapters::{CallerSide, CountSide, Dialect, Errand, Fault, Framing, Rendering, Tapped, VendorSide};
use lyss_domain::{FaultKind, Terminal, TokenUsage};
use lyss_wire::{ByteStream, ResponseHead};

use super::prepare::Reading;
use super::{Outcome, caller_side, failed};
use crate::call::{AnswerBody, Walk};
use crate::relay::{Convert, Mode, Relay};
use crate::settle::Settlement;

/// Bytes of an error body that are read.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// Reads what came. `dialect` is the one spoken with the vendor.
pub(super) async fn answered(
    walk: &Walk<'_>,
    dialect: Dialect,
    reading: Reading,
    settlement: Settlement,
    head: ResponseHead,
    body: ByteStream,
) -> Outcome {
    let mut outcome = read(walk, dialect, reading, settlement, head, body).await;
    if let Outcome::Failed(_, fault) = &mut outcome
        && dialect != walk.ask.dialect
    {
        // The vendor's own body says nothing to a caller of another dialect.
        fault.verbatim = None;
    }
    outcome
}

async fn read(
    walk: &Walk<'_>,
    dialect: Dialect,
    reading: Reading,
    mut settlement: Settlement,
    head: ResponseHead,
    body: ByteStream,
) -> Outcome {
    settlement.status(head.status.as_u16());
    settlement.headroom(&headroom::read(&head.headers, walk.parts.clock.now()));
    if !head.status.is_success() {
        let fault = read_fault(dialect, &head, body).await;
        return failed(settlement, fault);
    }
    if matches!(reading, Reading::Unread) {
        return unread(walk, settlement, &head.headers, body).await;
    }
    if walk.ask.stream && walk.ask.errand == Errand::Chat {
        stream(walk, dialect, reading, settlement, &head.headers, body).await
    } else {
        whole(walk, reading, settlement, &head.headers, body).await
    }
}

async fn read_fault(dialect: Dialect, head: &ResponseHead, body: ByteStream) -> Fault {
    // A cut error body is still an error: what came of it is read.
    let bytes = match collect(body, &HeaderMap::new(), MAX_ERROR_BYTES).await {
        Ok(bytes) | Err((bytes, _)) => bytes,
    };
    match dialect.vendor() {
        Some(vendor) => vendor.read_fault(head.status, &head.headers, &bytes),
        None => Fault::new(FaultKind::VendorError, "The upstream failed."),
    }
}

async fn stream(
    walk: &Walk<'_>,
    spoken: Dialect,
    reading: Reading,
    settlement: Settlement,
    headers: &HeaderMap,
    body: ByteStream,
) -> Outcome {
    let dialect = walk.ask.dialect;
    // A server that passes Google's answers on without asking for events.
    let form = headers.get(CONTENT_TYPE).map(|form| form.as_bytes());
    let is_array = spoken == Dialect::GoogleGenerate
        && form.is_some_and(|form| form.to_ascii_lowercase().starts_with(b"application/json"));
    let mode_and_caller = caller_side(dialect).and_then(|caller| {
        let mode = match reading {
            Reading::Pass { hide_usage } if !is_array => {
                let pass = dialect.pass().ok_or_else(|| Fault::new(FaultKind::Internal, "No pass side."))?;
                Mode::Pass(pass.tap(hide_usage))
            }
            Reading::Count(_) | Reading::Embed { .. } | Reading::Unread => {
                return Err(Fault::new(FaultKind::Internal, "No stream is read for this."));
            }
            Reading::Pass { .. } => {
                let vendor =
                    spoken.vendor().ok_or_else(|| Fault::new(FaultKind::Internal, "No vendor side."))?;
                Mode::Convert(Box::new(convert(walk, caller, vendor, is_array)))
            }
            Reading::Convert(vendor) => Mode::Convert(Box::new(convert(walk, caller, vendor, is_array))),
        };
        Ok((mode, caller))
    });
    let (mode, caller) = match mode_and_caller {
        Ok(made) => made,
        Err(fault) => return failed(settlement, fault),
    };
    let settings = &walk.parts.settings;
    let relay = Relay::new(body, mode, caller, settlement, settings.heartbeat);
    match relay.prime(settings.max_peek_bytes, settings.hold).await {
        Ok(relay) => Outcome::Answered(AnswerBody::Stream(relay)),
        Err((settlement, fault)) => failed(settlement, fault),
    }
}

fn convert(walk: &Walk<'_>, caller: &dyn CallerSide, vendor: &dyn VendorSide, is_array: bool) -> Convert {
    let framing = if is_array { Framing::Array } else { Framing::Events };
    let renderer = caller.renderer(&rendering(walk));
    let keeper = keeps(walk).then(|| (Arc::clone(walk.kept), walk.tenant.entry.tenant.id));
    Convert::new(framing, vendor.decoder(), renderer, walk.ask.framing, keeper)
}

async fn whole(
    walk: &Walk<'_>,
    reading: Reading,
    mut settlement: Settlement,
    headers: &HeaderMap,
    body: ByteStream,
) -> Outcome {
    let bytes = match collect(body, headers, walk.parts.settings.max_reply_bytes).await {
        Ok(bytes) => bytes,
        Err((_, fault)) => return failed(settlement, fault),
    };
    settlement.content();
    let dialect = walk.ask.dialect;
    let read = match reading {
        Reading::Count(side) => {
            let counted =
                side.read(&bytes).and_then(|tokens| count_side(dialect).map(|own| own.render(tokens)));
            return match counted {
                Ok(answer) => {
                    settlement.finish_free();
                    Outcome::Answered(AnswerBody::Whole(answer))
                }
                Err(fault) => failed(settlement, fault),
            };
        }
        Reading::Unread => Ok((None, Tapped::default())),
        Reading::Embed { format, estimated_tokens } => embedded(walk, format, estimated_tokens, &bytes),
        Reading::Pass { .. } => pass_whole(dialect, &bytes),
        Reading::Convert(vendor) => convert_whole(walk, vendor, &bytes),
    };
    match read {
        Ok((answer, seen)) => {
            settlement.finish(Terminal::Complete, None, &seen);
            Outcome::Answered(AnswerBody::Whole(answer.unwrap_or(bytes)))
        }
        Err(fault) => failed(settlement, fault),
    }
}

/// The side that counts in the caller's dialect.
pub(crate) fn count_side(dialect: Dialect) -> Result<&'static dyn CountSide, Fault> {
    dialect.count().ok_or_else(|| Fault::new(FaultKind::Internal, "This dialect counts no tokens."))
}

/// An answer that is passed on as it is: whole where it is JSON, else as it comes.
async fn unread(
    walk: &Walk<'_>,
    mut settlement: Settlement,
    headers: &HeaderMap,
    body: ByteStream,
) -> Outcome {
    let form =
        headers.get(CONTENT_TYPE).cloned().unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let is = |prefix: &str| form.as_bytes().to_ascii_lowercase().starts_with(prefix.as_bytes());
    let settings = &walk.parts.settings;
    if is("application/json") {
        let bytes = match collect(body, headers, settings.max_reply_bytes).await {
            Ok(bytes) => bytes,
            Err((_, fault)) => return failed(settlement, fault),
        };
        settlement.content();
        let usage = passing::usage(&bytes);
        settlement.finish(Terminal::Complete, None, &Tapped { usage, ended: true, ..Tapped::default() });
        return Outcome::Answered(AnswerBody::Whole(bytes));
    }
    let caller = match caller_side(walk.ask.dialect) {
        Ok(caller) => caller,
        Err(fault) => return failed(settlement, fault),
    };
    let mode = if is("text/event-stream") {
        Mode::Pass(Box::new(EventsTap::new()))
    } else {
        Mode::Opaque(Box::default())
    };
    let relay = Relay::new(body, mode, caller, settlement, settings.heartbeat);
    match relay.prime(settings.max_peek_bytes, settings.hold).await {
        Ok(relay) => Outcome::Answered(AnswerBody::Other(form, relay)),
        Err((settlement, fault)) => failed(settlement, fault),
    }
}

/// The caller's bytes where they differ from the vendor's, and what was used.
type Read = Result<(Option<Bytes>, Tapped), Fault>;

fn pass_whole(dialect: Dialect, bytes: &Bytes) -> Read {
    // HTML and the like with status 200: nothing of it may reach the caller as an answer.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Fault::new(FaultKind::Protocol, "The upstream's answer is not JSON."));
    }
    let usage = dialect.pass().and_then(|pass| pass.read_usage(bytes));
    // An answer that was paid for is one, whatever else it says.
    let fault = if usage.is_none() { error_within(dialect, bytes) } else { None };
    match fault {
        Some(fault) => Err(fault),
        None => Ok((None, whole_seen(usage, bytes.len()))),
    }
}

/// The error that a router in front of vendors sends with status 200, where an answer was expected.
fn error_within(dialect: Dialect, bytes: &[u8]) -> Option<Fault> {
    const NAME: &[u8] = b"\"error\"";
    let may_be_one = bytes.windows(NAME.len()).any(|part| part == NAME);
    dialect.vendor().filter(|_| may_be_one)?.decode(bytes).err()
}

fn convert_whole(walk: &Walk<'_>, vendor: &dyn VendorSide, bytes: &[u8]) -> Read {
    let reply = vendor.decode(bytes)?;
    let answer = caller_side(walk.ask.dialect)?.render(&reply, &rendering(walk));
    if keeps(walk) {
        walk.kept.put(walk.tenant.entry.tenant.id, kept::of_answer(&answer));
    }
    Ok((Some(answer), whole_seen(reply.usage, bytes.len())))
}

fn embedded(walk: &Walk<'_>, format: EmbeddingFormat, estimated_tokens: u64, bytes: &[u8]) -> Read {
    let embeddings = embed::decode(bytes)?;
    let usage = embeddings.tokens.map(|input| TokenUsage { input, ..TokenUsage::default() });
    let tokens = embeddings.tokens.unwrap_or(estimated_tokens);
    let answer = embed::render(&embeddings, format, &walk.ask.model, tokens);
    Ok((Some(answer), Tapped { usage, ended: true, ..Tapped::default() }))
}

/// The caller's next turn may refer to what this one answers.
fn keeps(walk: &Walk<'_>) -> bool {
    walk.ask.dialect == Dialect::OpenAiResponses && kept::wants_kept(&walk.ask.body)
}

fn whole_seen(usage: Option<TokenUsage>, bytes: usize) -> Tapped {
    Tapped { usage, generated_bytes: bytes as u64, ended: true, ..Tapped::default() }
}

fn rendering(walk: &Walk<'_>) -> Rendering {
    Rendering {
        created: walk.started_at,
        include_usage: walk.ask.include_usage == Some(true),
        framing: walk.ask.framing,
        model: walk.ask.model.clone(),
        request: walk.ask.body.clone(),
    }
}

/// Reads a body whole, without a copy where it came in one piece. On failure, what came of it.
async fn collect(mut body: ByteStream, headers: &HeaderMap, limit: usize) -> Result<Bytes, (Bytes, Fault)> {
    let expected = headers.get(http::header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    loop {
        let next = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await;
        let joined = |first: Option<Bytes>, rest: BytesMut| match first {
            Some(only) if rest.is_empty() => only,
            _ => rest.freeze(),
        };
        match next {
            None => return Ok(joined(first, rest)),
            Some(Err(error)) => return Err((joined(first, rest), error.class.into())),
            Some(Ok(bytes)) if first.is_none() && rest.is_empty() => first = Some(bytes),
            Some(Ok(bytes)) => {
                if let Some(head) = first.take() {
                    rest.reserve(expected.unwrap_or(0_usize).min(limit).max(head.len() + bytes.len()));
                    rest.extend_from_slice(&head);
                }
                rest.extend_from_slice(&bytes);
                if rest.len() > limit {
                    let fault = Fault::new(FaultKind::Protocol, "The upstream's answer is too large.");
                    return Err((rest.freeze(), fault));
                }
            }
        }
    }
}
