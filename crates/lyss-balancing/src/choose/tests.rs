use std::time::Duration;

use lyss_domain::{Strategy as Algorithm, Tick};
use proptest::prelude::*;

use super::{Choice, Terms, Why};
use crate::pool::tests::{channel, draws};
use crate::{Balancers, Candidate, Pool, Snapshot, Standing};

fn standing(number: u128, standing: Standing) -> Candidate {
    let mut candidate = Candidate::new(channel(number), 1, 0);
    candidate.snapshot.standing = standing;
    candidate
}

fn full(number: u128, priority: i32) -> Candidate {
    let mut candidate = Candidate::new(channel(number), 1, priority);
    candidate.snapshot = Snapshot { in_flight: 3, limit: 3, ..Snapshot::UNKNOWN };
    candidate
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn choose(candidates: &[Candidate], terms: &Terms<'_>) -> Choice {
    Balancers::new(1).choose(Algorithm::WeightedRandom, &Pool::new(1, candidates), terms)
}

fn chosen(index: usize, why: Why) -> Choice {
    Choice::Chosen { index, why }
}

#[test]
fn a_trial_takes_the_first_attempt_of_a_call_that_has_somebody_to_fall_back_to() {
    let pool = [standing(0, Standing::Open), standing(1, Standing::OnTrial)];
    assert_eq!(choose(&pool, &Terms::default()), chosen(1, Why::Trial));
    // It failed there: the other serves.
    assert_eq!(choose(&pool, &Terms { tried: &[1], ..Terms::default() }), chosen(0, Why::Algorithm));
    // A retry, or an attempt that nothing may follow, is not risked.
    let three = [pool[0], pool[1], standing(2, Standing::Open)];
    assert_eq!(choose(&three, &Terms { tried: &[0], ..Terms::default() }), chosen(2, Why::Algorithm));
    assert_eq!(choose(&pool, &Terms { last: true, ..Terms::default() }), chosen(0, Why::Algorithm));
    // With nobody else it is tried anyway.
    assert_eq!(choose(&pool, &Terms { tried: &[0], last: true, ..Terms::default() }), chosen(1, Why::Trial));
    // While its trial is under way the other serves.
    let taken = [pool[0], standing(1, Standing::TrialTaken)];
    assert_eq!(choose(&taken, &Terms::default()), chosen(0, Why::Algorithm));
}

#[test]
fn a_reserve_is_not_tried_while_those_before_it_are_well() {
    let mut reserve = standing(1, Standing::OnTrial);
    reserve.priority = 5;
    assert_eq!(choose(&[standing(0, Standing::Open), reserve], &Terms::default()), chosen(0, Why::Algorithm));
    let down = standing(0, Standing::Ejected(secs(4)));
    assert_eq!(choose(&[down, reserve], &Terms::default()), chosen(1, Why::Trial));
}

#[test]
fn a_worse_priority_serves_when_the_better_one_has_nobody() {
    let mut reserve = standing(9, Standing::Open);
    reserve.priority = 1;
    let cooling = standing(1, Standing::Cooling(secs(2)));
    let ejected = standing(2, Standing::Ejected(secs(2)));
    for better in [full(0, 0), cooling, ejected, standing(3, Standing::TrialTaken)] {
        assert_eq!(choose(&[better, reserve], &Terms::default()), chosen(1, Why::Algorithm));
    }
    assert_eq!(
        choose(&[full(0, 0), standing(1, Standing::Open)], &Terms::default()),
        chosen(1, Why::Algorithm)
    );
}

#[test]
fn with_nobody_left_the_reason_says_whether_waiting_helps() {
    let cooling = [standing(0, Standing::Cooling(secs(9))), standing(1, Standing::Cooling(secs(4)))];
    assert_eq!(choose(&cooling, &Terms::default()), Choice::Cooling(secs(4)));
    assert_eq!(choose(&cooling, &Terms { tried: &[1], ..Terms::default() }), Choice::Cooling(secs(9)));
    assert_eq!(choose(&[cooling[0], full(1, 3)], &Terms::default()), Choice::Full);
    assert_eq!(
        choose(&[cooling[0], cooling[1]], &Terms { tried: &[0, 1], ..Terms::default() }),
        Choice::Nobody
    );
    assert_eq!(choose(&[], &Terms::default()), Choice::Nobody);
    assert_eq!(choose(&[Candidate::new(channel(0), 0, 0)], &Terms::default()), Choice::Nobody);
}

#[test]
fn when_all_are_ejected_the_least_bad_serves_and_a_flood_is_spread() {
    let mut pool = [standing(0, Standing::Ejected(secs(5))), standing(1, Standing::Ejected(secs(5)))];
    pool[0].snapshot.bad = 9.0;
    pool[1].snapshot.good = 5.0;
    pool[1].snapshot.bad = 5.0;
    assert_eq!(choose(&pool, &Terms::default()), chosen(1, Why::Panic));
    // One that a vendor asked to leave alone is not counted among them.
    let mixed = [standing(0, Standing::Cooling(secs(1))), pool[0]];
    assert_eq!(choose(&mixed, &Terms::default()), chosen(1, Why::Panic));
    let mut hot = pool;
    hot[1].snapshot.in_flight = 40;
    assert_eq!(choose(&hot, &Terms::default()), chosen(0, Why::Panic));
    // Equals are drawn.
    let equals = [pool[0], standing(1, Standing::TrialTaken), pool[0]];
    let picked = draws(3)
        .take(50)
        .filter_map(|draw| match choose(&[equals[0], equals[2]], &Terms { draw, ..Terms::default() }) {
            Choice::Chosen { index, .. } => Some(index),
            _ => None,
        })
        .collect::<Vec<_>>();
    assert!(picked.contains(&0) && picked.contains(&1), "{picked:?}");
}

pub(crate) fn any_standing() -> impl Strategy<Value = Standing> {
    prop_oneof![
        4 => Just(Standing::Open),
        1 => Just(Standing::OnTrial),
        1 => Just(Standing::TrialTaken),
        1 => (0..60u64).prop_map(|s| Standing::Ejected(secs(s))),
        1 => (0..60u64).prop_map(|s| Standing::Cooling(secs(s))),
    ]
}

/// Any snapshot that learned state can be, and some that it cannot.
pub(crate) fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let load = (0..9u32, 0..9u32, 0..9_000u32, prop_oneof![Just(u32::MAX), 0..9u32]);
    let speed = (0..30u32, 0.0..9e6f32, 0.0..1e5f32, 0.0..2.0f32);
    let rest = (0.0..90.0f32, 0.0..90.0f32, 0.0..1.0f32, 0..900_000u64);
    (any_standing(), load, speed, rest).prop_map(|(standing, load, speed, rest)| Snapshot {
        standing,
        in_flight: load.0,
        in_flight_elsewhere: load.1,
        outstanding_tokens: load.2,
        limit: load.3,
        samples: speed.0,
        ttft_us: if speed.0 == 0 { 0.0 } else { speed.1 },
        ttft_mean_us: if speed.0 == 0 { 0.0 } else { speed.1 * 0.9 },
        tpot_us: if speed.0 == 0 { 0.0 } else { speed.2 },
        tpot_mean_us: if speed.0 == 0 { 0.0 } else { speed.2 * 0.8 },
        spread: speed.3,
        good: rest.0,
        bad: rest.1,
        judged: rest.0 + rest.1,
        lost: rest.1 * 0.5,
        headroom: rest.2,
        pace: rest.2 * 3.0,
        idle: Duration::from_millis(rest.3),
    })
}

