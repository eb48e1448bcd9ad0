//! The state of all channels, kept across edits of their configuration and read by every call.

mod probed;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lyss_domain::{ChannelId, Tick, Timestamp};

use crate::channel_state::Common;
use crate::hints::Told;
use crate::kept::Moment;
use crate::report::{ChannelReport, gravity};
use crate::transitions::Transitions;
use crate::{HealthSettings, Hint, Kept, Phase, Times, Transition, Vitals};

/// Models of one channel that are kept; the one idle for longest makes room.
const MODELS_PER_CHANNEL: usize = 256;
/// Of a model's name; no vendor has longer ones.
const LONGEST_NAME: usize = 256;

/// What was learned longer ago says nothing of today.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
const CLOCKS_DIFFER: Duration = Duration::from_secs(300);

/// All channels of the process.
#[derive(Debug, Default)]
pub struct Health {
    settings: HealthSettings,
    transitions: Arc<Transitions>,
    channels: Mutex<HashMap<ChannelId, Arc<ChannelHealth>>>,
}

/// One channel, and those of its models that were asked for.
#[derive(Debug)]
pub struct ChannelHealth {
    common: Arc<Common>,
    models: Mutex<HashMap<Box<str>, Arc<Vitals>>>,
}

impl Health {
    pub fn new(settings: HealthSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The state of a channel; made the first time it is asked for.
    pub fn channel(&self, channel: ChannelId) -> Arc<ChannelHealth> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(ChannelHealth::new(channel, self.settings, Arc::clone(&self.transitions)));
        Arc::clone(channels.entry(channel).or_insert_with(fresh))
    }

    /// The state of a channel that is known already.
    pub fn known(&self, channel: ChannelId) -> Option<Arc<ChannelHealth>> {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.get(&channel).cloned()
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

    /// All that was learned, for the next process. `at` is the wall clock's `now`.
    pub fn export(&self, now: Tick, at: Timestamp) -> Vec<Kept> {
        let moment = Moment { now, at };
        let mut all = Vec::new();
        for channel in self.all() {
            all.extend(channel.common.keep(moment));
            all.extend(channel.models().iter().filter_map(|model| model.keep(moment)));
        }
        all
    }

    /// What an earlier process had learned; call it before the first attempt. What is older than a day, or from a clock
    /// far ahead of this one, is passed over.
    pub fn restore(&self, kept: Vec<Kept>, now: Tick, at: Timestamp) {
        let moment = Moment { now, at };
        let ahead = at.after(CLOCKS_DIFFER).as_millis();
        for kept in kept.iter().filter(|kept| moment.age_of(kept.at_ms) < KEPT_FOR && kept.at_ms <= ahead) {
            let channel = self.channel(kept.channel);
            match &kept.model {
                None => channel.common.restore(kept, moment),
                Some(model) => channel.model(model).restore(kept, moment),
            }
        }
    }

    /// What changed since it was last asked, the oldest first; at most the last 1,024.
    pub fn take_transitions(&self) -> Vec<Transition> {
        self.transitions.take()
    }
}

impl ChannelHealth {
    fn new(channel: ChannelId, settings: HealthSettings, transitions: Arc<Transitions>) -> Self {
        Self { common: Arc::new(Common::new(channel, settings, transitions)), models: Mutex::default() }
    }

    pub fn channel(&self) -> ChannelId {
        self.common.channel
    }

    /// Attempts under way on all models.
    pub fn in_flight(&self) -> u32 {
        self.common.in_flight()
    }

    /// How many attempts may be under way on all models, and whether fewer may be learned for each.
    pub fn configure(&self, limit: Option<u32>, adaptive: bool) {
        self.common.configure(limit, adaptive);
    }

    /// The credential or the address is now another: what was held against the old one is forgotten. `version` is any
    /// number that changes with them; the first one that is told changes nothing.
    pub fn renewed(&self, version: u64, now: Tick) {
        if self.common.renewed(version, now) {
            self.models().iter().for_each(|model| model.forget_limits());
        }
    }

    /// The state of one model, by the name the vendor knows it by.
    pub fn model(&self, model: &str) -> Arc<Vitals> {
        let name = bounded(model);
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = models.get(name) {
            return Arc::clone(known);
        }
        if models.len() >= MODELS_PER_CHANNEL {
            let idle = models.iter().filter(|(_, vitals)| Arc::strong_count(vitals) == 1);
            let oldest = idle.min_by_key(|(_, vitals)| vitals.last_sent()).map(|(name, _)| name.clone());
            oldest.and_then(|name| models.remove(&name));
        }
        let vitals = Arc::new(Vitals::new(Arc::clone(&self.common), name));
        // Where all are held the new one lives as long as its holder.
        if models.len() < MODELS_PER_CHANNEL {
            models.insert(name.into(), Arc::clone(&vitals));
        }
        vitals
    }

    /// Those of all models seen so far.
    pub fn models(&self) -> Vec<Arc<Vitals>> {
        let models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        models.values().cloned().collect()
    }

    /// The recent times of all models in one.
    pub fn times(&self, now: Tick) -> Times {
        self.models().iter().fold(Times::default(), |mut all, model| {
            all.merge(&model.times(now));
            all
        })
    }

    /// The channel as a whole, and the worst of its models.
    pub fn standing(&self, now: Tick) -> ChannelReport {
        let mut report = self.common.standing(now);
        let mut models: Vec<_> = self.models().iter().map(|model| model.standing(now)).collect();
        models.sort_by(|a, b| a.model.cmp(&b.model));
        report.models = models.len();
        for model in models {
            let phase = model.phase();
            if gravity(phase) > gravity(report.worst) {
                report.worst = phase;
                report.worst_model = Some(model.model);
            }
            report.last_sent = report.last_sent.max(model.last_sent);
            if model.last_fault.map(|(_, at)| at) > report.last_fault.map(|(_, at)| at) {
                report.last_fault = model.last_fault;
            }
        }
        report
    }

    pub(crate) fn hint(&self, replica: u64, now: Tick) -> Option<Hint> {
        self.common.hint(replica, now)
    }

    pub(crate) fn take_told(&self, told: &Told<'_>, now: Tick) {
        self.common.take_told(told, now);
    }

    /// Whether the channel as a whole may serve.
    pub fn phase(&self, now: Tick) -> Phase {
        self.common.phase(now)
    }
}

fn bounded(name: &str) -> &str {
    name.get(..name.floor_char_boundary(LONGEST_NAME)).unwrap_or(name)
}

#[cfg(test)]
mod tests;
