//! What the ledger counts about itself.

use std::sync::atomic::{AtomicU64, Ordering};

/// Figures since this process began, in records except where named otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LedgerFigures {
    /// Appended to the journal by this process.
    pub journalled: u64,
    /// In the store: this process's records and replayed ones.
    pub written: u64,
    /// Left by an earlier run and stored now.
    pub replayed: u64,
    /// Handed in, or found in the journal, and not yet dealt with.
    pub pending: u64,
    /// Inserts that found the store away, or too slow to wait for.
    pub failed_batches: u64,
    /// Which the store will never take; kept in `refused.jsonl`.
    pub refused: u64,
    /// Journal lines whose checksum is wrong, from writes that a crash cut short.
    pub torn: u64,
    /// Appends that failed, mostly for want of disk space, and were tried again.
    pub failed_appends: u64,
    /// On disk, in bytes.
    pub journal_bytes: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) recorded: Counter,
    pub(crate) journalled: Counter,
    pub(crate) written: Counter,
    pub(crate) replayed: Counter,
    pub(crate) failed_batches: Counter,
    pub(crate) refused: Counter,
    pub(crate) torn: Counter,
    pub(crate) failed_appends: Counter,
    pub(crate) journal_bytes: Counter,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::AcqRel);
    }

    pub(crate) fn take_off(&self, count: u64) {
        self.0.fetch_sub(count, Ordering::AcqRel);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

impl Counters {
    pub(crate) fn figures(&self, pending: u64) -> LedgerFigures {
        LedgerFigures {
            journalled: self.journalled.get(),
            written: self.written.get(),
            replayed: self.replayed.get(),
            pending,
            failed_batches: self.failed_batches.get(),
            refused: self.refused.get(),
            torn: self.torn.get(),
            failed_appends: self.failed_appends.get(),
            journal_bytes: self.journal_bytes.get(),
        }
    }
}
