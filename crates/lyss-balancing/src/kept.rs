//! What outlives the process, and what is told to others: states with wall-clock times in place of ticks.

use std::time::Duration;

use lyss_domain::{ChannelId, FaultKind, Tick, Timestamp};
use serde::{Deserialize, Serialize};

pub(crate) mod words;

/// What was learned of a channel, or of one model on it, as it is kept across a restart. Times are milliseconds since
/// the Unix epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    #[serde(with = "words::id")]
    pub channel: ChannelId,
    /// `None`: the channel as a whole.
    pub model: Option<Box<str>>,
    /// Of credential and address; only of a channel as a whole.
    #[serde(default)]
    pub version: Option<u64>,
    pub at_ms: i64,
    #[serde(default)]
    pub opening: Option<KeptOpening>,
    #[serde(default)]
    pub cooling_until_ms: Option<i64>,
    #[serde(default)]
    pub last_fault: Option<KeptFault>,
    #[serde(default)]
    pub figures: Figures,
    /// Requests and tokens by the minute, as refusals taught.
    #[serde(default)]
    pub learned_limit: Option<(f32, f32)>,
}

/// An open breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptOpening {
    #[serde(with = "words::fault")]
    pub fault: FaultKind,
    pub openings: u32,
    pub since_ms: i64,
    pub until_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFault {
    #[serde(with = "words::fault")]
    pub fault: FaultKind,
    pub at_ms: i64,
}

/// Learned figures, as in the snapshot; the times are long-run means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub samples: u32,
    pub good: f32,
    pub bad: f32,
    pub ttft_us: f32,
    pub tpot_us: f32,
    pub spread: f32,
}

impl Kept {
    pub(crate) fn nothing(channel: ChannelId, model: Option<&str>, moment: Moment) -> Self {
        Self {
            channel,
            model: model.map(Box::from),
            version: None,
            at_ms: moment.at.as_millis(),
            opening: None,
            cooling_until_ms: None,
            last_fault: None,
            figures: Figures::default(),
            learned_limit: None,
        }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.version.is_none()
            && self.opening.is_none()
            && self.cooling_until_ms.is_none()
            && self.last_fault.is_none()
            && self.figures.samples == 0
    }
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Tick,
    pub(crate) at: Timestamp,
}

impl Moment {
    pub(crate) fn millis_of(self, tick: Tick) -> i64 {
        let at = if tick >= self.now {
            self.at.after(tick.since(self.now))
        } else {
            self.at.before(self.now.since(tick))
        };
        at.as_millis()
    }

    /// What lies before the ticks began is their beginning.
    pub(crate) fn tick_of(self, millis: i64) -> Tick {
        let at = Timestamp::from_millis(millis);
        if at >= self.at {
            self.now.after(at.since(self.at))
        } else {
            let age = u64::try_from(self.age_of(millis).as_nanos()).unwrap_or(u64::MAX);
            Tick(self.now.0.saturating_sub(age))
        }
    }

    /// How long ago; zero for what is to come.
    pub(crate) fn age_of(self, millis: i64) -> Duration {
        self.at.since(Timestamp::from_millis(millis))
    }
}

#[cfg(test)]
mod tests;
