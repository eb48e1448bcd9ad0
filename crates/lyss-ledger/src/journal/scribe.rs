//! The journal's thread: appends records as they come, many in one `write` when they come quickly.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use lyss_domain::AttemptRecord;
use tokio::sync::watch;

use super::folder::Folder;
use super::parcel::{Parcel, Parcels};
use super::{Head, line};
use crate::Observe;
use crate::figures::Counters;
use crate::ledger::{Room, Word};

/// Records in one `write` at most.
const APPEND_MAX: usize = 1_024;

/// How long the first record of an append waits for others: so many wake-ups fewer, so much more that a `kill -9` may
/// take.
const GATHER: Duration = Duration::from_millis(2);

/// Between two tries of a failed append.
const APPEND_PAUSE: Duration = Duration::from_millis(100);

/// Tries of an append when the ledger is closing; before that there is no end to them.
const LAST_APPENDS: u32 = 50;

// The folder comes first: fields are dropped in this order, and whoever sees the head close may open the folder.
pub(crate) struct Scribe {
    pub(crate) folder: Arc<Folder>,
    pub(crate) file: File,
    pub(crate) segment_bytes: u64,
    pub(crate) inbox: Receiver<Word>,
    pub(crate) room: Arc<Room>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) at: Head,
    pub(crate) head: watch::Sender<Head>,
    pub(crate) parcels: Arc<Parcels>,
    pub(crate) observe: Observe,
}

impl Scribe {
    /// Until nobody is left who could record, or the disk refuses the last records for good.
    pub(crate) fn run(mut self) {
        let mut buffer = Vec::new();
        while let Ok(first) = self.inbox.recv() {
            buffer.clear();
            std::thread::sleep(GATHER);
            let (mut lines, mut closed) = (0usize, false);
            let mut records = Vec::new();
            for word in std::iter::once(first).chain(self.inbox.try_iter()).take(APPEND_MAX) {
                match word {
                    None => closed = true,
                    Some(record) => {
                        lines += 1;
                        (self.observe)(&record);
                        if let Err(error) = line::write(&mut buffer, &record) {
                            // No value of a record can cause this. The line keeps the count whole and reads as torn.
                            tracing::error!(attempt = %record.id, %error, "usage record not written");
                            buffer.extend_from_slice(b"unwritable\n");
                        } else {
                            records.push(record);
                        }
                    }
                }
            }
            if !self.append(&buffer, lines, records) {
                return;
            }
            let last = lines > 0 && self.room.leave(lines);
            if closed || last {
                return;
            }
        }
    }

    /// Writes whole lines, or goes on trying. `false`: given up.
    fn append(&mut self, buffer: &[u8], lines: usize, records: Vec<AttemptRecord>) -> bool {
        if lines == 0 {
            return true;
        }
        self.turn_over();
        let mut tries = 0u32;
        while let Err(error) = self.file.write_all(buffer) {
            self.counters.failed_appends.add(1);
            tracing::error!(%error, lines, "the journal cannot be appended to");
            // A part may have been written; the next try must not stand behind it.
            loop {
                tries = tries.saturating_add(1);
                if tries >= LAST_APPENDS && self.room.is_closing() {
                    tracing::error!(lines, "usage records are lost: the journal cannot be written");
                    return false;
                }
                std::thread::sleep(APPEND_PAUSE);
                if self.file.set_len(self.at.bytes).is_ok() {
                    break;
                }
            }
        }
        let [bytes, lines] = [buffer.len(), lines].map(|n| u64::try_from(n).unwrap_or(u64::MAX));
        let (segment, from) = (self.at.segment, self.at.bytes);
        self.at.bytes = from.saturating_add(bytes);
        if u64::try_from(records.len()) == Ok(lines) {
            self.parcels.push(Parcel { segment, from, to: self.at.bytes, records });
        }
        self.at.lines = self.at.lines.saturating_add(lines);
        self.counters.journalled.add(lines);
        self.counters.journal_bytes.add(bytes);
        self.head.send_replace(self.at);
        true
    }

    /// Begins the next segment when this one has grown to its size.
    fn turn_over(&mut self) {
        if self.at.bytes < self.segment_bytes {
            return;
        }
        let next = self.at.segment.saturating_add(1);
        match self.folder.create(next) {
            Ok(file) => {
                self.file = file;
                self.at = Head { segment: next, bytes: 0, lines: self.at.lines };
            }
            Err(error) => {
                tracing::error!(%error, segment = next, "no new journal segment; this one grows on")
            }
        }
    }
}
