//! Chooses with knowledge nobody has: every vendor's queue, pace, faults and windows as they are now, and the true
//! length of the call's answer. It knows means, not the luck of the single attempt.
//!
//! What is best for one call may delay those after it, and how far to look ahead has no closed answer. So there are
//! several plans, all with the same knowledge, and the oracle of a scenario is the one that turned out best.

use std::time::Duration;

use lyss_domain::Tick;

use crate::scenario::Timers;
use crate::traffic::Call;
use crate::vendor::{Prospect, Vendor};

/// How the oracle weighs this call against later ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What a call costs others counts as much as what it costs itself.
    pub considerate: bool,
    /// A window is not used up sooner than it passes, so that it lasts.
    pub paced: bool,
}

impl Plan {
    pub const ALL: [Self; 4] = [
        Self { considerate: false, paced: false },
        Self { considerate: true, paced: false },
        Self { considerate: false, paced: true },
        Self { considerate: true, paced: true },
    ];
}

/// The upstream with the least expected cost among those that `may_serve`.
pub fn choose(
    vendors: &[Vendor<'_>],
    may_serve: impl Fn(usize) -> bool,
    call: &Call,
    timers: Timers,
    plan: Plan,
    now: Tick,
) -> Option<usize> {
    let prospects: Vec<(usize, Prospect)> = vendors
        .iter()
        .enumerate()
        .filter(|(index, _)| may_serve(*index))
        .map(|(index, vendor)| (index, vendor.prospect(call, plan.paced, now)))
        .collect();
    let cost = |own: usize| {
        let prospect = prospects.iter().find(|(index, _)| *index == own).map(|(_, prospect)| prospect);
        let others = prospects.iter().filter(|(index, _)| *index != own);
        // What a call that must go elsewhere finds there.
        let next =
            others.map(|(_, other)| plain_cost(other, timers)).fold(timers.call.as_secs_f64(), f64::min);
        prospect.map_or(f64::INFINITY, |prospect| expected_cost(prospect, next, timers))
            + if plan.considerate {
                prospect.map_or(0.0, |prospect| prospect.burden.as_secs_f64())
            } else {
                0.0
            }
    };
    let best = prospects.iter().map(|(index, _)| (*index, cost(*index))).min_by(|a, b| a.1.total_cmp(&b.1));
    best.map(|(index, _)| index)
}

/// If a first failure is the end.
fn plain_cost(prospect: &Prospect, timers: Timers) -> f64 {
    let failed = prospect.refusal.0 + prospect.hang_chance + prospect.cut_chance;
    let served = (1.0 - failed).max(0.0);
    let total = if prospect.first_token > timers.first_byte { timers.call } else { prospect.total };
    served * total.as_secs_f64() + failed.min(1.0) * timers.call.as_secs_f64()
}

/// In seconds; `next` is what the call costs when it must go elsewhere.
fn expected_cost(prospect: &Prospect, next: f64, timers: Timers) -> f64 {
    let (refused, refusal_takes) = prospect.refusal;
    let heard = 1.0 - refused;
    let hangs = heard * prospect.hang_chance;
    let served = heard - hangs;
    let elsewhere_after = |wait: Duration| wait.as_secs_f64() + next;
    let total = if prospect.first_token > timers.first_byte {
        elsewhere_after(timers.first_byte)
    } else {
        prospect.total.as_secs_f64()
    };
    refused * elsewhere_after(refusal_takes)
        + hangs * elsewhere_after(timers.first_byte)
        + served * prospect.cut_chance * timers.call.as_secs_f64()
        + served * (1.0 - prospect.cut_chance) * total
}

#[cfg(test)]
mod tests;
