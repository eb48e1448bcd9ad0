use super::*;
use crate::scenarios;

fn traffic(arrivals: Arrivals) -> Scenario {
    let mut scenario = scenarios::even_pool();
    scenario.span = Duration::from_secs(600);
    scenario.traffic.arrivals = arrivals;
    scenario
}

#[test]
fn a_poisson_stream_has_its_rate() {
    let calls = calls(&traffic(Arrivals::Poisson { per_second: 20.0 }), 1);
    assert!((11_600..12_400).contains(&calls.len()), "{}", calls.len());
    assert!(calls.is_sorted_by_key(|call| call.at));
}

#[test]
fn a_burst_comes_at_the_end_of_each_period() {
    let (every, lasting) = (Duration::from_secs(60), Duration::from_secs(6));
    let calls = calls(&traffic(Arrivals::Bursts { per_second: 5.0, times: 10.0, every, lasting }), 1);
    let bursting = calls.iter().filter(|call| call.at.0 % 60_000_000_000 >= 54_000_000_000).count();
    let quiet = calls.len() - bursting;
    // Ten periods: 60 seconds of 50 calls, 540 of 5.
    assert!((2_800..3_200).contains(&bursting), "{bursting}");
    assert!((2_550..2_850).contains(&quiet), "{quiet}");
}

#[test]
fn recorded_calls_come_as_recorded() {
    let mut scenario = traffic(Arrivals::At(vec![Duration::from_secs(1), Duration::from_secs(2)]));
    scenario.traffic.prompt_tokens = Sizes::Recorded(vec![10, 20]);
    scenario.traffic.output_tokens = Sizes::Recorded(vec![7]);
    let seen: Vec<_> = calls(&scenario, 9)
        .iter()
        .map(|call| (call.at.0 / 1_000_000_000, call.prompt_tokens, call.output_tokens))
        .collect();
    assert_eq!(seen, [(1, 10, 7), (2, 20, 7)]);
}

#[test]
fn a_turn_carries_all_that_was_said_before() {
    let calls = calls(&scenarios::sticky_sessions(), 1);
    let mut said = std::collections::BTreeMap::new();
    let mut later_turns = 0;
    for call in &calls {
        let turn = call.turn.expect("every call is a turn");
        let before = said.insert(turn.session, call.prompt_tokens + call.output_tokens);
        assert_eq!(turn.known_tokens, before.unwrap_or(0));
        assert!(call.prompt_tokens > turn.known_tokens);
        later_turns += usize::from(before.is_some());
    }
    assert!(later_turns * 2 > calls.len(), "most calls go on with something");
}

#[test]
fn nonsense_rates_bring_no_calls() {
    for per_second in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(calls(&traffic(Arrivals::Poisson { per_second }), 1).is_empty(), "{per_second}");
    }
}
