//! How many calls are under way at once, and who waits for a place: the asynchronous side of the fair queue.
//!
//! A [`Gate`] holds the whole service to a number of calls; [`lines`] is where calls wait for a channel that is at its
//! own limit. A place is never free while somebody waits: whoever leaves hands it on. What waits is a future that may be
//! dropped at any moment, before, while and after a place is handed to it, and no place is lost.

pub mod lines;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lyss_adapters::Fault;
use lyss_balancing::{Bounds, Entrant, FairQueue, Full, Popped, Ticket};
use lyss_domain::{Clock, FaultKind, TenantId, Tick};
use smallvec::SmallVec;
use tokio::sync::oneshot;

/// How many may be under way, and how many may wait for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateSettings {
    /// Calls under way; 0: any number, and nobody ever waits.
    pub max_concurrency: u32,
    /// Calls that wait; 0: none.
    pub queue_length: usize,
    /// The longest that one of them waits; zero: not at all.
    pub queue_wait: Duration,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self { max_concurrency: 0, queue_length: 1_000, queue_wait: Duration::from_secs(10) }
    }
}

/// The way into the service; one for all workers.
pub struct Gate(Option<Arc<Shared>>);

struct Shared {
    settings: GateSettings,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// While anybody waits, all places are taken.
struct State {
    under_way: u32,
    queue: FairQueue<TenantId, oneshot::Sender<Verdict>>,
}

type Verdict = Result<Pass, Shed>;

/// A place among those under way, from admission to the last byte; dropped, it goes to whoever is next.
#[must_use = "a place that is not held is given away"]
pub struct Pass(Option<Arc<Shared>>);

/// The call is not let in: the queue is full, or it waited as long as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shed {
    /// When a place is likely, and at least a second.
    pub retry_after: Duration,
}

/// A call in the queue.
struct Waiting<'a> {
    shared: &'a Arc<Shared>,
    ticket: Ticket,
    verdict: oneshot::Receiver<Verdict>,
}

/// Nobody is asked to come back sooner.
const LEAST_WAIT: Duration = Duration::from_secs(1);

/// Verdicts to be told once the lock is free.
type Told = SmallVec<[(oneshot::Sender<Verdict>, Verdict); 2]>;

impl Gate {
    pub fn new(settings: GateSettings, clock: Arc<dyn Clock>) -> Self {
        if settings.max_concurrency == 0 {
            return Self(None);
        }
        let bounds = Bounds { total: settings.queue_length, per_tenant: settings.queue_length };
        let state = Mutex::new(State { under_way: 0, queue: FairQueue::new(bounds) });
        Self(Some(Arc::new(Shared { settings, clock, state })))
    }

    /// A place, at once or when it is this call's turn. `weight` is its tenant's share, `cost` its size in any unit that
    /// is the same for all calls, `deadline` when it must have ended.
    pub async fn enter(
        &self,
        tenant: TenantId,
        weight: u32,
        cost: u32,
        deadline: Tick,
    ) -> Result<Pass, Shed> {
        let Some(shared) = &self.0 else { return Ok(Pass(None)) };
        match shared.enter_or_wait(tenant, weight, cost, deadline) {
            Entered::Now(pass) => Ok(pass),
            Entered::Never(shed) => Err(shed),
            // Only those who wait pay for the room that waiting takes.
            Entered::Later(waiting, until) => Box::pin(waiting.verdict(until)).await,
        }
    }

    /// Calls that have a place; 0 where there is no limit.
    pub fn under_way(&self) -> u32 {
        self.0.as_ref().map_or(0, |shared| shared.state().under_way)
    }

    /// Calls that wait for one.
    pub fn waiting(&self) -> usize {
        self.0.as_ref().map_or(0, |shared| shared.state().queue.len())
    }
}

enum Entered<'a> {
    Now(Pass),
    Never(Shed),
    Later(Waiting<'a>, Tick),
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter_or_wait<'a>(
        self: &'a Arc<Self>,
        tenant: TenantId,
        weight: u32,
        cost: u32,
        deadline: Tick,
    ) -> Entered<'a> {
        let mut state = self.state();
        if state.under_way < self.settings.max_concurrency {
            state.under_way += 1;
            return Entered::Now(Pass(Some(Arc::clone(self))));
        }
        let now = self.clock.tick();
        let until = deadline.min(now.after(self.settings.queue_wait));
        let entrant = Entrant { tenant, weight, cost, deadline: until };
        let (sender, verdict) = oneshot::channel();
        let pushed = state.queue.push(entrant, sender, now);
        drop(state);
        match pushed {
            Err(full) => Entered::Never(full.into()),
            Ok(pushed) => {
                if let Some(removed) = pushed.removed {
                    removed.item.send(Err(removed.retry_after.into())).ok();
                }
                Entered::Later(Waiting { shared: self, ticket: pushed.ticket, verdict }, until)
            }
        }
    }

    /// A place became free: it goes to the next who still wants it.
    fn hand_on(self: &Arc<Self>) {
        loop {
            let mut told = Told::new();
            self.next(&mut told);
            let mut came_back = false;
            for (sender, verdict) in told {
                // Somebody gave up in this moment, and the place is still there to be given.
                if let Err(Ok(mut pass)) = sender.send(verdict) {
                    pass.0 = None;
                    came_back = true;
                }
            }
            if !came_back {
                return;
            }
        }
    }

    /// Takes out the next in line with its pass, and all before it who waited too long; with nobody left, there is one
    /// fewer under way.
    fn next(self: &Arc<Self>, told: &mut Told) {
        let mut state = self.state();
        while !state.queue.is_empty() {
            match state.queue.pop(self.clock.tick()) {
                Some(Popped::Next(_, sender)) => {
                    return told.push((sender, Ok(Pass(Some(Arc::clone(self))))));
                }
                Some(Popped::Expired(removed)) => told.push((removed.item, Err(removed.retry_after.into()))),
                None => break,
            }
        }
        state.under_way = state.under_way.saturating_sub(1);
    }
}

impl Waiting<'_> {
    async fn verdict(mut self, until: Tick) -> Verdict {
        let left = until.since(self.shared.clock.tick());
        let told = match tokio::time::timeout(left, &mut self.verdict).await {
            Ok(told) => told,
            Err(_) => {
                let late = self.shared.state().queue.give_up(self.ticket);
                match late {
                    Some(removed) => return Err(removed.retry_after.into()),
                    // It was taken out in this very moment, and is about to be told.
                    None => (&mut self.verdict).await,
                }
            }
        };
        told.unwrap_or(Err(Shed::from(Duration::ZERO)))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // Where a pass was already sent, it is dropped with the receiver, and handed on.
        self.shared.state().queue.cancel(self.ticket);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.hand_on();
        }
    }
}

impl From<Duration> for Shed {
    fn from(wait: Duration) -> Self {
        Self { retry_after: wait.max(LEAST_WAIT) }
    }
}

impl From<Full> for Shed {
    fn from(full: Full) -> Self {
        full.retry_after.into()
    }
}

impl From<Shed> for Fault {
    fn from(shed: Shed) -> Self {
        let message = "The service has as many calls under way and waiting as it takes. Try again later.";
        Fault::new(FaultKind::Unavailable, message).with_retry_after(Some(shed.retry_after))
    }
}

#[cfg(test)]
mod tests;
