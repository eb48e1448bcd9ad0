//! How many attempts were lost for their callers: the answer broke off when it had begun, or nothing came for so long
//! that no other channel could make up for it. A refusal at once costs a moment; these cost the call, and are
//! remembered longer.

use std::time::Duration;

use lyss_domain::Tick;

use crate::Observation;

const HALF_LIFE_SECS: f32 = 120.0;
const HALF_LIFE_COUNT: f32 = 96.0;

/// Waiting in vain for so long is a loss even when another channel answers then.
const LONG: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Losses {
    judged: f32,
    lost: f32,
    at: Tick,
}

/// Whether an attempt that failed took the call with it.
pub(crate) fn is_lost(failed: &Observation) -> bool {
    failed.ttft.is_some() || failed.total >= LONG
}

impl Losses {
    /// Judged and lost attempts, discounted to this moment.
    pub(crate) fn counts(&self, now: Tick) -> (f32, f32) {
        let left = (-now.since(self.at).as_secs_f32() / HALF_LIFE_SECS).exp2();
        (self.judged * left, self.lost * left)
    }

    pub(crate) fn record(&mut self, is_lost: bool, now: Tick) {
        let (judged, lost) = self.counts(now);
        let left = (-1.0 / HALF_LIFE_COUNT).exp2();
        self.judged = judged * left + 1.0;
        self.lost = lost * left + if is_lost { 1.0 } else { 0.0 };
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use lyss_domain::FaultKind;

    use super::*;
    use crate::Ending;

    fn failed(ttft_ms: Option<u64>, total_ms: u64) -> Observation {
        Observation {
            ending: Ending::Failed(FaultKind::VendorError, None),
            prompt_tokens: 1,
            output_tokens: 0,
            ttft: ttft_ms.map(Duration::from_millis),
            total: Duration::from_millis(total_ms),
        }
    }

    #[test]
    fn a_refusal_is_no_loss_and_a_broken_answer_or_a_long_wait_is() {
        assert!(!is_lost(&failed(None, 300)));
        assert!(is_lost(&failed(Some(400), 900)));
        assert!(is_lost(&failed(None, 30_000)));
    }

    #[test]
    fn losses_are_remembered_for_minutes_and_not_for_ever() {
        let mut losses = Losses::default();
        let at = |secs: u64| Tick(secs * 1_000_000_000);
        (0..100).for_each(|i| losses.record(i % 4 == 0, at(i)));
        let share = |(judged, lost): (f32, f32)| lost / judged;
        assert!((share(losses.counts(at(100))) - 0.25).abs() < 0.03);
        let (before, after) = (losses.counts(at(100)), losses.counts(at(220)));
        assert!((after.1 / before.1 - 0.5).abs() < 0.01);
        (0..400).for_each(|i| losses.record(false, at(220 + i)));
        assert!(share(losses.counts(at(620))) < 0.02);
    }
}
