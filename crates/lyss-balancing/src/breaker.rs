//! Whether somebody may be asked at all: closed, open, half-open. Pure; apart from what an administrator set.
//!
//! It opens after some failures in a row or when half of many went wrong, waits for a time that doubles with each
//! opening, and then lets one attempt through. That trial closes it or opens it anew. What was under way before it
//! opened proves nothing either way. Starting values follow Envoy's outlier detection and linkerd's circuit breaker.

use std::time::Duration;

use lyss_domain::{FaultKind, FaultOwner, Tick};

use crate::Standing;
use crate::hints::HintEjected;
use crate::kept::{KeptOpening, Moment};

mod recent;

use recent::Recent;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerSettings {
    /// So many failures in a row open it.
    pub in_a_row: u32,
    /// So large a share of failures opens it, 0 to 1, ...
    pub share: f32,
    /// ... among at least so many attempts within ten seconds.
    pub share_of: u32,
    /// The first wait after a fault of the network or the vendor, and the longest.
    pub wait: Duration,
    pub longest_wait: Duration,
    /// The same where nothing mends itself: a credential, an empty account, a model that is not there.
    pub slow_wait: Duration,
    pub longest_slow_wait: Duration,
    /// Waits are spread by so much of their length to both sides, 0 to 1.
    pub jitter: f32,
    /// After so many good attempts since it closed, an old opening is forgotten.
    pub slow_start: u32,
    /// A trial that takes longer no longer keeps others from being the next.
    pub trial: Duration,
}

/// As the history and the overview call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Closed,
    Open,
    HalfOpen,
    /// Not a breaker's: the vendor asked to be left alone.
    Cooling,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Breaker {
    open: Option<Opening>,
    /// Since the last success.
    failures: u32,
    /// In a row, without a whole slow start between them.
    openings: u32,
    /// Whether the last of them was for what no waiting mends soon.
    was_slow: bool,
    good_since_closed: u32,
    recent: Recent,
    trials: u32,
}

/// What is known while it is open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Opening {
    pub(crate) fault: FaultKind,
    pub(crate) since: Tick,
    pub(crate) until: Tick,
    trial: Option<Trial>,
    hastened: bool,
    /// Other replicas said so; nothing was seen here.
    hearsay: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Trial {
    number: u32,
    since: Tick,
}

/// What an attempt is to the breaker it passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    #[default]
    Ordinary,
    Trial(u32),
    /// Sent although it was open, since all were.
    Panic,
}

/// How a change is told: from, to, because of what, for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) from: Phase,
    pub(crate) to: Phase,
    pub(crate) fault: Option<FaultKind>,
    pub(crate) wait: Option<Duration>,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            in_a_row: 3,
            share: 0.5,
            share_of: 20,
            wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(15),
            slow_wait: Duration::from_secs(30),
            longest_slow_wait: Duration::from_secs(300),
            jitter: 0.2,
            slow_start: 10,
            trial: Duration::from_secs(15),
        }
    }
}

impl BreakerSettings {
    /// The wait after the `openings`th opening in a row, which is 1 for the first.
    fn wait_after(&self, fault: FaultKind, openings: u32, draw: u64) -> Duration {
        let (first, longest) = if is_slow(fault) {
            (self.slow_wait, self.longest_slow_wait)
        } else {
            (self.wait, self.longest_wait)
        };
        let doubled = first.saturating_mul(1 << openings.saturating_sub(1).min(16));
        jittered(doubled.min(longest), self.jitter, draw)
    }

    /// No wait for this fault is longer.
    pub(crate) fn longest_of(&self, fault: FaultKind) -> Duration {
        let longest = if is_slow(fault) { self.longest_slow_wait } else { self.longest_wait };
        longest.mul_f32(1.0 + self.jitter.clamp(0.0, 1.0))
    }
}

impl Phase {
    pub const ALL: [Self; 4] = [Self::Closed, Self::Open, Self::HalfOpen, Self::Cooling];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::Cooling => "cooling",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == text)
    }
}

impl Breaker {
    pub(crate) fn is_closed(&self) -> bool {
        self.open.is_none()
    }

    pub(crate) fn opening(&self) -> Option<&Opening> {
        self.open.as_ref()
    }

    pub(crate) fn openings(&self) -> u32 {
        self.openings
    }

