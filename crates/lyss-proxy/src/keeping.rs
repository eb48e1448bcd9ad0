//! What is known of channels' health, kept in the database beside the traffic: restored at the start, saved every few
//! seconds, with the history of what happened. A process that is killed loses what it learned since the last time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lyss_balancing::{Health, Kept, Phase, Transition};
use lyss_catalog::{Catalog, CatalogHandle};
use lyss_domain::{
    ChannelId, Clock, HealthEvent, HealthEventId, HealthEventKind, HealthSource, HealthState, TenantId, Tick,
    Timestamp,
};
use lyss_repositories::{HealthStore, StoreError};

use crate::draw::Draws;
use crate::probes::Probed;

/// A state that stays as it is is written again this often, so that its age shows that somebody still holds it.
const AGAIN_EVERY: Duration = Duration::from_secs(60 * 60);
/// No restart brings back what is older.
const STATES_FOR: Duration = Duration::from_secs(2 * 24 * 60 * 60);
const HISTORY_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Events deleted by one statement, and statements of one time.
const SLICE: u32 = 1_000;
const SLICES: usize = 100;
/// Events that wait for a database that is away; the oldest make room.
const MOST_WAITING: usize = 10_000;
/// Times that are told again differ by what two clocks differ meanwhile.
const SAME_MOMENT_MS: u64 = 1_000;

pub struct HealthKeeper {
    health: Arc<Health>,
    store: Arc<dyn HealthStore>,
    catalog: Arc<CatalogHandle>,
    clock: Arc<dyn Clock>,
    draws: Draws,
    saved: Mutex<HashMap<Name, Kept>>,
    waiting: Mutex<Waiting>,
}

type Name = (ChannelId, Option<Box<str>>);

#[derive(Default)]
struct Waiting {
    events: VecDeque<HealthEvent>,
    /// Channels that a probe said something of, and when: what changed then did so by the probe.
    probed: VecDeque<(ChannelId, Tick)>,
}

impl HealthKeeper {
    pub fn new(
        health: Arc<Health>,
        store: Arc<dyn HealthStore>,
        catalog: Arc<CatalogHandle>,
        clock: Arc<dyn Clock>,
        draws: Draws,
    ) -> Self {
        Self { health, store, catalog, clock, draws, saved: Mutex::default(), waiting: Mutex::default() }
    }

    /// What earlier runs and other replicas had learned; to be called before the first attempt. Answers how many states
    /// were read. A state that this build cannot read is as good as none.
    pub async fn restore(&self) -> Result<usize, StoreError> {
        let owners = owners(&self.catalog.load());
        let states = self.store.load_states().await?;
        let readable = states.iter().filter(|state| owners.get(&state.channel) == Some(&state.tenant));
        let kept: Vec<Kept> =
            readable.filter_map(|state| serde_json::from_slice(&state.state).ok()).collect();
        let restored = kept.len();
        self.health.restore(kept, self.clock.tick(), self.clock.now());
        Ok(restored)
    }

    /// Takes what a round of probes brought, for the next [`keep`](Self::keep).
    pub fn note(&self, probed: Probed) {
        let mut waiting = locked(&self.waiting);
        waiting.events.extend(probed.events);
        waiting.probed.extend(probed.moments);
        waiting.bound();
    }

    /// Saves the states that changed and adds what happened to the history. What could not be written is tried again the
    /// next time.
    pub async fn keep(&self) -> Result<(), StoreError> {
        let owners = owners(&self.catalog.load());
        self.gather(&owners);
        let events: Vec<HealthEvent> = locked(&self.waiting).events.iter().cloned().collect();
        self.store.append_events(&events).await?;
        // By their ids, since the oldest may have made room for new ones meanwhile.
        let written: HashSet<_> = events.iter().map(|event| event.id).collect();
        locked(&self.waiting).events.retain(|event| !written.contains(&event.id));
        let now = self.clock.now();
        let all = self.health.export(self.clock.tick(), now);
        let changed = self.changed(&all);
        let states: Vec<HealthState> =
            changed.iter().filter_map(|kept| state(kept, owners.get(&kept.channel), now)).collect();
        self.store.save_states(&states).await?;
        let mut saved = locked(&self.saved);
        saved.extend(changed.into_iter().map(|kept| (name(kept), kept.clone())));
        let there: HashSet<Name> = all.iter().map(name).collect();
        saved.retain(|name, _| there.contains(name));
        Ok(())
    }

