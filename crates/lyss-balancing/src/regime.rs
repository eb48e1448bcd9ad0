//! In what state a model group is, as far as `adaptive` cares: idle, steady, under a burst, or with most channels gone.
//! One regime is left for another only after two windows in a row said so, so that chance does not make it flap.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lyss_domain::Tick;

use crate::groups::Groups;
use crate::{Pool, Standing};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Regime {
    /// Calls come so seldom that little is known of anybody.
    #[default]
    Idle,
    Steady,
    /// Far more calls than usual: what was learned of a lesser load says little.
    Burst,
    /// At least half of the channels may not serve.
    Degraded,
}

/// One group went from one regime to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegimeChange {
    pub group: u64,
    pub from: Regime,
    pub to: Regime,
    pub at: Tick,
}

/// The regimes of all groups.
#[derive(Debug)]
pub(crate) struct Regimes {
    groups: Groups<Watch>,
    changes: Mutex<VecDeque<RegimeChange>>,
}

/// Changes kept until somebody takes them; older ones go.
const CHANGES_KEPT: usize = 1_024;

const WINDOW: Duration = Duration::from_millis(500);

/// So many windows in a row must say the same.
const WINDOWS: u8 = 2;

/// The usual rate is a mean over about so many windows: half a minute.
const USUAL_OVER: f32 = 60.0;

/// Before so many were seen nothing is unusual.
const WINDOWS_KNOWN: f32 = 4.0;

/// What counts as idle, in calls per window by the mean of the last few seconds: one in five seconds.
const IDLE_RATE: f32 = 0.1;
const LATELY_OVER: f32 = 10.0;

/// What is known of one group's arrivals.
#[derive(Clone, Copy, Debug, Default)]
struct Watch {
    began: Option<Tick>,
    /// In the window under way.
    arrivals: u32,
    /// The most candidates, and the most of them closed, that a call of this window saw.
    closed: bool,
    /// Windows that the usual rate was learned from, as far as they count.
    windows: f32,
    usual: f32,
    lately: f32,
    regime: Regime,
    pending: Regime,
    pending_for: u8,
}

impl Regimes {
    pub(crate) fn new() -> Self {
        Self { groups: Groups::new(), changes: Mutex::new(VecDeque::with_capacity(CHANGES_KEPT)) }
    }

    /// A call looks for a channel. Only its first attempt `arrives`.
    pub(crate) fn observe(&self, pool: &Pool<'_>, arrives: bool, now: Tick) -> Regime {
        let closed = mostly_closed(pool);
        let seen = self.groups.with(pool.group, now, |watch| {
            let before = watch.regime;
            watch.observe(arrives, closed, now);
            (before, watch.regime)
        });
        let Some((from, to)) = seen else { return Regime::default() };
        if from != to {
            let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
            if changes.len() >= CHANGES_KEPT {
                changes.pop_front();
            }
            changes.push_back(RegimeChange { group: pool.group, from, to, at: now });
        }
        to
    }

    pub(crate) fn of(&self, group: u64) -> Regime {
        self.groups.peek(group, |watch| watch.regime).unwrap_or_default()
    }

    pub(crate) fn all(&self) -> Vec<(u64, Regime)> {
        let mut all = Vec::new();
        self.groups.each(|group, watch| all.push((group, watch.regime)));
        all
    }

    pub(crate) fn take_changes(&self) -> Vec<RegimeChange> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}

/// At least half of those that might serve by their weight are ejected or on trial.
fn mostly_closed(pool: &Pool<'_>) -> bool {
    let (mut all, mut closed) = (0usize, 0usize);
    for candidate in pool.candidates.iter().filter(|candidate| candidate.weight > 0) {
        all += 1;
        let is_closed = !matches!(candidate.snapshot.standing, Standing::Open | Standing::Cooling(_));
        closed += usize::from(is_closed);
    }
    closed > 0 && closed * 2 >= all
}

impl Watch {
    fn observe(&mut self, arrives: bool, closed: bool, now: Tick) {
        let began = *self.began.get_or_insert(now);
        let passed = now.since(began).as_nanos() / WINDOW.as_nanos();
        if passed > 0 {
            self.close_window();
            let silent = u32::try_from(passed - 1).unwrap_or(u32::MAX);
            if silent > 0 {
                self.silence(silent);
            }
            let whole = WINDOW.saturating_mul(silent.saturating_add(1));
            self.began = Some(began.after(whole));
            (self.arrivals, self.closed) = (0, false);
        }
        self.arrivals = self.arrivals.saturating_add(u32::from(arrives));
        self.closed |= closed;
    }

    fn close_window(&mut self) {
        let arrivals = self.arrivals as f32;
        self.lately += (arrivals - self.lately) / LATELY_OVER;
        // Beyond doubt more than twice the usual: chance alone gives the root of what is expected.
        let twice = 2.0 * self.usual;
        let is_burst = self.windows >= WINDOWS_KNOWN && arrivals > twice + 3.0 * twice.sqrt() + 3.0;
        let says = if self.closed {
            Regime::Degraded
        } else if is_burst {
            Regime::Burst
        } else if self.lately < IDLE_RATE {
            Regime::Idle
        } else {
            Regime::Steady
        };
        // The first windows are themselves what is usual.
        self.windows = (self.windows + 1.0).min(USUAL_OVER);
        self.usual += (arrivals - self.usual) / self.windows;
        self.hear(says, 1);
    }

    /// Windows without any call.
    fn silence(&mut self, windows: u32) {
        let count = windows.min(10_000) as f32;
        self.lately *= (1.0 - 1.0 / LATELY_OVER).powf(count);
        self.usual *= (1.0 - 1.0 / USUAL_OVER).powf(count);
        let says = if self.lately < IDLE_RATE { Regime::Idle } else { Regime::Steady };
        self.hear(says, u8::try_from(windows).unwrap_or(u8::MAX));
    }

    fn hear(&mut self, says: Regime, windows: u8) {
        if says == self.regime {
            self.pending_for = 0;
            return;
        }
        self.pending_for =
            if says == self.pending { self.pending_for.saturating_add(windows) } else { windows };
        self.pending = says;
        if self.pending_for >= WINDOWS {
            (self.regime, self.pending_for) = (says, 0);
        }
    }
}

impl Regime {
    pub const ALL: [Self; 4] = [Self::Idle, Self::Steady, Self::Burst, Self::Degraded];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Steady => "steady",
            Self::Burst => "burst",
            Self::Degraded => "degraded",
        }
    }
}

impl fmt::Display for Regime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests;
