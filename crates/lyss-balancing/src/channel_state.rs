//! What holds for all models of one channel: its credential, its address, the attempts under way.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lyss_domain::{ChannelId, FaultKind, Tick};

use crate::breaker::{Breaker, Change, Role};
use crate::hints::{OWN_WORD_LASTS, Told};
use crate::kept::{Figures, KeptFault, Moment};
use crate::report::{BreakerReport, ChannelReport};
use crate::transitions::Transitions;
use crate::{HealthSettings, Hint, Kept, Phase, Refusal, Standing, Transition};

#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) channel: ChannelId,
    pub(crate) settings: HealthSettings,
    transitions: Arc<Transitions>,
    in_flight: AtomicU32,
    /// `u32::MAX`: any number.
    limit: AtomicU32,
    adaptive: AtomicBool,
    /// The breaker is not closed. Read first, so that a healthy channel costs no lock.
    is_open: AtomicBool,
    /// How often the breaker closed: models begin a slow start when it changes.
    closings: AtomicU32,
    /// How often the credential or the address changed: what an older attempt proves is of no use.
    renewals: AtomicU32,
    judged: Mutex<Judged>,
}

#[derive(Debug, Default)]
struct Judged {
    breaker: Breaker,
    last_fault: Option<(FaultKind, Tick)>,
    last_good: Option<Tick>,
    version: Option<u64>,
}

/// What an attempt says of its channel, apart from its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Well,
    /// The vendor answered, but not as wished.
    Reached,
    Failed(FaultKind),
    Nothing,
}

