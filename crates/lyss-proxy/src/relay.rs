//! An answer on its way back while it is still arriving: bytes pass or are converted, a meter reads along, and the
//! stream ends in exactly one terminal state. A cut never looks like success.

mod convert;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use lyss_adapters::passing::BytesTap;
use lyss_adapters::{CallerSide, Fault, Framing, Tap, Tapped};
use lyss_domain::{FaultKind, Terminal};
use lyss_wire::ByteStream;
use tokio::time::{Instant, Sleep};

use crate::settle::{Settlement, terminal_of};
pub(crate) use convert::Convert;

/// A server-sent comment: readers skip it, middleboxes see life.
const COMMENT: &[u8] = b": ping\n\n";

/// How bytes become the caller's.
pub(crate) enum Mode {
    Pass(Box<dyn Tap>),
    /// No events: nothing of ours may stand between its bytes.
    Opaque(Box<BytesTap>),
    Convert(Box<Convert>),
}

/// One streamed answer. Dropping it cancels the upstream and settles what was seen.
pub struct Relay {
    upstream: Option<ByteStream>,
    mode: Mode,
    /// Bytes ready for the caller.
    ready: VecDeque<Bytes>,
    caller: &'static dyn CallerSide,
    settlement: Option<Settlement>,
    heartbeat: Heartbeat,
    gathering: Gathering,
    /// Bytes read from the upstream so far.
    read_bytes: usize,
    /// The answer broke off where no error of ours may stand.
    broken: bool,
}

/// Merges into one write what is readable by now. When the upstream has no more, the other tasks of this thread get one
/// turn (its connection among them) and it is asked once more; no timer is involved, so an idle stream waits for
/// nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gathering {
    /// Collecting; bytes may be ready.
    Open,
    /// The turn was given.
    TurnGiven,
    /// What is ready goes out.
    Closed,
}

/// Bytes that go out without waiting for more.
const GATHER_BYTES: usize = 16 << 10;

/// Armed only while the upstream is silent, and re-armed without a timer call per chunk.
struct Heartbeat {
    every: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Something passed since the timer was set.
    active: bool,
}

impl Mode {
    fn feed(&mut self, bytes: Bytes) -> Result<Bytes, Fault> {
        match self {
            Self::Pass(tap) => Ok(tap.feed(bytes)),
            Self::Opaque(tap) => Ok(tap.feed(bytes)),
            Self::Convert(convert) => convert.feed(&bytes),
        }
    }

    fn finish(&mut self) -> Result<Bytes, Fault> {
        match self {
            Self::Pass(tap) => Ok(tap.finish()),
            Self::Opaque(tap) => Ok(tap.finish()),
            Self::Convert(convert) => convert.finish(),
        }
    }

    fn seen(&self) -> &Tapped {
        match self {
            Self::Pass(tap) => tap.tapped(),
            Self::Opaque(tap) => tap.tapped(),
            Self::Convert(convert) => convert.seen(),
        }
    }

    /// The dialect's error at this place of the stream.
    fn fault(&mut self, caller: &dyn CallerSide, fault: &Fault) -> Bytes {
        match self {
            Self::Pass(_) | Self::Opaque(_) => caller.render_stream_fault(fault),
            Self::Convert(convert) => convert.fault(fault),
        }
    }

    /// What keeps an idle connection alive between two events.
    fn heartbeat(&self) -> &'static [u8] {
        match self {
            Self::Pass(_) | Self::Opaque(_) => COMMENT,
            Self::Convert(convert) => match convert.framing() {
                Framing::Events => COMMENT,
                Framing::Array => b"\n",
            },
        }
    }

    /// True when something of ours may stand next.
    fn at_boundary(&self) -> bool {
        match self {
            Self::Pass(tap) => tap.at_boundary(),
            Self::Opaque(_) => false,
            Self::Convert(_) => true,
        }
    }

    /// An error inside the stream has been written already: by the vendor, or by the converter.
    fn shows_faults(&self) -> bool {
        matches!(self, Self::Pass(_))
    }
}

/// What one look at the upstream gave.
enum Step {
    Bytes(Bytes),
    /// Ended, in this state, after these last bytes.
    End(Bytes, Option<Fault>),
}

