//! One channel is tried: its own limits, the request in its dialect, the wait for the first valid piece of an answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use lyss_adapters::splice::OutputLimit;
use lyss_adapters::{
    Ask, ChatCall, Dialect, Encoding, Fault, Quirks, Rendering, Splices, Tapped, VendorSide,
};
use lyss_domain::{
    AttemptId, AttemptRecord, FaultKind, Micros, PriceId, Rates, Terminal, Tick, TokenUsage, UsageSource,
};
use lyss_wire::{ByteStream, RequestBody, ResponseHead, Timers, TransportClass};

use crate::admit::{self, Bound, Charge, Whose};
use crate::call::{AnswerBody, Walk};
use crate::relay::{Convert, Mode, Relay};
use crate::routes::Route;
use crate::settle::{Sending, Settlement};

/// Bytes of an error body that are read.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// What became of trying a channel.
pub(crate) enum Outcome {
    Answered(AnswerBody),
    /// Nothing was sent: the channel itself had no room.
    Skipped(Charge, Fault),
    /// It was sent and failed before anything reached the caller. `None`: the charge is settled.
    Failed(Option<Charge>, Fault),
}

/// The request in the vendor's dialect, and how its answer is to be read.
struct Prepared {
    body: RequestBody,
    reading: Reading,
}