    pub(crate) fn phase(&self, now: Tick) -> Phase {
        match &self.open {
            None => Phase::Closed,
            Some(opening) if opening.until > now => Phase::Open,
            Some(_) => Phase::HalfOpen,
        }
    }

    pub(crate) fn standing(&self, settings: &BreakerSettings, now: Tick) -> Standing {
        match &self.open {
            None => Standing::Open,
            Some(opening) if opening.until > now => Standing::Ejected(opening.until.since(now)),
            Some(opening) if opening.has_trial(settings, now) => Standing::TrialTaken,
            Some(_) => Standing::OnTrial,
        }
    }

    /// An attempt wants to begin. `None`: the trial is under way, and the call does not come in panic.
    pub(crate) fn enter(
        &mut self,
        settings: &BreakerSettings,
        panics: bool,
        now: Tick,
    ) -> Option<(Role, Option<Change>)> {
        let Some(opening) = &mut self.open else { return Some((Role::Ordinary, None)) };
        if opening.until > now {
            return Some((Role::Panic, None));
        }
        if opening.has_trial(settings, now) {
            return panics.then_some((Role::Panic, None));
        }
        let is_first = opening.trial.is_none();
        self.trials = self.trials.wrapping_add(1);
        opening.trial = Some(Trial { number: self.trials, since: now });
        let change =
            Change { from: Phase::Open, to: Phase::HalfOpen, fault: Some(opening.fault), wait: None };
        Some((Role::Trial(self.trials), is_first.then_some(change)))
    }

    /// An attempt ended and proved nothing: its trial is free again.
    pub(crate) fn release(&mut self, role: Role) {
        if let (Role::Trial(number), Some(opening)) = (role, &mut self.open)
            && opening.trial.is_some_and(|trial| trial.number == number)
        {
            opening.trial = None;
        }
    }

    /// An attempt went well. What began before it opened proves nothing of now.
    pub(crate) fn succeed(&mut self, role: Role, settings: &BreakerSettings, now: Tick) -> Option<Change> {
        self.recent.record(true, now);
        let Some(opening) = &self.open else {
            self.failures = 0;
            self.good_since_closed = self.good_since_closed.saturating_add(1);
            if self.good_since_closed >= settings.slow_start {
                self.openings = 0;
            }
            return None;
        };
        if role == Role::Ordinary {
            return None;
        }
        let change =
            Change { from: opening.phase(), to: Phase::Closed, fault: Some(opening.fault), wait: None };
        self.open = None;
        self.failures = 0;
        self.good_since_closed = 1;
        self.recent = Recent::default();
        Some(change)
    }

    /// The vendor answered, whatever it said: that closes what was opened for want of a connection.
    pub(crate) fn reached(&mut self, role: Role, settings: &BreakerSettings, now: Tick) -> Option<Change> {
        let is_network = |opening: &Opening| opening.fault.owner() == FaultOwner::Network;
        if self.open.as_ref().is_none_or(is_network) {
            return self.succeed(role, settings, now);
        }
        None
    }

    /// An attempt failed in a way that is this breaker's matter.
    pub(crate) fn fail(
        &mut self,
        role: Role,
        fault: FaultKind,
        settings: &BreakerSettings,
        draw: u64,
        now: Tick,
    ) -> Option<Change> {
        self.recent.record(false, now);
        if let Some(opening) = &self.open {
            let is_its_trial = match (role, opening.trial) {
                (Role::Trial(number), Some(trial)) => number == trial.number,
                _ => false,
            };
            // Others were under way when it opened, or went out in need; they would double the wait for nothing.
            return is_its_trial.then(|| self.open(Phase::HalfOpen, fault, settings, draw, now));
        }
        self.failures = self.failures.saturating_add(1);
        let (good, bad) = self.recent.counts(now);
        let count = good.saturating_add(bad);
        let is_much =
            count >= settings.share_of && f64::from(bad) >= f64::from(settings.share) * f64::from(count);
        let is_enough = is_slow(fault) || self.failures >= settings.in_a_row || is_much;
        is_enough.then(|| self.open(Phase::Closed, fault, settings, draw, now))
    }

