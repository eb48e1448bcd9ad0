//! The state of all channels, kept across edits of their configuration and read by every call.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lyss_domain::ChannelId;

use crate::Vitals;

/// All channels of the process.
#[derive(Debug, Default)]
pub struct Health {
    channels: Mutex<HashMap<ChannelId, Arc<ChannelHealth>>>,
}

/// One channel, and those of its models that were asked for.
#[derive(Debug)]
pub struct ChannelHealth {
    common: Arc<Common>,
    models: Mutex<HashMap<Box<str>, Arc<Vitals>>>,
}

/// What holds for all models of one channel: its credential, its address, the attempts under way.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) channel: ChannelId,
    pub(crate) in_flight: AtomicU32,
}

impl Health {
    /// The state of a channel; made the first time it is asked for.
    pub fn channel(&self, channel: ChannelId) -> Arc<ChannelHealth> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(channels.entry(channel).or_insert_with(|| Arc::new(ChannelHealth::new(channel))))
    }

    /// Drops the state of channels that nobody holds any more.
    pub fn forget_unused(&self) {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.retain(|_, channel| Arc::strong_count(channel) > 1 || channel.in_flight() > 0);
    }

    pub fn all(&self) -> Vec<Arc<ChannelHealth>> {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.values().cloned().collect()
    }
}

impl ChannelHealth {
    fn new(channel: ChannelId) -> Self {
        Self { common: Arc::new(Common { channel, in_flight: AtomicU32::new(0) }), models: Mutex::default() }
    }

    pub fn channel(&self) -> ChannelId {
        self.common.channel
    }

    /// Attempts under way on all models.
    pub fn in_flight(&self) -> u32 {
        self.common.in_flight.load(Ordering::Acquire)
    }

    /// The state of one model, by the name the vendor knows it by.
    pub fn model(&self, model: &str) -> Arc<Vitals> {
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = models.get(model) {
            return Arc::clone(known);
        }
        let vitals = Arc::new(Vitals::new(Arc::clone(&self.common), model));
        models.insert(model.into(), Arc::clone(&vitals));
        vitals
    }

    /// Those of all models seen so far.
    pub fn models(&self) -> Vec<Arc<Vitals>> {
        let models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        models.values().cloned().collect()
    }
}
