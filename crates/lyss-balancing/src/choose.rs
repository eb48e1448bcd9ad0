//! One decision: who may serve, then the algorithm. The pipeline, the laboratory, `explain` and replays all come
//! through here.

use std::time::Duration;

use lyss_domain::{Strategy, Tick};

use crate::decision::Memory;
use crate::round_robin::Credits;
use crate::round_robin::mix;
use crate::{Adaptive, Balancer, Balancers, Candidate, Pool, Remaining, Standing, affinity};

/// What a decision depends on besides the pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms<'a> {
    /// Indices that served this call before and failed.
    pub tried: &'a [usize],
    /// A stable hash of session or prompt prefix, with the tenant in it; `None`: no affinity is wanted.
    pub affinity: Option<u64>,
    /// No attempt may follow this one, so it is no time for a trial.
    pub last: bool,
    /// The call has looked before: it waited, or was beaten to a place.
    pub again: bool,
    pub draw: u64,
    pub now: Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Chosen {
        index: usize,
        why: Why,
    },
    /// Everybody who may serve is at the concurrency limit: a call may wait for a place.
    Full,
    /// Everything left waits for a vendor's window; the shortest of the waits.
    Cooling(Duration),
    /// Nothing is left.
    Nobody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Algorithm,
    /// Its session or prompt prefix was served there.
    Affinity,
    /// It was ejected, and this call shows whether it is well again.
    Trial,
    /// All are ejected, and this one is the least bad.
    Panic,
}

/// Why a candidate was not considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusion {
    Tried,
    /// Weight 0.
    Drained,
    /// Another priority comes first.
    WorsePriority,
    Ejected,
    TrialTaken,
    /// It may be tried, but not by this call: it failed once, has no attempt left, or another is tried first.
    OnTrial,
    Cooling,
    /// At its concurrency limit.
    Full,
}

impl Balancers {
    /// Never waits, and never allocates for up to 16 candidates.
    pub fn choose(&self, strategy: Strategy, pool: &Pool<'_>, terms: &Terms<'_>) -> Choice {
        self.decide(strategy, pool, terms, None)
    }

    /// What the algorithm remembered before is written to `memory`.
    pub(crate) fn decide(
        &self,
        strategy: Strategy,
        pool: &Pool<'_>,
        terms: &Terms<'_>,
        memory: Option<&mut Memory>,
    ) -> Choice {
        // Every call counts for the regime, whoever it goes to; a further attempt is no further call.
        let regime = (strategy == Strategy::Adaptive)
            .then(|| self.adaptive.regimes.observe(pool, terms.tried.is_empty() && !terms.again, terms.now));
        let remaining = match filter(pool, terms) {
            Ok(remaining) => remaining,
            Err(settled) => return settled,
        };
        if let Some(index) = terms.affinity.and_then(|key| affinity::pick(pool, &remaining, key)) {
            return Choice::Chosen { index, why: Why::Affinity };
        }
        by_algorithm(match (regime, strategy, memory) {
            (Some(regime), _, memory) => {
                if let Some(memory) = memory {
                    *memory = Memory::Regime(regime);
                }
                Adaptive::pick_in(pool, &remaining, terms.draw, regime)
            }
            (None, Strategy::RoundRobin, Some(memory)) => {
                let mut credits = Credits::new();
                let picked = self.round_robin.pick_recorded(pool, &remaining, terms.now, Some(&mut credits));
                *memory = Memory::Credits(credits);
                picked
            }
            (None, Strategy::LeastConnections, Some(memory)) => {
                *memory = Memory::Counting(self.least_connections.unit());
                self.least_connections.pick(pool, &remaining, terms.draw, terms.now)
            }
            (None, _, _) => self.get(strategy).pick(pool, &remaining, terms.draw, terms.now),
        })
    }
}

pub(crate) fn by_algorithm(picked: Option<usize>) -> Choice {
    picked.map_or(Choice::Nobody, |index| Choice::Chosen { index, why: Why::Algorithm })
}

