//! Reads the journal in order, behind its thread and never beyond its head.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::sync::Arc;

use lyss_domain::AttemptRecord;

use super::Head;
use super::folder::Folder;
use super::line::{self, Line};
use super::parcel::Parcels;

#[derive(Debug)]
pub(crate) struct Tail {
    folder: Arc<Folder>,
    /// Segments of earlier runs, not begun yet.
    inherited: VecDeque<u64>,
    /// The first segment of this run.
    own_from: u64,
    segment: u64,
    offset: u64,
    file: Option<BufReader<File>>,
    parcels: Arc<Parcels>,
}

/// A stretch of the journal.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) records: Vec<AttemptRecord>,
    /// Lines nobody here can read, as they are.
    pub(crate) foreign: Vec<u8>,
    /// All lines of the stretch, readable or not.
    pub(crate) lines: u64,
    pub(crate) foreign_lines: u64,
    pub(crate) torn_lines: u64,
    /// Of the records, those left by an earlier run.
    pub(crate) earlier: u64,
    /// Segments that end within the stretch.
    pub(crate) finished: Vec<u64>,
}

impl Tail {
    pub(crate) fn new(
        folder: Arc<Folder>,
        inherited: Vec<u64>,
        own_from: u64,
        parcels: Arc<Parcels>,
    ) -> Self {
        let mut inherited = VecDeque::from(inherited);
        let segment = inherited.pop_front().unwrap_or(own_from);
        Self { folder, inherited, own_from, segment, offset: 0, file: None, parcels }
    }

    /// What was handed over in memory and comes next, `max` records or a little more: no file is touched.
    pub(crate) fn take_ready(&mut self, max: usize) -> Batch {
        let mut batch = Batch::default();
        while batch.records.len() < max && self.take_parcel(&mut batch) {}
        batch
    }

    fn take_parcel(&mut self, batch: &mut Batch) -> bool {
        let Some(parcel) = self.parcels.take_at(self.segment, self.offset) else { return false };
        batch.lines += u64::try_from(parcel.records.len()).unwrap_or(u64::MAX);
        batch.records.extend(parcel.records);
        self.offset = parcel.to;
        // Where it stands in the file is no longer where we are.
        self.file = None;
        true
    }

    /// Up to `max` records (or a little more) before `head`. An empty batch: there is nothing more before it.
    pub(crate) fn read(&mut self, head: Head, max: usize) -> io::Result<Batch> {
        let mut batch = Batch::default();
        let mut text = Vec::new();
        while batch.records.len() < max {
            if self.segment == head.segment && self.offset >= head.bytes {
                break;
            }
            if self.take_parcel(&mut batch) {
                continue;
            }
            text.clear();
            let read = self.next_line(&mut text)?;
            let whole = text.pop_if(|byte| *byte == b'\n').is_some();
            if !whole {
                // The end of a segment, or of what a crash left of it.
                batch.torn_lines += u64::from(read > 0);
                if self.segment >= head.segment {
                    break;
                }
                batch.finished.push(self.segment);
                self.step();
                continue;
            }
            self.offset = self.offset.saturating_add(read);
            batch.lines += 1;
            match line::read(&text) {
                Line::Record(record) => {
                    batch.records.push(*record);
                    batch.earlier += u64::from(self.segment < self.own_from);
                }
                Line::Foreign => {
                    batch.foreign_lines += 1;
                    batch.foreign.extend_from_slice(&text);
                    batch.foreign.push(b'\n');
                }
                Line::Torn => batch.torn_lines += 1,
            }
        }
        Ok(batch)
    }

    fn next_line(&mut self, text: &mut Vec<u8>) -> io::Result<u64> {
        if self.file.is_none() {
            self.file = match self.folder.read(self.segment) {
                Ok(mut file) => {
                    file.seek(SeekFrom::Start(self.offset))?;
                    Some(BufReader::with_capacity(64 << 10, file))
                }
                // Somebody deleted it; there is nothing in it to wait for.
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
        }
        match &mut self.file {
            Some(file) => Ok(u64::try_from(file.read_until(b'\n', text)?).unwrap_or(u64::MAX)),
            None => Ok(0),
        }
    }

    fn step(&mut self) {
        let following = self.segment.saturating_add(1).max(self.own_from);
        self.segment = self.inherited.pop_front().unwrap_or(following);
        self.offset = 0;
        self.file = None;
    }
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.lines == 0 && self.finished.is_empty()
    }
}
