//! One run: vendors, the processes in front of them, and the calls under way, moved by one agenda.

use std::sync::Arc;
use std::time::Duration;

use lyss_balancing::{
    Balancers, Bounds, Budget, FairQueue, Health, Hedging, Hint, InFlight, Regime, RetryBudget, Snapshot,
    Vitals, Why,
};
use lyss_domain::{ChannelId, FaultKind, Tick};

use crate::attempt::{Attempt, Stage};
use crate::bandit::Bandit;
use crate::draws::{Draws, belonging_to};
use crate::engine::Agenda;
use crate::oracle::Plan;
use crate::policy::Policy;
use crate::record::{Record, Sent};
use crate::scenario::{Change, Scenario};
use crate::traffic::Call;
use crate::vendor::{Reception, Service, Vendor};
use crate::walk::Walk;

pub(crate) struct World<'s> {
    pub(crate) scenario: &'s Scenario,
    pub(crate) calls: &'s [Call],
    pub(crate) policy: Policy,
    pub(crate) plan: Plan,
    pub(crate) agenda: Agenda<Event>,
    pub(crate) vendors: Vec<Vendor<'s>>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) weights: Vec<u32>,
    pub(crate) walks: Vec<Walk>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) record: Record,
    /// What each replica told last.
    told: Vec<Vec<Hint>>,
    watch_every: Option<Duration>,
    looks: Vec<Look>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Arrival(usize),
    Refused {
        attempt: usize,
        kind: FaultKind,
        wait: Option<Duration>,
    },
    FirstToken(usize),
    /// So many quarters of the output have come.
    Progress(usize, u32),
    End(usize),
    FirstByteTimer(usize),
    /// An attempt has said nothing for so long that another is to join it.
    Hedge(usize),
    /// A call has waited for a place until its deadline.
    GateTimer(usize),
    Change(usize),
    /// A replica tells the others what it knows, and hears what they told last.
    Hints(usize),
    Look,
}

/// One process of the service.
pub(crate) struct Replica {
    pub(crate) balancers: Balancers,
    pub(crate) vitals: Vec<Arc<Vitals>>,
    health: Health,
    pub(crate) draws: Draws,
    pub(crate) bandit: Bandit,
    pub(crate) retries: RetryBudget,
    pub(crate) hedging: Hedging,
    /// Calls that wait for a place, when all channels are at their limits.
    pub(crate) gate: FairQueue<u64, usize>,
}

/// Hedges for a hundred calls, as the proxy has it.
const HEDGE_PERCENT: u32 = 5;

/// All calls are of one model group of one tenant.
pub(crate) const GROUP: u64 = 1;

/// The model every channel serves, by the vendors' name for it.
const MODEL: &str = "model";

/// Runs a scenario once. All policies meet the same calls and the same luck.
pub(crate) fn run<'s>(
    scenario: &'s Scenario,
    policy: Policy,
    plan: Plan,
    seed: u64,
    calls: &'s [Call],
) -> Record {
    let mut world = World::new(scenario, policy, plan, seed, calls);
    world.go_on();
    world.record
}

/// The same, looking at what the first process knows once in every `every`.
pub(crate) fn watch(
    scenario: &Scenario,
    policy: Policy,
    seed: u64,
    calls: &[Call],
    every: Duration,
) -> (Record, Vec<Look>) {
    let mut world = World::new(scenario, policy, Plan::default(), seed, calls);
    world.watch_every = Some(every);
    world.agenda.add(Tick::default().after(every), Event::Look);
    world.go_on();
    (world.record, world.looks)
}

/// What one process knows of all channels at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) at: Tick,
    pub(crate) snapshots: Vec<Snapshot>,
    pub(crate) regime: Regime,
}