/// Why a candidate may not serve whatever the others are like; `None`: it may.
pub(crate) fn exclusion(index: usize, candidate: &Candidate, tried: &[usize]) -> Option<Exclusion> {
    if candidate.weight == 0 {
        return Some(Exclusion::Drained);
    }
    if tried.contains(&index) {
        return Some(Exclusion::Tried);
    }
    match candidate.snapshot.standing {
        Standing::Ejected(_) => Some(Exclusion::Ejected),
        Standing::TrialTaken => Some(Exclusion::TrialTaken),
        Standing::Cooling(_) => Some(Exclusion::Cooling),
        Standing::Open | Standing::OnTrial => {
            (candidate.snapshot.in_flight >= candidate.snapshot.limit).then_some(Exclusion::Full)
        }
    }
}

/// Who may serve, at least one, or the choice that needs no algorithm. A worse priority does only when nobody of a better one can, be it full, cooling or ejected.
pub(crate) fn filter(pool: &Pool<'_>, terms: &Terms<'_>) -> Result<Remaining, Choice> {
    let (mut remaining, mut best) = (Remaining::default(), i32::MAX);
    let mut trial: Option<(i32, usize)> = None;
    let (mut ejected, mut full, mut wait) = (false, false, None::<Duration>);
    for (index, candidate) in pool.candidates.iter().enumerate() {
        match (exclusion(index, candidate, terms.tried), candidate.snapshot.standing) {
            (None, Standing::OnTrial) => {
                if trial.is_none_or(|(priority, _)| candidate.priority < priority) {
                    trial = Some((candidate.priority, index));
                }
            }
            (None, _) => remaining.admit(index, candidate.priority, &mut best),
            (Some(Exclusion::Full), _) => full = true,
            (Some(Exclusion::Ejected | Exclusion::TrialTaken), _) => ejected = true,
            (Some(Exclusion::Cooling), Standing::Cooling(left)) => {
                wait = Some(wait.map_or(left, |least| least.min(left)));
            }
            (Some(_), _) => {}
        }
    }
    if let Some((priority, index)) = trial {
        // Others stand behind it, so a failure costs the caller some time and nothing else. A call that has failed
        // once is not risked again, and a reserve is not woken while those before it are well.
        let protected = priority <= best && terms.tried.is_empty() && !terms.last;
        if remaining.is_empty() || protected {
            return Err(Choice::Chosen { index, why: Why::Trial });
        }
    }
    if !remaining.is_empty() {
        return Ok(remaining);
    }
    // An ejection is our own guess and may be wrong; a full channel will have a place soon, and a vendor's window
    // is the vendor's word.
    Err(if full {
        Choice::Full
    } else if let Some(index) = ejected.then(|| least_bad(pool, terms)).flatten() {
        Choice::Chosen { index, why: Why::Panic }
    } else {
        wait.map_or(Choice::Nobody, Choice::Cooling)
    })
}

/// Of the ejected, whatever their priority, the one most likely to answer. What is under way there counts against it,
/// so that a flood of calls is spread rather than sent to one.
fn least_bad(pool: &Pool<'_>, terms: &Terms<'_>) -> Option<usize> {
    let mut best: Option<(f32, u64, usize)> = None;
    for (index, candidate) in pool.candidates.iter().enumerate() {
        let excluded = exclusion(index, candidate, terms.tried);
        if !matches!(excluded, Some(Exclusion::Ejected | Exclusion::TrialTaken)) {
            continue;
        }
        let tie = mix(terms.draw ^ index as u64);
        let hope = hope(candidate);
        if best.is_none_or(|(most, draw, _)| hope > most || (hope == most && tie < draw)) {
            best = Some((hope, tie, index));
        }
    }
    best.map(|(_, _, index)| index)
}

/// How promising an ejected candidate is; only the order means anything.
pub(crate) fn hope(candidate: &Candidate) -> f32 {
    let snapshot = &candidate.snapshot;
    let success = (snapshot.good.max(0.0) + 0.5) / (snapshot.good.max(0.0) + snapshot.bad.max(0.0) + 1.0);
    let left = match snapshot.standing {
        Standing::Ejected(left) => left.as_secs_f32(),
        _ => 0.0,
    };
    // Ten seconds more to wait weigh as one more call under way.
    success / (1.0 + snapshot.in_flight as f32 + left / 10.0)
}

impl Standing {
    pub fn may_serve(self) -> bool {
        matches!(self, Self::Open | Self::OnTrial)
    }
}

#[cfg(test)]
pub(crate) mod tests;
