//! A clock that moves only when told.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lyss_domain::{Clock, Tick, Timestamp};

/// Both clocks at once; clones share the same time. Starts at 2026-11-23T06:18:00Z and tick one second.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<(Timestamp, Tick)>>);

impl ManualClock {
    pub fn new() -> Self {
        let start = Timestamp::from_millis(1_795_414_680_000);
        Self(Arc::new(Mutex::new((start, Tick::default().after(Duration::from_secs(1))))))
    }

    /// Moves both clocks forward.
    pub fn advance(&self, span: Duration) {
        self.change(|(now, tick)| (now.after(span), tick.after(span)));
    }

    /// Sets the wall clock, also back, as a time server may; ticks go on as they were.
    pub fn set(&self, now: Timestamp) {
        self.change(|(_, tick)| (now, tick));
    }

    fn change(&self, to: impl FnOnce((Timestamp, Tick)) -> (Timestamp, Tick)) {
        let mut time = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *time = to(*time);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn tick(&self) -> Tick {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_where_its_door_says_and_moves_when_told() {
        let clock = ManualClock::new();
        let shared = clock.clone();
        assert_eq!(clock.now().to_string(), "2026-11-23T06:18:00Z");
        let before = clock.tick();
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(shared.now().to_string(), "2026-11-23T06:18:01.5Z");
        clock.set(Timestamp::from_micros(0));
        assert_eq!(shared.tick().since(before), Duration::from_millis(1_500));
    }
}
