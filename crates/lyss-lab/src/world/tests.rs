use super::*;
use crate::record::CallRecord;
use crate::scenario::{Arrivals, Faults, Refusal, Sizes, Upstream};
use crate::{Policy, scenarios};
use lyss_domain::Strategy;

const RANDOM: Policy = Policy::Algorithm(Strategy::WeightedRandom);

/// Two plain channels, calls one second apart.
fn small(calls: u64) -> Scenario {
    let mut scenario = scenarios::even_pool();
    scenario.upstreams.truncate(2);
    for upstream in &mut scenario.upstreams {
        *upstream = Upstream { noise: 0.0, crowding: 0.0, ..upstream.clone() };
    }
    scenario.traffic.arrivals = Arrivals::At((0..calls).map(Duration::from_secs).collect());
    scenario.traffic.prompt_tokens = Sizes::Fixed(1_000);
    scenario.traffic.output_tokens = Sizes::Fixed(101);
    scenario
}

fn record(scenario: &Scenario, policy: Policy) -> Record {
    let calls = crate::traffic::calls(scenario, 1);
    run(scenario, policy, Plan::default(), 1, &calls)
}

fn refusing() -> Faults {
    let refusal = Refusal { chance: 1.0, kind: FaultKind::VendorError, after: Duration::from_millis(20) };
    Faults { refusal: Some(refusal), ..Faults::default() }
}

#[test]
fn a_call_takes_what_its_vendor_takes() {
    let record = record(&small(20), RANDOM);
    assert_eq!(record.sent.len(), 20);
    for call in &record.calls {
        assert!(call.ok);
        let took = call.cost(record.timeout).as_secs_f64();
        assert!((took - 1.9).abs() < 1e-6, "{took}");
        // A thousand tokens at 0.5 micros and 101 at 2 (or at 0.55 and 2.2).
        assert!((702.0 - 1.0..773.0).contains(&call.spent_micros), "{}", call.spent_micros);
    }
}

#[test]
fn before_the_first_token_another_channel_takes_over() {
    let mut scenario = small(20);
    scenario.upstreams[0].faults = refusing();
    let record = record(&scenario, RANDOM);
    assert!(record.calls.iter().all(|call| call.ok), "nobody may notice");
    let failed: u32 = record.calls.iter().map(|call| call.failed_attempts).sum();
    assert!(failed > 0 && record.sent.len() == 20 + failed as usize);
}

#[test]
fn after_the_first_token_nobody_takes_over() {
    let mut scenario = small(40);
    scenario.upstreams[0].faults.cut_chance = 1.0;
    scenario.upstreams[1].weight = 0;
    let record = record(&scenario, RANDOM);
    assert!(record.calls.iter().all(|call| !call.ok && call.cost(record.timeout) == record.timeout));
    assert!(record.sent.len() <= 40, "a cut stream was sent again");
}

#[test]
fn silence_ends_with_its_timer_and_goes_elsewhere() {
    let mut scenario = small(1);
    scenario.upstreams[0].faults.hang_chance = 1.0;
    scenario.upstreams[1].faults.hang_chance = 1.0;
    let record = record(&scenario, RANDOM);
    let call = &record.calls[0];
    assert_eq!((call.ok, call.failed_attempts), (false, 2));
    // Twice half a minute is the call's whole time.
    assert_eq!(call.ended, Tick(60_000_000_000));
}

#[test]
fn retries_are_bounded() {
    let mut scenario = small(1);
    scenario.upstreams = (0..6).map(|_| Upstream { faults: refusing(), ..Upstream::usual("a") }).collect();
    let record = record(&scenario, RANDOM);
    assert_eq!(record.calls[0].failed_attempts, scenario.timers.max_retries + 1);
}

#[test]
fn a_full_channel_is_waited_for() {
    let mut scenario = small(2);
    scenario.traffic.arrivals = Arrivals::At(vec![Duration::ZERO, Duration::from_millis(100)]);
    scenario.upstreams.truncate(1);
    scenario.upstreams[0].concurrency = Some(1);
    let record = record(&scenario, RANDOM);
    let ends: Vec<u64> = record.calls.iter().map(|call| call.ended.0 / 1_000_000).collect();
    assert!(record.calls.iter().all(|call| call.ok));
    assert_eq!(ends, [1_900, 3_800]);
}

#[test]
fn all_policies_meet_the_same_luck() {
    let scenario = scenarios::even_pool();
    let calls = crate::traffic::calls(&scenario, 5);
    let sent_to = |policy| {
        let record = run(&scenario, policy, Plan::default(), 5, &calls);
        record.sent.iter().map(|sent| sent.upstream).collect::<Vec<_>>()
    };
    assert_eq!(sent_to(RANDOM), sent_to(RANDOM), "the same seed must give the same run");
    assert_ne!(sent_to(RANDOM), sent_to(Policy::Oracle));
}

#[test]
fn everything_that_was_sent_comes_to_an_end() {
    for scenario in scenarios::all() {
        let mut scenario = scenario;
        scenario.span = Duration::from_secs(90);
        let calls = crate::traffic::calls(&scenario, 3);
        for policy in [Policy::Oracle, Policy::Algorithm(Strategy::Adaptive), Policy::PlainRandom] {
            let mut world = World::new(&scenario, policy, Plan::default(), 3, &calls);
            world.go_on();
            assert!(world.attempts.iter().all(|attempt| attempt.stage == Stage::Over), "{}", scenario.name);
            for replica in &world.replicas {
                assert!(replica.gate.is_empty(), "{}: a call waits for ever", scenario.name);
                for vitals in &replica.vitals {
                    assert_eq!(vitals.snapshot(world.agenda.now()).in_flight, 0, "{}", scenario.name);
                }
            }
        }
    }
}

#[test]
fn a_silent_attempt_is_joined_by_a_second_and_the_slower_one_is_cancelled() {
    let mut scenario = small(600);
    scenario.span = Duration::from_secs(600);
    for upstream in &mut scenario.upstreams {
        upstream.noise = 0.2;
        upstream.faults.hang_chance = 0.02;
    }
    let plain = record(&scenario, RANDOM);
    scenario.hedged = true;
    let hedged = record(&scenario, RANDOM);
    // Both attempts of a hedged call may be silent; the timer then ends it as before.
    let slow = |record: &Record| {
        let slow = |call: &&CallRecord| call.cost(record.timeout) > Duration::from_secs(20);
        record.calls.iter().filter(slow).count()
    };
    assert!(slow(&plain) >= 8, "{}", slow(&plain));
    assert!(slow(&hedged) * 2 < slow(&plain), "{} of {}", slow(&hedged), slow(&plain));
    // One in reserve, and five for a hundred calls.
    let beyond = hedged.sent.len() - hedged.calls.len();
    assert!(beyond <= 31 + slow(&hedged) * 2, "{beyond} further attempts");
}

#[test]
fn a_learned_limit_keeps_calls_before_the_gate() {
    let mut scenario = small(0);
    scenario.traffic.arrivals = Arrivals::Poisson { per_second: 30.0 };
    scenario.span = Duration::from_secs(60);
    let most_waiting = |scenario: &Scenario| {
        let record = record(scenario, Policy::Algorithm(Strategy::LeastConnections));
        record.calls.iter().filter(|call| call.ok).count()
    };
    let free = most_waiting(&scenario);
    for upstream in &mut scenario.upstreams {
        upstream.learns_limit = true;
    }
    assert_ne!(most_waiting(&scenario), free, "the limit that is learned changes nothing under overload");
}
