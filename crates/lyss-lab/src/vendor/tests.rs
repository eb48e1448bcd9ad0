use super::*;
use crate::scenario::{PrefixCache, Refusal};
use crate::traffic::Turn;

const CALL: Call = Call { at: Tick(0), replica: 0, prompt_tokens: 1_000, output_tokens: 101, turn: None };

fn at(seconds: u64) -> Tick {
    Tick(seconds * 1_000_000_000)
}

/// Without noise and crowding: 0.4 s to the first token, 15 ms for each of the hundred others.
fn plain() -> Upstream {
    Upstream { noise: 0.0, crowding: 0.0, ..Upstream::usual("a") }
}

fn served(reception: Reception) -> Service {
    match reception {
        Reception::Serves(service) => service,
        other => panic!("not served: {other:?}"),
    }
}

fn millis(span: Duration) -> u128 {
    (span + Duration::from_micros(500)).as_millis()
}

#[test]
fn times_follow_from_sizes() {
    let spec = plain();
    let mut vendor = Vendor::new(&spec, 1, 0);
    let service = served(vendor.receive(0, &CALL, 0, at(0)));
    assert_eq!((millis(service.first_token), millis(service.end)), (400, 1_900));
    let longer = Call { prompt_tokens: 32_000, ..CALL };
    let service = served(vendor.receive(1, &longer, 1, at(0)));
    // 32 to the power of 0.4 is 4.
    assert_eq!(millis(service.first_token), 1_600);
}

#[test]
fn more_than_it_has_slots_for_waits_its_turn() {
    let spec = Upstream { slots: 1, ..plain() };
    let mut vendor = Vendor::new(&spec, 1, 0);
    served(vendor.receive(0, &CALL, 0, at(0)));
    assert_eq!(vendor.receive(1, &CALL, 1, at(0)), Reception::Waits);
    assert_eq!(vendor.receive(2, &CALL, 2, at(0)), Reception::Waits);
    assert_eq!(vendor.next_waiting(), None);
    // One that gave up is not served.
    vendor.release(1);
    vendor.release(0);
    assert_eq!(vendor.next_waiting(), Some(2));
    assert_eq!(vendor.next_waiting(), None);
}

#[test]
fn it_slows_down_as_it_fills() {
    let spec = Upstream { slots: 2, crowding: 0.5, ..plain() };
    let mut vendor = Vendor::new(&spec, 1, 0);
    let first = served(vendor.receive(0, &CALL, 0, at(0)));
    let second = served(vendor.receive(1, &CALL, 1, at(0)));
    assert_eq!((millis(first.first_token), millis(second.first_token)), (500, 600));
}

#[test]
fn a_window_refuses_what_is_beyond_it_until_it_passes() {
    for (told_by, told) in [(ToldBy::Headers, true), (ToldBy::Body, true), (ToldBy::Nothing, false)] {
        let window = Duration::from_secs(60);
        let rate = RateWindows { window, requests: Some(2), tokens: None, told_by };
        let spec = Upstream { rate: Some(rate), ..plain() };
        let mut vendor = Vendor::new(&spec, 1, 0);
        served(vendor.receive(0, &CALL, 0, at(61)));
        served(vendor.receive(1, &CALL, 1, at(62)));
        let Reception::Refused { kind, wait, .. } = vendor.receive(2, &CALL, 2, at(70)) else {
            panic!("the third of two was not refused");
        };
        assert_eq!((kind, wait), (FaultKind::VendorRateLimited, told.then_some(Duration::from_secs(50))));
        assert_eq!(vendor.prospect(&CALL, false, at(70)).refusal.0, 1.0);
        let headroom = vendor.headroom(at(70));
        assert_eq!(headroom.is_some(), told_by == ToldBy::Headers);
        if let Some(left) = headroom.and_then(|headroom| headroom.requests) {
            assert_eq!((left.limit, left.remaining, left.resets_in), (2, 0, Some(Duration::from_secs(50))));
        }
        assert_eq!(vendor.prospect(&CALL, false, at(120)).refusal.0, 0.0);
        served(vendor.receive(3, &CALL, 3, at(120)));
    }
}

