//! How one channel is: what its administrator wants of it, what the pipeline has learned of it in this process, and what
//! happened to it before.

use std::time::Duration;

use lyss_balancing::{BreakerReport, ChannelHealth, ChannelReport, ModelReport, Phase, Times};
use lyss_domain::{Channel, ChannelId, Clock, FaultKind, HealthEvent, TenantScope, Tick, Timestamp};
use lyss_repositories::{HealthEventFilter, HealthEventSort, Listing, Page, Paged, Sort, StoreError};

use crate::{Insight, LastFault};

#[derive(Clone, Debug, PartialEq)]
pub struct ChannelCondition {
    pub channel: Channel,
    pub has_credential: bool,
    pub live: LiveCondition,
    /// By name; those that were asked for since this process began, or that it remembers from before.
    pub models: Vec<ModelCondition>,
    /// Of all models together, over the last minutes.
    pub times: Times,
    /// Newest first.
    pub history: Paged<HealthEvent>,
}

/// What holds for a channel as a whole, in the process that was asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveCondition {
    pub breaker: BreakerCondition,
    /// Models whose own breaker is open or half-open.
    pub models_ejected: Vec<String>,
    /// Until the last of its models may be asked again; `None`: the vendor asked for no wait.
    pub cooling_until: Option<Timestamp>,
    pub last_fault: Option<LastFault>,
    pub in_flight: u32,
    /// What is left of the vendor's rate windows, 0 to 1, at the model that has least; `None`: nothing is known.
    pub headroom: Option<f32>,
    /// Expected share of good attempts, over all models by their samples; `None`: nothing was learned.
    pub success_rate: Option<f32>,
    pub samples: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ModelCondition {
    /// As the vendor knows it.
    pub model: String,
    pub breaker: BreakerCondition,
    pub cooling_until: Option<Timestamp>,
    pub last_fault: Option<LastFault>,
    pub last_sent_at: Option<Timestamp>,
    pub in_flight: u32,
    pub in_flight_elsewhere: u32,
    pub samples: u32,
    /// Expected share of good attempts; `None`: nothing was learned.
    pub success_rate: Option<f32>,
    pub headroom: f32,
    /// Requests and tokens a minute, as the vendor's refusals taught.
    pub learned_limit: Option<(f32, f32)>,
    pub learned_concurrency: Option<u32>,
    pub times: Times,
}

/// A breaker as people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerCondition {
    pub phase: Phase,
    pub fault: Option<FaultKind>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub openings: u32,
}

/// Both clocks at one moment, to tell the calendar's time of what the pipeline keeps in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moments {
    pub(crate) now: Timestamp,
    pub(crate) tick: Tick,
}

impl Default for BreakerCondition {
    fn default() -> Self {
        Self { phase: Phase::Closed, fault: None, since: None, until: None, openings: 0 }
    }
}

impl Moments {
    pub(crate) fn read(clock: &dyn Clock) -> Self {
        Self { now: clock.now(), tick: clock.tick() }
    }

    pub(crate) fn at(self, tick: Tick) -> Timestamp {
        if tick > self.tick {
            self.now.after(tick.since(self.tick))
        } else {
            self.now.before(self.tick.since(tick))
        }
    }

    fn later(self, wait: Option<Duration>) -> Option<Timestamp> {
        wait.map(|wait| self.now.after(wait))
    }

    fn breaker(self, report: &BreakerReport) -> BreakerCondition {
        BreakerCondition {
            phase: report.phase,
            fault: report.fault,
            since: report.since.map(|tick| self.at(tick)),
            until: report.until.map(|tick| self.at(tick)),
            openings: report.openings,
        }
    }

    fn fault(self, fault: Option<(FaultKind, Tick)>) -> Option<LastFault> {
        fault.map(|(kind, tick)| LastFault { kind, at: self.at(tick) })
    }
}

impl LiveCondition {
    pub(crate) fn of(health: &ChannelHealth, moments: Moments) -> Self {
        let report = health.standing(moments.tick);
        let models: Vec<_> = health.models().iter().map(|model| model.standing(moments.tick)).collect();
        Self::told(&report, &models, moments)
    }

