//! What can be foretold of one call on each candidate: how long it takes, how likely it succeeds, how crowded the place
//! is. Shared by the algorithms that look at performance, and by explanations.

use std::time::Duration;

use smallvec::SmallVec;

use crate::{Candidate, Pool, Remaining, prompt_factor};

/// A call that says nothing of its size is taken for one of these many tokens.
const USUAL_PROMPT: u32 = 1_000;
const USUAL_OUTPUT: u32 = 200;

/// Of a pool that nobody has called yet.
const USUAL_TTFT_US: f32 = 1_000_000.0;
const USUAL_TPOT_US: f32 = 20_000.0;

/// How many good attempts everyone is credited with beforehand.
const CREDIT: f32 = 4.0;

/// How much of a peak's excess over the mean is expected to last, and in times of the mean the excess that is half
/// believed: one answer that hung for half a minute says less than its length.
const PEAK: f32 = 0.2;
const HALF_BELIEVED: f32 = 8.0;

/// With as many under way as there is room for, everything takes so many times longer: for the crowd, and for the queue.
const CROWDING: f32 = 0.5;
const QUEUEING: f32 = 6.0;

/// Where no limit is known there is room for this many, and for twice a fair share of what is under way.
const LEAST_ROOM: f32 = 8.0;

/// The normal quantile of 90 %.
const CAUTION: f32 = 1.281_6;

/// One candidate as this call would find it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Prospect {
    pub(crate) index: usize,
    pub(crate) weight: f32,
    /// Attempts under way here and elsewhere.
    pub(crate) load: f32,
    /// How many are many, for its weight: the limit, or what the pool suggests where there is none.
    pub(crate) room: f32,
    /// Nothing was learned of its speed; it is taken for the median of the others.
    pub(crate) unknown: bool,
    pub(crate) samples: u32,
    /// Expected until the first token of this prompt, and for each token of output, in microseconds.
    pub(crate) ttft_us: f32,
    pub(crate) tpot_us: f32,
    /// Of the whole call.
    pub(crate) total_us: f32,
    /// The same by the peaks alone.
    pub(crate) worst_us: f32,
    pub(crate) spread: f32,
    pub(crate) good: f32,
    pub(crate) bad: f32,
    pub(crate) judged: f32,
    pub(crate) lost: f32,
    pub(crate) headroom: f32,
    pub(crate) pace: f32,
    pub(crate) price_micros: f32,
    pub(crate) idle: Duration,
}

/// All that remain, in their order; held without an allocation up to 16.
pub(crate) type Prospects = SmallVec<[Prospect; 16]>;

pub(crate) fn survey(pool: &Pool<'_>, remaining: &Remaining) -> Prospects {
    let size = pool.size;
    let prompt = if size.prompt_tokens == 0 { USUAL_PROMPT } else { size.prompt_tokens };
    let output = if size.output_tokens == 0 { USUAL_OUTPUT } else { size.output_tokens };
    let prompt = prompt_factor(prompt);
    let mut prospects: Prospects = remaining
        .of(pool)
        .map(|(index, candidate)| prospect(index, candidate, prompt, output as f32))
        .collect();
    fill_unknown(&mut prospects, prompt, output as f32);
    let (load, weight) = prospects.iter().fold((0.0, 0.0), |(l, w), p| (l + p.load, w + p.weight));
    let price = median(prospects.iter().map(|p| p.price_micros).filter(|price| *price > 0.0));
    for prospect in &mut prospects {
        if prospect.room == f32::INFINITY {
            // Nobody knows how much it bears: some more than twice its share of what is under way is much.
            prospect.room = LEAST_ROOM + 2.0 * load * prospect.weight / weight;
        }
        if prospect.price_micros == 0.0 {
            prospect.price_micros = price.unwrap_or(0.0);
        }
    }
    prospects
}

fn prospect(index: usize, candidate: &Candidate, prompt: f32, output: f32) -> Prospect {
    let snapshot = &candidate.snapshot;
    let positive = |value: f32| if value.is_finite() { value.max(0.0) } else { 0.0 };
    let ttft_us = expected(positive(snapshot.ttft_us), positive(snapshot.ttft_mean_us)) * prompt;
    let tpot_us = expected(positive(snapshot.tpot_us), positive(snapshot.tpot_mean_us));
    Prospect {
        index,
        weight: candidate.weight.max(1) as f32,
        load: snapshot.in_flight as f32 + snapshot.in_flight_elsewhere as f32,
        room: if snapshot.limit == u32::MAX { f32::INFINITY } else { snapshot.limit.max(1) as f32 },
        unknown: snapshot.samples == 0 || ttft_us == 0.0,
        samples: snapshot.samples,
        ttft_us,
        tpot_us,
        total_us: ttft_us + output * tpot_us,
        worst_us: positive(snapshot.ttft_us) * prompt + output * positive(snapshot.tpot_us),
        spread: positive(snapshot.spread),
        good: positive(snapshot.good),
        bad: positive(snapshot.bad),
        judged: positive(snapshot.judged),
        lost: positive(snapshot.lost),
        headroom: positive(snapshot.headroom).min(1.0),
        pace: positive(snapshot.pace),
        price_micros: candidate.price_micros as f32,
        idle: snapshot.idle,
    }
}

