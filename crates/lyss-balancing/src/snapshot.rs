//! What is known of one channel and model at the moment of a choice: small, copied, and all that an algorithm may see.

use std::time::Duration;

/// Learned figures are zero where nothing was learned yet; `samples` tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snapshot {
    pub standing: Standing,
    /// Attempts under way in this process.
    pub in_flight: u32,
    /// In flight elsewhere, as other replicas last said.
    pub in_flight_elsewhere: u32,
    /// Tokens of the attempts under way that are still to be read or written.
    pub outstanding_tokens: u32,
    /// How many attempts may be under way: what was set, or what was learned where that is less; `u32::MAX`: any number.
    pub limit: u32,
    /// Judged attempts since the slow start began; 0: unknown.
    pub samples: u32,
    /// To the first token of a prompt of [`REFERENCE_PROMPT`] tokens, peak-reactive, in microseconds.
    pub ttft_us: f32,
    /// The same as a long-run mean, which follows slowly and knows no peaks.
    pub ttft_mean_us: f32,
    /// For each token of output, peak-reactive, in microseconds.
    pub tpot_us: f32,
    /// The same as a long-run mean.
    pub tpot_mean_us: f32,
    /// Spread of the logarithm of the time to the first token.
    pub spread: f32,
    /// Discounted counts of what went well and what did not; a caller's own faults and hang-ups are in neither.
    pub good: f32,
    pub bad: f32,
    /// Of so many attempts judged, what the failures among them cost their callers, in calls; both discounted.
    pub judged: f32,
    pub lost: f32,
    /// What is left of the vendor's rate windows, 0 to 1, the scarcest of them; 1: nothing is known of any.
    pub headroom: f32,
    /// How fast those windows are being used, in times of what they bear until they are whole again; 0: nothing is known.
    pub pace: f32,
    /// Since an attempt was last sent.
    pub idle: Duration,
}

/// Prompt tokens that `ttft_us` is normalised to.
pub const REFERENCE_PROMPT: f32 = 1_000.0;

/// The time to the first token grows with this power of the prompt's length: less than in proportion, since queueing and
/// the way there are the same for all.
pub const PROMPT_EXPONENT: f32 = 0.3;

/// What a prompt of so many tokens takes to its first token, in times of the reference prompt.
pub fn prompt_factor(prompt_tokens: u32) -> f32 {
    let tokens = (prompt_tokens as f32).clamp(SHORTEST_PROMPT, LONGEST_PROMPT);
    (tokens / REFERENCE_PROMPT).powf(PROMPT_EXPONENT)
}

/// Beyond these lengths the power no longer holds.
const SHORTEST_PROMPT: f32 = 50.0;
const LONGEST_PROMPT: f32 = 500_000.0;

/// Whether it may serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Open,
    /// Ejected before; one attempt may show whether it is well again.
    OnTrial,
    /// The trial is under way.
    TrialTaken,
    /// Ejected for so long yet.
    Ejected(Duration),
    /// The vendor asked to be left alone for so long yet.
    Cooling(Duration),
}

impl Snapshot {
    pub const UNKNOWN: Self = Self {
        standing: Standing::Open,
        in_flight: 0,
        in_flight_elsewhere: 0,
        outstanding_tokens: 0,
        limit: u32::MAX,
        samples: 0,
        ttft_us: 0.0,
        ttft_mean_us: 0.0,
        tpot_us: 0.0,
        tpot_mean_us: 0.0,
        spread: 0.0,
        good: 0.0,
        bad: 0.0,
        judged: 0.0,
        lost: 0.0,
        headroom: 1.0,
        pace: 0.0,
        idle: Duration::MAX,
    };
}
