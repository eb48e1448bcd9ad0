//! The state of one model on one channel: what was learned of it, whether it may serve, what is under way.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lyss_domain::{ChannelId, FaultKind, FaultOwner, RateHeadroom, Tick};

use crate::breaker::Role;
use crate::channel_state::Common;
use crate::concurrency_limit::remaining;
use crate::hints::{TOLD_AFTER_USE, Told};
use crate::kept::Moment;
use crate::{Hint, Kept, ModelReport, Observation, Size, Snapshot, Standing, Times};

mod in_flight;
mod state;

pub use in_flight::InFlight;
use state::State;

/// A quantile of fewer answers says nothing.
const FEWEST_FOR_QUANTILE: u64 = 20;

#[derive(Debug)]
pub struct Vitals {
    channel: Arc<Common>,
    model: Box<str>,
    in_flight: AtomicU32,
    /// Tokens to be read or written by the attempts under way.
    outstanding: AtomicU64,
    /// In ticks, and one more; 0: never.
    last_sent: AtomicU64,
    state: Mutex<State>,
}

/// Why an attempt may not begin, though it was chosen: another call was quicker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The channel's concurrency limit is reached.
    Full,
    /// The one trial is under way.
    TrialTaken,
}

impl Vitals {
    pub(crate) fn new(channel: Arc<Common>, model: &str) -> Self {
        let state = State::new(channel.closings());
        Self {
            channel,
            model: model.into(),
            in_flight: AtomicU32::new(0),
            outstanding: AtomicU64::new(0),
            last_sent: AtomicU64::new(0),
            state: Mutex::new(state),
        }
    }

    pub fn channel(&self) -> ChannelId {
        self.channel.channel
    }

    /// As the vendor knows it.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// What an algorithm sees.
    pub fn snapshot(&self, now: Tick) -> Snapshot {
        let of_channel = self.channel.breaker_standing(now);
        let closings = self.channel.closings();
        let in_flight = self.in_flight.load(Ordering::Acquire);
        let limit = remaining(self.channel.limit(), self.channel.in_flight(), in_flight);
        let state = self.state();
        let mut snapshot = state.snapshot(closings, now);
        snapshot.standing = state.standing(of_channel, &self.channel.settings, now);
        snapshot.limit = if self.channel.is_adaptive() { limit.min(state.learned_limit()) } else { limit };
        drop(state);
        snapshot.in_flight = in_flight;
        snapshot.outstanding_tokens = self.outstanding_tokens();
        snapshot.idle = self.last_sent().map_or(Duration::MAX, |at| now.since(at));
        snapshot
    }

    /// An attempt begins, unless the channel as a whole has `limit` under way, or as many as was configured or learned.
    pub fn enter(self: &Arc<Self>, size: Size, limit: Option<u32>, now: Tick) -> Result<InFlight, Refusal> {
        self.begin(size, limit, false, now)
    }

    /// The same where nobody else is left: beside a trial, too.
    pub fn enter_in_panic(self: &Arc<Self>, size: Size, now: Tick) -> Result<InFlight, Refusal> {
        self.begin(size, None, true, now)
    }

    fn begin(
        self: &Arc<Self>,
        size: Size,
        limit: Option<u32>,
        panics: bool,
        now: Tick,
    ) -> Result<InFlight, Refusal> {
        self.channel.count_in(limit.unwrap_or(u32::MAX).min(self.channel.limit()))?;
        let roles = self.pass(size, panics, now);
        roles
            .map(|roles| InFlight::new(Arc::clone(self), roles, size))
            .inspect_err(|_| self.channel.count_out())
    }

    /// What the vendor's answer says of its rate windows.
    pub fn learn_headroom(&self, headroom: &RateHeadroom, now: Tick) {
        if !headroom.is_unknown() {
            self.state().learn_headroom(headroom, now);
        }
    }

    /// What a health probe of this model saw. It never closes a breaker; a good one calls for an earlier trial, once.
    pub fn probe_result(&self, result: Result<(), FaultKind>, draw: u64, now: Tick) {
        let owner = result.err().map(FaultKind::owner);
        let settings = &self.channel.settings;
        let is_of_channel = match result {
            Ok(()) => true,
            Err(FaultKind::VendorRateLimited) => false,
            Err(_) => {
                matches!(owner, Some(FaultOwner::Network | FaultOwner::Credential | FaultOwner::VendorQuota))
            }
        };
        if is_of_channel {
            self.channel.probed(result.err(), draw, now);
        }
        let change = self.state().probed(result, settings, draw, now);
        self.channel.tell(Some(&self.model), change, now);
    }

    /// The time to the first token that a share `q` (0 to 1) of the last minutes' answers kept; `None`: too few.
    pub fn ttft_quantile(&self, q: f64, now: Tick) -> Option<Duration> {
        self.state().times()?.ttft_quantile(q, FEWEST_FOR_QUANTILE, now)
    }

    /// The times of the last five to ten minutes.
    pub fn times(&self, now: Tick) -> Times {
        self.state().times().map(|times| times.merged(now)).unwrap_or_default()
    }

    /// All there is to know, for people.
    pub fn standing(&self, now: Tick) -> ModelReport {
        let snapshot = self.snapshot(now);
        let learned = self.channel.is_adaptive();
        let state = self.state();
        let mut report = state.report(self.channel.channel, &self.model, &snapshot, now);
        report.learned_concurrency = learned.then(|| state.learned_limit());
        report.last_sent = self.last_sent();
        report
    }

