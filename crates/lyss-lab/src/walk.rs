//! How a call is served: channel after channel until one answers, as the proxy's one retry loop has it. Only before the
//! first token may another channel take over; each is tried once; the call has one deadline.

use std::time::Duration;

use lyss_balancing::{Candidate, Choice, Ending, Observation, Pool, Size, Terms};
use lyss_domain::{Advice, FaultKind, Strategy, Tick};

use crate::bandit::Followed;
use crate::oracle;
use crate::policy::Policy;
use crate::world::{Stage, World, channel_id};

/// Where one call is on its way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Walk {
    tried: Vec<usize>,
    /// Attempts sent that failed.
    failed: u32,
    followed: Option<Followed>,
}

/// All calls are of one model group of one tenant.
const GROUP: u64 = 1;

impl World<'_> {
    pub(crate) fn begin(&mut self, call: usize) {
        if self.policy == Policy::MetaBandit
            && let Some(replica) = self.calls.get(call).and_then(|asked| self.replicas.get_mut(asked.replica))
            && let Some(walk) = self.walks.get_mut(call)
        {
            walk.followed = Some(replica.bandit.choose(replica.draws.draw()));
        }
        self.advance(call);
    }

    /// Tries the next channel; without one the call has failed.
    fn advance(&mut self, call: usize) {
        let now = self.agenda.now();
        while let Some(upstream) = self.next_channel(call) {
            if let Some(walk) = self.walks.get_mut(call) {
                walk.tried.push(upstream);
            }
            if self.policy == Policy::Oracle {
                return self.send(call, upstream, None);
            }
            let (size, limit) =
                (self.size(call), self.scenario.upstreams.get(upstream).and_then(|u| u.concurrency));
            let entered = self
                .calls
                .get(call)
                .and_then(|asked| self.replicas.get(asked.replica)?.vitals.get(upstream))
                .and_then(|vitals| vitals.enter(size, limit, now).ok());
            // Refused: another call was quicker. The next channel, then.
            if let Some(in_flight) = entered {
                return self.send(call, upstream, Some(in_flight));
            }
        }
        self.over(call, false);
    }

    fn next_channel(&mut self, call: usize) -> Option<usize> {
        let now = self.agenda.now();
        let size = self.size(call);
        let asked = self.calls.get(call)?;
        let walk = self.walks.get(call)?;
        let replica = self.replicas.get_mut(asked.replica)?;
        let draw = replica.draws.draw();
        let strategy = match self.policy {
            Policy::Algorithm(strategy) => strategy,
            Policy::MetaBandit => {
                walk.followed.map_or(Strategy::WeightedRandom, |followed| followed.strategy)
            }
            Policy::PlainRandom => {
                let able = |index: &usize| {
                    self.weights.get(*index).is_some_and(|weight| *weight > 0) && !walk.tried.contains(index)
                };
                let open: Vec<usize> = (0..self.weights.len()).filter(able).collect();
                return open.get(replica.draws.below(open.len())).copied();
            }
            Policy::Oracle => {
                let vendors = &self.vendors;
                let may_serve = |index: usize| {
                    let has_room = self.scenario.upstreams.get(index).zip(vendors.get(index)).is_some_and(
                        |(spec, vendor)| spec.concurrency.is_none_or(|limit| vendor.load() < count(limit)),
                    );
                    let weight = self.weights.get(index).copied().unwrap_or(0);
                    has_room && weight > 0 && !walk.tried.contains(&index)
                };
                return oracle::choose(vendors, may_serve, asked, self.scenario.timers, now);
            }
        };
        let mut candidates = Vec::with_capacity(self.vendors.len());
        for (((place, spec), vitals), (weight, elsewhere)) in (1u64..)
            .zip(&self.scenario.upstreams)
            .zip(&replica.vitals)
            .zip(self.weights.iter().zip(&replica.elsewhere))
        {
            let price = u64::from(size.prompt_tokens) * spec.price.prompt
                + u64::from(size.output_tokens) * spec.price.output;
            let mut snapshot = vitals.snapshot(now);
            snapshot.in_flight_elsewhere = *elsewhere;
            if let Some(limit) = spec.concurrency {
                snapshot.limit = snapshot.limit.min(limit);
            }
            candidates.push(Candidate {
                price_micros: u32::try_from(price / 1_000_000).unwrap_or(u32::MAX),
                snapshot,
                ..Candidate::new(channel_id(place), *weight, spec.priority)
            });
        }
        let pool = Pool { size, ..Pool::new(GROUP, &candidates) };
        let affinity = asked.turn.map(|turn| turn.session);
        match replica.balancers.choose(strategy, &pool, &Terms { tried: &walk.tried, affinity, draw, now }) {
            Choice::Chosen { index, .. } => Some(index),
            Choice::Cooling(_) | Choice::Nobody => None,
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
        self.record.first_token(known.call, now);
        let upstream = known.upstream;
        self.learn_headroom(upstream, known_call(&self.attempts, attempt), now);
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
        if had_begun || used_up || late || kind.advice() == Advice::GiveUp {
            self.over(call, false);
        } else {
            self.advance(call);
        }
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

fn known_call(attempts: &[crate::world::Attempt], attempt: usize) -> Option<usize> {
    attempts.get(attempt).map(|attempt| attempt.call)
}

fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
