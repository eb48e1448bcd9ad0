//! One run: vendors, the processes in front of them, and the calls under way, moved by one agenda.

use std::sync::Arc;
use std::time::Duration;

use lyss_balancing::{Balancers, Bounds, Budget, FairQueue, Health, InFlight, RetryBudget, Snapshot, Vitals};
use lyss_domain::{ChannelId, FaultKind, Tick};

use crate::bandit::Bandit;
use crate::draws::{Draws, belonging_to};
use crate::engine::Agenda;
use crate::oracle::Plan;
use crate::policy::Policy;
use crate::record::{Record, Sent};
use crate::scenario::{Change, Scenario};
use crate::traffic::Call;
use crate::vendor::{Service, Vendor};
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
    /// What a call's answer is expected to be long, as a service learns it from those before.
    pub(crate) expected_output: u32,
    pub(crate) record: Record,
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
    /// A call has waited for a place until its deadline.
    GateTimer(usize),
    Change(usize),
    Hints,
    Look,
}

/// One process of the service.
pub(crate) struct Replica {
    pub(crate) balancers: Balancers,
    pub(crate) vitals: Vec<Arc<Vitals>>,
    /// In flight in the other processes, as they last said.
    pub(crate) elsewhere: Vec<u32>,
    pub(crate) draws: Draws,
    pub(crate) bandit: Bandit,
    pub(crate) retries: RetryBudget,
    /// Calls that wait for a place, when all channels are at their limits.
    pub(crate) gate: FairQueue<u64, usize>,
}

/// One sending to one vendor.
pub(crate) struct Attempt {
    pub(crate) call: usize,
    pub(crate) upstream: usize,
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
            expected_output: mean_output(calls),
            record: Record::new(calls, scenario),
            watch_every: None,
            looks: Vec::new(),
        };
        for (index, change) in scenario.changes.iter().enumerate() {
            world.agenda.add(Tick::default().after(change.at), Event::Change(index));
        }
        if let Some(every) = scenario.hints_every.filter(|_| scenario.replicas > 1) {
            world.agenda.add(Tick::default().after(every), Event::Hints);
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
            Event::GateTimer(call) => self.gate_timer(call),
            Event::Change(index) => self.change(index),
            Event::Hints => self.hints(),
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

    fn hints(&mut self) {
        let Some(every) = self.scenario.hints_every else { return };
        let now = self.agenda.now();
        let loads: Vec<Vec<u32>> = self
            .replicas
            .iter()
            .map(|replica| replica.vitals.iter().map(|vitals| vitals.snapshot(now).in_flight).collect())
            .collect();
        for (own, replica) in self.replicas.iter_mut().enumerate() {
            for (place, elsewhere) in replica.elsewhere.iter_mut().enumerate() {
                let others = loads.iter().enumerate().filter(|(other, _)| *other != own);
                *elsewhere = others.filter_map(|(_, loads)| loads.get(place)).sum();
            }
        }
        if now.since(Tick::default()) < self.scenario.span {
            self.agenda.add(now.after(every), Event::Hints);
        }
    }

    fn look(&mut self) {
        let now = self.agenda.now();
        let (Some(every), Some(replica)) = (self.watch_every, self.replicas.first()) else { return };
        let snapshots = replica.vitals.iter().map(|vitals| vitals.snapshot(now)).collect();
        self.looks.push(Look { at: now, snapshots });
        if now.since(Tick::default()) < self.scenario.span {
            self.agenda.add(now.after(every), Event::Look);
        }
    }

    /// Sends an attempt on its way.
    pub(crate) fn send(&mut self, call: usize, upstream: usize, in_flight: Option<InFlight>) {
        let now = self.agenda.now();
        let (Some(asked), Some(vendor)) = (self.calls.get(call), self.vendors.get_mut(upstream)) else {
            return;
        };
        let attempt = self.attempts.len();
        let number = u64::try_from(call).unwrap_or(u64::MAX);
        let reception = vendor.receive(attempt, asked, number, now);
        let stage = Stage::Silent;
        self.attempts.push(Attempt { call, upstream, sent_at: now, in_flight, stage, first_token: None });
        self.record.sent.push(Sent { at: now, upstream });
        let deadline = asked.at.after(self.scenario.timers.call);
        let timer = now.after(self.scenario.timers.first_byte).min(deadline.max(now));
        match reception {
            crate::vendor::Reception::Refused { kind, after, wait } => {
                self.agenda.add(now.after(after), Event::Refused { attempt, kind, wait });
            }
            crate::vendor::Reception::Hangs | crate::vendor::Reception::Waits => {
                self.agenda.add(timer, Event::FirstByteTimer(attempt));
            }
            crate::vendor::Reception::Serves(service) => {
                if now.after(service.first_token) > timer {
                    self.agenda.add(timer, Event::FirstByteTimer(attempt));
                }
                self.served(attempt, service);
            }
        }
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
        let own = belonging_to(seed, u64::try_from(index).unwrap_or(0), 0, 0x4e9);
        let health = Health::default();
        let vitals = (1u64..)
            .zip(&scenario.upstreams)
            .map(|(place, _)| health.channel(channel_id(place)).model(MODEL))
            .collect::<Vec<_>>();
        Self {
            balancers: Balancers::new(own),
            elsewhere: vec![0; vitals.len()],
            vitals,
            draws: Draws::new(own),
            bandit: Bandit::default(),
            retries: RetryBudget::new(Budget::default(), Tick::default()),
            gate: FairQueue::new(Bounds { total: 1_000, per_tenant: 1_000 }),
        }
    }
}

/// The id of the channel in a place counted from 1.
pub(crate) fn channel_id(place: u64) -> ChannelId {
    ChannelId::from_parts(place, &[0; 10])
}

fn mean_output(calls: &[Call]) -> u32 {
    let sum: u64 = calls.iter().map(|call| u64::from(call.output_tokens)).sum();
    let count = u64::try_from(calls.len()).unwrap_or(u64::MAX).max(1);
    u32::try_from(sum / count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
