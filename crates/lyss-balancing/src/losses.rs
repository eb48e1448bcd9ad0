//! What failures cost callers, in calls. An answer that broke off when it had begun is a call lost, since no other channel
//! may take over; a failure before that costs the part of a caller's patience that it took. A refusal at once is
//! next to nothing. They are remembered longer than whether attempts go well.

use std::time::Duration;

use lyss_domain::Tick;

use crate::Observation;

const HALF_LIFE_SECS: f32 = 120.0;
const HALF_LIFE_COUNT: f32 = 96.0;

/// For how long a caller waits.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Losses {
    judged: f32,
    lost: f32,
    at: Tick,
}

/// How much of its call a failed attempt took with it, 0 to 1.
pub(crate) fn lost_part(failed: &Observation) -> f32 {
    let waited = failed.total.as_secs_f32() / PATIENCE.as_secs_f32();
    if failed.ttft.is_some() { 1.0 } else { waited.min(1.0) }
}

impl Losses {
    /// Judged attempts and the calls lost with them, discounted to this moment.
    pub(crate) fn counts(&self, now: Tick) -> (f32, f32) {
        let left = (-now.since(self.at).as_secs_f32() / HALF_LIFE_SECS).exp2();
        (self.judged * left, self.lost * left)
    }

    pub(crate) fn record(&mut self, part: f32, now: Tick) {
        let (judged, lost) = self.counts(now);
        let left = (-1.0 / HALF_LIFE_COUNT).exp2();
        self.judged = judged * left + 1.0;
        self.lost = lost * left + part;
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
    fn a_refusal_is_no_loss_a_broken_answer_is_and_a_wait_in_vain_in_part() {
        assert!(lost_part(&failed(None, 300)) < 0.01);
        assert_eq!(lost_part(&failed(None, 30_000)), 0.5);
        assert_eq!(lost_part(&failed(None, 600_000)), 1.0);
        assert_eq!(lost_part(&failed(Some(400), 900)), 1.0);
    }

    #[test]
    fn losses_are_remembered_for_minutes_and_not_for_ever() {
        let mut losses = Losses::default();
        let at = |secs: u64| Tick(secs * 1_000_000_000);
        (0..100).for_each(|i| losses.record(if i % 4 == 0 { 1.0 } else { 0.0 }, at(i)));
        let share = |(judged, lost): (f32, f32)| lost / judged;
        assert!((share(losses.counts(at(100))) - 0.25).abs() < 0.03);
        let (before, after) = (losses.counts(at(100)), losses.counts(at(220)));
        assert!((after.1 / before.1 - 0.5).abs() < 0.01);
        (0..400).for_each(|i| losses.record(0.0, at(220 + i)));
        assert!(share(losses.counts(at(620))) < 0.02);
    }
}