/// What to expect by the long-run mean and the recent peak. The mean is what mostly comes; the peak warns, but followed
/// alone it would send everybody after the last sample.
pub(crate) fn expected(peak: f32, mean: f32) -> f32 {
    if mean <= 0.0 {
        return peak;
    }
    let excess = (peak / mean - 1.0).max(0.0);
    mean * (1.0 + PEAK * excess / (1.0 + excess / HALF_BELIEVED))
}

/// What is not known is taken for the median of what is.
fn fill_unknown(prospects: &mut Prospects, prompt: f32, output: f32) {
    if prospects.iter().all(|p| !p.unknown && p.tpot_us > 0.0) {
        return;
    }
    let known = |p: &&Prospect| !p.unknown;
    let ttft = median(prospects.iter().filter(known).map(|p| p.ttft_us)).unwrap_or(USUAL_TTFT_US * prompt);
    let tpot = median(prospects.iter().filter(known).map(|p| p.tpot_us).filter(|tpot| *tpot > 0.0))
        .unwrap_or(USUAL_TPOT_US);
    for prospect in prospects {
        if prospect.unknown {
            prospect.ttft_us = ttft;
        }
        if prospect.unknown || prospect.tpot_us == 0.0 {
            prospect.tpot_us = tpot;
        }
        prospect.total_us = prospect.ttft_us + output * prospect.tpot_us;
    }
}

/// The lower of the two middle ones.
pub(crate) fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut values: SmallVec<[f32; 16]> = values.collect();
    let middle = values.len().checked_sub(1)? / 2;
    let (_, value, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    Some(*value)
}

impl Prospect {
    pub(crate) fn success(&self) -> f32 {
        (self.good + CREDIT) / (self.good + self.bad + CREDIT)
    }

    /// How far off that may be: one standard deviation.
    pub(crate) fn doubt(&self) -> f32 {
        let mean = self.success();
        (mean * (1.0 - mean) / (self.good + self.bad + CREDIT + 1.0)).max(0.0).sqrt()
    }

    /// Expected share of calls lost.
    pub(crate) fn loss(&self) -> f32 {
        (self.lost / (self.judged + CREDIT)).min(1.0)
    }

    /// The same with caution, by one standard deviation: nobody's call is worth losing to learn of a loss.
    pub(crate) fn loss_high(&self) -> f32 {
        let mean = self.loss();
        mean + (mean * (1.0 - mean) / (self.judged + CREDIT + 1.0)).sqrt()
    }

    /// What using up rate windows costs, as a factor: nothing while they are used slowly, as much again at the pace that
    /// they bear, and soon more than anything else is worth. A window spent early leaves its channel useless, and the
    /// others overrun, until it is whole again.
    pub(crate) fn shadow_price(&self) -> f32 {
        let squared = self.pace * self.pace;
        let fourth = squared * squared;
        1.0 + (fourth * fourth).min(1e6)
    }

    /// Exceeded with a chance of nine in ten. Who never failed is trusted whatever the number of samples: caution
    /// about those that are seldom asked would keep them from being asked.
    pub(crate) fn success_low(&self) -> f32 {
        (self.success() - CAUTION * self.doubt()).clamp(0.02, 1.0)
    }

    /// In times of an empty place. Vendors slow down as they fill; beyond what they bear calls queue, and as in C3 (NSDI
    /// 2015) the cost of a queue grows with its cube, so that herds turn away early.
    pub(crate) fn queue(&self) -> f32 {
        let fill = (self.load / self.room).min(100.0);
        1.0 + CROWDING * fill + QUEUEING * fill * fill * fill
    }
}

/// The candidate of the least cost; what is no number comes last.
pub(crate) fn least(prospects: &[Prospect], cost: impl Fn(&Prospect) -> f32) -> Option<usize> {
    let costs = prospects.iter().map(|prospect| (cost(prospect), prospect.index));
    costs.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, index)| index)
}

/// A number in [0, 1) from the high bits of a draw.
pub(crate) fn unit(draw: u64) -> f32 {
    (draw >> 40) as f32 / (1u64 << 24) as f32
}

/// Roughly normal, of mean 0 and deviation 1, within 3.5: the sum of four even numbers.
pub(crate) fn normal(draw: u64) -> f32 {
    let sum = (0..4).map(|part| (draw >> (16 * part)) & 0xffff).sum::<u64>();
    (sum as f32 / 65_536.0 - 2.0) * 1.732_05
}

#[cfg(test)]
mod tests;
