//! Records handed from the journal's thread to the writer in memory, so that what was just written is not read back and
//! parsed. Only a short cut: whatever does not fit is read from the segments.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lyss_domain::AttemptRecord;

/// Records held at most; beyond that the store is slow, and the segments are where they wait.
const MAX_RECORDS: usize = 16_384;

/// One append: the records of one stretch of a segment.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) segment: u64,
    /// Bytes in the segment before the stretch, and behind it.
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) records: Vec<AttemptRecord>,
}

#[derive(Debug, Default)]
pub(crate) struct Parcels(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    parcels: VecDeque<Parcel>,
    records: usize,
}

impl Parcels {
    /// Takes a parcel, or lets it go when too much is held.
    pub(crate) fn push(&self, parcel: Parcel) {
        let mut held = self.lock();
        if held.records + parcel.records.len() <= MAX_RECORDS {
            held.records += parcel.records.len();
            held.parcels.push_back(parcel);
        }
    }

    /// The parcel that begins exactly here. Those before are of no more use.
    pub(crate) fn take_at(&self, segment: u64, offset: u64) -> Option<Parcel> {
        let mut held = self.lock();
        while let Some(first) = held.parcels.front() {
            if (first.segment, first.from) > (segment, offset) {
                return None;
            }
            let exact = (first.segment, first.from) == (segment, offset);
            let parcel = held.parcels.pop_front()?;
            held.records -= parcel.records.len();
            if exact {
                return Some(parcel);
            }
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
