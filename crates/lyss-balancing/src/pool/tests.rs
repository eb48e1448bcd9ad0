use lyss_domain::{ChannelId, Strategy as Algorithm, Tick};
use proptest::prelude::*;
use uuid::Uuid;

use crate::{Balancers, Candidate, Pool, Remaining};

/// A channel named by a number, so that failures are readable.
pub(crate) fn channel(number: u128) -> ChannelId {
    ChannelId(Uuid::from_u128(number))
}

pub(crate) fn pool_of(weights: &[u32]) -> Vec<Candidate> {
    weights.iter().enumerate().map(|(i, weight)| Candidate::new(channel(i as u128), *weight, 0)).collect()
}

/// Uniform draws that are the same in every run.
pub(crate) fn draws(seed: u64) -> impl Iterator<Item = u64> {
    (seed..).map(crate::round_robin::mix)
}

#[test]
fn a_worse_priority_serves_only_when_the_better_one_is_used_up() {
    let candidates = [(5, 1), (1, 0), (1, 1), (3, -1), (0, -2)]
        .iter()
        .enumerate()
        .map(|(i, (weight, priority))| Candidate::new(channel(i as u128), *weight, *priority))
        .collect::<Vec<_>>();
    let all = Balancers::new(1);
    for strategy in Algorithm::ALL {
        let mut tried = Vec::new();
        for draw in draws(9).take(4) {
            let pool = Pool::new(1, &candidates);
            let index =
                all.get(strategy).pick(&pool, &Remaining::untried(&pool, &tried), draw, Tick(draw)).unwrap();
            tried.push(index);
        }
        // -1, then 0, then the two of priority 1; the one of weight 0 never, though its priority is best.
        assert_eq!(tried[..2], [3, 1], "{strategy}");
        tried[2..].sort_unstable();
        assert_eq!(tried[2..], [0, 2], "{strategy}");
        let pool = Pool::new(1, &candidates);
        assert_eq!(
            all.get(strategy).pick(&pool, &Remaining::untried(&pool, &tried), 7, Tick(0)),
            None,
            "{strategy}"
        );
    }
}

proptest! {
    /// Whatever the lists, the edits and the draws: a pick is untried, of weight above 0, of the best priority that
    /// has one, and there is a pick whenever there can be.
    #[test]
    fn a_pick_is_always_allowed_and_made_whenever_it_can_be(
        seed: u64,
        steps in prop::collection::vec(
            (
                prop::collection::vec((0..6u128, prop_oneof![Just(0), 1..4u32, Just(u32::MAX)], -1..2i32), 0..6),
                prop::collection::vec(0..7usize, 0..5),
                0..3u64,
                any::<u64>(),
            ),
            1..40,
        ),
    ) {
        let all = Balancers::new(seed);
        for (list, tried, group, draw) in steps {
            let candidates = list
                .iter()
                .map(|(c, weight, priority)| Candidate::new(channel(*c), *weight, *priority))
                .collect::<Vec<_>>();
            let pool = Pool::new(group, &candidates);
            let able = |i: usize| candidates[i].weight > 0 && !tried.contains(&i);
            let best = (0..candidates.len()).filter(|i| able(*i)).map(|i| candidates[i].priority).min();
            for strategy in Algorithm::ALL {
                match all.get(strategy).pick(&pool, &Remaining::untried(&pool, &tried), draw, Tick(draw)) {
                    Some(i) => prop_assert!(able(i) && Some(candidates[i].priority) == best),
                    None => prop_assert_eq!(best, None),
                }
            }
        }
    }
}
