//! Each call on its own: a channel is drawn with a chance of exactly its weight over the sum of weights.

use lyss_domain::Tick;

use crate::{Balancer, Pool, Remaining};

/// Keeps no state, so that an edit of the weights holds from the next call on.
#[derive(Clone, Copy, Debug, Default)]
pub struct WeightedRandom;

impl Balancer for WeightedRandom {
    fn pick(&self, pool: &Pool<'_>, remaining: &Remaining, draw: u64, _now: Tick) -> Option<usize> {
        let eligible = remaining.of(pool);
        let total: u64 = eligible.clone().map(|(_, candidate)| u64::from(candidate.weight)).sum();
        let mut left = scale(draw, total);
        eligible
            .map(|(index, candidate)| (index, u64::from(candidate.weight)))
            .find(|(_, weight)| {
                let here = left < *weight;
                left = left.saturating_sub(*weight);
                here
            })
            .map(|(index, _)| index)
    }
}

/// A uniform 64-bit draw as a number below `total`. A multiplication keeps the high bits, so no value is more than
/// one draw in 2^64 ahead of another, where a remainder would favour the small ones.
fn scale(draw: u64, total: u64) -> u64 {
    let wide = (u128::from(draw) * u128::from(total)) >> 64;
    u64::try_from(wide).unwrap_or(0)
}

#[cfg(test)]
mod tests;