enum Reading {
    /// Both sides speak the caller's dialect.
    Pass {
        hide_usage: bool,
    },
    Convert(&'static dyn VendorSide),
}

/// Tries one channel. The future may be dropped at any await: what was taken is given back or settled.
pub(crate) async fn attempt(
    walk: &mut Walk<'_>,
    route: &Arc<Route>,
    charge: Charge,
    ordinal: u16,
) -> Outcome {
    let upstream_model = route.upstream_model(&walk.ask.model).to_owned();
    let room = match enter(walk, route).await {
        Ok(room) => room,
        Err(fault) => return Outcome::Skipped(charge, fault),
    };
    let prepared = match prepare(walk, route, &upstream_model) {
        Ok(prepared) => prepared,
        Err(fault) => return Outcome::Skipped(charge, fault),
    };
    let request = match address(walk, route, &upstream_model, prepared.body) {
        Ok(request) => request,
        Err(fault) => return Outcome::Skipped(charge, fault),
    };
    let now = walk.parts.clock.tick();
    let Some(timers) = timers(walk, route, now) else {
        return Outcome::Skipped(charge, Fault::from(TransportClass::TotalTimeout));
    };
    let settlement = Settlement::begin(Sending {
        parts: Arc::clone(walk.parts),
        draft: draft(walk, route, upstream_model, ordinal),
        rates: walk.rates,
        prompt_guess: walk.prompt_guess,
        charge,
        channel_charge: room.charge,
        slot: room.slot,
        in_flight: room.in_flight,
    });
    match walk.transport.send(request, timers).await {
        Err(error) => failed(settlement, error.class.into()),
        Ok((head, body)) => answered(walk, route, prepared.reading, settlement, head, body).await,
    }
}

/// A channel's own concurrency, rate windows and quotas, and room in the ledger.
struct Room {
    in_flight: crate::routes::InFlight,
    charge: Charge,
    slot: lyss_ledger::Slot,
}

async fn enter(walk: &Walk<'_>, route: &Route) -> Result<Room, Fault> {
    let limits = &route.channel.limits;
    let in_flight = route.load.enter(limits.concurrency).ok_or_else(|| {
        Fault::new(FaultKind::Unavailable, "Every channel for this model is at its concurrency limit.")
            .with_retry_after(Some(Duration::from_secs(1)))
    })?;
    let tokens = admit::window_tokens(walk.ask, walk.prompt_guess);
    let asks = admit::channel_windows(route.channel.id, limits, tokens);
    let ticket = admit::take(&walk.parts.rates, &asks, walk.parts.clock.tick()).await;
    let ticket = ticket.map_err(|full| as_channel_fault(full.fault))?;
    let whose = Whose::Channel(route.channel.id);
    let reserved =
        admit::reserve(&walk.parts.quotas, &walk.tenant.entry, whose, walk.bound, walk.started_at).await;
    let charge = match reserved {
        Ok(reservation) => Charge::new(reservation, ticket),
        Err(fault) => return Err(as_channel_fault(fault)),
    };
    let slot = walk.parts.ledger.try_slot().ok_or_else(|| {
        Fault::new(FaultKind::Unavailable, "The usage ledger is saturated.")
            .with_retry_after(Some(Duration::from_secs(1)))
    })?;
    Ok(Room { in_flight, charge, slot })
}

/// A channel's full window is no fault of the caller: another channel may have room.
fn as_channel_fault(fault: Fault) -> Fault {
    Fault::new(FaultKind::Unavailable, "Every channel for this model is at its own limit.")
        .with_retry_after(fault.retry_after)
}

fn prepare(walk: &mut Walk<'_>, route: &Route, upstream_model: &str) -> Result<Prepared, Fault> {
    let ask = walk.ask;
    let limit = walk.written_output_limit;
    if route.dialect == ask.dialect
        && let Some(pass) = ask.dialect.pass()
    {
        let hide_usage = ask.stream && ask.include_usage != Some(true);
        let splices = Splices {
            model: (upstream_model != ask.model).then_some(upstream_model),
            include_usage: hide_usage,
            output_limit: limit.map(|tokens| OutputLimit { field: route.output_limit_field, tokens }),
        };
        return Ok(Prepared { body: pass.splice(ask, &splices), reading: Reading::Pass { hide_usage } });
    }
    let vendor = route
        .dialect
        .vendor()
        .ok_or_else(|| Fault::new(FaultKind::Unavailable, "This channel's dialect is not supported yet."))?;
    let call = walk.conversation.get_or_parse(ask)?;
    let caller = caller_side(ask.dialect)?;
    let encoding = Encoding { model: upstream_model, output_limit: limit, quirks: &Quirks::OPENAI };
    let encoded = vendor.encode(call, &encoding).map_err(|unsayable| unsayable.into_fault(caller))?;
    walk.losses = encoded.losses.iter().map(|loss| caller.path(loss)).collect();
    Ok(Prepared { body: encoded.body.into(), reading: Reading::Convert(vendor) })
}

/// The conversation, parsed once and only when some chosen channel speaks another dialect.
#[derive(Default)]
pub(crate) struct Conversation(Option<ChatCall>);

impl Conversation {
    fn get_or_parse(&mut self, ask: &Ask) -> Result<&ChatCall, Fault> {
        if self.0.is_none() {
            let caller = caller_side(ask.dialect)?;
            self.0 = Some(caller.parse(ask)?);
        }
        self.0.as_ref().ok_or_else(|| Fault::new(FaultKind::Internal, "The request could not be read."))
    }
}

fn address(
    walk: &Walk<'_>,
    route: &Route,
    upstream_model: &str,
    body: RequestBody,
) -> Result<lyss_wire::EncodedRequest, Fault> {
    let unusable = |reason: &str| {
        tracing::warn!(channel = %route.channel.id, reason, "a channel cannot be addressed");
        Fault::new(FaultKind::CredentialRefused, "The channel's credential or address cannot be used.")
    };
    let uri = route.chat_uri(upstream_model).ok_or_else(|| unusable("address"))?;
    let secret = route.open_credential(&walk.parts.vault).map_err(|_| unusable("credential"))?;
    route.target().post(uri, body, secret.as_ref(), walk.ask.stream).map_err(|_| unusable("header"))
}

/// The four timers, none beyond the call's one deadline; `None`: it has passed.
fn timers(walk: &Walk<'_>, route: &Route, now: Tick) -> Option<Timers> {
    let left = walk.deadline.since(now);
    if left.is_zero() {
        return None;
    }
    let own = &route.channel.timeouts;
    let defaults = &walk.parts.settings;
    Some(Timers {
        connect: own.connect.unwrap_or(defaults.connect).min(left),
        first_byte: own.first_byte.unwrap_or(defaults.first_byte).min(left),
        idle: own.idle.unwrap_or(defaults.idle).min(left),
        total: own.total.map_or(left, |total| total.min(left)),
    })
}

fn draft(walk: &Walk<'_>, route: &Route, model_served: String, ordinal: u16) -> AttemptRecord {
    let started_at = walk.parts.clock.now();
    AttemptRecord {
        id: AttemptId::of(walk.call, ordinal),
        call: walk.call,
        ordinal,
        tenant: walk.tenant.entry.tenant.id,
        key: walk.key.id,
        channel: route.channel.id,
        provider: route.channel.provider.clone(),
        model_asked: walk.ask.model.clone(),
        model_served,
        strategy: walk.strategy,
        stream: walk.ask.stream,
        terminal: Terminal::Refused,
        fault: None,
        status: None,
        usage: TokenUsage::default(),
        usage_source: UsageSource::None,
        cost: Micros::ZERO,
        price: None,
        started_at,
        ttft_us: None,
        total_us: 0,
    }
}

fn failed(settlement: Settlement, fault: Fault) -> Outcome {
    Outcome::Failed(settlement.fail(fault.kind), fault)
}

async fn answered(
    walk: &Walk<'_>,
    route: &Route,
    reading: Reading,
    mut settlement: Settlement,
    head: ResponseHead,
    body: ByteStream,
) -> Outcome {
    settlement.status(head.status.as_u16());
    if !head.status.is_success() {
        let fault = read_fault(route.dialect, &head, body).await;
        return failed(settlement, fault);
    }
    if walk.ask.stream {
        stream(walk, reading, settlement, body).await
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

async fn stream(walk: &Walk<'_>, reading: Reading, settlement: Settlement, body: ByteStream) -> Outcome {
    let dialect = walk.ask.dialect;
    let mode_and_caller = caller_side(dialect).and_then(|caller| {
        let mode = match reading {
            Reading::Pass { hide_usage } => {
                let pass = dialect.pass().ok_or_else(|| Fault::new(FaultKind::Internal, "No pass side."))?;
                Mode::Pass(pass.tap(hide_usage))
            }
            Reading::Convert(vendor) => {
                let renderer = caller.renderer(&rendering(walk));
                Mode::Convert(Box::new(Convert::new(vendor.decoder(), renderer)))
            }
        };
        Ok((mode, caller))
    });
    let (mode, caller) = match mode_and_caller {
        Ok(made) => made,
        Err(fault) => return failed(settlement, fault),
    };
    let settings = &walk.parts.settings;
    let relay = Relay::new(body, mode, caller, settlement, settings.heartbeat);
    match relay.prime(settings.max_peek_bytes).await {
        Ok(relay) => Outcome::Answered(AnswerBody::Stream(relay)),
        Err((settlement, fault)) => failed(settlement, fault),
    }
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

/// The caller's bytes where they differ from the vendor's, and what was used.
type Read = Result<(Option<Bytes>, Tapped), Fault>;

fn pass_whole(dialect: Dialect, bytes: &Bytes) -> Read {
    // HTML and the like with status 200: nothing of it may reach the caller as an answer.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Fault::new(FaultKind::Protocol, "The upstream's answer is not JSON."));
    }
    let usage = dialect.pass().and_then(|pass| pass.read_usage(bytes));
    Ok((None, whole_seen(usage, bytes.len())))
}

fn convert_whole(walk: &Walk<'_>, vendor: &dyn VendorSide, bytes: &[u8]) -> Read {
    let reply = vendor.decode(bytes)?;
    let answer = caller_side(walk.ask.dialect)?.render(&reply, &rendering(walk));
    Ok((Some(answer), whole_seen(reply.usage, bytes.len())))
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

pub(crate) fn caller_side(dialect: Dialect) -> Result<&'static dyn lyss_adapters::CallerSide, Fault> {
    dialect.caller().ok_or_else(|| Fault::new(FaultKind::Internal, "This dialect has no caller side."))
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

/// The bound of a call on these channels: the dearest price among them counts.
pub(crate) fn bound(prompt: u64, output: u64, candidates: u32, prices: &[(PriceId, Rates)]) -> Bound {
    let bounds = prices.iter().map(|(_, rates)| Bound::new(prompt, output, candidates, Some(rates)));
    bounds
        .max_by_key(|bound| bound.cost_micros)
        .unwrap_or_else(|| Bound::new(prompt, output, candidates, None))
}
