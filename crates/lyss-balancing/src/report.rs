//! What a person or a metric wants to know of a channel's state; never read by a decision.

use std::time::Duration;

use lyss_domain::{ChannelId, FaultKind, Tick};

use crate::Phase;

/// One breaker, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerReport {
    pub phase: Phase,
    /// What it was opened for, since when, and until when it waits; all `None` while it is closed.
    pub fault: Option<FaultKind>,
    pub since: Option<Tick>,
    pub until: Option<Tick>,
    /// In a row, without a whole slow start between them.
    pub openings: u32,
}

/// One model on one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelReport {
    pub channel: ChannelId,
    pub model: Box<str>,
    pub breaker: BreakerReport,
    pub cooling: Option<Duration>,
    pub last_fault: Option<(FaultKind, Tick)>,
    pub last_sent: Option<Tick>,
    pub samples: u32,
    pub in_flight: u32,
    pub in_flight_elsewhere: u32,
    pub outstanding_tokens: u32,
    /// Discounted counts, and the expected share of good attempts.
    pub good: f32,
    pub bad: f32,
    pub success: f32,
    /// As in the snapshot.
    pub ttft_us: f32,
    pub tpot_us: f32,
    pub spread: f32,
    pub headroom: f32,
    /// By the minute, as the vendor says.
    pub said_requests: Option<f32>,
    pub said_tokens: Option<f32>,
    /// By the minute, as refusals taught: requests and tokens.
    pub learned_limit: Option<(f32, f32)>,
    /// How many attempts it is believed to bear at once; `None`: not learned.
    pub learned_concurrency: Option<u32>,
}

/// A channel as a whole, and the worst of its models.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelReport {
    pub channel: ChannelId,
    pub breaker: BreakerReport,
    /// The worst phase of all: open before half-open before cooling before closed.
    pub worst: Phase,
    /// The model that is worst, where it is not the channel itself.
    pub worst_model: Option<Box<str>>,
    pub last_fault: Option<(FaultKind, Tick)>,
    pub last_sent: Option<Tick>,
    pub in_flight: u32,
    pub limit: Option<u32>,
    pub models: usize,
}

impl ModelReport {
    /// The breaker's, or that it is cooling.
    pub fn phase(&self) -> Phase {
        match self.breaker.phase {
            Phase::Closed if self.cooling.is_some() => Phase::Cooling,
            phase => phase,
        }
    }
}

/// Larger is worse.
pub(crate) fn gravity(phase: Phase) -> u8 {
    match phase {
        Phase::Closed => 0,
        Phase::Cooling => 1,
        Phase::HalfOpen => 2,
        Phase::Open => 3,
    }
}