pub(crate) fn any_candidates(most: usize) -> impl Strategy<Value = Vec<Candidate>> {
    let weight = prop_oneof![1 => Just(0u32), 8 => 1..9u32, 1 => Just(u32::MAX)];
    let one = (0..40u128, weight, -1..2i32, 0..5_000u32, any_snapshot());
    prop::collection::vec(one, 0..most).prop_map(|list| {
        list.into_iter()
            .map(|(number, weight, priority, price_micros, snapshot)| Candidate {
                price_micros,
                snapshot,
                ..Candidate::new(channel(number), weight, priority)
            })
            .collect()
    })
}

proptest! {
    /// Whatever is known and whoever was tried: the chosen one may serve, nobody better was passed over for it, and
    /// there is no refusal while somebody may.
    #[test]
    fn a_choice_is_always_allowed_and_made_whenever_it_can_be(
        candidates in any_candidates(20),
        tried in prop::collection::vec(0..22usize, 0..5),
        affinity: Option<u64>,
        last: bool,
        draw: u64,
    ) {
        let terms = Terms { tried: &tried, affinity, last, again: false, draw, now: Tick(draw >> 8) };
        let left = |i: usize| candidates[i].weight > 0 && !tried.contains(&i);
        let free = |i: usize| {
            left(i)
                && candidates[i].snapshot.standing.may_serve()
                && candidates[i].snapshot.in_flight < candidates[i].snapshot.limit
        };
        let open = |i: usize| free(i) && candidates[i].snapshot.standing == Standing::Open;
        let all = || 0..candidates.len();
        let best = all().filter(|i| open(*i)).map(|i| candidates[i].priority).min();
        for strategy in Algorithm::ALL {
            let made = Balancers::new(7).choose(strategy, &Pool::new(draw, &candidates), &terms);
            match made {
                Choice::Chosen { index, why: Why::Algorithm | Why::Affinity } => {
                    prop_assert!(open(index) && Some(candidates[index].priority) == best);
                }
                Choice::Chosen { index, why: Why::Trial } => {
                    prop_assert!(free(index) && !open(index));
                    prop_assert!(best.is_none_or(|best| candidates[index].priority <= best));
                }
                Choice::Chosen { index, why: Why::Panic } => {
                    let standing = candidates[index].snapshot.standing;
                    prop_assert!(left(index) && matches!(standing, Standing::Ejected(_) | Standing::TrialTaken));
                    prop_assert!(!all().any(free));
                }
                Choice::Full => prop_assert!(!all().any(free) && all().any(left)),
                Choice::Cooling(wait) => {
                    let waits = all().filter(|i| left(*i)).map(|i| match candidates[i].snapshot.standing {
                        Standing::Cooling(wait) => Some(wait),
                        _ => None,
                    });
                    prop_assert_eq!(waits.min(), Some(Some(wait)));
                }
                Choice::Nobody => prop_assert!(!all().any(left)),
            }
        }
    }
}

