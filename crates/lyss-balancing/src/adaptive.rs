//! One policy of which the other four are limits: the least expected cost, drawn as uncertain as it is known.
//!
//! What is known well is followed closely, what is known badly is tried in the measure in which it may be the best
//! (Thompson 1933), and what was learned long ago counts as known badly, so that nobody is judged for ever. A queue, a
//! rate window that is used too fast, and a tenant's wish to save money are prices upon it.
//!
//! Regimes change little of this, since the prices hold in all of them: in a burst the queue counts more, as what was
//! learned of a lesser load says less. Idle groups explore by themselves, for what is not asked becomes doubtful; with
//! most channels gone the filter's panic rule and the callers of [`crate::Balancers::regime`] (hedging, retries) act.

use std::time::Duration;

use lyss_domain::Tick;

use crate::best_performance::{LOSS_US, REFUSAL_US, held_back};
use crate::prediction::{Prospect, least, normal, survey, unit};
use crate::regime::{Regime, Regimes};
use crate::round_robin::mix;
use crate::{Balancer, Objective, Pool, Remaining};

#[derive(Debug)]
pub struct Adaptive {
    pub(crate) regimes: Regimes,
}

/// How much of what chance does to a mean is drawn. All of it would be Thompson's rule, which asks too much of a pool that
/// is asked often: in the laboratory what it taught cost more than it was worth.
const CHANCE: f32 = 0.25;

/// Part of all time that may be spent on asking those that would not be chosen.
const BUDGET: f32 = 0.01;

/// Doubt about the logarithm of a time that was learned long ago.
const STALE_DOUBT: f32 = 0.4;

/// What was learned loses most of its certainty in this time without a new attempt.
const STALE_AFTER: Duration = Duration::from_secs(20);

impl Adaptive {
    pub(crate) fn new() -> Self {
        Self { regimes: Regimes::new() }
    }

    /// Who serves in this regime; nothing else but the arguments decides.
    pub(crate) fn pick_in(
        pool: &Pool<'_>,
        remaining: &Remaining,
        draw: u64,
        regime: Regime,
    ) -> Option<usize> {
        let prospects = survey(pool, remaining);
        if let Some(index) = explored(&prospects, regime, draw) {
            return Some(index);
        }
        let cost = |prospect: &Prospect| {
            held_back(prospect, draw) + compared(prospect, pool.objective, regime, draw)
        };
        least(&prospects, cost)
    }
}

impl Balancer for Adaptive {
    fn pick(&self, pool: &Pool<'_>, remaining: &Remaining, draw: u64, now: Tick) -> Option<usize> {
        let regime = self.regimes.observe(pool, true, now);
        Self::pick_in(pool, remaining, draw, regime)
    }
}

/// Whom this call is spent on, to learn whether it still is what it was. Its chance falls as its expected cost grows, so
/// that all of it together costs no more than the budget, however bad what is explored is.
pub(crate) fn explored(prospects: &[Prospect], regime: Regime, draw: u64) -> Option<usize> {
    let luck = unit(mix(draw ^ 7));
    if luck >= BUDGET || prospects.len() < 2 {
        return None;
    }
    let forgotten = prospects.iter().max_by_key(|p| (p.idle, mix(draw ^ 8 ^ ((p.index as u64) << 8))))?;
    if held_back(forgotten, draw) > 0.0 {
        return None;
    }
    let least = prospects.iter().map(|p| expected_cost(p, regime)).fold(f32::INFINITY, f32::min);
    let chance = BUDGET * stale(forgotten) * least / expected_cost(forgotten, regime);
    (luck < chance).then_some(forgotten.index)
}

/// What a call here costs as far as it was drawn, with all prices on it.
pub(crate) fn compared(prospect: &Prospect, objective: Objective, regime: Regime, draw: u64) -> f32 {
    drawn_cost(prospect, regime, draw) * price(prospect, objective)
}

/// Expected cost in microseconds with what is known for sure.
pub(crate) fn expected_cost(prospect: &Prospect, regime: Regime) -> f32 {
    cost(prospect, prospect.total_us, prospect.success(), prospect.loss_high(), regime)
}

/// One of the costs that may be the true one.
fn drawn_cost(prospect: &Prospect, regime: Regime, draw: u64) -> f32 {
    let own = mix(draw ^ ((prospect.index as u64) << 8));
    let success = prospect.success() + prospect.doubt() * normal(own);
    let time = prospect.total_us * (time_doubt(prospect) * normal(mix(own))).exp();
    cost(prospect, time, success.clamp(0.02, 1.0), prospect.loss_high(), regime)
}

fn cost(prospect: &Prospect, time: f32, success: f32, loss: f32, regime: Regime) -> f32 {
    let queue = match regime {
        // What was learned of a lesser load says little; what is under way says more.
        Regime::Burst => prospect.queue() * (1.0 + prospect.load / prospect.room),
        Regime::Idle | Regime::Steady | Regime::Degraded => prospect.queue(),
    };
    (time * queue + (1.0 - success) * REFUSAL_US) / success + loss * LOSS_US
}

/// Standard deviation of the logarithm of the expected time.
pub(crate) fn time_doubt(prospect: &Prospect) -> f32 {
    let seen = (prospect.good + prospect.bad).min(prospect.samples as f32);
    CHANCE * prospect.spread.min(1.0) / (seen + 1.0).sqrt() + STALE_DOUBT * stale(prospect)
}

/// How much of what was learned is out of date, 0 to 1.
fn stale(prospect: &Prospect) -> f32 {
    1.0 - (-prospect.idle.as_secs_f32() / STALE_AFTER.as_secs_f32()).exp()
}

/// What a call here costs besides time, as a factor.
pub(crate) fn price(prospect: &Prospect, objective: Objective) -> f32 {
    prospect.shadow_price() * wish(prospect, objective)
}

/// What a tenant's objective makes of the price.
fn wish(prospect: &Prospect, objective: Objective) -> f32 {
    let price = prospect.price_micros.max(1.0);
    match objective {
        Objective::Latency => 1.0,
        Objective::Balanced => price,
        // A tenth cheaper outweighs half as slow again.
        Objective::Cost => price.powi(4),
    }
}

#[cfg(test)]
mod tests;
