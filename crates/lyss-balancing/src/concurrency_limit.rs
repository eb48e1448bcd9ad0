//! How many attempts a model bears at once, learned from how its time to the first token rises: the gradient of
//! Netflix's concurrency-limits. Off unless a channel asks for it.
//!
//! The gradient is the time without a queue over the time now. The former is the lowest that was seen: it falls at once,
//! and rises at once only while so little is under way that a queue cannot be the reason, else next to never, since a mean
//! would take the queue for usual and let the limit creep up.

use crate::Snapshot;

/// Low, since the first answers are taken for those without a queue; a few dozen answers raise it tenfold.
const FIRST: f32 = 8.0;
const LEAST: f32 = 2.0;
const MOST: f32 = 4_096.0;
/// A rise up to this much over the time without a queue is noise.
const TOLERANCE: f32 = 2.0;
const SMOOTHING: f32 = 0.2;
/// A refusal cuts to this share at once.
const BACKOFF: f32 = 0.8;
/// With more under way, the lowest time rises by this share of the way with each answer.
const LOWEST_RISES: f32 = 0.000_01;
/// With so few under way the time is the vendor's own.
const NO_QUEUE: u32 = 4;

#[derive(Clone, Copy, Debug)]
pub(crate) struct ConcurrencyLimit {
    limit: f32,
    /// Logarithms of microseconds; `None`: no answer yet.
    times: Option<(f32, f32)>,
}

impl Default for ConcurrencyLimit {
    fn default() -> Self {
        Self { limit: FIRST, times: None }
    }
}

impl ConcurrencyLimit {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between LEAST and MOST")]
    pub(crate) fn get(&self) -> u32 {
        self.limit.clamp(LEAST, MOST) as u32
    }

    /// One more answer: its time to the first token for the reference prompt, and how many were under way with it.
    pub(crate) fn answered(&mut self, ttft_us: f32, in_flight: u32) {
        let sample = ttft_us.clamp(1.0, 1e10).ln();
        let (mut lowest, mut smooth) = self.times.unwrap_or((sample, sample));
        smooth += (sample - smooth) * 0.1;
        let is_free = smooth < lowest || in_flight <= NO_QUEUE;
        lowest = if is_free { smooth } else { lowest + (smooth - lowest) * LOWEST_RISES };
        self.times = Some((lowest, smooth));

        let gradient = (TOLERANCE * (lowest - smooth).exp()).clamp(0.5, 1.0);
        // What is not used is not tested: an idle channel must not talk itself up.
        let is_used = in_flight as f32 * 2.0 >= self.limit;
        let room = if is_used { self.limit.sqrt() } else { 0.0 };
        let next = self.limit * gradient + room;
        self.limit = (self.limit * (1.0 - SMOOTHING) + next * SMOOTHING).clamp(LEAST, MOST);
    }

    /// Overloaded, or limited in rate.
    pub(crate) fn refused(&mut self) {
        self.limit = (self.limit * BACKOFF).max(LEAST);
    }
}

/// What remains for one model of a channel that bears `limit` in all, with what its other models have under way.
pub(crate) fn remaining(limit: u32, of_channel: u32, of_model: u32) -> u32 {
    if limit == Snapshot::UNKNOWN.limit {
        return limit;
    }
    limit.saturating_sub(of_channel.saturating_sub(of_model))
}

#[cfg(test)]
mod tests;
