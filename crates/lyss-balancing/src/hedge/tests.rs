use std::time::Duration;

use lyss_domain::Tick;

use super::{HedgeTerms, Hedging};

const TERMS: HedgeTerms = HedgeTerms {
    wanted: true,
    p95_ttft: Some(Duration::from_millis(800)),
    other_open: true,
    degraded: false,
    time_left: Duration::from_secs(60),
};

fn delay(terms: HedgeTerms) -> Option<Duration> {
    Hedging::new(5, Tick(0)).delay(&terms)
}

#[test]
fn it_is_hedged_once_it_is_slower_than_most() {
    assert_eq!(delay(TERMS), Some(Duration::from_millis(800)));
}

#[test]
fn it_stays_alone_where_a_second_would_not_help() {
    for terms in [
        HedgeTerms { wanted: false, ..TERMS },
        HedgeTerms { other_open: false, ..TERMS },
        HedgeTerms { degraded: true, ..TERMS },
        HedgeTerms { p95_ttft: None, ..TERMS },
        // Slow is what is expected here.
        HedgeTerms { p95_ttft: Some(Duration::from_secs(31)), ..TERMS },
        // No time is left for the second to be of use.
        HedgeTerms { time_left: Duration::from_millis(1_500), ..TERMS },
    ] {
        assert_eq!(delay(terms), None, "{terms:?}");
    }
    assert_eq!(Hedging::new(0, Tick(0)).delay(&TERMS), None);
    assert!(!Hedging::new(0, Tick(0)).withdraw(Tick(0)));
}

#[test]
fn a_channel_of_a_few_milliseconds_is_not_doubled() {
    let quick = HedgeTerms { p95_ttft: Some(Duration::from_millis(3)), ..TERMS };
    assert_eq!(delay(quick), Some(Duration::from_millis(50)));
}

#[test]
fn when_all_are_slow_at_once_one_in_twenty_is_hedged() {
    let hedging = Hedging::new(5, Tick(0));
    let mut hedged = 0;
    for call in 0..2_000u64 {
        hedging.deposit();
        hedged += u32::from(hedging.withdraw(Tick(call * 10_000_000)));
    }
    assert!((95..=101).contains(&hedged), "{hedged}");
}
