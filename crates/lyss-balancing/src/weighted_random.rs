//! Each call on its own: a channel is drawn with a chance of its weight over the sum of weights, where a weight counts
//! less the worse a channel has served lately: by the share that went well, and by the root of how slow it is in times of the
//! median. It never counts less than a twentieth, so that it stays the operator's word.

use lyss_domain::Tick;

use crate::prediction::{Prospect, median, survey};
use crate::{Balancer, Pool, Remaining};

/// Keeps no state, so that an edit of the weights holds from the next call on.
#[derive(Clone, Copy, Debug, Default)]
pub struct WeightedRandom;

/// A full weight in parts.
const WHOLE: u64 = 1_024;

/// Least share of its weight that a channel keeps, in parts.
const FLOOR: u64 = 52;

impl Balancer for WeightedRandom {
    fn pick(&self, pool: &Pool<'_>, remaining: &Remaining, draw: u64, _now: Tick) -> Option<usize> {
        // Weights are exact where nothing was learned, and nothing need be computed.
        if remaining.of(pool).all(|(_, candidate)| candidate.snapshot.samples == 0) {
            return drawn(remaining.of(pool).map(|(index, c)| (index, u64::from(c.weight))), draw);
        }
        let prospects = survey(pool, remaining);
        let median = median(prospects.iter().filter(|p| !p.unknown).map(|p| p.worst_us));
        drawn(
            prospects.iter().zip(remaining.of(pool)).map(|(prospect, (index, candidate))| {
                (index, u64::from(candidate.weight) * parts(prospect, median))
            }),
            draw,
        )
    }
}

/// The same as a part of one.
pub(crate) fn part(prospect: &Prospect, median_us: Option<f32>) -> f32 {
    parts(prospect, median_us) as f32 / WHOLE as f32
}

/// How much of its weight counts, in parts.
fn parts(prospect: &Prospect, median_us: Option<f32>) -> u64 {
    if prospect.samples == 0 {
        return WHOLE;
    }
    let speed = median_us.map_or(1.0, |median| (median / prospect.worst_us.max(1.0)).min(1.0).sqrt());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to WHOLE")]
    let parts = (prospect.success_low() * speed * WHOLE as f32).round() as u64;
    parts.clamp(FLOOR, WHOLE)
}

/// One of the list with a chance of exactly its share of the sum.
fn drawn(weights: impl Iterator<Item = (usize, u64)> + Clone, draw: u64) -> Option<usize> {
    let total: u64 = weights.clone().map(|(_, weight)| weight).sum();
    let mut left = scale(draw, total);
    let mut chosen = weights.skip_while(|(_, weight)| {
        let beyond = left >= *weight;
        if beyond {
            left -= *weight;
        }
        beyond
    });
    chosen.next().map(|(index, _)| index)
}

/// A uniform 64-bit draw as a number below `total`. A multiplication keeps the high bits, so no value is more than
/// one draw in 2^64 ahead of another, where a remainder would favour the small ones.
fn scale(draw: u64, total: u64) -> u64 {
    let wide = (u128::from(draw) * u128::from(total)) >> 64;
    u64::try_from(wide).unwrap_or(0)
}

#[cfg(test)]
mod tests;
