//! How many further attempts all calls together may make, so that an outage is not made worse by asking twice.
//!
//! As in Finagle and linkerd: every call pays a part of a token in, a further attempt takes a whole one, what was paid
//! in is worth less as it grows old, and a small reserve that fills with time lets a service with few calls retry at
//! all. Over any span, attempts are at most (1 + percent / 100) times the calls, and the reserve.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lyss_domain::Tick;

/// What a budget allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Further attempts for a hundred calls; 0: only what the reserve holds.
    pub percent: u32,
    /// Further attempts in a second, whatever the calls.
    pub reserve_per_second: f64,
    /// The most that the reserve holds, which is also what it begins with.
    pub reserve: f64,
    /// After so long, about a third of what was paid in is left.
    pub lifetime: Duration,
}

/// Shared by all calls of the process.
#[derive(Debug)]
pub struct RetryBudget {
    budget: Budget,
    /// Calls that have not been counted in yet, so that a call is one addition.
    calls: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// What calls paid in, in tokens.
    paid: f64,
    reserve: f64,
    at: Tick,
}

impl Default for Budget {
    /// 20 %, as Envoy, Finagle and linkerd have it; 10 in reserve, filled by one a second.
    fn default() -> Self {
        Self { percent: 20, reserve_per_second: 1.0, reserve: 10.0, lifetime: Duration::from_secs(10) }
    }
}

impl RetryBudget {
    pub fn new(budget: Budget, now: Tick) -> Self {
        let state = State { paid: 0.0, reserve: budget.reserve, at: now };
        Self { budget, calls: AtomicU64::new(0), state: Mutex::new(state) }
    }

    /// A call makes its first attempt.
    pub fn deposit(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes what one further attempt costs; `false`: there is not enough, and the call ends with what it has.
    /// `degraded`: much of what could serve does not, and an attempt costs twice as much.
    pub fn withdraw(&self, degraded: bool, now: Tick) -> bool {
        let price = if degraded { 2.0 } else { 1.0 };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.bring_up(&mut state, now);
        // Sums of fifths: ten of them are not quite two.
        if state.paid + state.reserve + 1e-9 < price {
            return false;
        }
        let from_paid = state.paid.min(price);
        state.paid -= from_paid;
        state.reserve = (state.reserve - (price - from_paid)).max(0.0);
        true
    }

    /// Further attempts that could be made at this moment.
    pub fn left(&self, now: Tick) -> f64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.bring_up(&mut state, now);
        state.paid + state.reserve
    }

    fn bring_up(&self, state: &mut State, now: Tick) {
        #[expect(clippy::cast_precision_loss, reason = "a count of calls between two retries")]
        let paid = self.calls.swap(0, Ordering::Relaxed) as f64 * f64::from(self.budget.percent) / 100.0;
        let span = now.since(state.at).as_secs_f64();
        state.at = state.at.max(now);
        let ages = span / self.budget.lifetime.as_secs_f64().max(1e-3);
        let left = (-ages).exp();
        // The calls since came evenly, as far as is known, so that their payments aged by half the span and less.
        let fresh = if ages > 1e-6 { (1.0 - left) / ages } else { 1.0 };
        state.paid = state.paid * left + paid * fresh;
        state.reserve = (state.reserve + span * self.budget.reserve_per_second).min(self.budget.reserve);
    }
}

#[cfg(test)]
mod tests;