    /// As it is kept across a restart; `None`: nothing was learned.
    pub(crate) fn keep(&self, moment: Moment) -> Option<Kept> {
        let kept = Kept::nothing(self.channel.channel, Some(&self.model), moment);
        let kept = self.state().keep(kept, moment);
        (!kept.is_nothing()).then_some(kept)
    }

    pub(crate) fn restore(&self, kept: &Kept, moment: Moment) {
        self.state().restore(kept, &self.channel.settings, moment);
    }

    /// What there is to tell other replicas.
    pub(crate) fn hint(&self, replica: u64, now: Tick) -> Option<Hint> {
        let in_flight = self.in_flight.load(Ordering::Acquire);
        let state = self.state();
        let cooling = state.own_cooling(now);
        let ejected = state.own_ejection(now);
        let is_used = self.last_sent().is_some_and(|at| now.since(at) < TOLD_AFTER_USE);
        let is_worth_it = in_flight > 0 || is_used || cooling.is_some() || ejected.is_some();
        is_worth_it.then(|| Hint {
            replica,
            channel: self.channel.channel,
            model: Some(self.model.clone()),
            version: None,
            in_flight,
            figures: state.figures(now),
            cooling_ms: cooling.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX)),
            ejected,
        })
    }

    pub(crate) fn take_told(&self, told: &Told<'_>, now: Tick) {
        self.state().take_told(told, &self.channel.settings, now);
    }

    pub(crate) fn last_sent(&self) -> Option<Tick> {
        self.last_sent.load(Ordering::Relaxed).checked_sub(1).map(Tick)
    }

    /// Another credential has other limits.
    pub(crate) fn forget_limits(&self) {
        self.state().forget_limits();
    }

    fn outstanding_tokens(&self) -> u32 {
        u32::try_from(self.outstanding.load(Ordering::Acquire)).unwrap_or(u32::MAX)
    }

    /// Both breakers let it pass and it is counted, or neither.
    fn pass(&self, size: Size, panics: bool, now: Tick) -> Result<Roles, Refusal> {
        let renewals = self.channel.renewals();
        let of_channel = self.channel.pass(panics, now)?;
        let learned = self.channel.is_adaptive();
        let mut state = self.state();
        let is_full = learned && self.in_flight.load(Ordering::Acquire) >= state.learned_limit();
        let passed =
            if is_full { Err(Refusal::Full) } else { state.pass(&self.channel.settings, panics, now) };
        let (of_model, change) = match passed {
            Ok(passed) => passed,
            Err(refusal) => {
                drop(state);
                self.channel.release(of_channel);
                return Err(refusal);
            }
        };
        state.sent(size, now);
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        drop(state);
        self.last_sent.store(now.0.saturating_add(1), Ordering::Relaxed);
        self.channel.tell(Some(&self.model), change, now);
        Ok(Roles { of_channel, of_model, renewals })
    }

    /// An attempt ended.
    fn judge(&self, roles: Roles, size: Size, observation: &Observation, draw: u64, now: Tick) {
        let in_flight = self.in_flight.load(Ordering::Acquire);
        let adaptive = self.channel.is_adaptive();
        let closings = self.channel.closings();
        let attempt = state::Attempt { role: roles.of_model, size, in_flight, adaptive, closings };
        let judged = self.state().judge(&attempt, observation, &self.channel.settings, draw, now);
        self.channel.tell(Some(&self.model), judged.change, now);
        self.channel.judge(judged.verdict, roles.of_channel, roles.renewals, draw, now);
    }

    fn leave(&self, roles: Roles, owed: u64) {
        if matches!(roles.of_model, Role::Trial(_)) {
            self.state().release(roles.of_model);
        }
        self.channel.release(roles.of_channel);
        self.owe_less(owed);
        let less = |n: u32| Some(n.saturating_sub(1));
        let _ = self.in_flight.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        self.channel.count_out();
    }

    fn owe_more(&self, tokens: u64) {
        self.outstanding.fetch_add(tokens, Ordering::AcqRel);
    }

    fn owe_less(&self, tokens: u64) {
        let less = |n: u64| Some(n.saturating_sub(tokens));
        let _ = self.outstanding.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Figures that a panic left half-written are still figures.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an attempt is to the two breakers it passed.
#[derive(Clone, Copy, Debug)]
struct Roles {
    of_channel: Role,
    of_model: Role,
    renewals: u32,
}

/// The worse of two, and the longer wait.
fn worse(a: Standing, b: Standing) -> Standing {
    use Standing::{Cooling, Ejected, OnTrial, Open, TrialTaken};
    match (a, b) {
        (Cooling(x), Cooling(y) | Ejected(y)) | (Ejected(y), Cooling(x)) => Cooling(x.max(y)),
        (Ejected(x), Ejected(y)) => Ejected(x.max(y)),
        (Cooling(x), _) | (_, Cooling(x)) => Cooling(x),
        (Ejected(x), _) | (_, Ejected(x)) => Ejected(x),
        (TrialTaken, _) | (_, TrialTaken) => TrialTaken,
        (OnTrial, _) | (_, OnTrial) => OnTrial,
        (Open, Open) => Open,
    }
}

#[cfg(test)]
pub(crate) mod tests;
