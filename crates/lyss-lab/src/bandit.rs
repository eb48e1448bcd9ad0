//! The simple baseline: a bandit over the other four algorithms, after EXP3 (Auer, Cesa-Bianchi, Freund, Schapire
//! 2002). It follows one of them for each call, and learns from how the call went; it forgets, as vendors change.

use lyss_domain::Strategy;

use crate::draws::{exp, unit};

const ARMS: [Strategy; 4] =
    [Strategy::WeightedRandom, Strategy::RoundRobin, Strategy::LeastConnections, Strategy::BestPerformance];

/// Part of the calls that go to an arm drawn evenly.
const EXPLORES: f64 = 0.08;

/// How much of a logarithm of weight is left after a call.
const KEEPS: f64 = 0.999;

/// Step per unit of estimated reward.
const STEP: f64 = 0.02;

#[derive(Clone, Debug, Default)]
pub struct Bandit {
    /// Logarithms, relative to the largest.
    weights: [f64; ARMS.len()],
}

/// The arm a call follows, and the chance it had.
#[derive(Clone, Copy, Debug)]
pub struct Followed {
    pub strategy: Strategy,
    arm: usize,
    chance: f64,
}

impl Bandit {
    pub fn choose(&self, draw: u64) -> Followed {
        let sum: f64 = self.weights.iter().map(|weight| exp(*weight)).sum();
        let mut left = unit(draw);
        let mut chosen = Followed { strategy: Strategy::WeightedRandom, arm: 0, chance: 1.0 };
        for (arm, (strategy, weight)) in ARMS.into_iter().zip(self.weights).enumerate() {
            let chance = (1.0 - EXPLORES) * exp(weight) / sum + EXPLORES / ARMS.len() as f64;
            chosen = Followed { strategy, arm, chance };
            if left < chance {
                break;
            }
            left -= chance;
        }
        chosen
    }

    /// `cost` of the call as a part of the most it can cost, 0 to 1.
    pub fn learn(&mut self, followed: Followed, cost: f64) {
        // The reward of an arm that was not followed is estimated as zero, the followed one's is scaled up by its chance.
        let reward = (1.0 - cost.clamp(0.0, 1.0)) / followed.chance;
        for (arm, weight) in self.weights.iter_mut().enumerate() {
            *weight = *weight * KEEPS + if arm == followed.arm { STEP * reward } else { 0.0 };
        }
        let largest = self.weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for weight in &mut self.weights {
            *weight -= largest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Draws;

    #[test]
    fn it_comes_to_follow_the_better_arm_and_changes_its_mind() {
        let mut bandit = Bandit::default();
        let mut draws = Draws::new(7);
        let mut best = Strategy::LeastConnections;
        for half in 0..2 {
            let mut followed_best = 0;
            for call in 0..4_000 {
                let followed = bandit.choose(draws.draw());
                bandit.learn(followed, if followed.strategy == best { 0.05 } else { 0.6 });
                followed_best += u32::from(call >= 3_000 && followed.strategy == best);
            }
            assert!(followed_best > 800, "half {half}: {followed_best} of the last 1000");
            best = Strategy::RoundRobin;
        }
    }
}
