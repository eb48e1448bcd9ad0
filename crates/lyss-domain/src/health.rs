//! How channels fared: what is kept of it over a restart, and its history.

use std::time::Duration;

use crate::{ChannelId, FaultKind, HealthEventId, TenantId, Timestamp};

/// What was learned of a channel, or of one model on it, as it rests between two runs of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthState {
    pub tenant: TenantId,
    pub channel: ChannelId,
    /// As the vendor knows it; `None`: the channel as a whole.
    pub model: Option<String>,
    /// The balancer's own encoding, which carries its version.
    pub state: Vec<u8>,
    pub updated_at: Timestamp,
}

/// One thing that happened to a channel's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthEvent {
    pub id: HealthEventId,
    pub tenant: TenantId,
    pub channel: ChannelId,
    /// As the vendor knows it; `None`: the channel as a whole.
    pub model: Option<String>,
    pub at: Timestamp,
    pub kind: HealthEventKind,
    pub fault: Option<FaultKind>,
    /// For how long it is to be left alone.
    pub lasting: Option<Duration>,
    pub source: HealthSource,
    /// What the attempt or probe took.
    pub latency: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HealthEventKind {
    /// Too many failures: no calls until the time is over.
    Ejected,
    /// It showed that it is well again.
    Reopened,
    /// It was given a trial and failed.
    TrialFailed,
    /// The vendor asked to be left alone.
    Cooling,
    ProbeOk,
    ProbeFailed,
}

/// What was noticed by calls of the tenant's own, and what by asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HealthSource {
    Traffic,
    Probe,
}

impl HealthEventKind {
    pub const ALL: [Self; 6] =
        [Self::Ejected, Self::Reopened, Self::TrialFailed, Self::Cooling, Self::ProbeOk, Self::ProbeFailed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ejected => "ejected",
            Self::Reopened => "reopened",
            Self::TrialFailed => "trial_failed",
            Self::Cooling => "cooling",
            Self::ProbeOk => "probe_ok",
            Self::ProbeFailed => "probe_failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl HealthSource {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Traffic => "traffic",
            Self::Probe => "probe",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Traffic, Self::Probe].into_iter().find(|source| source.as_str() == text)
    }
}
