use lyss_domain::Tick;
use proptest::prelude::*;

use super::RoundRobin;
use crate::pool::tests::{channel, pool_of};
use crate::{Balancer, Candidate, Pool, Remaining};

fn run(balancer: &RoundRobin, candidates: &[Candidate], tried: &[usize], picks: usize) -> Vec<usize> {
    let pool = Pool::new(7, candidates);
    (0..picks)
        .map(|i| balancer.pick(&pool, &Remaining::untried(&pool, tried), 0, Tick(i as u64)).unwrap())
        .collect()
}

fn counts(picked: &[usize], n: usize) -> Vec<usize> {
    (0..n).map(|i| picked.iter().filter(|p| **p == i).count()).collect()
}

/// The sum of credits of what remains is kept, so a full cycle from anywhere holds exactly the weights.
fn assert_exact_cycles(weights: &[u32], picked: &[usize]) {
    let cycle = weights.iter().sum::<u32>() as usize;
    for window in picked.windows(cycle) {
        let seen = counts(window, weights.len());
        for (i, weight) in weights.iter().enumerate() {
            assert_eq!(seen[i], *weight as usize, "channel {i} of {weights:?} in {window:?}");
        }
    }
}

#[test]
fn equal_channels_take_strict_turns_wherever_the_rotation_begins() {
    let candidates = pool_of(&[1; 5]);
    let mut starts = std::collections::BTreeSet::new();
    for seed in 0..64 {
        let picked = run(&RoundRobin::new(seed), &candidates, &[], 40);
        starts.insert(picked[0]);
        // Every window of five holds each once: the spread is never above one, and nobody serves twice in a row.
        assert_exact_cycles(&[1; 5], &picked);
    }
    assert_eq!(starts.len(), 5, "64 replicas should not all begin at the same channel");
}

#[test]
fn weights_are_met_in_every_cycle_and_spread_within_it() {
    let longest = |picked: &[usize]| picked.chunk_by(|a, b| a == b).map(<[usize]>::len).max().unwrap();
    // Handed out block by block, the first would come five times in a row and the others' weights two.
    let picked = run(&RoundRobin::new(3), &pool_of(&[5, 1, 1]), &[], 70);
    assert_exact_cycles(&[5, 1, 1], &picked);
    assert!(longest(&picked) <= 4, "{picked:?}");
    let picked = run(&RoundRobin::new(3), &pool_of(&[2, 2, 2]), &[], 60);
    assert_eq!(longest(&picked), 1, "{picked:?}");
}

proptest! {
    #[test]
    fn any_weights_are_exact_in_every_cycle(
        seed: u64,
        weights in prop::collection::vec(1..9u32, 1..8),
    ) {
        let cycle = weights.iter().sum::<u32>() as usize;
        let picked = run(&RoundRobin::new(seed), &pool_of(&weights), &[], cycle * 4);
        assert_exact_cycles(&weights, &picked);
    }
}

#[test]
fn a_tried_channel_keeps_its_turn_and_the_rest_rotate_among_themselves() {
    let balancer = RoundRobin::new(5);
    let candidates = pool_of(&[1, 1, 1]);
    let pool = Pool::new(7, &candidates);
    let (mut first, mut second) = (vec![], vec![]);
    // Channel 0 always fails, so each of its calls is picked again among the others.
    for i in 0..300 {
        let index = balancer.pick(&pool, &Remaining::untried(&pool, &[]), 0, Tick(i)).unwrap();
        first.push(index);
        if index == 0 {
            second.push(balancer.pick(&pool, &Remaining::untried(&pool, &[0]), 0, Tick(i)).unwrap());
        }
    }
    let (firsts, seconds) = (counts(&first, 3), counts(&second, 3));
    assert!(firsts.iter().all(|n| n.abs_diff(100) <= 1), "{firsts:?}");
    assert_eq!(seconds[0], 0);
    // The other two share its calls, and everything together, evenly.
    assert!(seconds[1].abs_diff(seconds[2]) <= 2, "{seconds:?}");
    assert!((firsts[1] + seconds[1]).abs_diff(firsts[2] + seconds[2]) <= 1, "{firsts:?} {seconds:?}");
}

#[test]
fn an_edit_of_the_list_resets_nobody_and_brings_no_burst() {
    let balancer = RoundRobin::new(11);
    let mut candidates = pool_of(&[1; 4]);
    let before = run(&balancer, &candidates, &[], 6);
    // One joins at the front, so every index moves: the two channels that are due come before any that just served.
    let joined = Candidate::new(channel(99), 1, 0);
    candidates.insert(0, joined);
    let after = run(&balancer, &candidates, &[], 25);
    let due = (0..4).filter(|i| !before[4..].contains(i)).map(|i| i + 1).collect::<Vec<_>>();
    assert!(due.iter().all(|i| after[..3].contains(i)), "{due:?} were due: {before:?} {after:?}");
    assert_exact_cycles(&[1; 5], &after[5..]);
    assert_eq!(counts(&after[..5], 5)[0], 1, "the new one takes one turn in its first round: {after:?}");
    // And leaves again.
    candidates.remove(0);
    assert_exact_cycles(&[1; 4], &run(&balancer, &candidates, &[], 20)[4..]);
}

#[test]
fn a_weight_cut_from_a_million_does_not_haunt_the_rotation() {
    let balancer = RoundRobin::new(2);
    run(&balancer, &pool_of(&[1_000_000, 999_999, 1]), &[], 1_001);
    let picked = run(&balancer, &pool_of(&[1, 1, 1]), &[], 60);
    assert_eq!(counts(&picked[30..], 3), [10, 10, 10], "{picked:?}");
}

#[test]
fn channels_that_left_are_forgotten_in_time() {
    let balancer = RoundRobin::new(1);
    for i in 0..10_000u128 {
        let candidates = [Candidate::new(channel(i), 1, 0)];
        run(&balancer, &candidates, &[], 1);
    }
    assert!(balancer.groups.peek(7, |group| group.turns.len()).unwrap() <= 20);
}

#[test]
fn threads_together_take_exact_shares() {
    let balancer = RoundRobin::new(8);
    let candidates = pool_of(&[3, 2, 1]);
    let all = std::thread::scope(|scope| {
        let threads =
            (0..4).map(|_| scope.spawn(|| run(&balancer, &candidates, &[], 600))).collect::<Vec<_>>();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(counts(&all, 3), [1_200, 800, 400]);
}
