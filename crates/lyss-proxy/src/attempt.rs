//! One channel is tried: its own limits, the request in its dialect, the wait for the first valid piece of an answer.

mod answer;
mod prepare;

use std::sync::Arc;
use std::time::Duration;

use lyss_adapters::{CallerSide, Dialect, Fault};
use lyss_balancing::InFlight;
use lyss_domain::{
    AttemptId, AttemptRecord, FaultKind, Micros, PriceId, Rates, Terminal, Tick, TokenUsage, UsageSource,
};
use lyss_wire::{Timers, TransportClass};

use crate::admit::{self, Bound, Whose};
use crate::call::{AnswerBody, Walk};
use crate::charge::Charge;
use crate::failover;
use crate::gate::lines::{Line, Notice};
use crate::routes::{Route, Seat};
use crate::settle::{Sending, Settlement};
pub(crate) use answer::count_side;
pub(crate) use prepare::Conversation;
pub use prepare::Headers;
use prepare::Unsent;

/// What became of trying a channel.
pub(crate) enum Outcome {
    Answered(AnswerBody),
    /// Nothing was sent: the tokens asked about were estimated.
    Counted(Charge, u64),
    /// Nothing was sent: the channel had no room, or cannot be told what is asked. Another one may.
    Skipped(Charge, Fault),
    /// Nothing was sent: another call took the place that was seen. The call keeps where it waited.
    Crowded(Charge, Option<Line>),
    /// It was sent and failed before anything reached the caller. `None`: the charge is settled.
    Failed(Option<Charge>, Fault),
}

/// One try of a call.
pub(crate) struct Trying<'a> {
    pub seat: &'a Seat,
    /// 0 for the first request that is sent.
    pub ordinal: u16,
    /// Nobody else is left.
    pub panics: bool,
    /// The longest wait for a first byte, where it is shorter than the channel's own.
    pub patience: Option<Duration>,
    /// Where the call waited for this channel's place.
    pub line: Option<Line>,
    /// What the choice depended on, for the record.
    pub decision: Option<Box<[u8]>>,
}

/// Tries one channel. The future may be dropped at any await: what was taken is given back or settled.
pub(crate) async fn attempt(walk: &mut Walk<'_>, mut trying: Trying<'_>, charge: Charge) -> Outcome {
    let route = &trying.seat.route;
    let upstream_model = route.upstream_model(&walk.ask.model).to_owned();
    let room = match enter(walk, trying.seat, trying.panics).await {
        Ok(room) => {
            if let Some(line) = trying.line.take() {
                line.took(route.channel.id);
            }
            room
        }
        Err(Kept::Place) => return Outcome::Crowded(charge, trying.line.take()),
        Err(Kept::Limit(fault)) => return Outcome::Skipped(charge, fault),
    };
    let prepared = match prepare::prepare(walk, route, &upstream_model) {
        Ok(prepared) => prepared.address(walk, route, &upstream_model),
        Err(Unsent::Counted(tokens)) => return Outcome::Counted(charge, tokens),
        Err(Unsent::Unfit(fault)) => Err(fault),
    };
    let (request, dialect, reading) = match prepared {
        Ok(prepared) => prepared,
        Err(fault) => return Outcome::Skipped(charge, fault),
    };
    let now = walk.parts.clock.tick();
    let Some(timers) = timers(walk, &trying, now) else {
        return Outcome::Skipped(charge, Fault::from(TransportClass::TotalTimeout));
    };
    let settlement = Settlement::begin(Sending {
        parts: Arc::clone(walk.parts),
        draft: draft(walk, route, upstream_model, trying.ordinal, trying.decision.take()),
        rates: walk.rates,
        prompt_guess: walk.prompt_guess,
        charge,
        channel_charge: room.charge,
        slot: room.slot,
        in_flight: room.in_flight,
        notice: room.notice,
    });
    match walk.transport.send(request, timers).await {
        Err(error) => failed(settlement, error.class.into()),
        Ok((head, body)) => answer::answered(walk, dialect, reading, settlement, head, body).await,
    }
}

/// A channel's own concurrency, rate windows and quotas, and room in the ledger.
struct Room {
    in_flight: InFlight,
    /// Dropped after it.
    notice: Option<Notice>,
    charge: Charge,
    slot: lyss_ledger::Slot,
}

