//! How a call is served: channel after channel until one answers, as the proxy's one retry loop has it. Only before the
//! first token may another channel take over; each is tried once; the call has one deadline.

use std::time::Duration;

use lyss_balancing::{
    Candidate, Choice, Ending, Entrant, Observation, Pool, Popped, Removed, Size, Terms, Ticket,
};
use lyss_domain::{Advice, FaultKind, Strategy, Tick};

use crate::bandit::Followed;
use crate::oracle;
use crate::policy::Policy;
use crate::scenario::Scenario;
use crate::vendor::Vendor;
use crate::world::{Event, Replica, Stage, World, channel_id};

/// Where one call is on its way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Walk {
    tried: Vec<usize>,
    /// Attempts sent that failed.
    failed: u32,
    followed: Option<Followed>,
    /// It waits for a place.
    ticket: Option<Ticket>,
}

/// What is to be done with a call next.
enum Step {
    Send(usize),
    Wait,
    Fail,
}

/// All calls are of one model group of one tenant.
const GROUP: u64 = 1;

impl World<'_> {
    pub(crate) fn begin(&mut self, call: usize) {
        let Some(replica) = self.calls.get(call).and_then(|asked| self.replicas.get_mut(asked.replica))
        else {
            return;
        };
        replica.retries.deposit();
        if self.policy == Policy::MetaBandit
            && let Some(walk) = self.walks.get_mut(call)
        {
            walk.followed = Some(replica.bandit.choose(replica.draws.draw()));
        }
        self.advance(call);
    }

    /// Tries the next channel; without one the call waits for a place, or has failed.
    fn advance(&mut self, call: usize) {
        let now = self.agenda.now();
        loop {
            let upstream = match self.next_step(call) {
                Step::Send(upstream) => upstream,
                Step::Wait => return self.wait(call),
                Step::Fail => return self.over(call, false),
            };
            if let Some(walk) = self.walks.get_mut(call) {
                walk.tried.push(upstream);
            }
            if matches!(self.policy, Policy::Oracle | Policy::PlainRandom) {
                return self.send(call, upstream, None);
            }
            let size = self.size(call);
            let entered = self
                .calls
                .get(call)
                .and_then(|asked| self.replicas.get(asked.replica)?.vitals.get(upstream))
                .and_then(|vitals| {
                    vitals.enter(size, self.scenario.upstreams.get(upstream)?.concurrency, now).ok()
                });
            // Refused: another call was quicker. The next channel, then.
            if let Some(in_flight) = entered {
                return self.send(call, upstream, Some(in_flight));
            }
        }
    }

    /// The call stands in its replica's queue until somebody leaves, or its deadline passes.
    fn wait(&mut self, call: usize) {
        let now = self.agenda.now();
        let Some(asked) = self.calls.get(call) else { return };
        let deadline = asked.at.after(self.scenario.timers.call);
        let Some(replica) = self.replicas.get_mut(asked.replica) else { return };
        let entrant = Entrant { tenant: GROUP, weight: 1, cost: 1, deadline };
        let Ok(pushed) = replica.gate.push(entrant, call, now) else { return self.over(call, false) };
        if let Some(walk) = self.walks.get_mut(call) {
            walk.ticket = Some(pushed.ticket);
        }
        self.agenda.add(deadline, Event::GateTimer(call));
        if let Some(removed) = pushed.removed {
            self.over(removed.item, false);
        }
    }

    pub(crate) fn gate_timer(&mut self, call: usize) {
        let Some(ticket) = self.walks.get_mut(call).and_then(|walk| walk.ticket.take()) else { return };
        let replica = self.calls.get(call).and_then(|asked| self.replicas.get_mut(asked.replica));
        if replica.and_then(|replica| replica.gate.cancel(ticket)).is_some() {
            self.over(call, false);
        }
    }

    /// Somebody left: whoever is next in that replica's queue looks for a place.
    pub(crate) fn wake(&mut self, replica: usize) {
        let now = self.agenda.now();
        let popped = self.replicas.get_mut(replica).and_then(|replica| replica.gate.pop(now));
        // One whose deadline passed is ended by its own timer, at this same moment.
        let (Some(Popped::Next(_, call)) | Some(Popped::Expired(Removed { item: call, .. }))) = popped else {
            return;
        };
        if let Some(walk) = self.walks.get_mut(call) {
            walk.ticket = None;
        }
        self.advance(call);
    }

    fn next_step(&mut self, call: usize) -> Step {
        let now = self.agenda.now();
        let size = self.size(call);
        let (Some(asked), Some(walk)) = (self.calls.get(call), self.walks.get(call)) else {
            return Step::Fail;
        };
        let Some(replica) = self.replicas.get_mut(asked.replica) else { return Step::Fail };
        let draw = replica.draws.draw();
        let found = |index: Option<usize>| index.map_or(Step::Fail, Step::Send);
        let strategy = match self.policy {
            Policy::Algorithm(strategy) => strategy,
            Policy::MetaBandit => {
                walk.followed.map_or(Strategy::WeightedRandom, |followed| followed.strategy)
            }
            Policy::PlainRandom => {
                let able = |index: &usize| {
                    self.weights.get(*index).is_some_and(|weight| *weight > 0)
                        && self.vendors.get(*index).is_some_and(Vendor::has_room)
                        && !walk.tried.contains(index)
                };
                let open: Vec<usize> = (0..self.weights.len()).filter(able).collect();
                return found(open.get(replica.draws.below(open.len())).copied());
            }
            Policy::Oracle => {
                let vendors = &self.vendors;
                let may_serve = |index: usize| {
                    let weight = self.weights.get(index).copied().unwrap_or(0);
                    let has_room = vendors.get(index).is_some_and(Vendor::has_room);
                    has_room && weight > 0 && !walk.tried.contains(&index)
                };
                return found(oracle::choose(
                    vendors,
                    may_serve,
                    asked,
                    self.scenario.timers,
                    self.plan,
                    now,
                ));
            }
        };
        let candidates = candidates(self.scenario, replica, &self.weights, size, now);
        let pool = Pool { size, ..Pool::new(GROUP, &candidates) };
        let affinity = asked.turn.map(|turn| turn.session);
        let last = walk.failed >= self.scenario.timers.max_retries;
        match replica.balancers.choose(
            strategy,
            &pool,
            &Terms { tried: &walk.tried, affinity, last, draw, now },
        ) {
            Choice::Chosen { index, .. } => Step::Send(index),
            Choice::Full => Step::Wait,
            Choice::Cooling(_) | Choice::Nobody => Step::Fail,
        }
    }

    /// As a service estimates it before it calls.
    fn size(&self, call: usize) -> Size {
        let prompt_tokens = self.calls.get(call).map_or(0, |call| call.prompt_tokens);
        Size { prompt_tokens, output_tokens: self.expected_output }
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
        self.record.first_token(known.call, now);
        let upstream = known.upstream;
        self.learn_headroom(upstream, known_call(&self.attempts, attempt), now);
    }

    pub(crate) fn progress(&mut self, attempt: usize, quarters: u32) {
        let Some(known) = self.attempts.get(attempt) else { return };
        if let (Some(in_flight), Stage::Served(service)) = (&known.in_flight, known.stage) {
            in_flight.progress(service.output_tokens / 4 * quarters);
        }
    }

    pub(crate) fn first_byte_timer(&mut self, attempt: usize) {
        let silent =
            self.attempts.get(attempt).is_some_and(|a| a.stage != Stage::Over && a.first_token.is_none());
        if silent {
            self.attempt_failed(attempt, FaultKind::FirstByteTimeout, None);
        }
    }

    /// Its last byte came, or what was taken for it.
    pub(crate) fn attempt_ended(&mut self, attempt: usize) {
        let Some(Stage::Served(service)) = self.attempts.get(attempt).map(|attempt| attempt.stage) else {
            return;
        };
        let Some(call) = known_call(&self.attempts, attempt) else { return };
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
        let (call, upstream, had_begun) = (known.call, known.upstream, known.first_token.is_some());
        if kind == FaultKind::VendorRateLimited {
            self.learn_headroom(upstream, Some(call), now);
        }
        self.observe(attempt, Ending::Failed(kind, wait));
        self.leave(attempt);
        self.record.failed(call, kind);
        let Some(walk) = self.walks.get_mut(call) else { return };
        walk.failed += 1;
        let late = self.calls.get(call).is_none_or(|asked| now.since(asked.at) >= self.scenario.timers.call);
        let used_up = walk.failed > self.scenario.timers.max_retries;
        let over = had_begun || used_up || late || kind.advice() == Advice::GiveUp;
        if over || !self.may_retry(call) {
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
        let open = replica.vitals.iter().zip(&self.weights).filter(|(_, weight)| **weight > 0);
        let (well, all) = open.fold((0, 0), |(well, all), (vitals, _)| {
            (well + usize::from(vitals.snapshot(now).standing.may_serve()), all + 1)
        });
        replica.retries.withdraw(well * 2 <= all, now)
    }

    fn observe(&mut self, attempt: usize, ending: Ending) {
        let now = self.agenda.now();
        let Some(known) = self.attempts.get_mut(attempt) else { return };
        let service = if let Stage::Served(service) = known.stage { Some(service) } else { None };
        known.stage = Stage::Over;
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

    fn learn_headroom(&mut self, upstream: usize, call: Option<usize>, now: Tick) {
        let Some(headroom) = self.vendors.get_mut(upstream).and_then(|vendor| vendor.headroom(now)) else {
            return;
        };
        let replica =
            call.and_then(|call| self.calls.get(call)).and_then(|asked| self.replicas.get(asked.replica));
        if let Some(vitals) = replica.and_then(|replica| replica.vitals.get(upstream)) {
            vitals.learn_headroom(&headroom, now);
        }
    }

    fn over(&mut self, call: usize, ok: bool) {
        let now = self.agenda.now();
        let cost = self.record.over(call, ok, now);
        let Some(followed) = self.walks.get(call).and_then(|walk| walk.followed) else { return };
        let replica = self.calls.get(call).and_then(|asked| self.replicas.get_mut(asked.replica));
        if let Some(replica) = replica {
            replica.bandit.learn(followed, cost.as_secs_f64() / self.scenario.timers.call.as_secs_f64());
        }
    }
}

fn candidates(
    scenario: &Scenario,
    replica: &Replica,
    weights: &[u32],
    size: Size,
    now: Tick,
) -> Vec<Candidate> {
    let channels = scenario.upstreams.iter().zip(&replica.vitals);
    let beside = weights.iter().zip(&replica.elsewhere);
    let mut candidates = Vec::with_capacity(weights.len());
    for (place, ((spec, vitals), (weight, elsewhere))) in (1u64..).zip(channels.zip(beside)) {
        let price = u64::from(size.prompt_tokens) * spec.price.prompt
            + u64::from(size.output_tokens) * spec.price.output;
        let mut snapshot = vitals.snapshot(now);
        snapshot.in_flight_elsewhere = *elsewhere;
        snapshot.limit = snapshot.limit.min(spec.concurrency.unwrap_or(u32::MAX));
        candidates.push(Candidate {
            price_micros: u32::try_from(price / 1_000_000).unwrap_or(u32::MAX),
            snapshot,
            ..Candidate::new(channel_id(place), *weight, spec.priority)
        });
    }
    candidates
}

fn known_call(attempts: &[crate::world::Attempt], attempt: usize) -> Option<usize> {
    attempts.get(attempt).map(|attempt| attempt.call)
}