    fn told(report: &ChannelReport, models: &[ModelReport], moments: Moments) -> Self {
        let ejected = models.iter().filter(|model| model.breaker.phase != Phase::Closed);
        let mut models_ejected: Vec<_> = ejected.map(|model| model.model.to_string()).collect();
        models_ejected.sort();
        let known = |model: &&ModelReport| model.samples > 0 || model.good + model.bad > 0.0;
        let weighed =
            models.iter().filter(known).map(|model| (model.success, (model.good + model.bad).max(1.0)));
        let (sum, weight) =
            weighed.fold((0.0, 0.0), |(sum, all), (success, weight)| (sum + success * weight, all + weight));
        let headrooms = models.iter().map(|model| model.headroom);
        Self {
            breaker: moments.breaker(&report.breaker),
            models_ejected,
            cooling_until: moments.later(models.iter().filter_map(|model| model.cooling).max()),
            last_fault: moments.fault(report.last_fault),
            in_flight: report.in_flight,
            headroom: headrooms.reduce(f32::min),
            success_rate: (weight > 0.0).then(|| sum / weight),
            samples: models.iter().map(|model| u64::from(model.samples)).sum(),
        }
    }
}

impl ModelCondition {
    fn told(report: ModelReport, times: Times, moments: Moments) -> Self {
        Self {
            model: report.model.into(),
            breaker: moments.breaker(&report.breaker),
            cooling_until: moments.later(report.cooling),
            last_fault: moments.fault(report.last_fault),
            last_sent_at: report.last_sent.map(|tick| moments.at(tick)),
            in_flight: report.in_flight,
            in_flight_elsewhere: report.in_flight_elsewhere,
            samples: report.samples,
            success_rate: (report.good + report.bad > 0.0).then_some(report.success),
            headroom: report.headroom,
            learned_limit: report.learned_limit,
            learned_concurrency: report.learned_concurrency,
            times,
        }
    }
}

impl Insight {
    /// `None`: the tenant has no such channel. The filter's channel is this one, whatever it says.
    pub async fn channel_condition(
        &self,
        scope: &TenantScope,
        id: ChannelId,
        filter: HealthEventFilter,
        page: Page,
    ) -> Result<Option<ChannelCondition>, StoreError> {
        let catalog = self.catalog.load();
        let entry = catalog.tenant(scope.tenant());
        let stored = entry.and_then(|entry| entry.channels.iter().find(|stored| stored.channel.id == id));
        let Some(stored) = stored else { return Ok(None) };
        let sort = Sort { by: HealthEventSort::At, descending: true };
        let filter = HealthEventFilter { channel: Some(id), ..filter };
        let history = self.health.events(scope, &Listing { filter, sort, page }).await?;
        let moments = Moments::read(&*self.clock);
        let health = self.live.health(id);
        let mut models = health.as_deref().map(|health| models(health, moments)).unwrap_or_default();
        models.sort_by(|a, b| a.model.cmp(&b.model));
        Ok(Some(ChannelCondition {
            channel: stored.channel.clone(),
            has_credential: stored.credential.is_some(),
            live: self.live_condition(id),
            times: health.map(|health| health.times(moments.tick)).unwrap_or_default(),
            models,
            history,
        }))
    }

    pub(crate) fn live_condition(&self, channel: ChannelId) -> LiveCondition {
        let health = self.live.health(channel);
        let moments = Moments::read(&*self.clock);
        health.map(|health| LiveCondition::of(&health, moments)).unwrap_or_default()
    }

    pub(crate) fn channel(&self, scope: &TenantScope, id: ChannelId) -> Option<Channel> {
        let catalog = self.catalog.load();
        let mut channels = catalog.tenant(scope.tenant())?.channels.iter();
        channels.find(|stored| stored.channel.id == id).map(|stored| stored.channel.clone())
    }

    pub(crate) fn model_in_flight(&self, channel: ChannelId, model: &str) -> u32 {
        let Some(health) = self.live.health(channel) else { return 0 };
        let now = self.clock.tick();
        let models = health.models();
        models
            .iter()
            .find(|vitals| vitals.model() == model)
            .map_or(0, |vitals| vitals.snapshot(now).in_flight)
    }
}

fn models(health: &ChannelHealth, moments: Moments) -> Vec<ModelCondition> {
    let told = health.models().into_iter().map(|vitals| {
        ModelCondition::told(vitals.standing(moments.tick), vitals.times(moments.tick), moments)
    });
    told.collect()
}

#[cfg(test)]
mod tests;
