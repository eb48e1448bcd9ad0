//! The channel on which this call is expected to be done first, when failures are counted as what they cost.
//!
//! The expected time is that of this call's own size: time to the first token and time for each further one are
//! learned apart. It grows with the queue as in C3 (NSDI 2015), and what may fail adds its penalty, so that a channel
//! which refuses at once is not taken for a fast one.

use lyss_domain::Tick;

use crate::prediction::{Prospect, least, survey, unit};
use crate::round_robin::mix;
use crate::{Balancer, Pool, Remaining};

/// Keeps no state: all that it knows is in the snapshots.
#[derive(Clone, Copy, Debug, Default)]
pub struct BestPerformance;

/// What a failed attempt costs its caller beside the next one, in microseconds.
pub(crate) const REFUSAL_US: f32 = 3_000_000.0;

/// What a lost call costs, in microseconds: callers wait a minute for an answer before they give it up.
pub(crate) const LOSS_US: f32 = 60_000_000.0;

/// One call in so many goes to whoever has not been asked for longest, since what is not asked cannot show that it is
/// well again.
const EXPLORES: f32 = 1.0 / 80.0;

/// A new channel, or one that was ejected, comes in over so many judged attempts.
pub(crate) const SLOW_START: u32 = 10;

/// Half the width of what is drawn upon a score, so that equals share and do not take turns as their last samples say.
const JITTER: f32 = 0.1;

/// Up to so many candidates all are compared, beyond it two: with views that are out of date, the best of all would draw
/// everybody at once.
const FULL_SCAN: usize = 4;

impl Balancer for BestPerformance {
    fn pick(&self, pool: &Pool<'_>, remaining: &Remaining, draw: u64, _now: Tick) -> Option<usize> {
        let prospects = survey(pool, remaining);
        if explores(draw) {
            return longest_idle(&prospects, draw);
        }
        let cost = |prospect: &Prospect| held_back(prospect, draw) + drawn_cost(prospect, draw);
        if prospects.len() <= FULL_SCAN {
            return least(&prospects, cost);
        }
        let first = below(mix(draw ^ 3), prospects.len());
        let second = below(mix(draw ^ 4), prospects.len() - 1);
        let second = if second >= first { second + 1 } else { second };
        let (first, second) = (prospects.get(first)?, prospects.get(second)?);
        Some(if cost(second) < cost(first) { second.index } else { first.index })
    }
}

/// Whether this call is spent on learning.
pub(crate) fn explores(draw: u64) -> bool {
    unit(mix(draw ^ 1)) < EXPLORES
}

/// The score with what is drawn upon it.
pub(crate) fn drawn_cost(prospect: &Prospect, draw: u64) -> f32 {
    let even = unit(mix(draw ^ 2 ^ ((prospect.index as u64) << 8))) - 0.5;
    score(prospect) * (1.0 + 2.0 * JITTER * even)
}

/// Expected cost in microseconds; lower is better.
pub(crate) fn score(prospect: &Prospect) -> f32 {
    let p = prospect.success_low();
    let once = (prospect.total_us * prospect.queue() + (1.0 - p) * REFUSAL_US) / p;
    (once + prospect.loss_high() * LOSS_US) * prospect.shadow_price()
}

/// Far above any score, for those that are not to have this call while others can: of an unknown channel one trial is
/// under way at a time, and a slow start lets through a growing part.
pub(crate) fn held_back(prospect: &Prospect, draw: u64) -> f32 {
    const FAR: f32 = 1e12;
    if prospect.samples >= SLOW_START {
        return 0.0;
    }
    // As many at once as went well so far, and one more.
    let allowed = prospect.samples as f32 + 1.0;
    let gate = unit(mix(draw ^ 5 ^ ((prospect.index as u64) << 8)));
    let is_let = prospect.load < allowed && gate * SLOW_START as f32 <= allowed;
    if is_let { 0.0 } else { FAR * (1.0 + prospect.load) }
}

/// Who has not been asked for longest; equals are drawn.
pub(crate) fn longest_idle(prospects: &[Prospect], draw: u64) -> Option<usize> {
    let key = |p: &&Prospect| (p.idle, mix(draw ^ 6 ^ ((p.index as u64) << 8)));
    prospects.iter().max_by_key(key).map(|prospect| prospect.index)
}

/// A place in a list of so many.
fn below(draw: u64, len: usize) -> usize {
    let wide = (u128::from(draw) * len as u128) >> 64;
    usize::try_from(wide).unwrap_or(0)
}

#[cfg(test)]
pub(crate) mod tests;
