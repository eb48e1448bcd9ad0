//! The end of an attempt: usage, cost, quotas, figures and the one record, exactly once. Whatever happens to the
//! handler, dropping a [`Settlement`] settles what was seen.

use std::sync::Arc;
use std::time::Duration;

use lyss_adapters::{Fault, Tapped};
use lyss_balancing::{Ending, InFlight, Observation};
use lyss_domain::{
    AttemptRecord, FaultKind, Micros, PriceId, RateHeadroom, Rates, Terminal, Tick, TokenUsage, UsageSource,
};
use lyss_ledger::Slot;
use lyss_quota::Spend;
use tracing::warn;

use crate::call::Parts;
use crate::charge::Charge;
use crate::estimate;
use crate::gate::lines::Notice;

/// One attempt that was sent, until it has ended.
pub struct Settlement(Option<Box<Open>>);

struct Open {
    parts: Arc<Parts>,
    /// The record with everything but its end.
    draft: AttemptRecord,
    rates: Option<(PriceId, Rates)>,
    prompt_guess: u64,
    /// The call's.
    charge: Charge,
    /// The channel's own policies and windows.
    channel_charge: Charge,
    slot: Slot,
    sent: Tick,
    first_content: Option<Tick>,
    /// How long the vendor asked to be left alone.
    retry_after: Option<Duration>,
    in_flight: InFlight,
    /// Dropped after it.
    notice: Option<Notice>,
}

/// What an attempt is settled with.
pub struct Sending {
    pub parts: Arc<Parts>,
    pub draft: AttemptRecord,
    pub rates: Option<(PriceId, Rates)>,
    pub prompt_guess: u64,
    pub charge: Charge,
    pub channel_charge: Charge,
    pub slot: Slot,
    pub in_flight: InFlight,
    /// Tells those who wait for this channel; dropped last.
    pub notice: Option<Notice>,
}

impl Settlement {
    /// The moment before the request leaves.
    pub fn begin(sending: Sending) -> Self {
        let Sending { parts, draft, rates, prompt_guess, charge, channel_charge, slot, in_flight, notice } =
            sending;
        parts.meters.began();
        let sent = parts.clock.tick();
        let least =
            Spend { requests: 1, tokens: i64::try_from(prompt_guess).unwrap_or(i64::MAX), cost_micros: 0 };
        Self(Some(Box::new(Open {
            parts,
            draft,
            rates,
            prompt_guess,
            charge: charge.dispatch(least),
            channel_charge: channel_charge.dispatch(least),
            slot,
            sent,
            first_content: None,
            retry_after: None,
            in_flight,
            notice,
        })))
    }

    /// The vendor answered with this status.
    pub fn status(&mut self, status: u16) {
        if let Some(open) = &mut self.0 {
            open.draft.status = Some(status);
        }
    }

    /// What the vendor said of its rate windows beside its answer.
    pub fn headroom(&mut self, told: &RateHeadroom) {
        if let Some(open) = &mut self.0 {
            open.in_flight.vitals().learn_headroom(told, open.parts.clock.tick());
        }
    }

    /// Content has come; only the first time counts.
    pub fn content(&mut self) {
        if let Some(open) = &mut self.0
            && open.first_content.is_none()
        {
            open.first_content = Some(open.parts.clock.tick());
            // The prompt has been read: less is outstanding on this channel.
            open.in_flight.progress(1);
        }
    }

    /// Nothing reached the caller and nothing is owed for this attempt; the call may go on with its charge.
    pub fn fail(mut self, fault: &Fault) -> Option<Charge> {
        let mut open = self.0.take()?;
        open.retry_after = fault.retry_after;
        let terminal = if is_timeout(fault.kind) { Terminal::TimedOut } else { Terminal::Refused };
        let closed = open.close(terminal, Some(fault.kind), TokenUsage::default(), UsageSource::None);
        closed.channel_charge.release(closed.now);
        Some(closed.charge.owe_nothing())
    }

    /// The attempt ended with an answer that costs nothing.
    pub fn finish_free(mut self) {
        if let Some(open) = self.0.take() {
            let closed = open.close(Terminal::Complete, None, TokenUsage::default(), UsageSource::None);
            let spend = Spend { requests: 1, ..Spend::default() };
            closed.charge.settle(spend, 0, closed.now);
            closed.channel_charge.settle(spend, 0, closed.now);
        }
    }

    /// The attempt ended with an answer, or with part of one.
    pub fn finish(mut self, terminal: Terminal, fault: Option<FaultKind>, seen: &Tapped) {
        if let Some(open) = self.0.take() {
            open.finish(terminal, fault, seen);
        }
    }
}

