//! The writer: carries the journal into the store in batches, however long that takes.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use lyss_domain::AttemptRecord;
use lyss_repositories::{AttemptStore, StoreError};
use tokio::sync::watch;

use crate::figures::Counters;
use crate::journal::folder::Folder;
use crate::journal::parcel::Parcels;
use crate::journal::scribe::Scribe;
use crate::journal::tail::{Batch, Tail};
use crate::journal::{Head, line};
use crate::ledger::{Room, Shared};
use crate::{Ledger, LedgerError, LedgerSettings, Observe};

/// The writer's side. Nothing reaches the store unless it runs.
pub struct LedgerTask {
    folder: Arc<Folder>,
    tail: Arc<Mutex<Tail>>,
    store: Arc<dyn AttemptStore>,
    counters: Arc<Counters>,
    settings: LedgerSettings,
    pace: Pace,
    /// Read from the journal and not stored yet.
    held: Option<Batch>,
    head: watch::Receiver<Head>,
    done: watch::Sender<u64>,
    /// Every line the journal should hold was found in it.
    intact: bool,
}

/// How the writer treats a store that does not answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// An insert that takes longer counts as failed.
    pub(crate) patience: Duration,
    /// The first pause after a failure; each further one is twice as long.
    pub(crate) pause: Duration,
    pub(crate) pause_max: Duration,
    /// Tries when nobody is left to record; then the rest stays in the journal.
    pub(crate) last_tries: u32,
}

/// Why a batch is not in the store.
enum Trouble {
    Away(String),
    /// It will never be taken as it is.
    Refused(String),
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(30),
            pause: Duration::from_millis(100),
            pause_max: Duration::from_secs(5),
            last_tries: 3,
        }
    }
}

pub(crate) async fn open(
    settings: LedgerSettings,
    store: Arc<dyn AttemptStore>,
    observe: Observe,
    pace: Pace,
) -> Result<(Ledger, LedgerTask), LedgerError> {
    let opened = tokio::task::spawn_blocking(move || prepare(settings, store, observe, pace)).await;
    let (ledger, mut task) = opened.map_err(std::io::Error::other)??;
    task.replay().await;
    Ok((ledger, task))
}

/// Opens the folder and starts the journal's thread on a fresh segment.
fn prepare(
    settings: LedgerSettings,
    store: Arc<dyn AttemptStore>,
    observe: Observe,
    pace: Pace,
) -> Result<(Ledger, LedgerTask), LedgerError> {
    let folder = Arc::new(Folder::open(&settings.folder)?);
    let counters = Arc::new(Counters::default());
    let inherited = folder.segments()?;
    let mut lines = 0u64;
    for segment in &inherited {
        let (here, bytes) = folder.measure(*segment)?;
        lines = lines.saturating_add(here);
        counters.journal_bytes.add(bytes);
    }
    let own_from = inherited.last().map_or(1, |last| last.saturating_add(1));
    let at = Head { segment: own_from, bytes: 0, lines };
    let (head_sender, head) = watch::channel(at);
    let (done, done_receiver) = watch::channel(0);
    let (words, inbox) = mpsc::channel();
    let room = Arc::new(Room::new(settings.capacity));
    let parcels = Arc::new(Parcels::default());
    let scribe = Scribe {
        file: folder.create(own_from)?,
        folder: Arc::clone(&folder),
        segment_bytes: settings.segment_bytes,
        inbox,
        room: Arc::clone(&room),
        counters: Arc::clone(&counters),
        at,
        head: head_sender,
        parcels: Arc::clone(&parcels),
        observe,
    };
    std::thread::Builder::new().name("lyss-journal".into()).spawn(move || scribe.run())?;
    let shared =
        Shared { room, words, counters: Arc::clone(&counters), inherited: lines, done: done_receiver };
    let tail = Arc::new(Mutex::new(Tail::new(Arc::clone(&folder), inherited, own_from, parcels)));
    let task =
        LedgerTask { folder, tail, store, counters, settings, pace, held: None, head, done, intact: true };
    Ok((Ledger::new(shared), task))
}