impl Relay {
    pub(crate) fn new(
        upstream: ByteStream,
        mode: Mode,
        caller: &'static dyn CallerSide,
        settlement: Settlement,
        heartbeat: Duration,
    ) -> Self {
        Self {
            upstream: Some(upstream),
            mode,
            ready: VecDeque::new(),
            caller,
            settlement: Some(settlement),
            heartbeat: Heartbeat { every: heartbeat, sleep: None, active: false },
            gathering: Gathering::Closed,
            read_bytes: 0,
            broken: false,
        }
    }

    /// The answer ended before its end, and nothing that was sent says so: the connection must.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Reads until the first valid event, so that an error or an empty stream before it can still be answered by
    /// another channel. At most `limit_bytes` are read for it, and after `hold` (zero: never) the caller is no longer
    /// kept waiting for a head.
    pub(crate) async fn prime(
        mut self,
        limit_bytes: usize,
        hold: Duration,
    ) -> Result<Self, (Settlement, Fault)> {
        let mut held = None;
        let fault = loop {
            let step = std::future::poll_fn(|cx| {
                if let Poll::Ready(step) = self.step(cx) {
                    return Poll::Ready(Some(step));
                }
                if hold.is_zero() {
                    return Poll::Pending;
                }
                let timer = held.get_or_insert_with(|| Box::pin(tokio::time::sleep(hold)));
                timer.as_mut().poll(cx).map(|()| None)
            });
            let Some(step) = step.await else { return Ok(self) };
            match step {
                Step::Bytes(bytes) => {
                    self.push(bytes);
                    if self.mode.seen().fault.is_none() && self.mode.seen().started {
                        return Ok(self);
                    }
                    if self.read_bytes > limit_bytes {
                        break Fault::new(
                            FaultKind::Protocol,
                            "The upstream's answer is not an event stream.",
                        );
                    }
                }
                Step::End(bytes, None) if self.mode.seen().started => {
                    self.push(bytes);
                    self.settle(Terminal::Complete, None);
                    return Ok(self);
                }
                Step::End(_, None) => {
                    break Fault::new(FaultKind::Protocol, "The upstream's stream was empty.");
                }
                Step::End(bytes, Some(fault)) => {
                    if self.mode.seen().content && !(self.ready.is_empty() && bytes.is_empty()) {
                        // The caller is owed what came, so it is too late for another channel.
                        self.push(bytes);
                        self.fail(fault);
                        return Ok(self);
                    }
                    break fault;
                }
            }
        };
        self.upstream = None;
        match self.settlement.take() {
            Some(settlement) => Err((settlement, fault)),
            // Settled already, so something was delivered.
            None => Ok(self),
        }
    }

    /// Reads once from the upstream.
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        let Some(upstream) = &mut self.upstream else {
            return Poll::Ready(Step::End(Bytes::new(), None));
        };
        Poll::Ready(match ready!(upstream.as_mut().poll_next(cx)) {
            Some(Ok(bytes)) => self.take_in(bytes),
            Some(Err(error)) if self.mode.seen().ended => {
                // The end marker has passed: what the connection does after it is of no consequence.
                tracing::debug!(%error, "the upstream connection broke after the end marker");
                Step::End(Bytes::new(), None)
            }
            Some(Err(error)) => Step::End(Bytes::new(), Some(error.class.into())),
            None => match self.mode.finish() {
                Ok(last) if self.mode.seen().ended => Step::End(last, self.mode.seen().fault.clone()),
                Ok(last) => Step::End(self.readable(last), Some(self.cut())),
                Err(fault) => Step::End(Bytes::new(), Some(fault)),
            },
        })
    }

    fn take_in(&mut self, bytes: Bytes) -> Step {
        self.heartbeat.active = true;
        self.read_bytes = self.read_bytes.saturating_add(bytes.len());
        let passed = match self.mode.feed(bytes) {
            Ok(passed) => passed,
            Err(fault) => return Step::End(Bytes::new(), Some(fault)),
        };
        if self.mode.seen().content
            && let Some(settlement) = &mut self.settlement
        {
            settlement.content();
        }
        match &self.mode.seen().fault {
            Some(fault) => Step::End(passed, Some(fault.clone())),
            None => Step::Bytes(passed),
        }
    }

    /// What of the last bytes before a cut a reader can use: half an event would swallow the error that follows it.
    fn readable(&self, last: Bytes) -> Bytes {
        match (&self.mode, &self.mode.seen().fault) {
            (Mode::Convert(_) | Mode::Opaque(_), _) => last,
            (Mode::Pass(_), None) => Bytes::new(),
            // The vendor's own error, without the blank line behind it.
            (Mode::Pass(_), Some(_)) => [&last[..], b"\n\n"].concat().into(),
        }
    }

    /// The bytes ended before the end marker.
    fn cut(&self) -> Fault {
        self.mode.seen().fault.clone().unwrap_or_else(|| {
            Fault::new(FaultKind::UpstreamCut, "The upstream closed the stream before its end.")
        })
    }

    fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.ready.push_back(bytes);
        }
    }

    /// Ends the answer with the dialect's error, never with its end marker.
    fn fail(&mut self, fault: Fault) {
        let vendor_said_it = self.mode.seen().fault.is_some() && self.mode.shows_faults();
        if matches!(self.mode, Mode::Opaque(_)) {
            self.broken = true;
        } else if !vendor_said_it {
            if !self.mode.at_boundary() {
                self.push(Bytes::from_static(b"\n\n"));
            }
            let shown = self.mode.fault(self.caller, &fault);
            self.push(shown);
        }
        self.settle(terminal_of(fault.kind), Some(fault.kind));
    }

    fn settle(&mut self, terminal: Terminal, fault: Option<FaultKind>) {
        self.upstream = None;
        if let Some(settlement) = self.settlement.take() {
            settlement.finish(terminal, fault, self.mode.seen());
        }
    }
}