impl Common {
    pub(crate) fn new(channel: ChannelId, settings: HealthSettings, transitions: Arc<Transitions>) -> Self {
        Self {
            channel,
            settings,
            transitions,
            in_flight: AtomicU32::new(0),
            limit: AtomicU32::new(u32::MAX),
            adaptive: AtomicBool::new(false),
            is_open: AtomicBool::new(false),
            closings: AtomicU32::new(0),
            renewals: AtomicU32::new(0),
            judged: Mutex::default(),
        }
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Acquire)
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit.load(Ordering::Relaxed)
    }

    pub(crate) fn is_adaptive(&self) -> bool {
        self.adaptive.load(Ordering::Relaxed)
    }

    pub(crate) fn closings(&self) -> u32 {
        self.closings.load(Ordering::Acquire)
    }

    pub(crate) fn renewals(&self) -> u32 {
        self.renewals.load(Ordering::Acquire)
    }

    pub(crate) fn configure(&self, limit: Option<u32>, adaptive: bool) {
        self.limit.store(limit.unwrap_or(u32::MAX), Ordering::Relaxed);
        self.adaptive.store(adaptive, Ordering::Relaxed);
    }

    /// One attempt more, unless `limit` are under way.
    pub(crate) fn count_in(&self, limit: u32) -> Result<(), Refusal> {
        let more = |n: u32| (n < limit).then(|| n.saturating_add(1));
        let counted = self.in_flight.fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        counted.map(|_| ()).map_err(|_| Refusal::Full)
    }

    pub(crate) fn count_out(&self) {
        let less = |n: u32| Some(n.saturating_sub(1));
        // Never refused, since the closure always gives a number.
        let _ = self.in_flight.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
    }

    pub(crate) fn breaker_standing(&self, now: Tick) -> Standing {
        if !self.is_open.load(Ordering::Acquire) {
            return Standing::Open;
        }
        self.judged().breaker.standing(&self.settings.breaker, now)
    }

    /// An attempt passes the channel's breaker.
    pub(crate) fn pass(&self, panics: bool, now: Tick) -> Result<Role, Refusal> {
        if !self.is_open.load(Ordering::Acquire) {
            return Ok(Role::Ordinary);
        }
        let entered = self.judged().breaker.enter(&self.settings.breaker, panics, now);
        let (role, change) = entered.ok_or(Refusal::TrialTaken)?;
        self.tell(None, change, now);
        Ok(role)
    }

    pub(crate) fn release(&self, role: Role) {
        if matches!(role, Role::Trial(_)) {
            self.judged().breaker.release(role);
        }
    }

    pub(crate) fn judge(&self, verdict: Verdict, role: Role, renewals: u32, draw: u64, now: Tick) {
        // What went out with another credential, or to another address, says nothing of this one.
        if verdict == Verdict::Nothing || renewals != self.renewals() {
            return;
        }
        let settings = &self.settings.breaker;
        let mut judged = self.judged();
        let change = match verdict {
            Verdict::Well => {
                judged.last_good = Some(now);
                judged.breaker.succeed(role, settings, now)
            }
            Verdict::Reached => judged.breaker.reached(role, settings, now),
            Verdict::Failed(fault) => {
                judged.last_fault = Some((fault, now));
                judged.breaker.fail(role, fault, settings, draw, now)
            }
            Verdict::Nothing => None,
        };
        self.settle(judged, change, now);
    }

    pub(crate) fn probed(&self, fault: Option<FaultKind>, draw: u64, now: Tick) {
        let mut judged = self.judged();
        if let Some(fault) = fault {
            judged.last_fault = Some((fault, now));
        }
        let change = judged.breaker.probed(fault, &self.settings.breaker, draw, now);
        self.settle(judged, change, now);
    }

    /// Whether it is another one than was known.
    pub(crate) fn renewed(&self, version: u64, now: Tick) -> bool {
        let mut judged = self.judged();
        let known = judged.version.replace(version);
        if known.is_none_or(|known| known == version) {
            return false;
        }
        self.renewals.fetch_add(1, Ordering::AcqRel);
        let change = judged.breaker.reset();
        self.settle(judged, change, now);
        true
    }

    pub(crate) fn keep(&self, moment: Moment) -> Option<Kept> {
        let judged = self.judged();
        let openings = judged.breaker.openings();
        let kept = Kept {
            version: judged.version,
            opening: judged.breaker.opening().map(|opening| opening.keep(openings, moment)),
            last_fault: judged.last_fault.map(|(fault, at)| KeptFault { fault, at_ms: moment.millis_of(at) }),
            ..Kept::nothing(self.channel, None, moment)
        };
        (!kept.is_nothing()).then_some(kept)
    }

    pub(crate) fn restore(&self, kept: &Kept, moment: Moment) {
        let now = moment.now;
        let mut judged = self.judged();
        let known = judged.version;
        judged.version = known.or(kept.version);
        // Opened for what is no longer there.
        let is_other = known.is_some() && kept.version.is_some() && known != kept.version;
        if let Some(opening) = kept.opening.filter(|_| !is_other) {
            let longest = self.settings.breaker.longest_of(opening.fault);
            let until = moment.tick_of(opening.until_ms).min(now.after(longest));
            let since = moment.tick_of(opening.since_ms).min(now);
            judged.breaker.adopt(opening.fault, opening.openings, since, until, false);
        }
        let last = kept.last_fault.map(|last| (last.fault, moment.tick_of(last.at_ms).min(now)));
        judged.last_fault = judged.last_fault.or(last);
        self.settle(judged, None, now);
    }

    /// What there is to tell other replicas: only what is not well.
    pub(crate) fn hint(&self, replica: u64, now: Tick) -> Option<Hint> {
        let judged = self.judged();
        let ejected = judged.breaker.own_ejection(now)?;
        Some(Hint {
            replica,
            channel: self.channel,
            model: None,
            version: judged.version,
            in_flight: 0,
            figures: Figures::default(),
            cooling_ms: None,
            ejected: Some(ejected),
        })
    }

    pub(crate) fn take_told(&self, told: &Told<'_>, now: Tick) {
        let Some((ejected, version)) = told.ejected else { return };
        let mut judged = self.judged();
        let is_well = judged.last_good.is_some_and(|at| now.since(at) < OWN_WORD_LASTS);
        // One of the two has not heard of the new credential yet.
        let is_other = version.is_some() && judged.version.is_some() && version != judged.version;
        if !is_well && !is_other {
            judged.breaker.take_told(ejected, &self.settings.breaker, now);
            self.settle(judged, None, now);
        }
    }

    pub(crate) fn phase(&self, now: Tick) -> Phase {
        self.judged().breaker.phase(now)
    }

    pub(crate) fn standing(&self, now: Tick) -> ChannelReport {
        let judged = self.judged();
        let breaker = report_of(&judged.breaker, now);
        let limit = Some(self.limit()).filter(|limit| *limit != u32::MAX);
        ChannelReport {
            channel: self.channel,
            breaker,
            worst: breaker.phase,
            worst_model: None,
            last_fault: judged.last_fault,
            last_sent: None,
            in_flight: self.in_flight(),
            limit,
            models: 0,
        }
    }

    pub(crate) fn tell(&self, model: Option<&str>, change: Option<Change>, now: Tick) {
        if let Some(Change { from, to, fault, wait }) = change {
            let model = model.map(Box::from);
            self.transitions.push(Transition {
                channel: self.channel,
                model,
                at: now,
                from,
                to,
                fault,
                for_: wait,
            });
        }
    }

    fn settle(&self, judged: MutexGuard<'_, Judged>, change: Option<Change>, now: Tick) {
        self.is_open.store(!judged.breaker.is_closed(), Ordering::Release);
        drop(judged);
        if change.is_some_and(|change| change.to == Phase::Closed) {
            self.closings.fetch_add(1, Ordering::AcqRel);
        }
        self.tell(None, change, now);
    }

    fn judged(&self) -> MutexGuard<'_, Judged> {
        // Figures that a panic left half-written are still figures.
        self.judged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn report_of(breaker: &Breaker, now: Tick) -> BreakerReport {
    let opening = breaker.opening();
    BreakerReport {
        phase: breaker.phase(now),
        fault: opening.map(|opening| opening.fault),
        since: opening.map(|opening| opening.since),
        until: opening.map(|opening| opening.until),
        openings: breaker.openings(),
    }
}
