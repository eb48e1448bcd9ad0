//! What happened in one run, call by call and attempt by attempt.

use std::time::Duration;

use lyss_domain::{FaultKind, Tick};

use crate::scenario::Scenario;
use crate::traffic::Call;

#[derive(Clone, Debug)]
pub struct Record {
    pub calls: Vec<CallRecord>,
    /// In the order of time.
    pub sent: Vec<Sent>,
    pub span: Duration,
    /// What a failed call costs.
    pub timeout: Duration,
}

#[derive(Clone, Copy, Debug)]
pub struct CallRecord {
    pub arrived: Tick,
    pub first_token: Option<Tick>,
    pub ended: Tick,
    pub ok: bool,
    pub failed_attempts: u32,
    /// Of these, answered by a 429.
    pub limited_attempts: u32,
    pub spent_micros: f64,
}

#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub at: Tick,
    pub upstream: usize,
}

impl Record {
    pub(crate) fn new(calls: &[Call], scenario: &Scenario) -> Self {
        let fresh = |call: &Call| CallRecord {
            arrived: call.at,
            first_token: None,
            ended: call.at,
            ok: false,
            failed_attempts: 0,
            limited_attempts: 0,
            spent_micros: 0.0,
        };
        Self {
            calls: calls.iter().map(fresh).collect(),
            sent: Vec::with_capacity(calls.len()),
            span: scenario.span,
            timeout: scenario.timers.call,
        }
    }

    pub(crate) fn first_token(&mut self, call: usize, now: Tick) {
        if let Some(call) = self.calls.get_mut(call) {
            call.first_token.get_or_insert(now);
        }
    }

    pub(crate) fn spent(&mut self, call: usize, micros: f64) {
        if let Some(call) = self.calls.get_mut(call) {
            call.spent_micros += micros;
        }
    }

    pub(crate) fn failed(&mut self, call: usize, kind: FaultKind) {
        if let Some(call) = self.calls.get_mut(call) {
            call.failed_attempts += 1;
            call.limited_attempts += u32::from(kind == FaultKind::VendorRateLimited);
        }
    }

    /// What calls cost in the mean.
    pub fn mean_cost_ms(&self) -> f64 {
        let sum: f64 = self.calls.iter().map(|call| call.cost(self.timeout).as_secs_f64()).sum();
        sum * 1_000.0 / self.calls.len().max(1) as f64
    }

    /// The call has ended; what it cost.
    pub(crate) fn over(&mut self, call: usize, ok: bool, now: Tick) -> Duration {
        let timeout = self.timeout;
        let Some(call) = self.calls.get_mut(call) else { return Duration::ZERO };
        call.ended = now;
        call.ok = ok;
        call.cost(timeout)
    }
}

impl CallRecord {
    /// Time to completion, or the timeout of a call that failed.
    pub fn cost(&self, timeout: Duration) -> Duration {
        if self.ok { self.ended.since(self.arrived) } else { timeout }
    }
}
