//! Usage records, written exactly once: a kill-safe local journal, and the writer that carries it to the database.
//!
//! A caller takes a [`Slot`] before it sends an attempt, so that what is settled always can be written, and hands the
//! record to it when the attempt has ended; that never waits. One thread appends records to the journal as they come.
//! One task reads the journal behind it and inserts batches through the `AttemptStore`, which leaves ids it knows as
//! they are. The journal is the queue: whether the database is quick, slow or away for an hour, memory holds one
//! batch, and a segment of the journal is deleted when all of it is stored. A restart begins with what was left.
//!
//! What it survives: `kill -9` from the moment the thread has written, which is at once but not at the same instant; a
//! record still on its way to the thread dies with the process. There is no `fsync`, so a power cut may take the last
//! seconds; what it tears is recognised by its checksum and skipped.
//!
//! Must never know: who calls, HTTP, SQL, prices, a clock. Nothing here may make a caller wait for a disk or a
//! database. The one exception in waiting is saturation: with a full disk slots run out and callers are told no.
//!
//! Start reading at [`ledger`] (the callers' side), then `journal` (what is on disk), then [`writer`]. To add a field
//! to the record: `AttemptRecord` in the domain, then `journal/entry.rs`, with a default so that old lines still read.

pub mod ledger;
pub mod writer;

mod figures;
mod journal;

pub use figures::LedgerFigures;
pub use ledger::{Ledger, Slot};
pub use writer::LedgerTask;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lyss_domain::AttemptRecord;
use lyss_repositories::AttemptStore;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSettings {
    /// Holds the `journal` folder; made if absent.
    pub folder: PathBuf,
    /// Slots that may be out at once: attempts under way and records not yet in the journal.
    pub capacity: usize,
    /// Records per insert.
    pub batch: usize,
    /// How long a batch that is not full waits for more.
    pub linger: Duration,
    /// A journal segment that has grown to this is followed by the next.
    pub segment_bytes: u64,
}

/// Is shown every record; must be quick.
pub type Observe = Arc<dyn Fn(&AttemptRecord) + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process has this journal open.
    #[error("the journal is in use by another process")]
    InUse,
    #[error("the journal cannot be used: {0}")]
    Journal(#[from] io::Error),
}

impl LedgerSettings {
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            capacity: 65_536,
            batch: 1_000,
            linger: Duration::from_millis(50),
            segment_bytes: 16 << 20,
        }
    }
}

/// Opens the journal and stores what an earlier run left in it. When the store does not answer, the rest follows in
/// the background, before anything newer. Run the task on a runtime that outlives the callers.
pub async fn open(
    settings: LedgerSettings,
    store: Arc<dyn AttemptStore>,
) -> Result<(Ledger, LedgerTask), LedgerError> {
    open_observed(settings, store, Arc::new(|_| {})).await
}

/// The same, and `observe` is shown every record on the journal's thread, in the order in which they are written: the
/// place for figures that many workers would otherwise fight over.
pub async fn open_observed(
    settings: LedgerSettings,
    store: Arc<dyn AttemptStore>,
    observe: Observe,
) -> Result<(Ledger, LedgerTask), LedgerError> {
    writer::open(settings, store, observe, writer::Pace::default()).await
}

#[cfg(test)]
mod tests;
