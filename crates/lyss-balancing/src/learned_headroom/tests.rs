use std::time::Duration;

use lyss_domain::{RateHeadroom, Tick, WindowLeft};

use super::{Flow, HiddenLimit, SaidHeadroom};

fn at(secs: u64) -> Tick {
    Tick(secs * 1_000_000_000)
}

fn requests(limit: u64, remaining: u64, resets_in: Option<u64>) -> RateHeadroom {
    let resets_in = resets_in.map(Duration::from_secs);
    RateHeadroom { requests: Some(WindowLeft { limit, remaining, resets_in }), tokens: None }
}

fn is_near(left: f32, expected: f32) -> bool {
    (left - expected).abs() < 0.011
}

#[test]
fn a_window_fills_steadily_and_is_whole_at_its_reset() {
    let mut said = SaidHeadroom::default();
    assert!(is_near(said.left(at(0)), 1.0));
    said.learn(&requests(100, 0, Some(20)), at(0));
    let filled = [0, 5, 10, 20, 100].map(|secs| said.left(at(secs)));
    let expected = [0.0, 0.25, 0.5, 1.0, 1.0];
    assert!(filled.iter().zip(expected).all(|(left, expected)| is_near(*left, expected)), "{filled:?}");
}

#[test]
fn what_was_sent_since_counts_until_a_minute_has_brought_it_back() {
    let mut said = SaidHeadroom::default();
    said.learn(&requests(100, 100, Some(0)), at(0));
    (0..80).for_each(|_| said.sent(0));
    assert!(is_near(said.left(at(0)), 0.2), "{}", said.left(at(0)));
    assert!(is_near(said.left(at(30)), 0.7), "{}", said.left(at(30)));
    assert!(is_near(said.left(at(60)), 1.0));
}

#[test]
fn the_scarcer_window_counts_and_a_missing_limit_is_the_most_ever_left() {
    let mut said = SaidHeadroom::default();
    said.learn(&requests(0, 50, None), at(0));
    said.learn(&requests(0, 10, None), at(1));
    assert!(is_near(said.left(at(1)), 0.2), "{}", said.left(at(1)));
    let tokens = WindowLeft { limit: 1_000, remaining: 50, resets_in: None };
    said.learn(&RateHeadroom { requests: None, tokens: Some(tokens) }, at(1));
    assert!(is_near(said.left(at(1)), 0.05));
    said.sent(50);
    assert!(is_near(said.left(at(1)), 0.0));
}

#[test]
fn a_limit_nobody_told_is_learned_from_a_refusal() {
    let mut hidden = HiddenLimit::default();
    (0..100).for_each(|step| hidden.sent(10, at(step / 2)));
    assert!(is_near(hidden.left(at(50)), 1.0), "nothing was refused");
    hidden.refused(at(50));
    assert!(is_near(hidden.left(at(50)), 0.0));
    let later = hidden.left(at(80));
    assert!((0.3..0.8).contains(&later), "what is a minute old no longer counts: {later}");
    assert!(is_near(hidden.left(at(130)), 1.0));
    let (requests, tokens) = hidden.guess(at(130)).unwrap();
    assert!((90.0..100.0).contains(&requests) && (900.0..1_000.0).contains(&tokens));
}

#[test]
fn it_rises_again_while_nothing_is_refused_and_is_forgotten_in_the_end() {
    let mut hidden = HiddenLimit::default();
    (0..100).for_each(|_| hidden.sent(10, at(0)));
    hidden.refused(at(0));
    let first = hidden.guess(at(0)).unwrap().0;
    let mut now = 0;
    while now < 600 {
        now += 10;
        (0..12).for_each(|_| hidden.sent(10, at(now)));
        hidden.granted(at(now));
    }
    let risen = hidden.guess(at(600)).unwrap().0;
    assert!(risen > first * 1.4 && risen < first * 1.8, "{first} {risen}");
    assert!(hidden.guess(at(901)).is_none());
    assert!(is_near(hidden.left(at(901)), 1.0));
}

#[test]
fn a_first_call_that_is_refused_teaches_no_limit() {
    let mut hidden = HiddenLimit::default();
    hidden.sent(10, at(0));
    hidden.refused(at(0));
    assert!(hidden.guess(at(0)).is_none());
}

#[test]
fn a_window_bears_what_is_left_of_it_spread_until_its_reset() {
    let mut said = SaidHeadroom::default();
    assert_eq!(said.bears(at(0)), (None, None));
    said.learn(&requests(120, 120, Some(60)), at(0));
    assert_eq!(said.bears(at(0)).0, Some(2.0));
    // Half of it is gone in a quarter of the time.
    (0..60).for_each(|_| said.sent(10));
    let bears = said.bears(at(15)).0.unwrap();
    assert!((bears - 60.0 / 45.0).abs() < 0.01, "{bears}");
    // Left over at the end, it may go faster, yet not at any pace.
    said.learn(&requests(120, 90, Some(5)), at(55));
    assert_eq!(said.bears(at(55)).0, Some(4.0));
    // A bucket that fills steadily says a near reset when it is nearly full; half full it bears what fills it.
    said.learn(&requests(120, 118, Some(1)), at(70));
    assert_eq!(said.bears(at(70)).0, Some(4.0));
    said.learn(&requests(120, 60, Some(30)), at(80));
    assert_eq!(said.bears(at(80)).0, Some(2.0));
    // Long silent, it says nothing any more.
    assert_eq!(said.bears(at(200)).0, None);
}

#[test]
fn the_pace_is_what_was_sent_lately_over_what_is_borne() {
    let mut flow = Flow::default();
    let bears = (Some(2.0), Some(1_000.0));
    assert_eq!(flow.pace(bears, at(0)), 0.0);
    // Two a second for a minute, of few tokens.
    (0..120).for_each(|half| flow.sent(100, Tick(half * 500_000_000)));
    let pace = flow.pace(bears, at(60));
    assert!((0.9..1.1).contains(&pace), "{pace}");
    assert_eq!(flow.pace((None, None), at(60)), 0.0);
    // Tokens become the scarcer of the two.
    flow.sent(9_000, at(60));
    assert!(flow.pace(bears, at(60)) > 1.0);
    assert!(flow.pace(bears, at(120)) < 0.01);
    // Nothing is left: any use is too much, and still a number.
    assert_eq!(flow.pace((Some(0.0), None), at(60)), 1e3);
}
