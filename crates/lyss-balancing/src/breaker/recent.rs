//! What went well and what did not within the last ten seconds.

use lyss_domain::Tick;

const SLICES: usize = 5;
const SLICE_NANOS: u64 = 2_000_000_000;

/// Counts by slices of two seconds; the oldest makes room.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    slices: [(u32, u32); SLICES],
    /// The number of the newest slice.
    newest: u64,
}

impl Recent {
    pub(super) fn record(&mut self, is_good: bool, now: Tick) {
        self.turn(now);
        let slot = slot_of(self.newest);
        if let Some((good, bad)) = self.slices.get_mut(slot) {
            let count = if is_good { good } else { bad };
            *count = count.saturating_add(1);
        }
    }

    /// Good, bad.
    pub(super) fn counts(&mut self, now: Tick) -> (u32, u32) {
        self.turn(now);
        self.slices.iter().fold((0, 0), |(goods, bads), (good, bad)| {
            (u32::saturating_add(goods, *good), u32::saturating_add(bads, *bad))
        })
    }

    fn turn(&mut self, now: Tick) {
        let number = now.0 / SLICE_NANOS;
        let passed = number.saturating_sub(self.newest).min(SLICES as u64);
        for step in 0..passed {
            if let Some(slice) = self.slices.get_mut(slot_of(number - step)) {
                *slice = (0, 0);
            }
        }
        self.newest = self.newest.max(number);
    }
}

fn slot_of(number: u64) -> usize {
    usize::try_from(number % SLICES as u64).unwrap_or(0)
}