impl Drop for Settlement {
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            open.finish(Terminal::ClientGone, Some(FaultKind::ClientGone), &Tapped::default());
        }
    }
}

/// How a fault ends an answer that has begun.
pub fn terminal_of(kind: FaultKind) -> Terminal {
    match kind {
        FaultKind::ClientGone => Terminal::ClientGone,
        kind if is_timeout(kind) => Terminal::TimedOut,
        _ => Terminal::UpstreamCut,
    }
}

fn is_timeout(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::ConnectTimeout
            | FaultKind::FirstByteTimeout
            | FaultKind::IdleTimeout
            | FaultKind::TotalTimeout
    )
}

/// What is left once the record is written.
struct Closed {
    charge: Charge,
    channel_charge: Charge,
    cost: Micros,
    now: Tick,
}

impl Open {
    fn finish(self: Box<Self>, terminal: Terminal, fault: Option<FaultKind>, seen: &Tapped) {
        if self.charge.is_lost() {
            return self.superseded();
        }
        let counted = estimate::counted(self.prompt_guess, seen);
        let (usage, source) = match seen.usage {
            // A count that came with the stream's beginning: of an answer that stopped, less than was said.
            Some(usage) if !seen.ended && usage.completion() < seen.events => {
                (TokenUsage { output: counted.output, ..usage }, UsageSource::Estimated)
            }
            Some(usage) => (usage, UsageSource::Provider),
            None => (counted, UsageSource::Estimated),
        };
        let closed = self.close(terminal, fault, usage, source);
        let tokens = usage.total();
        let spend = Spend {
            requests: 1,
            tokens: i64::try_from(tokens).unwrap_or(i64::MAX),
            cost_micros: closed.cost.0,
        };
        let overrun = closed.charge.settle(spend, tokens, closed.now);
        let channel_overrun = closed.channel_charge.settle(spend, tokens, closed.now);
        if overrun || channel_overrun {
            warn!(tokens, cost_micros = closed.cost.0, "overrun: more was used than was reserved");
        }
    }

    /// The call has its answer from another attempt, and is charged for that one alone.
    fn superseded(self: Box<Self>) {
        let fault = Some(FaultKind::Superseded);
        let closed = self.close(Terminal::ClientGone, fault, TokenUsage::default(), UsageSource::None);
        closed.channel_charge.release(closed.now);
    }

    /// Writes the attempt's one record.
    fn close(
        self: Box<Self>,
        terminal: Terminal,
        fault: Option<FaultKind>,
        usage: TokenUsage,
        source: UsageSource,
    ) -> Closed {
        let open = *self;
        let now = open.parts.clock.tick();
        let mut record = open.draft;
        if let Some((price, rates)) = open.rates {
            record.price = Some(price);
            record.cost = rates.cost(&usage).unwrap_or_default();
        }
        if source == UsageSource::None {
            // A price per request is owed for an answer only.
            record.cost = Micros::ZERO;
        }
        record.terminal = terminal;
        record.fault = fault;
        record.usage = usage;
        record.usage_source = source;
        record.ttft_us = open.first_content.map(|first| micros(first, open.sent));
        record.total_us = micros(now, open.sent);
        open.parts.meters.ended();
        let observed = observation(&record, open.retry_after);
        open.in_flight.observe(&observed, open.parts.draws.next(), now);
        drop(open.notice);
        let cost = record.cost;
        open.slot.record(record);
        Closed { charge: open.charge, channel_charge: open.channel_charge, cost, now }
    }
}

/// What the channel's state learns from an attempt.
fn observation(record: &AttemptRecord, retry_after: Option<Duration>) -> Observation {
    let ending = match (record.terminal, record.fault) {
        (Terminal::Complete, _) => Ending::Complete,
        (Terminal::ClientGone, _) | (_, None) => Ending::Cancelled,
        (_, Some(kind)) => Ending::Failed(kind, retry_after),
    };
    let small = |tokens: u64| u32::try_from(tokens).unwrap_or(u32::MAX);
    let span = |us: i64| Duration::from_micros(u64::try_from(us).unwrap_or(0));
    Observation {
        ending,
        prompt_tokens: small(record.usage.prompt()),
        output_tokens: small(record.usage.completion()),
        // A whole answer's first content is its last.
        ttft: record.ttft_us.filter(|_| record.stream).map(span),
        total: span(record.total_us),
    }
}

fn micros(later: Tick, earlier: Tick) -> i64 {
    i64::try_from(later.since(earlier).as_micros()).unwrap_or(i64::MAX)
}