impl LedgerTask {
    /// Runs until `Ledger::shutdown`, or until every `Ledger` and `Slot` is dropped, and everything recorded is
    /// stored. If the store is away then, the rest stays in the journal for the next start. Dropping the future at any
    /// point loses nothing either.
    pub async fn run(mut self) {
        loop {
            let batch = match self.held.take() {
                Some(batch) => batch,
                None => match self.next_batch().await {
                    Some(batch) => batch,
                    None => break,
                },
            };
            if !self.carry(&batch).await {
                let left = self.head.borrow().lines.saturating_sub(self.done_lines());
                tracing::warn!(left, "the store is away; usage records stay in the journal");
                return;
            }
        }
        if !self.intact {
            return;
        }
        // Nothing is left in any segment.
        let (folder, counters) = (Arc::clone(&self.folder), Arc::clone(&self.counters));
        self.blocking(move || {
            folder.segments().unwrap_or_default().into_iter().for_each(|n| remove(&folder, &counters, n));
        })
        .await;
    }

    /// Stores what earlier runs left, as far as the store takes it at once.
    async fn replay(&mut self) {
        // The head before anything was recorded: the end of the inherited segments.
        let until = Head { bytes: 0, ..*self.head.borrow() };
        loop {
            let batch = match self.read(until).await {
                Ok(batch) if !batch.is_empty() => batch,
                Ok(_) => return,
                Err(error) => return tracing::warn!(%error, "the journal cannot be read; trying again later"),
            };
            if let Err(reason) = self.store_batch(&batch).await {
                tracing::warn!(reason, "the store is away; usage records of earlier runs follow later");
                self.held = Some(batch);
                return;
            }
            self.finish(&batch).await;
        }
    }

    /// The next stretch of the journal, full or as much as there is after the linger. `None`: all is done, for good.
    async fn next_batch(&mut self) -> Option<Batch> {
        loop {
            // In this order: a head read after its sender has gone is the last one.
            let ended = self.has_ended();
            let mut head = *self.head.borrow_and_update();
            let done = self.done_lines();
            if head.lines <= done {
                if ended {
                    return None;
                }
                // An error says that the sender has gone, which the next round sees.
                drop(self.head.changed().await);
                continue;
            }
            let full = u64::try_from(self.settings.batch).unwrap_or(u64::MAX);
            if head.lines.saturating_sub(done) < full && !ended {
                let enough = self.head.wait_for(|head| head.lines.saturating_sub(done) >= full);
                drop(tokio::time::timeout(self.settings.linger, enough).await);
                head = *self.head.borrow();
            }
            match self.read(head).await {
                Ok(batch) if !batch.is_empty() => return Some(batch),
                Ok(_) => {
                    tracing::error!(missing = head.lines.saturating_sub(done), "journal lines have vanished");
                    self.done.send_replace(head.lines);
                    self.intact = false;
                }
                Err(error) => {
                    tracing::error!(%error, "the journal cannot be read");
                    if ended {
                        self.intact = false;
                        return None;
                    }
                    tokio::time::sleep(self.pace.pause_max).await;
                }
            }
        }
    }

    /// Stores a batch, trying until the store takes it. `false`: given up at the end.
    async fn carry(&mut self, batch: &Batch) -> bool {
        let mut pause = self.pace.pause;
        let mut last_tries = self.pace.last_tries;
        while let Err(reason) = self.store_batch(batch).await {
            tracing::warn!(reason, records = batch.records.len(), "usage records wait for the store");
            if self.has_ended() {
                last_tries = last_tries.saturating_sub(1);
                if last_tries == 0 {
                    return false;
                }
                tokio::time::sleep(self.pace.pause).await;
            } else {
                let end = self.head.wait_for(|_| false);
                drop(tokio::time::timeout(pause, end).await);
                pause = pause.saturating_mul(2).min(self.pace.pause_max);
            }
        }
        self.finish(batch).await;
        true
    }