/// Sixteen that are known, one of which may not serve.
fn sixteen() -> Vec<Candidate> {
    (0..16u8)
        .map(|place| {
            let mut candidate = Candidate::new(channel(u128::from(place)), 3, 0);
            let step = f32::from(place);
            candidate.snapshot = crate::best_performance::tests::known(3e5 + 1e4 * step, 1e4 + 3e2 * step);
            if place == 9 {
                candidate.snapshot.standing = Standing::Ejected(secs(3));
            }
            candidate
        })
        .collect()
}

#[test]
fn a_decision_among_sixteen_allocates_nothing() {
    let candidates = sixteen();
    let pool = Pool::new(1, &candidates);
    let balancers = Balancers::new(1);
    for strategy in Algorithm::ALL {
        for affinity in [None, Some(3)] {
            let choose = |draw: u64| {
                let tried = [2];
                let terms =
                    Terms { tried: &tried, affinity, draw, now: Tick(draw >> 30), ..Terms::default() };
                balancers.choose(strategy, &pool, &terms)
            };
            // The first one makes the group's state.
            choose(0);
            let counted = allocation_counter::measure(|| {
                draws(4).take(100).for_each(|draw| {
                    choose(draw);
                });
            });
            assert_eq!(counted.count_total, 0, "{strategy} {affinity:?}");
        }
    }
}

#[test]
fn more_candidates_than_any_mask_has_bits_are_chosen_among_rightly() {
    let mut candidates = crate::pool::tests::pool_of(&[1; 300]);
    for candidate in &mut candidates[..298] {
        candidate.snapshot.standing = Standing::Cooling(secs(1));
    }
    let tried = [298];
    for strategy in Algorithm::ALL {
        let terms = Terms { tried: &tried, draw: 77, ..Terms::default() };
        let choice = Balancers::new(2).choose(strategy, &Pool::new(1, &candidates), &terms);
        assert_eq!(choice, chosen(299, Why::Algorithm), "{strategy}");
    }
}