/// What keeps an attempt from beginning.
enum Kept {
    /// Another call was quicker.
    Place,
    Limit(Fault),
}

async fn enter(walk: &Walk<'_>, seat: &Seat, panics: bool) -> Result<Room, Kept> {
    let route = &seat.route;
    let limits = &route.channel.limits;
    let (size, now) = (failover::size(walk), walk.parts.clock.tick());
    // The limit is the channel's as it is by now, which the balancer saw as well, not this call's picture of it.
    let entered =
        if panics { seat.vitals.enter_in_panic(size, now) } else { seat.vitals.enter(size, None, now) };
    let in_flight = entered.map_err(|_| Kept::Place)?;
    let is_limited = limits.concurrency.is_some() || limits.adaptive_concurrency;
    // Together, so that whatever ends this early frees the place before it says so.
    let place = (in_flight, is_limited.then(|| walk.ways.lines.notice(route.channel.id)));
    let tokens = admit::window_tokens(walk.ask, walk.prompt_guess);
    let asks = admit::channel_windows(route.channel.id, limits, tokens);
    let ticket = admit::take(&walk.parts.rates, &asks, walk.parts.clock.tick()).await;
    let ticket = ticket.map_err(|full| Kept::Limit(as_channel_fault(full.fault)))?;
    let whose = Whose::Channel(route.channel.id);
    let reserved =
        admit::reserve(&walk.parts.quotas, &walk.tenant.entry, whose, walk.bound, walk.started_at).await;
    let charge = match reserved {
        Ok(reservation) => Charge::new(reservation, ticket),
        Err(fault) => return Err(Kept::Limit(as_channel_fault(fault))),
    };
    let slot = walk.parts.ledger.try_slot().ok_or_else(|| {
        let fault = Fault::new(FaultKind::Unavailable, "The usage ledger is saturated.");
        Kept::Limit(fault.with_retry_after(Some(Duration::from_secs(1))))
    })?;
    let (in_flight, notice) = place;
    Ok(Room { in_flight, notice, charge, slot })
}

/// A channel's full window is no fault of the caller: another channel may have room.
fn as_channel_fault(fault: Fault) -> Fault {
    Fault::new(FaultKind::Unavailable, "Every channel for this model is at its own limit.")
        .with_retry_after(fault.retry_after)
}

/// The four timers, none beyond the call's one deadline; `None`: it has passed.
fn timers(walk: &Walk<'_>, trying: &Trying<'_>, now: Tick) -> Option<Timers> {
    let left = walk.deadline.since(now);
    if left.is_zero() {
        return None;
    }
    let own = &trying.seat.route.channel.timeouts;
    let defaults = &walk.parts.settings;
    let patience = trying.patience.unwrap_or(left).min(left);
    Some(Timers {
        connect: own.connect.unwrap_or(defaults.connect).min(left),
        first_byte: own.first_byte.unwrap_or(defaults.first_byte).min(patience),
        idle: own.idle.unwrap_or(defaults.idle).min(left),
        total: own.total.map_or(left, |total| total.min(left)),
    })
}

fn draft(
    walk: &Walk<'_>,
    route: &Route,
    model_served: String,
    ordinal: u16,
    decision: Option<Box<[u8]>>,
) -> AttemptRecord {
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
        operation: walk.ask.errand.operation(),
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
        losses: walk.losses.clone(),
        decision,
    }
}

pub(crate) fn failed(settlement: Settlement, fault: Fault) -> Outcome {
    Outcome::Failed(settlement.fail(&fault), fault)
}

pub(crate) fn caller_side(dialect: Dialect) -> Result<&'static dyn CallerSide, Fault> {
    dialect.caller().ok_or_else(|| Fault::new(FaultKind::Internal, "This dialect has no caller side."))
}

/// The bound of a call on these channels: the dearest price among them counts.
pub(crate) fn bound(prompt: u64, output: u64, candidates: u32, prices: &[(PriceId, Rates)]) -> Bound {
    let bounds = prices.iter().map(|(_, rates)| Bound::new(prompt, output, candidates, Some(rates)));
    bounds
        .max_by_key(|bound| bound.cost_micros)
        .unwrap_or_else(|| Bound::new(prompt, output, candidates, None))
}
