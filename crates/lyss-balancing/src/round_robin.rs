//! Smooth weighted round robin, as nginx describes it: each pick gives every candidate its weight as credit, the
//! richest serves and pays the sum. Shares are exact in every cycle and a heavy channel's turns are spread out.
//!
//! Credits are kept per group and channel, not per place in a list, so that an edit of the list resets nobody. A
//! candidate that was tried, may not serve, or belongs to another priority, neither earns nor pays: the others rotate among
//! themselves, and its own turn stays where it was.

use lyss_domain::{ChannelId, Tick};
use smallvec::SmallVec;

use crate::groups::Groups;
use crate::{Balancer, Candidate, Pool, Remaining};

/// How far into its cycle a fresh rotation may begin, in picks.
const START_SPAN: u64 = 256;

#[derive(Debug)]
pub struct RoundRobin {
    seed: u64,
    groups: Groups<Group>,
}

/// What each of those that remain is owed, in their order.
pub type Credits = SmallVec<[i64; 16]>;

/// The rotation of one group.
#[derive(Debug, Default)]
struct Group {
    /// In the order channels were first seen, which is mostly the order they are asked for in.
    turns: Vec<Turn>,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    channel: ChannelId,
    credit: i64,
}

impl RoundRobin {
    /// `seed` decides where in its cycle each group begins.
    pub fn new(seed: u64) -> Self {
        Self { seed, groups: Groups::new() }
    }

    /// As [`Balancer::pick`]; what everybody was owed before is written to `credits`.
    pub(crate) fn pick_recorded(
        &self,
        pool: &Pool<'_>,
        remaining: &Remaining,
        now: Tick,
        credits: Option<&mut Credits>,
    ) -> Option<usize> {
        // Nothing to choose from must not cost a stored group.
        if remaining.is_empty() {
            return None;
        }
        self.groups.with(pool.group, now, |group| {
            group.admit(pool, remaining, mix(self.seed ^ pool.group));
            if let Some(credits) = credits {
                *credits = group.credits(pool, remaining);
            }
            group.rotate(pool, remaining)
        })?
    }

    /// What everybody is owed before the next pick; nobody's turn is used up.
    pub(crate) fn owed(&self, pool: &Pool<'_>, remaining: &Remaining, now: Tick) -> Credits {
        let owed = self.groups.with(pool.group, now, |group| {
            group.admit(pool, remaining, mix(self.seed ^ pool.group));
            group.credits(pool, remaining)
        });
        owed.unwrap_or_default()
    }

    /// Who would serve, were these the credits.
    pub(crate) fn replay(pool: &Pool<'_>, remaining: &Remaining, credits: &[i64]) -> Option<usize> {
        let mut group = Group::default();
        for ((_, candidate), credit) in remaining.of(pool).zip(credits) {
            // A channel that is listed twice has one turn.
            if !group.turns.iter().any(|turn| turn.channel == candidate.channel) {
                group.turns.push(Turn { channel: candidate.channel, credit: *credit });
            }
        }
        group.rotate(pool, remaining)
    }
}

impl Balancer for RoundRobin {
    fn pick(&self, pool: &Pool<'_>, remaining: &Remaining, _draw: u64, now: Tick) -> Option<usize> {
        self.pick_recorded(pool, remaining, now, None)
    }
}

impl Group {
    /// Gives every eligible candidate a place. One that joins others starts at their average, so that it is neither
    /// owed a burst nor left waiting; a wholly new rotation begins at a point of its cycle that `seed` decides.
    fn admit(&mut self, pool: &Pool<'_>, remaining: &Remaining, seed: u64) {
        let (mut known, mut unknown, mut sum, mut from) = (0i64, 0usize, 0i64, 0usize);
        for (_, candidate) in remaining.of(pool) {
            match self.find(candidate.channel, &mut from) {
                Some(turn) => {
                    known += 1;
                    sum = sum.saturating_add(turn.credit);
                }
                None => unknown += 1,
            }
        }
        if unknown == 0 {
            return;
        }
        self.forget_departed(pool);
        let credit = sum.checked_div(known).unwrap_or(0);
        for (_, Candidate { channel, .. }) in remaining.of(pool) {
            if !self.turns.iter().any(|turn| turn.channel == *channel) {
                self.turns.push(Turn { channel: *channel, credit });
            }
        }
        if known == 0 {
            for _ in 0..seed % START_SPAN {
                self.rotate(pool, remaining);
            }
        }
    }

    fn credits(&mut self, pool: &Pool<'_>, remaining: &Remaining) -> Credits {
        let mut from = 0;
        let of = |(_, candidate): (usize, &Candidate)| {
            self.find(candidate.channel, &mut from).map_or(0, |turn| turn.credit)
        };
        remaining.of(pool).map(of).collect()
    }

    /// One turn of the wheel: every eligible candidate earns its weight, the richest pays the sum of all.
    fn rotate(&mut self, pool: &Pool<'_>, remaining: &Remaining) -> Option<usize> {
        let total: i64 = remaining.of(pool).map(|(_, candidate)| i64::from(candidate.weight)).sum();
        // Steady credits stay well inside this; what lies outside comes from weights edited since, and would
        // keep a channel waiting, or serving, for as many picks as its old weight was worth.
        let bound = self.bound(pool);
        let mut best: Option<(usize, ChannelId, i64)> = None;
        let mut from = 0;
        for (index, candidate) in remaining.of(pool) {
            let Some(turn) = self.find(candidate.channel, &mut from) else { continue };
            turn.credit = turn.credit.clamp(-bound, bound).saturating_add(i64::from(candidate.weight));
            if best.is_none_or(|(_, _, credit)| turn.credit > credit) {
                best = Some((index, candidate.channel, turn.credit));
            }
        }
        let (index, channel, _) = best?;
        if let Some(turn) = self.find(channel, &mut 0) {
            turn.credit = turn.credit.saturating_sub(total);
        }
        Some(index)
    }

    /// Twice the sum of all weights.
    fn bound(&self, pool: &Pool<'_>) -> i64 {
        pool.candidates.iter().map(|candidate| i64::from(candidate.weight)).sum::<i64>().saturating_mul(2)
    }

    /// Looks from where the last search ended: a list asked for in its stored order is found in one pass.
    fn find(&mut self, channel: ChannelId, from: &mut usize) -> Option<&mut Turn> {
        let is = |turn: &Turn| turn.channel == channel;
        let ahead =
            self.turns.get(*from..).and_then(|rest| rest.iter().position(is)).map(|step| *from + step);
        let at = ahead.or_else(|| self.turns.iter().position(is))?;
        *from = at + 1;
        self.turns.get_mut(at)
    }

    /// Channels that left keep their place for a while, since they may only be cooling down; not for ever.
    fn forget_departed(&mut self, pool: &Pool<'_>) {
        if self.turns.len() > pool.candidates.len().saturating_mul(2).saturating_add(16) {
            self.turns
                .retain(|turn| pool.candidates.iter().any(|candidate| candidate.channel == turn.channel));
        }
    }
}

/// SplitMix64's finaliser: neighbouring numbers come out unrelated.
pub(crate) fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests;
