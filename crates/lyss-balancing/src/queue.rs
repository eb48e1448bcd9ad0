//! Who is next when all places are taken: a bounded queue that is fair between tenants, however many calls one of them
//! sends.
//!
//! Worst-case fair weighted fair queueing (Bennett and Zhang, "Hierarchical packet fair queueing algorithms", 1997,
//! WF²Q+): each tenant's next call has a virtual start and finish; among those that an ideal server would have begun by
//! now, the one that it would finish first is served. So no tenant is ever more than about one call ahead of its share,
//! or behind it. A call's finish lies its cost, divided by its tenant's weight, after its start.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::Duration;

use lyss_domain::Tick;

/// How many may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub total: usize,
    pub per_tenant: usize,
}

/// A call that would wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entrant<K> {
    pub tenant: K,
    /// The tenant's share; 0 counts as 1. The latest one given holds for all its calls.
    pub weight: u32,
    /// How much of what is scarce it takes, in any unit; 0 counts as 1.
    pub cost: u32,
    /// It is never served at this time or later.
    pub deadline: Tick,
}

/// A place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// It waits, and who had to leave for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Pushed<T> {
    pub ticket: Ticket,
    pub removed: Option<Removed<T>>,
}

/// One that will not be served.
#[derive(Debug, PartialEq, Eq)]
pub struct Removed<T> {
    pub ticket: Ticket,
    pub item: T,
    pub why: Removal,
    /// When it is worth asking again.
    pub retry_after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    Expired,
    /// The newest of the tenant with the longest backlog, when the queue was full.
    Displaced,
}

/// There is no room for it, or it would wait in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    pub retry_after: Duration,
}

/// What is at the head of the queue.
#[derive(Debug, PartialEq, Eq)]
pub enum Popped<T> {
    /// It is served.
    Next(Ticket, T),
    /// Its deadline passed; ask again for the next one.
    Expired(Removed<T>),
}

/// Shortest and longest time a refused call is told to wait.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// Calls served before the pace of serving is believed.
const PACE_SAMPLES: u32 = 8;
/// One in so many of the new pace goes into the known one.
const PACE_SHARE: u32 = 16;
/// Virtual time has so many binary places.
const PLACES: u32 = 32;

/// Every step is O(log n) in the calls and tenants that wait. Tickets are never given twice.
#[derive(Debug)]
pub struct FairQueue<K, T> {
    bounds: Bounds,
    virtual_now: u128,
    next_ticket: u64,
    calls: HashMap<u64, Call<K, T>>,
    tenants: HashMap<K, Tenant>,
    /// Tenants with a call that the ideal server would have begun, by the finish of that call, then by its age.
    begun: BTreeSet<(u128, u64, K)>,
    /// The other tenants with a call, by its start.
    ahead: BTreeSet<(u128, u64, K)>,
    /// All tenants with a call, by how many they have for their weight.
    by_backlog: BTreeSet<(u64, K)>,
    /// Tenants without a call whose last one would not be finished yet.
    resting: BTreeSet<(u128, K)>,
    deadlines: BTreeSet<(Tick, u64)>,
    /// Sum of the weights of all tenants with a call.
    weight: u64,
    pace: Pace,
}

#[derive(Debug)]
struct Call<K, T> {
    tenant: K,
    cost: u32,
    deadline: Tick,
    item: T,
}

#[derive(Debug)]
struct Tenant {
    weight: u32,
    /// Of its oldest call; without one, the finish of its last.
    start: u128,
    /// Its calls, the oldest first.
    waiting: BTreeSet<u64>,
    place: Place,
}

/// In which set a tenant stands, and under which number.
#[derive(Clone, Copy, Debug)]
enum Place {
    Begun(u128, u64),
    Ahead(u128, u64),
    Resting(u128),
}

/// How fast calls leave the queue.
#[derive(Debug, Default)]
struct Pace {
    /// Between two calls served while others waited.
    interval: Duration,
    samples: u32,
    /// When the last one was served, or waiting began after nobody had.
    since: Tick,
}