#[test]
fn a_window_of_tokens_counts_both_sides() {
    let rate = RateWindows {
        window: Duration::from_secs(60),
        requests: None,
        tokens: Some(2_300),
        told_by: ToldBy::Body,
    };
    let spec = Upstream { rate: Some(rate), ..plain() };
    let mut vendor = Vendor::new(&spec, 1, 0);
    served(vendor.receive(0, &CALL, 0, at(1)));
    served(vendor.receive(1, &CALL, 1, at(1)));
    assert!(matches!(vendor.receive(2, &CALL, 2, at(1)), Reception::Refused { .. }));
}

#[test]
fn faults_come_as_often_as_they_should() {
    let refusal = Refusal { chance: 0.2, kind: FaultKind::VendorError, after: Duration::from_millis(20) };
    let faults = Faults { refusal: Some(refusal), cut_chance: 0.5, hang_chance: 0.25 };
    let spec = Upstream { faults, slots: u32::MAX, ..plain() };
    let mut vendor = Vendor::new(&spec, 1, 0);
    let (mut refused, mut hung, mut cut, mut whole) = (0, 0, 0, 0);
    for number in 0..10_000 {
        match vendor.receive(number, &CALL, number as u64, at(0)) {
            Reception::Refused { kind: FaultKind::VendorError, .. } => refused += 1,
            Reception::Hangs => hung += 1,
            Reception::Serves(Service { cut: true, output_tokens, .. }) => {
                assert!(output_tokens <= CALL.output_tokens);
                cut += 1;
            }
            Reception::Serves(_) => whole += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!((1_900..2_100).contains(&refused), "{refused}");
    assert!((1_900..2_100).contains(&hung), "{hung}");
    assert!((2_850..3_150).contains(&cut), "{cut}");
    assert!((2_850..3_150).contains(&whole), "{whole}");
}

#[test]
fn a_known_prefix_is_not_read_again() {
    let cache = PrefixCache { keeps_for: Duration::from_secs(300), remaining: 0.1 };
    let spec = Upstream { cache: Some(cache), ..plain() };
    let mut vendor = Vendor::new(&spec, 1, 0);
    let turn =
        |known_tokens| Call { prompt_tokens: 11_000, turn: Some(Turn { session: 7, known_tokens }), ..CALL };
    let first = served(vendor.receive(0, &turn(10_000), 0, at(0)));
    let again = served(vendor.receive(1, &turn(10_000), 1, at(200)));
    let forgotten = served(vendor.receive(2, &turn(10_000), 2, at(600)));
    assert_eq!(first.first_token, forgotten.first_token);
    assert!((again.charged_prompt - 2_000.0).abs() < 1e-6, "{}", again.charged_prompt);
    assert!(again.first_token * 2 < first.first_token + Duration::from_millis(60), "{again:?} {first:?}");
}

#[test]
fn the_oracle_is_told_the_true_wait() {
    let spec = Upstream { slots: 1, ..plain() };
    let mut vendor = Vendor::new(&spec, 1, 0);
    served(vendor.receive(0, &CALL, 0, at(0)));
    let prospect = vendor.prospect(&CALL, false, at(1));
    assert_eq!((millis(prospect.first_token), millis(prospect.total)), (900 + 400, 900 + 1_900));
}

#[test]
fn drift_is_even_between_its_ends() {
    let drift =
        crate::scenario::Drift { from: Duration::from_secs(10), until: Duration::from_secs(20), factor: 3.0 };
    let spec = Upstream { drift: Some(drift), ..plain() };
    for (second, expected) in [(0, 400), (10, 400), (15, 800), (20, 1_200), (99, 1_200)] {
        let mut vendor = Vendor::new(&spec, 1, 0);
        assert_eq!(millis(served(vendor.receive(0, &CALL, 0, at(second))).first_token), expected);
    }
}
