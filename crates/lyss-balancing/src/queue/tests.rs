use std::collections::BTreeMap;
use std::time::Duration;

use lyss_domain::Tick;
use proptest::prelude::*;

use super::{Bounds, Entrant, FairQueue, Popped, Pushed, Removal, Ticket};

const WIDE: Bounds = Bounds { total: 10_000, per_tenant: 10_000 };
const NEVER: Tick = Tick(u64::MAX);

fn entrant(tenant: u32, weight: u32, cost: u32) -> Entrant<u32> {
    Entrant { tenant, weight, cost, deadline: NEVER }
}

fn until(tenant: u32, second: u64) -> Entrant<u32> {
    Entrant { deadline: at(second), ..entrant(tenant, 1, 1) }
}

fn at(second: u64) -> Tick {
    Tick(0).after(Duration::from_secs(second))
}

fn push(queue: &mut FairQueue<u32, u32>, entrant: Entrant<u32>) -> Ticket {
    queue.push(entrant, entrant.tenant, Tick(0)).unwrap().ticket
}

fn next(queue: &mut FairQueue<u32, u32>, now: Tick) -> Option<u32> {
    match queue.pop(now)? {
        Popped::Next(_, tenant) => Some(tenant),
        Popped::Expired(removed) => panic!("{removed:?}"),
    }
}

/// A queue holds what its sets say, whatever was done to it.
fn assert_sound(queue: &FairQueue<u32, u32>) {
    let waiting: usize = queue.tenants.values().map(|tenant| tenant.waiting.len()).sum();
    assert_eq!(waiting, queue.calls.len());
    assert_eq!(queue.deadlines.len(), queue.calls.len());
    assert_eq!(queue.begun.len() + queue.ahead.len(), queue.by_backlog.len());
    assert_eq!(queue.by_backlog.len() + queue.resting.len(), queue.tenants.len());
    let backlogged = queue.tenants.values().filter(|tenant| !tenant.waiting.is_empty());
    assert_eq!(backlogged.map(|tenant| u64::from(tenant.weight)).sum::<u64>(), queue.weight);
    assert!(queue.calls.len() <= queue.bounds.total);
    assert!(queue.resting.len() <= queue.bounds.total);
}

