use super::{ConcurrencyLimit, remaining};

/// A server that serves `servers` at once, each in `millis`: the rest waits its turn.
fn run(limit: &mut ConcurrencyLimit, servers: f32, millis: f32, in_flight: impl Fn(u32) -> u32) -> f32 {
    for _ in 0..5_000 {
        let load = in_flight(limit.get());
        limit.answered(1_000.0 * millis * (load as f32 / servers).max(1.0), load);
    }
    limit.get() as f32
}

#[test]
fn it_comes_to_rest_near_what_the_server_bears_and_stays_there() {
    for servers in [10.0, 50.0, 300.0] {
        let mut limit = ConcurrencyLimit::default();
        for _ in 0..3 {
            let found = run(&mut limit, servers, 100.0, |limit| limit);
            assert!((servers..servers * 4.0).contains(&found), "{servers}: {found}");
        }
    }
}

#[test]
fn a_server_that_became_slower_for_good_is_not_throttled_for_ever() {
    let mut limit = ConcurrencyLimit::default();
    run(&mut limit, 50.0, 100.0, |limit| limit);
    let found = run(&mut limit, 50.0, 1_000.0, |limit| limit);
    assert!((50.0..200.0).contains(&found), "{found}");
}

#[test]
fn an_idle_channel_does_not_talk_itself_up() {
    let mut limit = ConcurrencyLimit::default();
    assert!(run(&mut limit, 1_000.0, 100.0, |_| 1) <= 8.0);
}

#[test]
fn refusals_cut_it_but_never_to_nothing() {
    let mut limit = ConcurrencyLimit::default();
    let before = limit.get();
    limit.refused();
    assert!(limit.get() < before);
    (0..100).for_each(|_| limit.refused());
    assert_eq!(limit.get(), 2);
}

#[test]
fn a_model_has_what_the_others_leave() {
    assert_eq!(remaining(10, 7, 3), 6);
    assert_eq!(remaining(2, 7, 3), 0);
    assert_eq!(remaining(u32::MAX, 7, 3), u32::MAX);
}
