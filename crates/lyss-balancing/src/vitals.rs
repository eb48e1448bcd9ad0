//! The state of one model on one channel: what was learned of it, whether it may serve, what is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lyss_domain::{ChannelId, RateHeadroom, Tick};

use crate::health::Common;
use crate::{Observation, Size, Snapshot};

#[derive(Debug)]
pub struct Vitals {
    channel: Arc<Common>,
    model: Box<str>,
    in_flight: AtomicU32,
}

/// One attempt under way, from before its request is sent to the last byte of its answer or its end. Dropping it takes
/// it out of every count; without an observation nothing is learned, and a trial is free again.
#[derive(Debug)]
#[must_use = "an attempt that is not held is not under way"]
pub struct InFlight {
    vitals: Arc<Vitals>,
}

/// Why an attempt may not begin, though it was chosen: another call was quicker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The channel's concurrency limit is reached.
    Full,
    /// The one trial is under way.
    TrialTaken,
}

impl Vitals {
    pub(crate) fn new(channel: Arc<Common>, model: &str) -> Self {
        Self { channel, model: model.into(), in_flight: AtomicU32::new(0) }
    }

    pub fn channel(&self) -> ChannelId {
        self.channel.channel
    }

    /// As the vendor knows it.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// What an algorithm sees.
    pub fn snapshot(&self, _now: Tick) -> Snapshot {
        Snapshot { in_flight: self.in_flight.load(Ordering::Acquire), ..Snapshot::UNKNOWN }
    }

    /// An attempt begins, unless the channel as a whole has `limit` under way.
    pub fn enter(self: &Arc<Self>, _size: Size, limit: Option<u32>, _now: Tick) -> Result<InFlight, Refusal> {
        let limit = limit.unwrap_or(u32::MAX);
        let entered = self
            .channel
            .in_flight
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < limit).then_some(n + 1));
        entered.map_err(|_| Refusal::Full)?;
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        Ok(InFlight { vitals: Arc::clone(self) })
    }

    /// What the vendor's answer says of its rate windows.
    pub fn learn_headroom(&self, _headroom: &RateHeadroom, _now: Tick) {}
}

impl InFlight {
    /// The attempt ended. `draw` spreads waiting times.
    pub fn observe(self, _observation: &Observation, _draw: u64, _now: Tick) {}
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.vitals.in_flight.fetch_sub(1, Ordering::AcqRel);
        self.vitals.channel.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}
