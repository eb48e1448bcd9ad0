//! Why a decision came out as it did, in names and numbers.

use lyss_domain::{ChannelId, Strategy};

use super::{Decision, Memory};
use crate::adaptive::{self, time_doubt};
use crate::choose::{exclusion, filter, hope};
use crate::least_connections::Unit;
use crate::prediction::{Prospect, median, survey};
use crate::{Candidate, Choice, Exclusion, LeastConnections, Regime, Standing, Why, affinity};
use crate::{best_performance, weighted_random};

/// A stable name in snake case and what it was.
pub type Term = (&'static str, f32);

/// One candidate of a decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    pub channel: ChannelId,
    /// `None`: it might have served.
    pub exclusion: Option<Exclusion>,
    /// What the algorithm compared, with the draw in it: an effective weight (`weighted_random`) or credit
    /// (`round_robin`), where more is better; a load for its weight (`least_connections`) or cost in microseconds (the
    /// other two), where less is. `None`: it was not compared.
    pub score: Option<f32>,
    pub terms: Vec<Term>,
}

/// Candidate by candidate, in their order.
pub fn explain(decision: &Decision) -> Vec<Explained> {
    let (pool, terms) = (decision.pool(), decision.terms());
    let remaining = filter(&pool, &terms).unwrap_or_default();
    let best = serving_priority(decision, remaining.indices());
    let prospects = survey(&pool, &remaining);
    let one = |(index, candidate): (usize, &Candidate)| {
        let excluded = exclusion(index, candidate, terms.tried)
            .or_else(|| {
                best.is_some_and(|best| candidate.priority > best).then_some(Exclusion::WorsePriority)
            })
            .or_else(|| {
                let is_on_trial = candidate.snapshot.standing == Standing::OnTrial;
                let is_chosen = decision.choice == Choice::Chosen { index, why: Why::Trial };
                (is_on_trial && !is_chosen).then_some(Exclusion::OnTrial)
            });
        let mut explained = Explained {
            channel: candidate.channel,
            exclusion: excluded,
            score: None,
            terms: facts(candidate),
        };
        let place = remaining.indices().iter().position(|other| *other == index);
        if let Some((place, prospect)) = place.and_then(|place| Some((place, prospects.get(place)?))) {
            let is_own = matches!(decision.choice, Choice::Chosen { why: Why::Algorithm, .. });
            explained.score = score(decision, place, prospect, &prospects).filter(|_| is_own);
            explained.terms.extend(judgement(decision, prospect, &prospects));
        }
        if let Some(key) = decision.affinity.filter(|_| explained.exclusion.is_none()) {
            explained.terms.push(("affinity_rank", affinity::rank(candidate, key)));
        }
        if matches!(decision.choice, Choice::Chosen { why: Why::Panic, .. }) {
            explained.terms.push(("hope", hope(candidate)));
        }
        explained
    };
    pool.candidates.iter().enumerate().map(one).collect()
}

/// Of whom the call went to, or might have gone to.
fn serving_priority(decision: &Decision, remaining: &[usize]) -> Option<i32> {
    let serving = match decision.choice {
        Choice::Chosen { index, .. } => Some(index),
        _ => remaining.first().copied(),
    };
    decision.candidates.get(serving?).map(|candidate| candidate.priority)
}

/// What was known, whatever the algorithm.
fn facts(candidate: &Candidate) -> Vec<Term> {
    let snapshot = &candidate.snapshot;
    let mut facts = vec![
        ("weight", candidate.weight as f32),
        ("priority", candidate.priority as f32),
        ("in_flight", snapshot.in_flight as f32),
        ("in_flight_elsewhere", snapshot.in_flight_elsewhere as f32),
        ("samples", snapshot.samples as f32),
    ];
    if snapshot.limit != u32::MAX {
        facts.push(("limit", snapshot.limit as f32));
    }
    if candidate.price_micros > 0 {
        facts.push(("price_micros", candidate.price_micros as f32));
    }
    facts
}

/// What was made of it for this call.
fn judgement(decision: &Decision, prospect: &Prospect, all: &[Prospect]) -> Vec<Term> {
    let speed = [
        ("ttft_us", prospect.ttft_us),
        ("tpot_us", prospect.tpot_us),
        ("predicted_us", prospect.total_us),
        ("success_low", prospect.success_low()),
        ("success", prospect.success()),
    ];
    let queue = [
        ("queue", prospect.queue()),
        ("loss", prospect.loss()),
        ("headroom", prospect.headroom),
        ("pace", prospect.pace),
    ];
    match decision.strategy {
        Strategy::RoundRobin => Vec::new(),
        Strategy::WeightedRandom => speed.to_vec(),
        Strategy::LeastConnections => {
            vec![("outstanding_tokens", outstanding(decision, prospect))]
        }
        Strategy::BestPerformance => {
            let held_back = best_performance::held_back(prospect, decision.draw) > 0.0;
            let explores = best_performance::explores(decision.draw);
            let own = [("held_back", is(held_back)), ("explores", is(explores))];
            speed.into_iter().chain(queue).chain(own).collect()
        }
        Strategy::Adaptive => {
            let own = [
                ("held_back", is(best_performance::held_back(prospect, decision.draw) > 0.0)),
                (
                    "explores",
                    is(adaptive::explored(all, regime(decision), decision.draw) == Some(prospect.index)),
                ),
                ("time_doubt", time_doubt(prospect)),
                ("success_doubt", prospect.doubt()),
                ("expected_cost_us", adaptive::expected_cost(prospect, regime(decision))),
                ("price_factor", adaptive::price(prospect, decision.objective)),
            ];
            speed.into_iter().chain(queue).chain(own).collect()
        }
    }
}

fn score(decision: &Decision, place: usize, prospect: &Prospect, all: &[Prospect]) -> Option<f32> {
    let candidate = decision.candidates.get(prospect.index)?;
    match decision.strategy {
        Strategy::WeightedRandom => {
            let median = median(all.iter().filter(|p| !p.unknown).map(|p| p.worst_us));
            Some(candidate.weight as f32 * weighted_random::part(prospect, median))
        }
        Strategy::RoundRobin => match &decision.memory {
            Memory::Credits(credits) => Some(*credits.get(place)? as f32 + candidate.weight as f32),
            _ => None,
        },
        Strategy::LeastConnections => {
            let unit = if let Memory::Counting(unit) = decision.memory { unit } else { Unit::default() };
            let load = LeastConnections::counting(unit).load(candidate, decision.size);
            Some(load as f32 / candidate.weight as f32)
        }
        Strategy::BestPerformance => Some(best_performance::drawn_cost(prospect, decision.draw)),
        Strategy::Adaptive => {
            Some(adaptive::compared(prospect, decision.objective, regime(decision), decision.draw))
        }
    }
}

fn regime(decision: &Decision) -> Regime {
    if let Memory::Regime(regime) = decision.memory { regime } else { Regime::default() }
}

fn outstanding(decision: &Decision, prospect: &Prospect) -> f32 {
    decision.candidates.get(prospect.index).map_or(0.0, |c| c.snapshot.outstanding_tokens as f32)
}

fn is(it_is: bool) -> f32 {
    if it_is { 1.0 } else { 0.0 }
}