impl<'s> World<'s> {
    fn new(scenario: &'s Scenario, policy: Policy, plan: Plan, seed: u64, calls: &'s [Call]) -> Self {
        let places = 0u64..;
        let mut world = Self {
            scenario,
            calls,
            policy,
            plan,
            agenda: Agenda::new(),
            vendors: places
                .zip(&scenario.upstreams)
                .map(|(place, spec)| Vendor::new(spec, seed, place))
                .collect(),
            replicas: (0..scenario.replicas.max(1))
                .map(|index| Replica::new(scenario, seed, index))
                .collect(),
            weights: scenario.upstreams.iter().map(|upstream| upstream.weight).collect(),
            walks: vec![Walk::default(); calls.len()],
            attempts: Vec::with_capacity(calls.len()),
            record: Record::new(calls, scenario),
            told: vec![Vec::new(); scenario.replicas.max(1)],
            watch_every: None,
            looks: Vec::new(),
        };
        for (index, change) in scenario.changes.iter().enumerate() {
            world.agenda.add(Tick::default().after(change.at), Event::Change(index));
        }
        if let Some(every) = scenario.hints_every.filter(|_| scenario.replicas > 1) {
            // Each at its own moment, as processes do that know nothing of each other.
            for (replica, place) in (0..scenario.replicas).zip(1u32..) {
                let first = every / u32::try_from(scenario.replicas).unwrap_or(u32::MAX) * place;
                world.agenda.add(Tick::default().after(first), Event::Hints(replica));
            }
        }
        // One arrival at a time waits in the agenda; each brings the next.
        if let Some(first) = calls.first() {
            world.agenda.add(first.at, Event::Arrival(0));
        }
        world
    }

    fn go_on(&mut self) {
        while let Some(event) = self.agenda.advance() {
            self.happen(event);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrival(call) => {
                if let Some(next) = self.calls.get(call + 1) {
                    self.agenda.add(next.at, Event::Arrival(call + 1));
                }
                self.begin(call);
            }
            Event::Refused { attempt, kind, wait } => self.attempt_failed(attempt, kind, wait),
            Event::FirstToken(attempt) => self.first_token(attempt),
            Event::Progress(attempt, quarters) => self.progress(attempt, quarters),
            Event::Look => self.look(),
            Event::End(attempt) => self.attempt_ended(attempt),
            Event::FirstByteTimer(attempt) => self.first_byte_timer(attempt),
            Event::Hedge(attempt) => self.hedge(attempt),
            Event::GateTimer(call) => self.gate_timer(call),
            Event::Change(index) => self.change(index),
            Event::Hints(replica) => self.exchange(replica),
        }
    }

    fn change(&mut self, index: usize) {
        let Some(planned) = self.scenario.changes.get(index) else { return };
        let Some(vendor) = self.vendors.get_mut(planned.upstream) else { return };
        match planned.change {
            Change::Weight(weight) => {
                if let Some(known) = self.weights.get_mut(planned.upstream) {
                    *known = weight;
                }
            }
            Change::Faults(faults) => vendor.faults = faults,
            Change::Slower(times) => vendor.slower = times,
        }
    }

    fn exchange(&mut self, own: usize) {
        let now = self.agenda.now();
        let (Some(every), Some(replica)) = (self.scenario.hints_every, self.replicas.get(own)) else {
            return;
        };
        let told = replica.health.hints(u64::try_from(own).unwrap_or(u64::MAX), now);
        let others = self.told.iter().enumerate().filter(|(other, _)| *other != own);
        let heard: Vec<Hint> = others.flat_map(|(_, hints)| hints.iter().cloned()).collect();
        replica.health.take_hints(&heard, now);
        if let Some(known) = self.told.get_mut(own) {
            *known = told;
        }
        if now.since(Tick::default()) < self.scenario.span {
            self.agenda.add(now.after(every), Event::Hints(own));
        }
    }

    fn look(&mut self) {
        let now = self.agenda.now();
        let (Some(every), Some(replica)) = (self.watch_every, self.replicas.first()) else { return };
        let snapshots = replica.vitals.iter().map(|vitals| vitals.snapshot(now)).collect();
        self.looks.push(Look { at: now, snapshots, regime: replica.balancers.regime(GROUP) });
        if now.since(Tick::default()) < self.scenario.span {
            self.agenda.add(now.after(every), Event::Look);
        }
    }

