//! One account in this process: the units leased for it, and where each of them is.

use std::future::{Future, poll_fn};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use lyss_domain::{PolicyMode, Timestamp};

use crate::{Account, Demand, Figures, MAX_AMOUNT};

#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) account: Account,
    block: Mutex<Block>,
}

/// Units of the lease are `free`, `reserved`, `spent`, or under way in a parcel. Everything used without a lease
/// (shadow policies, and what a vendor reports above the reservation) is `beyond`.
#[derive(Debug, Default)]
pub(crate) struct Block {
    ends_at: Timestamp,
    /// The store has told what is posted.
    known: bool,
    /// The store's last word.
    posted: i64,
    free: i64,
    reserved: i64,
    /// Reserved by shadow demands, which take no lease.
    shadowed: i64,
    spent: i64,
    beyond: i64,
    /// On its way to the store, in a parcel.
    posting: i64,
    /// Somebody is talking to the store about this account.
    asking: bool,
    waiting: Vec<Waker>,
}

/// Whether a demand can be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Fits,
    /// The limit may allow it, but this many leased units are missing; 0: only the posted sum is unknown.
    Short(i64),
    Exceeds {
        remaining: i64,
    },
}

/// The right to talk to the store about one account: one call at a time, so that no grant is under way unseen while
/// another is refused for lack of it.
pub(crate) struct Turn<'a>(&'a Cell);

/// Settled units on their way to the store. Dropped before `arrived`, they are settled and unposted again.
pub(crate) struct Parcel<'a> {
    cell: &'a Cell,
    pub(crate) spent: i64,
    pub(crate) beyond: i64,
}

impl Cell {
    pub(crate) fn new(account: Account, ends_at: Timestamp) -> Self {
        Self { account, block: Mutex::new(Block { ends_at, ..Block::default() }) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Block> {
        // No method of `Block` can panic half way, so its sums hold.
        self.block.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn turn(&self) -> impl Future<Output = Turn<'_>> {
        poll_fn(|context| {
            let mut block = self.lock();
            if block.asking {
                block.waiting.push(context.waker().clone());
                return Poll::Pending;
            }
            block.asking = true;
            Poll::Ready(Turn(self))
        })
    }
}

impl Turn<'_> {
    /// Takes everything settled and not yet posted; `None`: there is nothing.
    pub(crate) fn parcel(&self) -> Option<Parcel<'_>> {
        let mut block = self.0.lock();
        let (spent, beyond) = (std::mem::take(&mut block.spent), std::mem::take(&mut block.beyond));
        block.posting = spent.saturating_add(beyond);
        drop(block);
        (spent > 0 || beyond > 0).then_some(Parcel { cell: self.0, spent, beyond })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let waiting = {
            let mut block = self.0.lock();
            block.asking = false;
            std::mem::take(&mut block.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Parcel<'_> {
    pub(crate) fn arrived(mut self, posted: i64) {
        (self.spent, self.beyond) = (0, 0);
        let mut block = self.cell.lock();
        block.posting = 0;
        block.learn(posted);
    }
}

impl Drop for Parcel<'_> {
    fn drop(&mut self) {
        if self.spent > 0 || self.beyond > 0 {
            let mut block = self.cell.lock();
            block.posting = 0;
            block.spent = block.spent.saturating_add(self.spent);
            block.beyond = block.beyond.saturating_add(self.beyond);
        }
    }
}

impl Block {
    pub(crate) fn fit(&self, demand: &Demand) -> Fit {
        if demand.mode == PolicyMode::Shadow {
            return if self.known { Fit::Fits } else { Fit::Short(0) };
        }
        let Some(used) = self.used() else { return Fit::Exceeds { remaining: 0 } };
        let remaining = demand.limit.saturating_sub(used);
        if !(0..=MAX_AMOUNT).contains(&demand.amount) || demand.amount > remaining {
            return Fit::Exceeds { remaining };
        }
        match demand.amount.saturating_sub(self.free) {
            missing @ 1.. => Fit::Short(missing),
            _ if !self.known => Fit::Short(0),
            _ => Fit::Fits,
        }
    }

    /// For a demand that fits.
    pub(crate) fn take(&mut self, demand: &Demand) {
        match demand.mode {
            PolicyMode::Shadow => self.shadowed = self.shadowed.saturating_add(demand.amount),
            PolicyMode::Enforce => {
                self.free = self.free.saturating_sub(demand.amount);
                self.reserved = self.reserved.saturating_add(demand.amount);
            }
        }
    }

    pub(crate) fn release(&mut self, demand: &Demand) {
        self.settle(demand, 0);
    }

    /// Ends what `take` began. The reserved units come back, and the use is paid from them as far as they reach.
    pub(crate) fn settle(&mut self, demand: &Demand, actual: i64) {
        match demand.mode {
            PolicyMode::Shadow => self.shadowed = self.shadowed.saturating_sub(demand.amount),
            PolicyMode::Enforce => {
                self.reserved = self.reserved.saturating_sub(demand.amount);
                self.free = self.free.saturating_add(demand.amount);
            }
        }
        self.beyond = self.beyond.saturating_add(actual);
        self.pay();
    }

    /// Units the store granted.
    pub(crate) fn fill(&mut self, units: i64, posted: i64) {
        self.free = self.free.saturating_add(units);
        self.pay();
        self.learn(posted);
    }

    pub(crate) fn learn(&mut self, posted: i64) {
        self.known = true;
        // Sums only grow within a window; an older answer may arrive later.
        self.posted = self.posted.max(posted);
    }

    /// Takes the free units out, to give them back.
    pub(crate) fn take_free(&mut self) -> i64 {
        std::mem::take(&mut self.free)
    }

    pub(crate) fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    pub(crate) fn free(&self) -> i64 {
        self.free
    }

    pub(crate) fn has_overrun(&self) -> bool {
        self.beyond > 0
    }

    /// What is left of `limit` as this process knows it; negative when it is overdrawn.
    pub(crate) fn remaining(&self, limit: i64) -> i64 {
        limit.saturating_sub(self.used().unwrap_or(i64::MAX))
    }

    pub(crate) fn figures(&self) -> Figures {
        let posted =
            [self.posting, self.spent, self.beyond].iter().fold(self.posted, |a, b| a.saturating_add(*b));
        Figures { posted, reserved: self.reserved.saturating_add(self.shadowed) }
    }

    /// Nothing is reserved and everything settled is posted.
    pub(crate) fn is_quiet(&self) -> bool {
        let open = [self.reserved, self.shadowed, self.spent, self.beyond, self.posting];
        open.iter().all(|units| *units == 0) && !self.asking
    }

    /// Settled and reserved; `None`: more than can be counted.
    fn used(&self) -> Option<i64> {
        [self.posting, self.spent, self.beyond, self.reserved, self.shadowed]
            .iter()
            .try_fold(self.posted, |sum, part| sum.checked_add(*part))
    }

    fn pay(&mut self) {
        let paid = self.free.min(self.beyond);
        self.free -= paid;
        self.beyond -= paid;
        self.spent = self.spent.saturating_add(paid);
    }
}
