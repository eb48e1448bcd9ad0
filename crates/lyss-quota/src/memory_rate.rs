//! Rate windows counted in this process: a token bucket for each subject and unit, which holds one minute's limit and
//! refills evenly. It is kept as its debt, in integers and without rounding, so the counts are exact: an empty debt
//! is a full bucket and needs no memory.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use foldhash::HashMap;
use lyss_domain::Tick;
use smallvec::SmallVec;

use crate::{MAX_AMOUNT, RateAsk, RateError, RateState, RateStore, RateSubject, RateUnit, RateVerdict};

const SHARDS: usize = 16;

/// Debt is counted in units times nanoseconds of a minute: each nanosecond pays back exactly `limit` of it.
const MINUTE_NS: u128 = 60_000_000_000;

/// No correction drives a debt beyond this many units.
const DEBT_MAX: u128 = (MAX_AMOUNT as u128).saturating_mul(MINUTE_NS);

/// A shard smaller than this is not worth sweeping.
const SWEEP_FROM: usize = 256;

type Name = (RateSubject, RateUnit);

#[derive(Debug, Default)]
pub struct MemoryRateStore {
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Debug, Default)]
struct Shard {
    buckets: HashMap<Name, Bucket>,
    /// How many buckets the last sweep left.
    swept: usize,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Taken and not yet refilled.
    debt: u128,
    at: Tick,
    limit: u32,
}

impl MemoryRateStore {
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self, shard: usize) -> MutexGuard<'_, Shard> {
        let [first, ..] = &self.shards;
        // A panic leaves every bucket whole.
        self.shards.get(shard).unwrap_or(first).lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RateStore for MemoryRateStore {
    async fn take(&self, asks: &[RateAsk], now: Tick) -> Result<RateVerdict, RateError> {
        let mut wanted: SmallVec<[usize; 8]> = asks.iter().map(|ask| shard_of(ask.subject)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        // Locked in one order by everyone, so nobody waits in a circle.
        let mut shards: SmallVec<[(usize, MutexGuard<'_, Shard>); 8]> =
            wanted.into_iter().map(|shard| (shard, self.lock(shard))).collect();
        let mut states = SmallVec::new();
        for (index, ask) in asks.iter().enumerate() {
            let Some(bucket) = bucket_of(&mut shards, ask, now) else { continue };
            if let Some(retry_after) = bucket.refusal(ask.cost) {
                let state = bucket.state();
                for earlier in asks.iter().take(index) {
                    if let Some(bucket) = bucket_of(&mut shards, earlier, now) {
                        bucket.pay(units(earlier.cost.into()));
                    }
                }
                return Ok(RateVerdict::Refused { index, state, retry_after });
            }
            bucket.owe(units(ask.cost.into()));
            states.push(bucket.state());
        }
        Ok(RateVerdict::Granted { states })
    }

    fn correct(&self, subject: RateSubject, unit: RateUnit, limit_per_minute: u32, delta: i64, now: Tick) {
        let mut shard = self.lock(shard_of(subject));
        let bucket = shard.bucket((subject, unit), limit_per_minute, now);
        let amount = units(delta.unsigned_abs().into());
        if delta > 0 { bucket.owe(amount) } else { bucket.pay(amount) }
    }
}

impl Shard {
    fn bucket(&mut self, name: Name, limit: u32, now: Tick) -> &mut Bucket {
        if self.buckets.len() >= SWEEP_FROM.max(self.swept.saturating_mul(2)) {
            self.buckets.retain(|_, bucket| {
                bucket.refill(now);
                bucket.debt > 0
            });
            self.swept = self.buckets.len();
        }
        let bucket = self.buckets.entry(name).or_insert(Bucket { debt: 0, at: now, limit });
        // What has passed was refilled at the rate of that time.
        bucket.refill(now);
        bucket.limit = limit;
        bucket
    }
}

impl Bucket {
    fn refill(&mut self, now: Tick) {
        let elapsed_ns = now.0.saturating_sub(self.at.0);
        self.at = self.at.max(now);
        self.pay(u128::from(elapsed_ns).saturating_mul(self.limit.into()));
    }

    fn owe(&mut self, amount: u128) {
        self.debt = self.debt.saturating_add(amount).min(DEBT_MAX);
    }

    fn pay(&mut self, amount: u128) {
        self.debt = self.debt.saturating_sub(amount);
    }

    /// `None`: the cost fits. Otherwise when it would.
    fn refusal(&self, cost: u32) -> Option<Duration> {
        let over = self.debt.saturating_add(units(cost.into())).saturating_sub(units(self.limit.into()));
        match over {
            0 => None,
            _ if cost > self.limit => Some(self.time_to_pay(units(self.limit.into()))),
            _ => Some(self.time_to_pay(over)),
        }
    }

    fn state(&self) -> RateState {
        let left = units(self.limit.into()).saturating_sub(self.debt) / MINUTE_NS;
        RateState {
            limit: self.limit,
            remaining: u32::try_from(left).unwrap_or(self.limit),
            reset_after: self.time_to_pay(self.debt),
        }
    }

    /// Rounded up to a nanosecond. A limit of 0 never pays; a whole window stands for that.
    fn time_to_pay(&self, amount: u128) -> Duration {
        let nanos = match self.limit {
            0 => MINUTE_NS,
            limit => amount.div_ceil(limit.into()),
        };
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

fn bucket_of<'a>(
    shards: &'a mut [(usize, MutexGuard<'_, Shard>)],
    ask: &RateAsk,
    now: Tick,
) -> Option<&'a mut Bucket> {
    let index = shard_of(ask.subject);
    let (_, shard) = shards.iter_mut().find(|(shard, _)| *shard == index)?;
    Some(shard.bucket((ask.subject, ask.unit), ask.limit_per_minute, now))
}

fn units(count: u128) -> u128 {
    count.saturating_mul(MINUTE_NS)
}

fn shard_of(subject: RateSubject) -> usize {
    let id = match subject {
        RateSubject::Tenant(id) => id.0,
        RateSubject::Key(id) => id.0,
        RateSubject::Channel(id) => id.0,
    };
    // The last bits of an id are random.
    usize::try_from(id.as_u128() % SHARDS as u128).unwrap_or(0)
}

#[cfg(test)]
mod tests;
