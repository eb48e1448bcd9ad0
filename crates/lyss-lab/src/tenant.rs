//! A tenant's own figures as a scenario: which algorithm would serve this traffic best on these channels.
//!
//! ```no_run
//! use std::time::Duration;
//! use lyss_lab::tenant::{ChannelFigures, Quantiles, TrafficFigures, scenario};
//!
//! let channels = [ChannelFigures {
//!     name: "azure-eu".to_owned(),
//!     weight: 100,
//!     priority: 0,
//!     concurrency: None,
//!     ttft: Quantiles { p50: Duration::from_millis(420), p95: Duration::from_millis(900) },
//!     tpot: Quantiles { p50: Duration::from_millis(14), p95: Duration::from_millis(22) },
//!     failure_rate: 0.002,
//!     rate_limited: 0.0,
//!     prompt_micros_per_million: 150_000,
//!     output_micros_per_million: 600_000,
//! }];
//! let traffic = TrafficFigures::steady(5.0, Duration::from_secs(120), vec![800, 1_200], vec![200, 350]);
//! let report = lyss_lab::simulate(&scenario("acme", &channels, &traffic));
//! for row in &report.rows {
//!     println!("{}: {:.2} calls/s", row.policy, row.figures.goodput_per_s);
//! }
//! ```

use std::time::Duration;

use lyss_domain::FaultKind;

use crate::draws::{exp, ln};
use crate::scenario::{Arrivals, Faults, Price, Refusal, Scenario, Sizes, Timers, Traffic, Upstream};
use crate::traffic::seconds;

/// What was measured of one channel with one model.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelFigures {
    pub name: String,
    pub weight: u32,
    pub priority: i32,
    pub concurrency: Option<u32>,
    /// Of the prompts it was given.
    pub ttft: Quantiles,
    pub tpot: Quantiles,
    /// Attempts that failed by the vendor's or the network's fault over all attempts, 0 to 1.
    pub failure_rate: f64,
    /// Attempts answered by a 429 over all attempts, 0 to 1; not among the failures.
    pub rate_limited: f64,
    /// 0: not known.
    pub prompt_micros_per_million: u64,
    pub output_micros_per_million: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantiles {
    pub p50: Duration,
    pub p95: Duration,
}

/// Recorded calls, or their rate.
#[derive(Clone, Debug, PartialEq)]
pub struct TrafficFigures {
    pub arrivals: RecordedArrivals,
    /// Sizes of recorded calls, in tokens; with recorded arrivals in the same order, else drawn from at random.
    pub prompt_tokens: Vec<u32>,
    pub output_tokens: Vec<u32>,
    /// How much time is simulated.
    pub span: Duration,
    /// Processes of the service.
    pub replicas: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RecordedArrivals {
    PerSecond(f64),
    /// Since the first of them, in order.
    At(Vec<Duration>),
}

impl TrafficFigures {
    /// One process, calls at an even rate.
    pub fn steady(per_second: f64, span: Duration, prompt_tokens: Vec<u32>, output_tokens: Vec<u32>) -> Self {
        Self {
            arrivals: RecordedArrivals::PerSecond(per_second),
            prompt_tokens,
            output_tokens,
            span,
            replicas: 1,
        }
    }
}

/// The scenario of these channels under this traffic, with one run. What the figures do not tell is assumed: a failure
/// comes before the first token and takes half of the median time to it, a 429 is one of them and lasts no longer than
/// itself, no channel slows down as it fills, and queues only where its concurrency is limited.
pub fn scenario(name: &str, channels: &[ChannelFigures], traffic: &TrafficFigures) -> Scenario {
    let prompt = mean(&traffic.prompt_tokens);
    let arrivals = match &traffic.arrivals {
        RecordedArrivals::PerSecond(per_second) => Arrivals::Poisson { per_second: *per_second },
        RecordedArrivals::At(moments) => Arrivals::At(moments.clone()),
    };
    Scenario {
        name: name.to_owned(),
        about: format!("{} channels as measured, under recorded traffic", channels.len()),
        span: traffic.span,
        replicas: traffic.replicas.clamp(1, 16),
        hints_every: Some(Duration::from_millis(250)),
        traffic: Traffic {
            arrivals,
            prompt_tokens: Sizes::Recorded(traffic.prompt_tokens.clone()),
            output_tokens: Sizes::Recorded(traffic.output_tokens.clone()),
            sessions: None,
        },
        upstreams: channels.iter().map(|channel| channel.upstream(prompt)).collect(),
        changes: Vec::new(),
        timers: Timers::default(),
        hedged: false,
        seeds: vec![0x1ab],
        luck: 0,
    }
}

impl ChannelFigures {
    /// `prompt`: tokens of the mean prompt that its time to the first token was measured with.
    fn upstream(&self, prompt: f64) -> Upstream {
        let usual = Upstream::usual(&self.name);
        let size = crate::draws::power((prompt / 1_000.0).max(0.02), usual.prompt_exponent);
        let refused = (self.failure_rate.clamp(0.0, 1.0) + self.rate_limited.clamp(0.0, 1.0)).min(1.0);
        let refusal = Refusal { chance: refused, kind: FaultKind::VendorError, after: self.ttft.p50 / 2 };
        Upstream {
            weight: self.weight,
            priority: self.priority,
            concurrency: self.concurrency,
            ttft: seconds(self.ttft.p50.as_secs_f64() / size),
            tpot: self.tpot.p50,
            noise: self.ttft.sigma().max(self.tpot.sigma()),
            slots: u32::MAX,
            crowding: 0.0,
            faults: Faults { refusal: (refused > 0.0).then_some(refusal), ..Faults::default() },
            price: Price { prompt: self.prompt_micros_per_million, output: self.output_micros_per_million },
            ..usual
        }
    }
}

impl Quantiles {
    /// Spread of the logarithm, as if it were normal: its 95th percentile lies 1.645 spreads above the median.
    fn sigma(&self) -> f64 {
        let (p50, p95) = (self.p50.as_secs_f64(), self.p95.as_secs_f64());
        if p50 > 0.0 && p95 > p50 { (ln(p95 / p50) / 1.644_853_6).min(exp(1.0)) } else { 0.05 }
    }
}

fn mean(tokens: &[u32]) -> f64 {
    let sum: f64 = tokens.iter().map(|tokens| f64::from(*tokens)).sum();
    if tokens.is_empty() { 1_000.0 } else { sum / tokens.len() as f64 }
}

#[cfg(test)]
mod tests;
