//! How fast a model answers: the time to the first token and the time for each further one, learned apart.
//!
//! Both are peak-reactive, as in Finagle's Peak EWMA: a slower sample counts at once and in full, and its excess over
//! the long-run mean fades by time. Means and spread are those of logarithms, since such times are skewed. What failed
//! never counts as fast: it may only raise a figure.

use std::time::Duration;

use lyss_domain::Tick;

use crate::snapshot::prompt_factor;

/// The excess of a peak fades with this time constant.
const PEAK_FADES_SECS: f32 = 10.0;
/// The mean follows at least this fast, by time and by count.
const MEAN_FOLLOWS_SECS: f32 = 30.0;
const MEAN_FOLLOWS_COUNT: f32 = 16.0;
/// No single sample moves the mean by more than this share of the way, after however long a silence.
const MOST_AT_ONCE: f32 = 0.5;
/// Of so few samples the mean stands for the peak: the first ones carry the making of a connection.
const FEW: u32 = 4;
/// The spread that is assumed before one was seen: about a third up or down.
const FIRST_SPREAD: f32 = 0.3;

const SHORTEST_US: f32 = 10.0;
const LONGEST_US: f32 = 1.8e9;

/// Fewer tokens say too little of the time for each.
const FEWEST_TOKENS: u32 = 8;
/// What the first token is worth in further ones, where only whole answers were seen.
const FIRST_IN_TOKENS: f32 = 25.0;
/// Of a whole answer at least this share is the time to its first token.
const LEAST_FIRST_SHARE: f32 = 0.05;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Speed {
    /// For a prompt of the reference length.
    pub(crate) ttft: Track,
    pub(crate) tpot: Track,
    /// A time for each token was measured, and not only guessed from whole answers.
    measured: bool,
}

/// One figure in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Track {
    count: u32,
    log_mean: f32,
    log_variance: f32,
    peak: f32,
    at: Tick,
}

/// What one attempt showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub(crate) prompt_tokens: u32,
    pub(crate) output_tokens: u32,
    pub(crate) ttft: Option<Duration>,
    pub(crate) total: Duration,
}

impl Speed {
    /// An attempt that went well, or that went well until its caller left.
    pub(crate) fn record(&mut self, shown: &Shown, now: Tick) {
        let factor = prompt_factor(shown.prompt_tokens);
        let total = micros(shown.total);
        // The first token is there already.
        let further = shown.output_tokens.saturating_sub(1) as f32;
        match shown.ttft {
            Some(ttft) => {
                self.ttft.record(micros(ttft) / factor, now);
                if shown.output_tokens >= FEWEST_TOKENS {
                    self.tpot.record((total - micros(ttft)).max(0.0) / further, now);
                    self.measured = true;
                }
            }
            None => self.record_whole(total, further, factor, now),
        }
    }

    /// A whole answer tells only the sum. Where the time for each token is known the rest is the first one's. Where it is
    /// not, or the sum is less than the tokens alone should have taken, it is divided as the figures stand to each other.
    fn record_whole(&mut self, total: f32, further: f32, factor: f32, now: Tick) {
        if self.measured {
            let rest = total - further * self.tpot.mean();
            if rest >= total * LEAST_FIRST_SHARE {
                return self.ttft.record(rest / factor, now);
            }
        }
        let (first, each) = if self.ttft.count > 0 && self.tpot.count > 0 {
            (self.ttft.mean() * factor, self.tpot.mean())
        } else {
            (FIRST_IN_TOKENS, 1.0)
        };
        let scale = total / (first + further * each).max(f32::MIN_POSITIVE);
        self.ttft.record(first * scale / factor, now);
        if further >= FEWEST_TOKENS as f32 {
            self.tpot.record(each * scale, now);
        }
    }

    /// So long nothing came: the first token would have taken at least that. Nothing is learned where it is no news.
    pub(crate) fn waited(&mut self, prompt_tokens: u32, silence: Duration, now: Tick) {
        self.ttft.raise(micros(silence) / prompt_factor(prompt_tokens), now);
    }
}

impl Track {
    /// Zero: nothing was learned yet.
    pub(crate) fn value(&self, now: Tick) -> f32 {
        if self.count == 0 {
            return self.peak;
        }
        let mean = self.mean();
        mean + (self.peak - mean).max(0.0) * fading(now.since(self.at), PEAK_FADES_SECS)
    }

    /// The geometric mean, which follows slowly.
    pub(crate) fn mean(&self) -> f32 {
        if self.count == 0 { 0.0 } else { self.log_mean.exp() }
    }

    /// Of the logarithm.
    pub(crate) fn spread(&self) -> f32 {
        self.log_variance.max(0.0).sqrt()
    }

    fn record(&mut self, sample: f32, now: Tick) {
        let sample = sound(sample);
        let log = sample.ln();
        if self.count == 0 {
            let variance = FIRST_SPREAD * FIRST_SPREAD;
            *self = Self {
                count: 1,
                log_mean: log,
                log_variance: variance,
                peak: sample.max(self.peak),
                at: now,
            };
            return;
        }
        let gap = now.since(self.at);
        let value = self.value(now);
        let by_count = 1.0 / (self.count as f32 + 1.0).min(MEAN_FOLLOWS_COUNT);
        let share = by_count.max(1.0 - fading(gap, MEAN_FOLLOWS_SECS)).min(MOST_AT_ONCE);
        let away = log - self.log_mean;
        self.log_mean += share * away;
        self.log_variance = (1.0 - share) * (self.log_variance + share * away * away);
        self.count = self.count.saturating_add(1);
        self.peak = if self.count <= FEW { self.mean() } else { value.max(sample) };
        self.at = self.at.max(now);
    }

    /// At least this, without a measurement: the mean stays.
    fn raise(&mut self, least: f32, now: Tick) {
        let least = sound(least);
        let value = self.value(now);
        if self.count > 0 && least > value {
            self.peak = least;
            self.at = self.at.max(now);
        }
    }

    /// As it stood elsewhere or before a restart; own samples soon outweigh it.
    pub(crate) fn restore(&mut self, mean: f32, spread: f32, now: Tick) {
        if self.count == 0 && mean.is_finite() && mean > 0.0 {
            let mean = sound(mean);
            let spread = if spread.is_finite() { spread.clamp(0.0, 3.0) } else { FIRST_SPREAD };
            *self =
                Self { count: 1, log_mean: mean.ln(), log_variance: spread * spread, peak: mean, at: now };
        }
    }
}

fn fading(gap: Duration, constant_secs: f32) -> f32 {
    (-gap.as_secs_f32() / constant_secs).exp()
}

fn micros(span: Duration) -> f32 {
    span.as_secs_f32() * 1e6
}

fn sound(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(SHORTEST_US, LONGEST_US) } else { LONGEST_US }
}

#[cfg(test)]
mod tests;