impl<K: Copy + Ord + Hash, T> FairQueue<K, T> {
    /// Allocates nothing until somebody waits.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            virtual_now: 0,
            next_ticket: 0,
            calls: HashMap::new(),
            tenants: HashMap::new(),
            begun: BTreeSet::new(),
            ahead: BTreeSet::new(),
            by_backlog: BTreeSet::new(),
            resting: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            weight: 0,
            pace: Pace::default(),
        }
    }

    /// Calls that wait, expired ones among them until they are taken out.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Calls of one tenant that wait.
    pub fn waiting(&self, tenant: K) -> usize {
        self.tenants.get(&tenant).map_or(0, |known| known.waiting.len())
    }

    /// Takes a call in, unless its tenant has as many waiting as it may. Where the whole queue is full, one whose deadline
    /// passed makes room, else the newest call of the tenant that has most waiting for its weight; where that is the new
    /// call's own tenant, the new call is refused.
    ///
    /// A call that would in all likelihood wait past its deadline is refused at once, unless its tenant has no other
    /// waiting: so a pace that is no longer true is found out.
    pub fn push(&mut self, entrant: Entrant<K>, item: T, now: Tick) -> Result<Pushed<T>, Full> {
        let Entrant { tenant, weight, cost, deadline } = entrant;
        let weight = weight.max(1);
        let retry_after = self.retry_after(tenant, weight);
        let own = self.waiting(tenant);
        let in_vain =
            own > 0 && self.expected_wait(tenant, weight).is_some_and(|wait| now.after(wait) >= deadline);
        if deadline <= now || in_vain || own >= self.bounds.per_tenant || self.bounds.total == 0 {
            return Err(Full { retry_after });
        }
        if own > 0 {
            self.edit(tenant, |known| known.weight = weight);
        }
        let mut removed = None;
        if self.calls.len() >= self.bounds.total {
            removed = self.expire(now);
            if removed.is_none() {
                removed = Some(self.displace(backlog(own + 1, weight)).ok_or(Full { retry_after })?);
            }
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        if self.calls.is_empty() {
            self.pace.since = now;
        }
        self.calls.insert(ticket, Call { tenant, cost: cost.max(1), deadline, item });
        self.deadlines.insert((deadline, ticket));
        self.edit(tenant, |known| {
            known.weight = weight;
            known.waiting.insert(ticket);
        });
        Ok(Pushed { ticket: Ticket(ticket), removed })
    }

    /// Who is next, or one whose deadline passed. `None`: nobody waits.
    pub fn pop(&mut self, now: Tick) -> Option<Popped<T>> {
        if let Some(expired) = self.expire(now) {
            return Some(Popped::Expired(expired));
        }
        self.catch_up();
        let (finish, ticket, _) = self.begun.first().copied()?;
        let weight = u128::from(self.weight);
        let served = self.remove(ticket, |known| known.start = finish)?;
        self.virtual_now = self.virtual_now.saturating_add(span(served.cost, weight));
        self.pace.served(now);
        Some(Popped::Next(Ticket(ticket), served.item))
    }

    /// Takes out a call that no longer wants to wait. `None`: it is no longer there.
    pub fn cancel(&mut self, ticket: Ticket) -> Option<T> {
        self.remove(ticket.0, |_| ()).map(|call| call.item)
    }

    /// The same for one that has waited long enough, with when to come back.
    pub fn give_up(&mut self, ticket: Ticket) -> Option<Removed<T>> {
        self.take_out(ticket.0, Removal::Expired)
    }

    /// Takes out one call whose deadline passed, if there is one.
    pub fn expire(&mut self, now: Tick) -> Option<Removed<T>> {
        let (deadline, ticket) = self.deadlines.first().copied()?;
        if deadline > now {
            return None;
        }
        self.take_out(ticket, Removal::Expired)
    }

    /// How long one more call of this tenant would wait; `None`: too few were served to tell.
    ///
    /// While it waits, its own calls before it are served and, for each, others in proportion to their weights; never
    /// more than there are.
    pub fn expected_wait(&self, tenant: K, weight: u32) -> Option<Duration> {
        let interval = (self.pace.samples >= PACE_SAMPLES).then_some(self.pace.interval)?;
        let weight = u64::from(weight.max(1));
        let known = self.tenants.get(&tenant).filter(|known| !known.waiting.is_empty());
        let others = self.weight - known.map_or(0, |known| u64::from(known.weight));
        let turns = to_u64(known.map_or(0, |known| known.waiting.len())).saturating_add(1);
        let before = turns.saturating_mul(others.saturating_add(weight)) / weight;
        let before = before.min(to_u64(self.calls.len()).saturating_add(1));
        Some(interval.saturating_mul(u32::try_from(before).unwrap_or(u32::MAX)))
    }

    fn retry_after(&self, tenant: K, weight: u32) -> Duration {
        let (least, most) = WAITS;
        self.expected_wait(tenant, weight).unwrap_or(least).clamp(least, most)
    }

    /// Makes room for a call whose tenant would then have `newcomer` waiting for its weight.
    fn displace(&mut self, newcomer: u64) -> Option<Removed<T>> {
        let (longest, loser) = self.by_backlog.last().copied()?;
        if longest <= newcomer {
            return None;
        }
        let newest = self.tenants.get(&loser)?.waiting.last().copied()?;
        self.take_out(newest, Removal::Displaced)
    }

    fn take_out(&mut self, ticket: u64, why: Removal) -> Option<Removed<T>> {
        let Call { tenant, item, .. } = self.remove(ticket, |_| ())?;
        let weight = self.tenants.get(&tenant).map_or(1, |known| known.weight);
        Some(Removed { ticket: Ticket(ticket), item, why, retry_after: self.retry_after(tenant, weight) })
    }

    fn remove(&mut self, ticket: u64, change: impl FnOnce(&mut Tenant)) -> Option<Call<K, T>> {
        let call = self.calls.remove(&ticket)?;
        self.deadlines.remove(&(call.deadline, ticket));
        self.edit(call.tenant, |known| {
            known.waiting.remove(&ticket);
            change(known);
        });
        self.forget_rested();
        Some(call)
    }

    /// Virtual time goes on to where somebody may be served, and all who may be by then are put where they are found.
    fn catch_up(&mut self) {
        if self.begun.is_empty()
            && let Some((start, ..)) = self.ahead.first()
        {
            self.virtual_now = self.virtual_now.max(*start);
        }
        while let Some((start, _, tenant)) = self.ahead.first().copied()
            && start <= self.virtual_now
        {
            self.edit(tenant, |_| ());
        }
    }

    /// Changes a tenant and puts it where it then belongs.
    fn edit(&mut self, tenant: K, change: impl FnOnce(&mut Tenant)) {
        let now = self.virtual_now;
        let known = self.tenants.entry(tenant).or_insert_with(|| Tenant {
            weight: 1,
            start: now,
            waiting: BTreeSet::new(),
            place: Place::Resting(now),
        });
        match known.place {
            Place::Begun(finish, oldest) => self.begun.remove(&(finish, oldest, tenant)),
            Place::Ahead(start, oldest) => self.ahead.remove(&(start, oldest, tenant)),
            Place::Resting(finish) => self.resting.remove(&(finish, tenant)),
        };
        let rested = known.waiting.is_empty();
        if let Some(backlog) = known.backlog() {
            self.by_backlog.remove(&(backlog, tenant));
            self.weight -= u64::from(known.weight);
        }
        change(known);
        if let Some(backlog) = known.backlog() {
            self.by_backlog.insert((backlog, tenant));
            self.weight += u64::from(known.weight);
        }
        let oldest = known.waiting.first().and_then(|oldest| Some((*oldest, self.calls.get(oldest)?.cost)));
        known.place = match oldest {
            None => {
                self.resting.insert((known.start, tenant));
                Place::Resting(known.start)
            }
            Some((oldest, cost)) => {
                if rested {
                    known.start = known.start.max(now);
                }
                if known.start <= now {
                    let finish = known.start.saturating_add(span(cost, u128::from(known.weight)));
                    self.begun.insert((finish, oldest, tenant));
                    Place::Begun(finish, oldest)
                } else {
                    self.ahead.insert((known.start, oldest, tenant));
                    Place::Ahead(known.start, oldest)
                }
            }
        };
    }

    /// Drops the tenants that have no call and owe nothing; where too many owe something, those that owe least.
    fn forget_rested(&mut self) {
        while let Some((finish, tenant)) = self.resting.first().copied()
            && (finish <= self.virtual_now || self.resting.len() > self.bounds.total)
        {
            self.resting.remove(&(finish, tenant));
            self.tenants.remove(&tenant);
        }
    }
}

impl Tenant {
    fn backlog(&self) -> Option<u64> {
        (!self.waiting.is_empty()).then(|| backlog(self.waiting.len(), self.weight))
    }
}

impl Pace {
    fn served(&mut self, now: Tick) {
        let interval = now.since(self.since);
        self.since = now;
        self.samples = self.samples.saturating_add(1);
        // A plain mean at first, so that the first sample does not stand for all.
        let share = self.samples.min(PACE_SHARE);
        self.interval = self.interval.saturating_sub(self.interval / share) + interval / share;
    }
}

/// A cost in virtual time.
fn span(cost: u32, weight: u128) -> u128 {
    (u128::from(cost) << PLACES) / weight.max(1)
}

/// How many calls wait for a weight; comparable between tenants.
fn backlog(calls: usize, weight: u32) -> u64 {
    (to_u64(calls) << 20) / u64::from(weight.max(1))
}

fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
