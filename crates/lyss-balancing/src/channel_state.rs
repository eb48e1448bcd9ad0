//! What holds for all models of one channel: its credential, its address, the attempts under way.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lyss_domain::{ChannelId, FaultKind, Tick};

use crate::breaker::{Breaker, Change, Role};
use crate::report::{BreakerReport, ChannelReport};
use crate::transitions::Transitions;
use crate::{HealthSettings, Phase, Refusal, Standing, Transition};

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
    pub(crate) fn pass(&self, now: Tick) -> Result<Role, Refusal> {
        if !self.is_open.load(Ordering::Acquire) {
            return Ok(Role::Ordinary);
        }
        let entered = self.judged().breaker.enter(&self.settings.breaker, now);
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
            Verdict::Well => judged.breaker.succeed(role, settings, now),
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