    /// Forgets what is too old to be of use; answers how many events went.
    pub async fn forget(&self) -> Result<u64, StoreError> {
        let now = self.clock.now();
        self.store.forget_states(now.before(STATES_FOR)).await?;
        let mut gone = 0;
        for _ in 0..SLICES {
            let slice = self.store.forget_before(now.before(HISTORY_FOR), SLICE).await?;
            gone += slice;
            if slice < u64::from(SLICE) {
                break;
            }
        }
        Ok(gone)
    }

    fn gather(&self, owners: &HashMap<ChannelId, TenantId>) {
        let transitions = self.health.take_transitions();
        let (tick, now) = (self.clock.tick(), self.clock.now());
        let mut waiting = locked(&self.waiting);
        let probed = std::mem::take(&mut waiting.probed);
        for transition in transitions {
            let Some(tenant) = owners.get(&transition.channel) else { continue };
            let by_probe = probed.contains(&(transition.channel, transition.at));
            let source = if by_probe { HealthSource::Probe } else { HealthSource::Traffic };
            let at = now.before(tick.since(transition.at));
            waiting.events.extend(self.event(transition, *tenant, at, source));
        }
        waiting.bound();
    }

    /// `None`: it is only said that a trial was let through.
    fn event(
        &self,
        transition: Transition,
        tenant: TenantId,
        at: Timestamp,
        source: HealthSource,
    ) -> Option<HealthEvent> {
        let kind = match (transition.from, transition.to) {
            (_, Phase::HalfOpen) => return None,
            (Phase::HalfOpen, Phase::Open) => HealthEventKind::TrialFailed,
            (_, Phase::Open) => HealthEventKind::Ejected,
            (_, Phase::Closed) => HealthEventKind::Reopened,
            (_, Phase::Cooling) => HealthEventKind::Cooling,
        };
        let millis = u64::try_from(at.as_millis()).unwrap_or(0);
        Some(HealthEvent {
            id: HealthEventId::from_parts(millis, &self.draws.id_bytes()),
            tenant,
            channel: transition.channel,
            model: transition.model.map(String::from),
            at,
            kind,
            fault: transition.fault,
            lasting: transition.for_,
            source,
            latency: None,
        })
    }

    fn changed<'a>(&self, all: &'a [Kept]) -> Vec<&'a Kept> {
        let saved = locked(&self.saved);
        let is_new = |kept: &&Kept| saved.get(&name(kept)).is_none_or(|saved| differs(saved, kept));
        all.iter().filter(is_new).collect()
    }
}

impl Waiting {
    fn bound(&mut self) {
        let excess = self.events.len().saturating_sub(MOST_WAITING);
        self.events.drain(..excess);
        let excess = self.probed.len().saturating_sub(MOST_WAITING);
        self.probed.drain(..excess);
    }
}

fn owners(catalog: &Catalog) -> HashMap<ChannelId, TenantId> {
    let channels = catalog.tenants().flat_map(|entry| &entry.channels);
    channels.map(|entry| (entry.channel.id, entry.channel.tenant)).collect()
}

fn name(kept: &Kept) -> Name {
    (kept.channel, kept.model.clone())
}

/// Without an owner the channel is gone.
fn state(kept: &Kept, tenant: Option<&TenantId>, now: Timestamp) -> Option<HealthState> {
    Some(HealthState {
        tenant: *tenant?,
        channel: kept.channel,
        model: kept.model.as_deref().map(str::to_owned),
        state: serde_json::to_vec(kept).ok()?,
        updated_at: now,
    })
}

/// Whether it is worth a write: figures that merely age are not.
fn differs(saved: &Kept, kept: &Kept) -> bool {
    let is_old = u128::from(kept.at_ms.abs_diff(saved.at_ms)) >= AGAIN_EVERY.as_millis();
    let opening = |kept: &Kept| kept.opening.map(|opening| (opening.fault, opening.openings));
    let until = |kept: &Kept| kept.opening.map(|opening| opening.until_ms);
    let fault = |kept: &Kept| kept.last_fault.map(|last| last.fault);
    let fault_at = |kept: &Kept| kept.last_fault.map(|last| last.at_ms);
    is_old
        || saved.version != kept.version
        || saved.figures.samples != kept.figures.samples
        || opening(saved) != opening(kept)
        || fault(saved) != fault(kept)
        || moved(until(saved), until(kept))
        || moved(fault_at(saved), fault_at(kept))
        || moved(saved.cooling_until_ms, kept.cooling_until_ms)
}

fn moved(saved: Option<i64>, now: Option<i64>) -> bool {
    match (saved, now) {
        (Some(saved), Some(now)) => saved.abs_diff(now) > SAME_MOMENT_MS,
        (saved, now) => saved.is_some() != now.is_some(),
    }
}

/// What a panic left half-written is still worth keeping.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