    /// A health probe went well or not: it may call for an earlier trial, or save one, and opens like any failure. It
    /// never closes, since what it asks is not what callers ask.
    pub(crate) fn probed(
        &mut self,
        fault: Option<FaultKind>,
        settings: &BreakerSettings,
        draw: u64,
        now: Tick,
    ) -> Option<Change> {
        match (fault, &mut self.open) {
            (None, None) => None,
            (None, Some(opening)) => {
                if !opening.hastened {
                    opening.hastened = true;
                    opening.until = opening.until.min(now);
                }
                None
            }
            (Some(fault), None) => self.fail(Role::Ordinary, fault, settings, draw, now),
            (Some(fault), Some(opening)) => {
                let is_waiting = opening.until > now || opening.has_trial(settings, now);
                (!is_waiting).then(|| self.open(Phase::HalfOpen, fault, settings, draw, now))
            }
        }
    }

    /// Everything anew: what it was opened for is no longer there.
    pub(crate) fn reset(&mut self) -> Option<Change> {
        let opening = self.open;
        *self = Self { trials: self.trials, ..Self::default() };
        opening.map(|opening| Change {
            from: opening.phase(),
            to: Phase::Closed,
            fault: Some(opening.fault),
            wait: None,
        })
    }

    /// Opens as it stood elsewhere or before a restart; what is open here stays as it is.
    pub(crate) fn adopt(&mut self, fault: FaultKind, openings: u32, since: Tick, until: Tick, hearsay: bool) {
        if self.open.is_none() {
            self.openings = self.openings.max(openings.clamp(1, 32));
            self.was_slow = is_slow(fault);
            self.open = Some(Opening { fault, since, until, trial: None, hastened: false, hearsay });
        }
    }

    /// Another replica ejected it and nothing here shows otherwise.
    pub(crate) fn take_told(&mut self, told: &HintEjected, settings: &BreakerSettings, now: Tick) {
        let left = Duration::from_millis(told.for_ms).min(settings.longest_of(told.fault));
        if !left.is_zero() {
            let since = now.0.saturating_sub(told.since_ms.saturating_mul(1_000_000));
            self.adopt(told.fault, told.openings, Tick(since), now.after(left), true);
        }
    }

    /// For the others: what was seen here, while it waits.
    pub(crate) fn own_ejection(&self, now: Tick) -> Option<HintEjected> {
        let opening = self.open.as_ref().filter(|opening| !opening.hearsay && opening.until > now)?;
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Some(HintEjected {
            fault: opening.fault,
            openings: self.openings,
            since_ms: millis(now.since(opening.since)),
            for_ms: millis(opening.until.since(now)),
        })
    }

    fn open(
        &mut self,
        from: Phase,
        fault: FaultKind,
        settings: &BreakerSettings,
        draw: u64,
        now: Tick,
    ) -> Change {
        // A wait doubles for the same trouble that lasts, not for another.
        let before = if self.was_slow == is_slow(fault) { self.openings } else { 0 };
        self.openings = before.saturating_add(1);
        self.was_slow = is_slow(fault);
        self.good_since_closed = 0;
        let wait = settings.wait_after(fault, self.openings, draw);
        let since = self.open.map_or(now, |opening| opening.since);
        self.open = Some(Opening {
            fault,
            since,
            until: now.after(wait),
            trial: None,
            hastened: false,
            hearsay: false,
        });
        Change { from, to: Phase::Open, fault: Some(fault), wait: Some(wait) }
    }
}

impl Opening {
    fn has_trial(&self, settings: &BreakerSettings, now: Tick) -> bool {
        self.trial.is_some_and(|trial| now.since(trial.since) < settings.trial)
    }

    pub(crate) fn keep(&self, openings: u32, moment: Moment) -> KeptOpening {
        KeptOpening {
            fault: self.fault,
            openings,
            since_ms: moment.millis_of(self.since),
            until_ms: moment.millis_of(self.until),
        }
    }

    fn phase(&self) -> Phase {
        if self.trial.is_some() { Phase::HalfOpen } else { Phase::Open }
    }
}

/// Faults that one answer proves and no waiting mends soon.
fn is_slow(fault: FaultKind) -> bool {
    matches!(fault.owner(), FaultOwner::Credential | FaultOwner::VendorQuota | FaultOwner::Model)
}

/// A wait, longer or shorter by up to `jitter` of itself.
pub(crate) fn jittered(wait: Duration, jitter: f32, draw: u64) -> Duration {
    let uniform = (draw >> 11) as f64 / (1u64 << 53) as f64;
    wait.mul_f64(1.0 + f64::from(jitter.clamp(0.0, 1.0)) * (2.0 * uniform - 1.0))
}

#[cfg(test)]
mod tests;
