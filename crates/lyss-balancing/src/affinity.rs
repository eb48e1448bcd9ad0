//! A session, or a prompt's beginning, goes where it went before, since the vendor's cache of it is worth more than a
//! few milliseconds: rendezvous hashing (Thaler and Ravishankar 1996), weighted by Schindelhauer and Schomaker's
//! logarithmic method, with the bounded loads of Mirrokni, Thorup and Zadimoghaddam (2016).
//!
//! No table is kept: every replica computes the same place, and a channel that leaves or joins moves only the sessions
//! that were, or will be, its own. A place that is ejected, cooling, full or drained never comes here; one that
//! carries more than its share, has become slow, unreliable or nearly out of its rate window, yields to the second.

use crate::prediction::expected;
use crate::round_robin::mix;
use crate::{Candidate, Pool, Remaining};

/// How far above its share of what is under way a channel may be loaded by affinity.
const BOUND: f32 = 1.25;

/// A channel with fewer attempts under way than this is not crowded, whatever its share.
const UNCROWDED: f32 = 4.0;

/// So many times slower to its first token than the best of the pool, and a cache is no longer worth it.
const SLOWER: f32 = 3.0;

/// Differences below this are not worth a lost cache, whatever their ratio.
const SLOWER_BY_US: f32 = 500_000.0;

/// With so little of a rate window left, what is left goes to those who have nowhere else to go.
const HEADROOM_LEFT: f32 = 0.03;

/// The place of `key`, or of those that are next in its order; `None`: the algorithm is to decide.
pub(crate) fn pick(pool: &Pool<'_>, remaining: &Remaining, key: u64) -> Option<usize> {
    let (mut weights, mut load, mut fastest, mut surest) = (0.0f32, 1.0f32, f32::INFINITY, 0.0f32);
    for (_, candidate) in remaining.of(pool) {
        weights += candidate.weight as f32;
        load += under_way(candidate);
        surest = surest.max(success(candidate));
        let ttft = ttft(candidate);
        if ttft > 0.0 {
            fastest = fastest.min(ttft);
        }
    }
    let mut best: Option<(f32, usize)> = None;
    for (index, candidate) in remaining.of(pool) {
        let share = (BOUND * load * candidate.weight as f32 / weights).ceil().max(UNCROWDED);
        let ttft = ttft(candidate);
        let yields = under_way(candidate) + 1.0 > share
            || (ttft > SLOWER * fastest && ttft - fastest > SLOWER_BY_US)
            || success(candidate) < surest * 0.6
            || candidate.snapshot.headroom < HEADROOM_LEFT;
        let rank = rank(candidate, key);
        if !yields && best.is_none_or(|(most, _)| rank > most) {
            best = Some((rank, index));
        }
    }
    best.map(|(_, index)| index)
}

/// Higher is nearer; the same wherever and whenever it is computed. A channel is highest for its weight's share of keys.
pub(crate) fn rank(candidate: &Candidate, key: u64) -> f32 {
    let (high, low) = candidate.channel.0.as_u64_pair();
    let hash = mix(key ^ mix(high ^ mix(low)));
    // In (0, 1), never at its ends.
    let uniform = ((hash >> 40) as f32 + 0.5) / (1u64 << 24) as f32;
    candidate.weight as f32 / -uniform.ln()
}

fn ttft(candidate: &Candidate) -> f32 {
    expected(candidate.snapshot.ttft_us, candidate.snapshot.ttft_mean_us)
}

fn under_way(candidate: &Candidate) -> f32 {
    candidate.snapshot.in_flight as f32 + candidate.snapshot.in_flight_elsewhere as f32
}

fn success(candidate: &Candidate) -> f32 {
    let (good, bad) = (candidate.snapshot.good.max(0.0), candidate.snapshot.bad.max(0.0));
    (good + 2.0) / (good + bad + 2.0)
}

#[cfg(test)]
mod tests;
