//! What becomes of one attempt: its first token, its end, or its failure; and what is learned of it.

use std::time::Duration;

use lyss_balancing::{Ending, InFlight, Observation, Why};
use lyss_domain::{Advice, FaultKind, Tick};

use crate::policy::Policy;
use crate::vendor::Service;
use crate::world::World;

/// One sending to one vendor.
pub(crate) struct Attempt {
    pub(crate) call: usize,
    pub(crate) upstream: usize,
    pub(crate) why: Why,
    pub(crate) sent_at: Tick,
    /// Taken when it ends. The oracle holds nothing.
    pub(crate) in_flight: Option<InFlight>,
    pub(crate) stage: Stage,
    pub(crate) first_token: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stage {
    /// In a queue, refused but not yet told, or talking to nobody.
    Silent,
    Served(Service),
    Over,
}

impl World<'_> {
    /// The call of an attempt that runs and has said nothing yet.
    pub(crate) fn silent(&self, attempt: usize) -> Option<usize> {
        let known = self.attempts.get(attempt)?;
        (known.stage != Stage::Over && known.first_token.is_none()).then_some(known.call)
    }

    pub(crate) fn first_token(&mut self, attempt: usize) {
        let now = self.agenda.now();
        let Some(known) = self.attempts.get_mut(attempt) else { return };
        if known.stage == Stage::Over {
            return;
        }
        known.first_token = Some(now.since(known.sent_at));
        if let Some(in_flight) = &known.in_flight {
            in_flight.progress(1);
        }
        let (call, upstream) = (known.call, known.upstream);
        self.record.first_token(call, now);
        self.learn_headroom(upstream, call, now);
        // Whoever answers first serves the caller; the other one is cancelled.
        let live = self.walks.get(call).map(|walk| walk.live.clone()).unwrap_or_default();
        for other in live.into_iter().filter(|other| *other != attempt) {
            self.observe(other, Ending::Cancelled);
            self.leave(other);
        }
    }

    pub(crate) fn progress(&mut self, attempt: usize, quarters: u32) {
        let Some(known) = self.attempts.get(attempt) else { return };
        if let (Some(in_flight), Stage::Served(service)) = (&known.in_flight, known.stage) {
            in_flight.progress(service.output_tokens / 4 * quarters);
        }
    }

    pub(crate) fn first_byte_timer(&mut self, attempt: usize) {
        if self.silent(attempt).is_some() {
            self.attempt_failed(attempt, FaultKind::FirstByteTimeout, None);
        }
    }

    /// Its last byte came, or what was taken for it.
    pub(crate) fn attempt_ended(&mut self, attempt: usize) {
        let Some(Stage::Served(service)) = self.attempts.get(attempt).map(|attempt| attempt.stage) else {
            return;
        };
        let Some(call) = self.attempts.get(attempt).map(|attempt| attempt.call) else { return };
        let charged = self.attempts.get(attempt).and_then(|a| self.scenario.upstreams.get(a.upstream));
        let spent = charged.map_or(0.0, |spec| {
            (service.charged_prompt * spec.price.prompt as f64
                + f64::from(service.output_tokens) * spec.price.output as f64)
                / 1_000_000.0
        });
        self.record.spent(call, spent);
        if service.cut {
            return self.attempt_failed(attempt, FaultKind::UpstreamCut, None);
        }
        self.observe(attempt, Ending::Complete);
        self.leave(attempt);
        self.over(call, true);
    }

    pub(crate) fn attempt_failed(&mut self, attempt: usize, kind: FaultKind, wait: Option<Duration>) {
        let now = self.agenda.now();
        let Some(known) = self.attempts.get(attempt) else { return };
        let (call, upstream, why) = (known.call, known.upstream, known.why);
        let had_begun = known.first_token.is_some();
        if kind == FaultKind::VendorRateLimited {
            self.learn_headroom(upstream, call, now);
        }
        self.observe(attempt, Ending::Failed(kind, wait));
        self.leave(attempt);
        self.record.failed(call, kind);
        let Some(walk) = self.walks.get_mut(call) else { return };
        walk.counted += u32::from(why != Why::Trial);
        let used_up = walk.counted > self.scenario.timers.max_retries || why == Why::Panic;
        if !walk.live.is_empty() {
            // The other one of two still runs.
            return;
        }
        let late = self.calls.get(call).is_none_or(|asked| now.since(asked.at) >= self.scenario.timers.call);
        let over = had_begun || used_up || late || kind.advice() == Advice::GiveUp;
        // A trial is one of few as it is, and takes nothing out of the budget.
        if over || !(why == Why::Trial || self.may_retry(call)) {
            self.over(call, false);
        } else {
            self.advance(call);
        }
    }

    /// Takes a further attempt out of the replica's budget. Without balancing there is none.
    fn may_retry(&mut self, call: usize) -> bool {
        let now = self.agenda.now();
        if matches!(self.policy, Policy::Oracle | Policy::PlainRandom) {
            return true;
        }
        let Some(replica) = self.calls.get(call).and_then(|asked| self.replicas.get(asked.replica)) else {
            return false;
        };
        let left = self.walks.get(call).is_some_and(|walk| walk.tried.len() < self.vendors.len());
        left && replica.retries.withdraw(replica.is_degraded(&self.weights, now), now)
    }

    fn observe(&mut self, attempt: usize, ending: Ending) {
        let now = self.agenda.now();
        let Some(known) = self.attempts.get_mut(attempt) else { return };
        let service = if let Stage::Served(service) = known.stage { Some(service) } else { None };
        known.stage = Stage::Over;
        if let Some(walk) = self.walks.get_mut(known.call) {
            walk.live.retain(|live| *live != attempt);
        }
        let Some(in_flight) = known.in_flight.take() else { return };
        let Some(asked) = self.calls.get(known.call) else { return };
        let observation = Observation {
            ending,
            prompt_tokens: asked.prompt_tokens,
            output_tokens: service
                .filter(|_| known.first_token.is_some())
                .map_or(0, |service| service.output_tokens),
            ttft: known.first_token,
            total: now.since(known.sent_at),
        };
        let draw = self.replicas.get_mut(asked.replica).map_or(0, |replica| replica.draws.draw());
        in_flight.observe(&observation, draw, now);
    }

    fn learn_headroom(&mut self, upstream: usize, call: usize, now: Tick) {
        let Some(headroom) = self.vendors.get_mut(upstream).and_then(|vendor| vendor.headroom(now)) else {
            return;
        };
        let replica = self.calls.get(call).and_then(|asked| self.replicas.get(asked.replica));
        if let Some(vitals) = replica.and_then(|replica| replica.vitals.get(upstream)) {
            vitals.learn_headroom(&headroom, now);
        }
    }
}
