use lyss_domain::{Strategy as Algorithm, Tick};
use proptest::prelude::*;

use super::{Decision, VERSION, explain, replay};
use crate::choose::tests::any_candidates;
use crate::{Balancers, Choice, Objective, Pool, Size, Terms, Unit, Why};

fn any_objective() -> impl Strategy<Value = Objective> {
    prop_oneof![Just(Objective::Latency), Just(Objective::Balanced), Just(Objective::Cost)]
}

proptest! {
    /// Over any history of calls on shared state, each decision, also when it was written and read again, chooses as
    /// it did; and what is explained agrees with it.
    #[test]
    fn a_recorded_decision_replays_to_the_same_choice(
        seed: u64,
        by_tokens: bool,
        objective in any_objective(),
        calls in prop::collection::vec(
            (
                any_candidates(9),
                prop::collection::vec(0..9usize, 0..3),
                any::<Option<u64>>(),
                any::<(bool, u64, u32)>(),
                0..4u64,
            ),
            1..12,
        ),
    ) {
        let unit = if by_tokens { Unit::Tokens } else { Unit::Connections };
        let balancers = Balancers::new(seed).counting(unit);
        let mut now = Tick(seed >> 8);
        for (candidates, tried, affinity, (last, draw, gap), group) in calls {
            now = Tick(now.0 + u64::from(gap));
            let size = Size { prompt_tokens: gap >> 16, output_tokens: gap & 0xfff };
            let pool = Pool { size, objective, ..Pool::new(group, &candidates) };
            let terms = Terms { tried: &tried, affinity, last, again: false, draw, now };
            for strategy in Algorithm::ALL {
                let (choice, decision) = balancers.choose_recorded(strategy, &pool, &terms);
                prop_assert_eq!(decision.choice, choice);
                prop_assert_eq!(replay(&decision), choice, "{}", strategy);
                let bytes = decision.encode().unwrap();
                prop_assert!(bytes.len() <= 100 + 100 * candidates.len(), "{}", bytes.len());
                let read = Decision::decode(&bytes).unwrap();
                prop_assert_eq!(&read, &decision);
                prop_assert_eq!(replay(&read), choice);
                let explained = explain(&read);
                prop_assert_eq!(explained.len(), candidates.len());
                if let Choice::Chosen { index, why } = choice {
                    let chosen = &explained[index];
                    prop_assert_eq!(chosen.exclusion.is_none(), why != Why::Panic, "{:?}", chosen);
                    prop_assert_eq!(chosen.score.is_some(), why == Why::Algorithm);
                }
            }
        }
    }

    /// Bytes from anywhere are refused or read, and what is read can be used.
    #[test]
    fn damaged_records_are_refused_and_never_crash(
        candidates in any_candidates(4),
        draw: u64,
        at: prop::sample::Index,
        flip: u8,
        noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let pool = Pool::new(1, &candidates);
        let terms = Terms { draw, ..Terms::default() };
        let (_, decision) = Balancers::new(1).choose_recorded(Algorithm::RoundRobin, &pool, &terms);
        let mut bytes = decision.encode().unwrap();
        let at = at.index(bytes.len());
        prop_assert!(Decision::decode(&bytes[..at]).is_err());
        bytes[at] ^= flip;
        for bytes in [bytes, noise] {
            if let Ok(read) = Decision::decode(&bytes) {
                replay(&read);
                explain(&read);
            }
        }
    }
}

#[test]
fn another_version_is_refused() {
    let (_, decision) =
        Balancers::new(1).choose_recorded(Algorithm::Adaptive, &Pool::new(1, &[]), &Terms::default());
    let mut bytes = decision.encode().unwrap();
    assert!(Decision::decode(&bytes).is_ok());
    bytes[0] = VERSION + 1;
    assert!(Decision::decode(&bytes).is_err());
}

#[test]
fn the_compared_scores_lead_to_the_choice() {
    let candidates = crate::pool::tests::pool_of(&[1, 5, 2]);
    let mut candidates = candidates;
    for (candidate, ttft) in candidates.iter_mut().zip([900_000.0, 100_000.0, 300_000.0]) {
        candidate.snapshot = crate::best_performance::tests::known(ttft, 10_000.0);
        candidate.snapshot.in_flight = 2;
    }
    let pool = Pool::new(1, &candidates);
    let balancers = Balancers::new(3);
    for strategy in Algorithm::ALL {
        let terms = Terms { draw: 0x9000_0000_0000_0000, now: Tick(1), ..Terms::default() };
        let (choice, decision) = balancers.choose_recorded(strategy, &pool, &terms);
        let scores = explain(&decision).iter().map(|e| e.score.unwrap()).collect::<Vec<_>>();
        let more_is_better = matches!(strategy, Algorithm::WeightedRandom | Algorithm::RoundRobin);
        let order = |a: &usize, b: &usize| {
            let order = scores[*a].total_cmp(&scores[*b]);
            if more_is_better { order.reverse() } else { order }
        };
        let best = (0..3).min_by(order).unwrap();
        assert_eq!(choice, Choice::Chosen { index: best, why: Why::Algorithm }, "{strategy}: {scores:?}");
    }
}