impl Stream for Relay {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let relay = &mut *self;
        loop {
            if relay.gathering == Gathering::Closed || relay.upstream.is_none() {
                if let Some(bytes) = relay.ready.pop_front() {
                    return Poll::Ready(Some(bytes));
                }
                if relay.upstream.is_none() {
                    return Poll::Ready(None);
                }
                relay.gathering = Gathering::Open;
            }
            match relay.step(cx) {
                Poll::Ready(Step::Bytes(bytes)) => {
                    relay.push(bytes);
                    if relay.ready.iter().map(Bytes::len).sum::<usize>() >= GATHER_BYTES {
                        relay.gathering = Gathering::Closed;
                    }
                }
                Poll::Ready(Step::End(bytes, None)) => {
                    relay.push(bytes);
                    relay.settle(Terminal::Complete, None);
                }
                Poll::Ready(Step::End(bytes, Some(fault))) => {
                    relay.push(bytes);
                    relay.fail(fault);
                }
                Poll::Pending if relay.ready.is_empty() => {
                    relay.gathering = Gathering::Closed;
                    ready!(relay.heartbeat.poll(cx));
                    if relay.mode.at_boundary() {
                        let beat = relay.mode.heartbeat();
                        relay.push(Bytes::from_static(beat));
                    }
                }
                Poll::Pending if relay.gathering == Gathering::Open => {
                    relay.gathering = Gathering::TurnGiven;
                    return give_turn(cx);
                }
                Poll::Pending => relay.gathering = Gathering::Closed,
            }
        }
    }
}

/// Pending until the other tasks of this thread, and the sockets, had their turn.
fn give_turn<T>(cx: &mut Context<'_>) -> Poll<T> {
    let mut turn = std::pin::pin!(tokio::task::yield_now());
    // The first poll leaves the waker with the scheduler, which is all that is wanted of it.
    let _ = turn.as_mut().poll(cx);
    Poll::Pending
}

impl Drop for Relay {
    fn drop(&mut self) {
        // The caller hung up. After the end marker nothing was missed.
        if self.mode.seen().ended {
            self.settle(Terminal::Complete, None);
        } else {
            self.settle(Terminal::ClientGone, Some(FaultKind::ClientGone));
        }
    }
}

impl Heartbeat {
    /// Ready after a whole interval without a byte.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.every.is_zero() {
            return Poll::Pending;
        }
        let every = self.every;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(every)));
        loop {
            ready!(sleep.as_mut().poll(cx));
            sleep.as_mut().reset(Instant::now() + every);
            if !std::mem::take(&mut self.active) {
                return Poll::Ready(());
            }
        }
    }
}

#[cfg(test)]
mod tests;
