//! How a call is served: channel after channel until one answers, as the proxy's one retry loop has it. Only before the
//! first token may another channel take over; each is tried once; the call has one deadline.

use std::time::Duration;

use lyss_balancing::{
    Candidate, Choice, Entrant, HedgeTerms, Pool, Popped, Removed, Size, Standing, Terms, Ticket, Why,
};
use lyss_domain::{Strategy, Tick};

use crate::bandit::Followed;
use crate::oracle;
use crate::policy::Policy;
use crate::scenario::Scenario;
use crate::vendor::Vendor;
use crate::world::{Event, GROUP, Replica, World, channel_id};

/// Where one call is on its way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Walk {
    pub(crate) tried: Vec<usize>,
    /// Attempts that failed and count as retries: whoever shows whether a channel is well again loses none by it.
    pub(crate) counted: u32,
    /// Attempts under way: two where a slow one is hedged.
    pub(crate) live: Vec<usize>,
    pub(crate) followed: Option<Followed>,
    /// It waits for a place.
    ticket: Option<Ticket>,
}

/// What is to be done with a call next.
enum Step {
    Send(usize, Why),
    Wait,
    Fail,
}

/// Tokens of a usual answer: what the proxy expects where a caller sets no limit.
const USUAL_OUTPUT: u32 = 300;

/// What a channel on trial may keep its call waiting, by what it took when it was well: as the proxy has it.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(15));
const UNLEARNED_PATIENCE: Duration = Duration::from_secs(10);

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
    pub(crate) fn advance(&mut self, call: usize) {
        loop {
            let (upstream, why) = match self.next_step(call) {
                Step::Send(upstream, why) => (upstream, why),
                Step::Wait => return self.wait(call),
                Step::Fail => return self.over(call, false),
            };
            // Refused: another call was quicker. The next channel, then.
            if let Some(attempt) = self.try_one(call, upstream, why) {
                return self.plan_hedge(call, attempt, upstream, why);
            }
        }
    }

    /// Enters a channel and sends; `None`: it has no room after all.
    fn try_one(&mut self, call: usize, upstream: usize, why: Why) -> Option<usize> {
        let now = self.agenda.now();
        let size = self.size(call);
        let walk = self.walks.get_mut(call)?;
        walk.tried.push(upstream);
        let others = self.vendors.len() > walk.tried.len();
        let first_byte = self.scenario.timers.first_byte;
        if matches!(self.policy, Policy::Oracle | Policy::PlainRandom) {
            return self.send(call, upstream, None, why, first_byte);
        }
        let vitals = self.replicas.get(self.calls.get(call)?.replica)?.vitals.get(upstream)?;
        let in_flight = vitals.enter(size, None, now).ok()?;
        let first_byte = if why == Why::Trial && others {
            let usual = vitals.ttft_quantile(0.95, now).map(|usual| usual * 2);
            usual.unwrap_or(UNLEARNED_PATIENCE).clamp(PATIENCE.0, PATIENCE.1).min(first_byte)
        } else {
            first_byte
        };
        self.send(call, upstream, Some(in_flight), why, first_byte)
    }

    /// Notes when a first attempt that says nothing is joined by a second, where the scenario hedges.
    fn plan_hedge(&mut self, call: usize, attempt: usize, upstream: usize, why: Why) {
        let now = self.agenda.now();
        let unhedged = matches!(self.policy, Policy::Oracle | Policy::PlainRandom);
        if !self.scenario.hedged || unhedged || matches!(why, Why::Trial | Why::Panic) {
            return;
        }
        let (Some(asked), Some(walk)) = (self.calls.get(call), self.walks.get(call)) else { return };
        let Some(replica) = self.replicas.get(asked.replica) else { return };
        replica.hedging.deposit();
        let open = |index: usize| {
            replica.vitals.get(index).is_some_and(|vitals| vitals.snapshot(now).standing == Standing::Open)
                && self.weights.get(index).is_some_and(|weight| *weight > 0)
                && !walk.tried.contains(&index)
        };
        let deadline = asked.at.after(self.scenario.timers.call);
        let delay = replica.hedging.delay(&HedgeTerms {
            wanted: true,
            p95_ttft: replica.vitals.get(upstream).and_then(|vitals| vitals.ttft_quantile(0.95, now)),
            other_open: (0..self.vendors.len()).any(open),
            degraded: replica.is_degraded(&self.weights, now),
            time_left: deadline.since(now),
        });
        if let Some(delay) = delay {
            self.agenda.add(now.after(delay), Event::Hedge(attempt));
        }
    }

    /// The first attempt has said nothing for long: a second channel is asked beside it, if the budget allows it.
    pub(crate) fn hedge(&mut self, attempt: usize) {
        let now = self.agenda.now();
        let Some(call) = self.silent(attempt) else { return };
        if self.walks.get(call).is_none_or(|walk| walk.live.len() != 1) {
            return;
        }
        let replica = self.calls.get(call).and_then(|asked| self.replicas.get(asked.replica));
        if !replica.is_some_and(|replica| replica.hedging.withdraw(now)) {
            return;
        }
        if let Step::Send(upstream, why @ (Why::Algorithm | Why::Affinity)) = self.next_step(call) {
            self.try_one(call, upstream, why);
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
        let found =
            |index: Option<usize>| index.map_or(Step::Fail, |index| Step::Send(index, Why::Algorithm));
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
        let last = walk.counted >= self.scenario.timers.max_retries;
        match replica.balancers.choose(
            strategy,
            &pool,
            &Terms { tried: &walk.tried, affinity, last, again: false, draw, now },
        ) {
            Choice::Chosen { index, why } => Step::Send(index, why),
            Choice::Full => Step::Wait,
            Choice::Cooling(_) | Choice::Nobody => Step::Fail,
        }
    }

    /// As a service estimates it before it calls.
    fn size(&self, call: usize) -> Size {
        let prompt_tokens = self.calls.get(call).map_or(0, |call| call.prompt_tokens);
        Size { prompt_tokens, output_tokens: USUAL_OUTPUT }
    }

    pub(crate) fn over(&mut self, call: usize, ok: bool) {
        let now = self.agenda.now();
        let cost = self.record.over(call, ok, now);
        let Some(followed) = self.walks.get(call).and_then(|walk| walk.followed) else { return };
        let replica = self.calls.get(call).and_then(|asked| self.replicas.get_mut(asked.replica));
        if let Some(replica) = replica {
            replica.bandit.learn(followed, cost.as_secs_f64() / self.scenario.timers.call.as_secs_f64());
        }
    }
}

impl Replica {
    /// Half of those that could serve do not.
    pub(crate) fn is_degraded(&self, weights: &[u32], now: Tick) -> bool {
        let open = self.vitals.iter().zip(weights).filter(|(_, weight)| **weight > 0);
        let (well, all) = open.fold((0, 0), |(well, all), (vitals, _)| {
            (well + usize::from(vitals.snapshot(now).standing.may_serve()), all + 1)
        });
        well * 2 <= all && all > 1
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
    let mut candidates = Vec::with_capacity(weights.len());
    for (place, ((spec, vitals), weight)) in (1u64..).zip(channels.zip(weights)) {
        let price = u64::from(size.prompt_tokens) * spec.price.prompt
            + u64::from(size.output_tokens) * spec.price.output;
        candidates.push(Candidate {
            price_micros: u32::try_from(price / 1_000_000).unwrap_or(u32::MAX),
            snapshot: vitals.snapshot(now),
            ..Candidate::new(channel_id(place), *weight, spec.priority)
        });
    }
    candidates
}