    /// Sends an attempt on its way, for which it has so long until its first token.
    pub(crate) fn send(
        &mut self,
        call: usize,
        upstream: usize,
        in_flight: Option<InFlight>,
        why: Why,
        first_byte: Duration,
    ) -> Option<usize> {
        let now = self.agenda.now();
        let (asked, vendor) = (self.calls.get(call)?, self.vendors.get_mut(upstream)?);
        let attempt = self.attempts.len();
        let number = u64::try_from(call).unwrap_or(u64::MAX);
        let reception = vendor.receive(attempt, asked, number, now);
        let (stage, first_token) = (Stage::Silent, None);
        self.attempts.push(Attempt { call, upstream, why, sent_at: now, in_flight, stage, first_token });
        self.walks.get_mut(call)?.live.push(attempt);
        self.record.sent.push(Sent { at: now, upstream });
        let deadline = asked.at.after(self.scenario.timers.call);
        let timer = now.after(first_byte).min(deadline.max(now));
        match reception {
            Reception::Refused { kind, after, wait } => {
                self.agenda.add(now.after(after), Event::Refused { attempt, kind, wait });
            }
            Reception::Hangs | Reception::Waits => {
                self.agenda.add(timer, Event::FirstByteTimer(attempt));
            }
            Reception::Serves(service) => {
                if now.after(service.first_token) > timer {
                    self.agenda.add(timer, Event::FirstByteTimer(attempt));
                }
                self.served(attempt, service);
            }
        }
        Some(attempt)
    }

    /// The vendor has begun to work on it.
    fn served(&mut self, attempt: usize, service: Service) {
        let now = self.agenda.now();
        if let Some(attempt) = self.attempts.get_mut(attempt) {
            attempt.stage = Stage::Served(service);
        }
        self.agenda.add(now.after(service.first_token), Event::FirstToken(attempt));
        for quarters in 1..4 {
            let at = service.first_token + (service.end - service.first_token) / 4 * quarters;
            self.agenda.add(now.after(at), Event::Progress(attempt, quarters));
        }
        self.agenda.add(now.after(service.end), Event::End(attempt));
    }

    /// Takes an attempt out of its vendor, whose slot serves the next in the queue.
    pub(crate) fn leave(&mut self, attempt: usize) {
        let now = self.agenda.now();
        let Some((upstream, call)) = self.attempts.get(attempt).map(|known| (known.upstream, known.call))
        else {
            return;
        };
        let Some(vendor) = self.vendors.get_mut(upstream) else { return };
        vendor.release(attempt);
        let mut begun = Vec::new();
        while let Some(next) = vendor.next_waiting() {
            let Some(call) = self.attempts.get(next).map(|attempt| attempt.call) else { continue };
            let Some(asked) = self.calls.get(call) else { continue };
            begun.push((next, vendor.serve(next, asked, u64::try_from(call).unwrap_or(u64::MAX), now)));
        }
        for (next, service) in begun {
            self.served(next, service);
        }
        if let Some(replica) = self.calls.get(call).map(|asked| asked.replica) {
            self.wake(replica);
        }
    }
}

impl Replica {
    fn new(scenario: &Scenario, seed: u64, index: usize) -> Self {
        let own = belonging_to(seed, u64::try_from(index).unwrap_or(0), scenario.luck, 0x4e9);
        let health = Health::default();
        let vitals = (1u64..)
            .zip(&scenario.upstreams)
            .map(|(place, spec)| {
                let channel = health.channel(channel_id(place));
                channel.configure(spec.concurrency, spec.learns_limit);
                channel.model(MODEL)
            })
            .collect::<Vec<_>>();
        Self {
            balancers: Balancers::new(own),
            health,
            vitals,
            draws: Draws::new(own),
            bandit: Bandit::default(),
            retries: RetryBudget::new(Budget::default(), Tick::default()),
            hedging: Hedging::new(HEDGE_PERCENT, Tick::default()),
            gate: FairQueue::new(Bounds { total: 1_000, per_tenant: 1_000 }),
        }
    }
}

/// The id of the channel in a place counted from 1.
pub(crate) fn channel_id(place: u64) -> ChannelId {
    ChannelId::from_parts(place, &[0; 10])
}

#[cfg(test)]
mod tests;
