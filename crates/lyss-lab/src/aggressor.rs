//! One tenant sends twenty times what another does, through one gate: what that does to the other's tail, by the fair
//! queue of the service and by a plain one.

use std::collections::VecDeque;
use std::time::Duration;

use lyss_balancing::{Bounds, Entrant, FairQueue, Popped};
use lyss_domain::Tick;

use crate::draws::{self, Draws};
use crate::engine::Agenda;
use crate::metrics::Spread;
use crate::traffic::seconds;

/// The victim's times in three worlds, and how many calls of each tenant were turned away.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aggression {
    pub alone: Fate,
    pub fair: Fate,
    pub first_come: Fate,
}

/// Means over the seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fate {
    /// From arrival to the end, of the victim's calls that were served.
    pub victim_ms: Spread,
    /// Parts of the calls that were served.
    pub victim_served: f64,
    pub aggressor_served: f64,
}

const PLACES: usize = 40;
const SPAN: Duration = Duration::from_secs(300);
const VICTIM_PER_SECOND: f64 = 2.0;
const TIMES: f64 = 20.0;
/// With two seconds of service forty places serve twenty calls a second.
const SERVICE_MEDIAN: f64 = 1.6;
const SERVICE_SIGMA: f64 = 0.7;
const PATIENCE: Duration = Duration::from_secs(30);
const BOUNDS: Bounds = Bounds { total: 1_000, per_tenant: 800 };

const VICTIM: u64 = 1;
const AGGRESSOR: u64 = 2;

impl Aggression {
    pub fn run(seeds: &[u64]) -> Self {
        let mean = |aggressor: bool, fair: bool| {
            let fates: Vec<Fate> = seeds.iter().map(|seed| fate(*seed, aggressor, fair)).collect();
            let of =
                |figure: fn(&Fate) -> f64| fates.iter().map(figure).sum::<f64>() / fates.len().max(1) as f64;
            Fate {
                victim_ms: Spread {
                    p50: of(|fate| fate.victim_ms.p50),
                    p95: of(|fate| fate.victim_ms.p95),
                    p99: of(|fate| fate.victim_ms.p99),
                },
                victim_served: of(|fate| fate.victim_served),
                aggressor_served: of(|fate| fate.aggressor_served),
            }
        };
        Self { alone: mean(false, true), fair: mean(true, true), first_come: mean(true, false) }
    }

    /// The victim's p99 over the one it has alone.
    pub fn ratio(&self, fate: &Fate) -> f64 {
        fate.victim_ms.p99 / self.alone.victim_ms.p99.max(f64::MIN_POSITIVE)
    }
}

#[derive(Clone, Copy, Debug)]
struct Call {
    tenant: u64,
    at: Tick,
    service: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Arrival(Call),
    End(Call),
}

enum Line {
    Fair(Box<FairQueue<u64, Call>>),
    FirstCome(VecDeque<Call>),
}

impl Line {
    /// `false`: there is no room for it. Where another had to leave for it, that one is not served.
    fn push(&mut self, call: Call, now: Tick) -> bool {
        match self {
            Self::Fair(queue) => {
                let deadline = call.at.after(PATIENCE);
                let entrant = Entrant { tenant: call.tenant, weight: 1, cost: 1, deadline };
                queue.push(entrant, call, now).is_ok()
            }
            Self::FirstCome(queue) => {
                let has_room = queue.len() < BOUNDS.total;
                if has_room {
                    queue.push_back(call);
                }
                has_room
            }
        }
    }

    fn pop(&mut self, now: Tick) -> Option<Call> {
        loop {
            match self {
                Self::Fair(queue) => match queue.pop(now)? {
                    Popped::Next(_, call) => return Some(call),
                    Popped::Expired(_) => {}
                },
                Self::FirstCome(queue) => {
                    let call = queue.pop_front()?;
                    if now < call.at.after(PATIENCE) {
                        return Some(call);
                    }
                }
            }
        }
    }
}

fn fate(seed: u64, with_aggressor: bool, fair: bool) -> Fate {
    let mut agenda = Agenda::new();
    let mut offered = [0.0, 0.0];
    for (tenant, per_second) in [(VICTIM, VICTIM_PER_SECOND), (AGGRESSOR, VICTIM_PER_SECOND * TIMES)] {
        if tenant == AGGRESSOR && !with_aggressor {
            continue;
        }
        for call in arrivals(seed, tenant, per_second) {
            agenda.add(call.at, Event::Arrival(call));
            count(&mut offered, tenant);
        }
    }
    let mut line =
        if fair { Line::Fair(Box::new(FairQueue::new(BOUNDS))) } else { Line::FirstCome(VecDeque::new()) };
    let (mut free, mut served, mut times) = (PLACES, [0.0, 0.0], Vec::new());
    while let Some(event) = agenda.advance() {
        let now = agenda.now();
        match event {
            Event::Arrival(call) => {
                line.push(call, now);
            }
            Event::End(call) => {
                free += 1;
                count(&mut served, call.tenant);
                if call.tenant == VICTIM {
                    times.push(now.since(call.at).as_secs_f64() * 1_000.0);
                }
            }
        }
        while free > 0
            && let Some(call) = line.pop(now)
        {
            free -= 1;
            agenda.add(now.after(call.service), Event::End(call));
        }
    }
    let part = |place: usize| {
        let of = |counts: &[f64; 2]| counts.get(place).copied().unwrap_or(0.0);
        if of(&offered) > 0.0 { of(&served) / of(&offered) } else { 0.0 }
    };
    Fate { victim_ms: Spread::of(times), victim_served: part(0), aggressor_served: part(1) }
}

fn count(counts: &mut [f64; 2], tenant: u64) {
    let [victim, aggressor] = counts;
    *(if tenant == VICTIM { victim } else { aggressor }) += 1.0;
}

fn arrivals(seed: u64, tenant: u64, per_second: f64) -> Vec<Call> {
    // A sequence for each tenant, so that the victim's calls are the same in all worlds.
    let mut draws = Draws::new(draws::belonging_to(seed, tenant, 0, 0xa66));
    let mut at = 0.0;
    let mut calls = Vec::new();
    loop {
        at += draws::exponential(draws.unit(), per_second);
        let service = seconds(SERVICE_MEDIAN * draws::log_normal(draws.unit(), SERVICE_SIGMA));
        let moment = seconds(at);
        if moment >= SPAN {
            return calls;
        }
        calls.push(Call { tenant, at: Tick::default().after(moment), service });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fair_queue_shields_the_victim_and_a_plain_one_does_not() {
        let aggression = Aggression::run(&[1]);
        assert!(aggression.ratio(&aggression.fair) < 1.3, "{aggression:?}");
        assert!(aggression.ratio(&aggression.first_come) > 2.0, "{aggression:?}");
        assert!(aggression.fair.victim_served > 0.999, "{aggression:?}");
        // Fair is not the same as idle: what the victim leaves is the aggressor's.
        assert!(aggression.fair.aggressor_served > 0.35, "{aggression:?}");
    }
}
