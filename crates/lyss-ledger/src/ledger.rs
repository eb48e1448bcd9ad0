//! The callers' side: a slot before an attempt, a record after it.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lyss_domain::AttemptRecord;
use tokio::sync::watch;

use crate::LedgerFigures;
use crate::figures::Counters;

/// A handle on the ledger; clones are the same ledger.
#[derive(Clone, Debug)]
pub struct Ledger {
    shared: Arc<Shared>,
}

/// Room for one record. Dropping it unused gives the room back.
#[derive(Debug)]
#[must_use = "a slot is for the record of one attempt"]
pub struct Slot {
    shared: Arc<Shared>,
    used: bool,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) room: Arc<Room>,
    pub(crate) words: Sender<Word>,
    pub(crate) counters: Arc<Counters>,
    /// Journal lines found at the start.
    pub(crate) inherited: u64,
    /// Journal lines dealt with, the inherited ones first.
    pub(crate) done: watch::Receiver<u64>,
}

/// What the journal's thread is told: a record, or that no slot is out and none will be.
pub(crate) type Word = Option<AttemptRecord>;

/// Counts the slots that are out: taken, or recorded and not yet in the journal.
#[derive(Debug)]
pub(crate) struct Room {
    capacity: usize,
    state: Mutex<Occupancy>,
}

#[derive(Debug, Default)]
struct Occupancy {
    taken: usize,
    closing: bool,
}

impl Ledger {
    pub(crate) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared) }
    }

    /// Room for one record, to be taken before an attempt is sent. `None`: the ledger is saturated, or shutting down.
    pub fn try_slot(&self) -> Option<Slot> {
        self.shared.room.enter().then(|| Slot { shared: Arc::clone(&self.shared), used: false })
    }

    /// Waits until everything recorded so far is in the store, or refused by it. `false`: the writer ended before
    /// that, and the rest is in the journal.
    pub async fn drain(&self) -> bool {
        let target = self.shared.inherited.saturating_add(self.shared.counters.recorded.get());
        self.shared.done.clone().wait_for(|done| *done >= target).await.is_ok()
    }

    /// Gives out no more slots. When the last one has come back and its record is dealt with, the task ends.
    pub fn shutdown(&self) {
        if self.shared.room.close() {
            self.shared.tell(None);
        }
    }

    pub fn figures(&self) -> LedgerFigures {
        let done = *self.shared.done.borrow();
        let all = self.shared.inherited.saturating_add(self.shared.counters.recorded.get());
        self.shared.counters.figures(all.saturating_sub(done))
    }
}

impl Slot {
    /// Hands the record over. Never waits, never fails.
    pub fn record(mut self, record: AttemptRecord) {
        self.used = true;
        self.shared.counters.recorded.add(1);
        self.shared.tell(Some(record));
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.used && self.shared.room.leave(1) {
            self.shared.tell(None);
        }
    }
}

impl Shared {
    /// The thread listens as long as a slot is out, so only a second `None` can find nobody there.
    fn tell(&self, word: Word) {
        drop(self.words.send(word));
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.room.close();
    }
}

impl Room {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default() }
    }

    fn enter(&self) -> bool {
        let mut state = self.lock();
        let fits = !state.closing && state.taken < self.capacity;
        if fits {
            state.taken += 1;
        }
        fits
    }

    /// Gives slots back. `true`: that was the last, for good.
    pub(crate) fn leave(&self, slots: usize) -> bool {
        let mut state = self.lock();
        state.taken = state.taken.saturating_sub(slots);
        state.closing && state.taken == 0
    }

    /// `true`: no slot is out.
    fn close(&self) -> bool {
        let mut state = self.lock();
        state.closing = true;
        state.taken == 0
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.lock().closing
    }

    fn lock(&self) -> MutexGuard<'_, Occupancy> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
