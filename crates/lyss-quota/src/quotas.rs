//! The engine: reserves from the units this process has leased, and asks the store only for what is missing.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::HashMap;
use lyss_domain::{PolicyMode, Timestamp};
use smallvec::SmallVec;

use crate::block::{Block, Cell, Fit, Turn};
use crate::hold::Hold;
use crate::{
    Account, Demand, Figures, LeaseError, LeaseGrant, LeaseStore, MAX_AMOUNT, QuotaRefusal, Reservation,
};

const SHARDS: usize = 16;

/// What is asked of the store at once, in demands like the one that fell short.
const BLOCK: i64 = 32;

/// How long an account outlives its window: calls that began in it may still settle.
const GRACE: Duration = Duration::from_hours(1);

/// Every account this process has touched. Share it as an `Arc`.
pub struct Quotas {
    store: Arc<dyn LeaseStore>,
    shards: [Shard; SHARDS],
}

type Shard = Mutex<HashMap<Account, Arc<Cell>>>;

/// Why not all demands could be met from memory.
enum Obstacle {
    /// The demand at this place needs the store.
    Short(usize),
    Refused(QuotaRefusal),
}

impl Quotas {
    pub fn new(store: Arc<dyn LeaseStore>) -> Self {
        Self { store, shards: Default::default() }
    }

    /// Holds every demanded amount, or none.
    ///
    /// All accounts are looked at and taken from in one step, locked in the order of their names, so that nobody is
    /// refused because of a call that is about to be refused itself. Demands on the same account are added up.
    /// Shadow demands never refuse; they count.
    pub async fn reserve(
        &self,
        demands: SmallVec<[Demand; 8]>,
        now: Timestamp,
    ) -> Result<Reservation, QuotaRefusal> {
        let mut holds: Vec<Hold> = merged(demands)?
            .into_iter()
            .map(|demand| Hold { cell: self.cell(&demand), demand, would_refuse: false })
            .collect();
        loop {
            match take_all(&mut holds) {
                Ok(()) => return Ok(Reservation::new(holds)),
                Err(Obstacle::Refused(refusal)) => return Err(refusal),
                Err(Obstacle::Short(index)) => match holds.get(index) {
                    Some(hold) => self.fill(hold, now).await?,
                    None => return Err(QuotaRefusal::Unavailable),
                },
            }
        }
    }

    /// `None`: this process has not touched the account.
    pub fn figures(&self, account: &Account) -> Option<Figures> {
        let cell = self.shard(account).get(account).cloned()?;
        let figures = cell.lock().figures();
        Some(figures)
    }

    /// Posts what was settled, and gives back what is left of windows that have ended. Call it every second or so,
    /// before `sweep`, and once at the end; after an error the next call goes on where this one stopped.
    pub async fn flush(&self, now: Timestamp) -> Result<(), LeaseError> {
        for cell in self.cells() {
            let turn = cell.turn().await;
            self.post(&turn, cell.account, now).await?;
            let unused = {
                let mut block = cell.lock();
                if block.ends_at() < now { block.take_free() } else { 0 }
            };
            if unused > 0 {
                self.store.return_unused(cell.account, unused, now).await?;
            }
        }
        Ok(())
    }

    /// Forgets accounts whose window ended an hour ago, where nothing is reserved and everything settled is posted.
    pub fn sweep(&self, now: Timestamp) {
        let ended = |at: Timestamp| at.after(GRACE) < now;
        for shard in &self.shards {
            locked(shard).retain(|_, cell| {
                let block = cell.lock();
                !(block.is_quiet() && ended(block.ends_at()))
            });
        }
        let grace = i64::try_from(GRACE.as_micros()).unwrap_or(i64::MAX);
        self.store.sweep(Timestamp::from_micros(now.as_micros().saturating_sub(grace)));
    }