    /// Stores every record of a batch that the store will take, and keeps the others aside. Harmless to repeat.
    async fn store_batch(&self, batch: &Batch) -> Result<(), String> {
        let mut aside = batch.foreign.clone();
        let (mut stored, mut refused) = (0usize, batch.foreign_lines);
        let mut open: Vec<_> = batch.records.chunks(self.settings.batch.max(1)).rev().collect();
        while let Some(records) = open.pop() {
            match (self.write(records).await, records) {
                (Ok(()), _) => stored += records.len(),
                (Err(Trouble::Away(reason)), _) => {
                    self.counters.failed_batches.add(1);
                    return Err(reason);
                }
                (Err(Trouble::Refused(reason)), [record]) => {
                    tracing::error!(attempt = %record.id, reason, "the store refuses a usage record for good");
                    line::write(&mut aside, record).map_err(|error| error.to_string())?;
                    refused += 1;
                }
                (Err(Trouble::Refused(_)), _) => {
                    let (first, second) = records.split_at(records.len() / 2);
                    open.extend([second, first]);
                }
            }
        }
        if !aside.is_empty() {
            let folder = Arc::clone(&self.folder);
            let kept = self.blocking(move || folder.keep_refused(&aside)).await;
            kept.unwrap_or(Ok(())).map_err(|error| error.to_string())?;
        }
        self.counters.written.add(u64::try_from(stored).unwrap_or(u64::MAX));
        self.counters.refused.add(refused);
        Ok(())
    }

    async fn write(&self, records: &[AttemptRecord]) -> Result<(), Trouble> {
        if records.is_empty() {
            return Ok(());
        }
        match tokio::time::timeout(self.pace.patience, self.store.write(records)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(StoreError::Unavailable(reason))) => Err(Trouble::Away(reason)),
            Ok(Err(error)) => Err(Trouble::Refused(error.to_string())),
            Err(_) => Err(Trouble::Away("no answer in time".into())),
        }
    }

    /// The batch is dealt with: counts it, and deletes the segments that ended in it.
    async fn finish(&mut self, batch: &Batch) {
        self.counters.replayed.add(batch.earlier);
        self.counters.torn.add(batch.torn_lines);
        if batch.torn_lines > 0 {
            tracing::warn!(lines = batch.torn_lines, "torn journal lines were skipped");
        }
        self.done.send_modify(|done| *done = done.saturating_add(batch.lines));
        if !batch.finished.is_empty() {
            let (folder, counters) = (Arc::clone(&self.folder), Arc::clone(&self.counters));
            let finished = batch.finished.clone();
            self.blocking(move || finished.into_iter().for_each(|n| remove(&folder, &counters, n))).await;
        }
    }

    async fn read(&self, head: Head) -> std::io::Result<Batch> {
        let max = self.settings.batch.max(1);
        let ready = self.tail.lock().unwrap_or_else(PoisonError::into_inner).take_ready(max);
        if !ready.is_empty() {
            return Ok(ready);
        }
        let tail = Arc::clone(&self.tail);
        let read = move || tail.lock().unwrap_or_else(PoisonError::into_inner).read(head, max);
        self.blocking(read).await.unwrap_or_else(|| Err(std::io::Error::other("the runtime is going down")))
    }

    /// `None`: the runtime is going down.
    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        tokio::task::spawn_blocking(work).await.ok()
    }

    fn has_ended(&self) -> bool {
        self.head.has_changed().is_err()
    }

    fn done_lines(&self) -> u64 {
        *self.done.borrow()
    }
}

impl std::fmt::Debug for LedgerTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LedgerTask").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A segment that cannot be deleted is replayed at the next start, which changes nothing in the store.
fn remove(folder: &Folder, counters: &Counters, segment: u64) {
    match folder.remove(segment) {
        Ok(bytes) => counters.journal_bytes.take_off(bytes),
        Err(error) => tracing::warn!(%error, segment, "a finished journal segment cannot be deleted"),
    }
}
