//! The one reader of the machine's clocks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use lyss_domain::{Clock, Tick, Timestamp};

/// Ticks begin so long before the process, in nanoseconds: what is restored from an earlier run happened then.
const BEFORE: u64 = 2 * 24 * 60 * 60 * 1_000_000_000;

/// Wall clock and monotonic clock of the machine.
pub(crate) struct SystemClock {
    /// The tick [`BEFORE`].
    start: Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the home of the machine's clock")]
    pub(crate) fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the home of the machine's clock")]
    fn now(&self) -> Timestamp {
        // A clock set before 1970 reads as 1970.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }

    fn tick(&self) -> Tick {
        let elapsed = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Tick(BEFORE.saturating_add(elapsed))
    }
}