    /// Asks the store for what one demand lacks.
    async fn fill(&self, hold: &Hold, now: Timestamp) -> Result<(), QuotaRefusal> {
        let Hold { cell, demand, .. } = hold;
        let turn = cell.turn().await;
        // Whoever had the turn before may have brought enough, or used up the rest.
        let (fit, overrun) = {
            let block = cell.lock();
            (block.fit(demand), block.has_overrun())
        };
        let missing = match fit {
            Fit::Fits => return Ok(()),
            Fit::Exceeds { remaining } => return Err(demand.exceeded(remaining)),
            Fit::Short(missing) => missing,
        };
        let asked = async {
            if overrun {
                // Use beyond the lease must be known to the store before it grants more.
                self.post(&turn, demand.account, now).await?;
            }
            let want = missing.saturating_mul(BLOCK);
            self.store.lease(demand.account, demand.limit, missing, want, demand.ends_at, now).await
        };
        let asked = asked.await;
        let mut block = cell.lock();
        match asked {
            Ok(LeaseGrant::Granted { units, posted }) if units >= missing => {
                block.fill(units, posted);
                Ok(())
            }
            Ok(LeaseGrant::Refused { remaining, posted }) => {
                block.learn(posted);
                // Calls that ended meanwhile may have left enough.
                match block.fit(demand) {
                    Fit::Fits => Ok(()),
                    _ => Err(demand
                        .exceeded(block.remaining(demand.limit).min(remaining.saturating_add(block.free())))),
                }
            }
            // Shadow demands count from what this process has seen.
            _ if demand.mode == PolicyMode::Shadow => {
                block.learn(0);
                Ok(())
            }
            Ok(LeaseGrant::Granted { .. }) | Err(LeaseError::Unavailable(_)) => {
                Err(QuotaRefusal::Unavailable)
            }
        }
    }

    async fn post(&self, turn: &Turn<'_>, account: Account, now: Timestamp) -> Result<(), LeaseError> {
        if let Some(parcel) = turn.parcel() {
            let spent = parcel.spent.saturating_add(parcel.beyond);
            let posted = self.store.post(account, spent, parcel.spent, now).await?;
            parcel.arrived(posted);
        }
        Ok(())
    }

    fn cell(&self, demand: &Demand) -> Arc<Cell> {
        let new = || Arc::new(Cell::new(demand.account, demand.ends_at));
        self.shard(&demand.account).entry(demand.account).or_insert_with(new).clone()
    }

    fn cells(&self) -> Vec<Arc<Cell>> {
        self.shards.iter().flat_map(|shard| locked(shard).values().cloned().collect::<Vec<_>>()).collect()
    }

    fn shard(&self, account: &Account) -> MutexGuard<'_, HashMap<Account, Arc<Cell>>> {
        let [first, ..] = &self.shards;
        // The last bits of a policy's id are random.
        let index = account.policy.0.as_u128() % SHARDS as u128;
        locked(usize::try_from(index).ok().and_then(|index| self.shards.get(index)).unwrap_or(first))
    }
}

impl fmt::Debug for Quotas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quotas").finish_non_exhaustive()
    }
}

fn locked(shard: &Shard) -> MutexGuard<'_, HashMap<Account, Arc<Cell>>> {
    // Inserting, reading and retaining leave the map whole at every step.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The demands in the order of their accounts, each account once.
fn merged(mut demands: SmallVec<[Demand; 8]>) -> Result<SmallVec<[Demand; 8]>, QuotaRefusal> {
    for demand in &mut demands {
        match demand.mode {
            PolicyMode::Shadow => demand.amount = demand.amount.clamp(0, MAX_AMOUNT),
            // Before sums are made, where one negative amount would lower another.
            PolicyMode::Enforce if demand.amount < 0 => return Err(demand.exceeded(0)),
            PolicyMode::Enforce => {}
        }
    }
    demands.sort_unstable_by_key(|demand| demand.account);
    demands.dedup_by(|next, first| {
        let same = next.account == first.account;
        if same {
            first.amount = first.amount.saturating_add(next.amount);
            first.limit = first.limit.min(next.limit);
            if next.mode == PolicyMode::Enforce {
                first.mode = PolicyMode::Enforce;
            }
        }
        same
    });
    Ok(demands)
}

/// Takes every demand from memory, or none.
fn take_all(holds: &mut [Hold]) -> Result<(), Obstacle> {
    let mut would_refuse = SmallVec::<[bool; 8]>::new();
    {
        let mut blocks: SmallVec<[MutexGuard<'_, Block>; 8]> =
            holds.iter().map(|hold| hold.cell.lock()).collect();
        for (index, (block, hold)) in blocks.iter().zip(holds.iter()).enumerate() {
            match block.fit(&hold.demand) {
                Fit::Fits => {}
                Fit::Short(_) => return Err(Obstacle::Short(index)),
                Fit::Exceeds { remaining } => return Err(Obstacle::Refused(hold.demand.exceeded(remaining))),
            }
        }
        for (block, Hold { demand, .. }) in blocks.iter_mut().zip(holds.iter()) {
            let over = demand.mode == PolicyMode::Shadow && demand.amount > block.remaining(demand.limit);
            would_refuse.push(over);
            block.take(demand);
        }
    }
    for (hold, over) in holds.iter_mut().zip(would_refuse) {
        hold.would_refuse = over;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