proptest! {
    /// With all of them waiting, nobody is ever more than one call ahead of its share or behind it.
    #[test]
    fn shares_are_within_one_call_of_the_weights(weights in prop::collection::vec(1..20u32, 1..9)) {
        let mut queue = FairQueue::new(WIDE);
        let total: u32 = weights.iter().sum();
        let rounds = 6 * total;
        for (tenant, weight) in (0..).zip(&weights) {
            for _ in 0..rounds.min(600) {
                push(&mut queue, entrant(tenant, *weight, 1));
            }
        }
        let mut served = BTreeMap::new();
        for n in 1..=rounds.min(600) {
            *served.entry(next(&mut queue, Tick(0)).unwrap()).or_insert(0u32) += 1;
            for (tenant, weight) in (0..).zip(&weights) {
                let due = f64::from(n) * f64::from(*weight) / f64::from(total);
                let got = f64::from(served.get(&tenant).copied().unwrap_or(0));
                prop_assert!((got - due).abs() < 1.01, "{tenant} got {got} of {due} among {weights:?}");
            }
        }
    }

    /// Work is what is shared: whoever sends large calls is served fewer of them. Two tenants that both wait are never
    /// apart, in work for their weight, by more than one of the largest calls of each.
    #[test]
    fn large_calls_count_for_what_they_are(
        weights in prop::collection::vec(1..6u32, 2..6),
        costs in prop::collection::vec(1..50u32, 300),
    ) {
        let mut queue = FairQueue::new(WIDE);
        for (tenant, weight) in (0..).zip(&weights) {
            for (i, cost) in (0u32..).zip(&costs) {
                let cost = costs[((i + tenant * 31) % 300) as usize].max(*cost / 2);
                queue.push(entrant(tenant, *weight, cost), cost, Tick(0)).unwrap();
            }
        }
        let mut work = vec![0.0; weights.len()];
        let by_ticket: BTreeMap<u64, u32> = queue.calls.iter().map(|(t, call)| (*t, call.tenant)).collect();
        for _ in 0..200 {
            let Some(Popped::Next(ticket, cost)) = queue.pop(Tick(0)) else { panic!() };
            let tenant = by_ticket[&ticket.0] as usize;
            work[tenant] += f64::from(cost) / f64::from(weights[tenant]);
            for (a, first) in work.iter().enumerate() {
                for (b, second) in work.iter().enumerate() {
                    let most = 50.0 / f64::from(weights[a]) + 50.0 / f64::from(weights[b]);
                    prop_assert!(first - second <= most + 1e-6, "{work:?} of {weights:?}");
                }
            }
        }
    }

    /// Anything may come in any order: what went in comes out exactly once, in no case late, and never more than fit
    /// are held.
    #[test]
    fn whatever_happens_all_is_accounted_for(
        steps in prop::collection::vec((0..8u8, 0..5u32, 1..4u32, 1..30u64), 1..400),
    ) {
        let bounds = Bounds { total: 20, per_tenant: 8 };
        let mut queue = FairQueue::new(bounds);
        let mut waiting: BTreeMap<Ticket, u64> = BTreeMap::new();
        for (now, (step, tenant, weight, patience)) in (0u64..).zip(steps) {
            match step {
                0..=4 => {
                    let deadline = at(now + patience);
                    let entrant = Entrant { tenant, weight, cost: weight, deadline };
                    if let Ok(Pushed { ticket, removed }) = queue.push(entrant, tenant, at(now)) {
                        waiting.insert(ticket, now + patience);
                        if let Some(removed) = removed {
                            let until = waiting.remove(&removed.ticket).unwrap();
                            prop_assert_eq!(removed.why == Removal::Expired, until <= now);
                        }
                    }
                }
                5 | 6 => match queue.pop(at(now)) {
                    Some(Popped::Next(ticket, _)) => {
                        prop_assert!(waiting.remove(&ticket).unwrap() > now, "served too late");
                    }
                    Some(Popped::Expired(removed)) => {
                        prop_assert!(waiting.remove(&removed.ticket).unwrap() <= now, "given up too soon");
                    }
                    None => prop_assert!(waiting.is_empty()),
                },
                _ => {
                    let ticket = waiting.keys().nth(tenant as usize).copied();
                    let ticket = ticket.unwrap_or(Ticket(u64::MAX));
                    prop_assert_eq!(queue.cancel(ticket).is_some(), waiting.remove(&ticket).is_some());
                    prop_assert_eq!(queue.cancel(ticket), None);
                }
            }
            assert_sound(&queue);
            prop_assert_eq!(queue.len(), waiting.len());
            for tenant in 0..5 {
                prop_assert!(queue.waiting(tenant) <= bounds.per_tenant);
            }
        }
    }
}

#[test]
fn one_who_comes_late_waits_for_nobody_elses_backlog() {
    let mut queue = FairQueue::new(WIDE);
    for _ in 0..1_000 {
        push(&mut queue, entrant(1, 1, 1));
    }
    for _ in 0..500 {
        next(&mut queue, Tick(0));
    }
    push(&mut queue, entrant(2, 1, 1));
    // Nor does it catch up on what it did not ask for.
    push(&mut queue, entrant(2, 1, 1));
    push(&mut queue, entrant(2, 1, 1));
    let first: Vec<_> = (0..6).map(|_| next(&mut queue, Tick(0)).unwrap()).collect();
    assert_eq!(first.iter().filter(|tenant| **tenant == 2).count(), 3, "{first:?}");
    assert!(first[..2].contains(&2), "{first:?}");
}

#[test]
fn leaving_and_coming_back_gains_nothing() {
    let mut queue = FairQueue::new(WIDE);
    for _ in 0..100 {
        push(&mut queue, entrant(1, 1, 1));
    }
    // The other has one call at a time and sends the next when that was served; its calls are ten times as large.
    let mut served = [0; 2];
    push(&mut queue, entrant(2, 1, 10));
    for _ in 0..44 {
        match next(&mut queue, Tick(0)).unwrap() {
            1 => served[0] += 1,
            _ => {
                served[1] += 1;
                push(&mut queue, entrant(2, 1, 10));
            }
        }
    }
    assert!((3..=5).contains(&served[1]), "{served:?}");
}

#[test]
fn one_tenants_calls_stay_in_order() {
    let mut queue = FairQueue::new(WIDE);
    for item in 0..50 {
        queue.push(entrant(1, 3, 1 + item % 7), item, Tick(0)).unwrap();
    }
    assert_eq!(
        (0..50).map(|_| next(&mut queue, Tick(0)).unwrap()).collect::<Vec<_>>(),
        (0..50).collect::<Vec<_>>()
    );
}

