//! What went well and what did not within the last ten seconds.

use lyss_domain::Tick;

use crate::slices::Slices;

/// Good and bad, by slices of two seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent(Slices<(u32, u32), 5, 2_000_000_000>);

impl Recent {
    pub(super) fn record(&mut self, is_good: bool, now: Tick) {
        self.0.turn(now);
        if let Some((good, bad)) = self.0.newest() {
            let count = if is_good { good } else { bad };
            *count = count.saturating_add(1);
        }
    }

    /// Good, bad.
    pub(super) fn counts(&mut self, now: Tick) -> (u32, u32) {
        self.0.turn(now);
        self.0.all().fold((0, 0), |(goods, bads), (good, bad)| {
            (u32::saturating_add(goods, good), u32::saturating_add(bads, bad))
        })
    }
}