#[test]
fn when_it_is_full_the_longest_backlog_gives_way() {
    let mut queue = FairQueue::new(Bounds { total: 10, per_tenant: 10 });
    let aggressor: Vec<_> = (0..10).map(|_| push(&mut queue, entrant(1, 1, 1))).collect();
    // Its own next call is refused: it has most waiting.
    assert!(queue.push(entrant(1, 1, 1), 1, Tick(0)).is_err());
    for round in 1..=5 {
        let pushed = queue.push(entrant(2, 1, 1), 2, Tick(0)).unwrap();
        let removed = pushed.removed.unwrap();
        assert_eq!((removed.why, removed.ticket), (Removal::Displaced, aggressor[10 - round]));
    }
    // Five each: from here on whoever comes is one too many.
    assert!(queue.push(entrant(2, 1, 1), 2, Tick(0)).is_err());
    // A weight of four has a right to four times the room.
    assert!(queue.push(entrant(2, 4, 1), 2, Tick(0)).is_ok());
    assert_eq!((queue.waiting(1), queue.waiting(2), queue.len()), (4, 6, 10));
}

#[test]
fn a_tenant_has_a_bound_of_its_own() {
    let mut queue = FairQueue::new(Bounds { total: 10, per_tenant: 2 });
    let first = push(&mut queue, entrant(1, 1, 1));
    push(&mut queue, entrant(1, 1, 1));
    let full = queue.push(entrant(1, 1, 1), 1, Tick(0)).unwrap_err();
    assert_eq!(full.retry_after, Duration::from_secs(1), "nothing is known of the pace");
    assert_eq!(queue.cancel(first), Some(1));
    assert!(queue.push(entrant(1, 1, 1), 1, Tick(0)).is_ok());
}

#[test]
fn what_expired_is_handed_back_first_and_makes_room() {
    let mut queue = FairQueue::new(Bounds { total: 3, per_tenant: 3 });
    queue.push(until(1, 5), 1, at(0)).unwrap();
    queue.push(until(2, 9), 2, at(0)).unwrap();
    queue.push(until(3, 7), 3, at(0)).unwrap();
    assert!(queue.push(until(4, 5), 4, at(5)).is_err(), "too late before it began");
    let pushed = queue.push(until(4, 20), 4, at(5)).unwrap();
    assert_eq!(pushed.removed.map(|removed| (removed.item, removed.why)), Some((1, Removal::Expired)));
    let Some(Popped::Expired(removed)) = queue.pop(at(8)) else { panic!() };
    assert_eq!(removed.item, 3);
    assert_eq!(next(&mut queue, at(8)), Some(2));
    assert_eq!(next(&mut queue, at(8)), Some(4));
    assert_eq!(next(&mut queue, at(8)), None);
}

#[test]
fn the_wait_is_told_from_the_pace_and_the_share() {
    let mut queue = FairQueue::new(Bounds { total: 1_000, per_tenant: 1_000 });
    for _ in 0..120 {
        push(&mut queue, entrant(1, 1, 1));
    }
    assert_eq!(queue.expected_wait(1, 1), None);
    for second in 1..=20 {
        next(&mut queue, at(second));
    }
    let close = |wait: Option<Duration>, seconds: f64| {
        let wait = wait.unwrap().as_secs_f64();
        assert!((wait - seconds).abs() < 0.01 * seconds, "{wait} is not {seconds}");
    };
    // One a second leaves: a hundred wait before the next of tenant 1, one before the first of tenant 2.
    close(queue.expected_wait(1, 1), 101.0);
    close(queue.expected_wait(2, 1), 2.0);
    // Whoever cannot be served in time is told so at once, and how long it would take.
    let full = queue.push(until(1, 60), 1, at(20)).unwrap_err();
    close(Some(full.retry_after), 101.0);
    assert!(queue.push(until(1, 160), 1, at(20)).is_ok());
    // A tenant with nothing waiting may always try: the pace may have changed.
    assert!(queue.push(until(2, 21), 2, at(20)).is_ok());
}

#[test]
fn tenants_that_left_are_forgotten() {
    let mut queue = FairQueue::new(Bounds { total: 8, per_tenant: 8 });
    for tenant in 0..10_000 {
        push(&mut queue, entrant(tenant, 1, 1 + tenant % 90));
        push(&mut queue, entrant(tenant + 1, 2, 7));
        next(&mut queue, Tick(0)).unwrap();
        next(&mut queue, Tick(0)).unwrap();
        assert_sound(&queue);
    }
    assert!(queue.tenants.len() <= 9, "{}", queue.tenants.len());
}
