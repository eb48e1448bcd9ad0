use lyss_balancing::{Balancers, Candidate, Decision, Exclusion, Pool, Terms, Why};
use lyss_domain::{AttemptId, FaultKind, Strategy, Tick};
use lyss_testkit::samples::{at, attempt, call_id, channel_id, scope};

use super::*;
use crate::desk::{Desk, NOW, failed, good};

fn decided(strategy: Strategy, tried: &[usize]) -> Decision {
    let candidates = [Candidate::new(channel_id(1), 3, 0), Candidate::new(channel_id(2), 1, 0)];
    let terms = Terms { tried, draw: u64::MAX / 3, now: Tick(5), ..Terms::default() };
    Balancers::new(1).choose_recorded(strategy, &Pool::new(1, &candidates), &terms).1
}

/// The first attempt failed, the second answered.
fn attempts() -> [AttemptRecord; 2] {
    let call = call_id(7);
    let encoded = |decision: Decision| decision.encode().map(Vec::into_boxed_slice);
    let first = AttemptRecord {
        id: AttemptId::of(call, 0),
        call,
        decision: encoded(decided(Strategy::Adaptive, &[])),
        total_us: 2_000_000,
        ..failed(NOW - 10, 1, FaultKind::VendorError)
    };
    let second = AttemptRecord {
        id: AttemptId::of(call, 1),
        call,
        ordinal: 1,
        decision: encoded(decided(Strategy::Adaptive, &[0])),
        ..good(NOW - 8, 2)
    };
    [first, second]
}

#[tokio::test]
async fn a_call_is_told_with_its_attempts_and_decisions_that_replay() {
    let [first, second] = attempts();
    let desk = Desk::with(&[second, first]).await;
    let call = desk.insight.call(&scope(1), call_id(7)).await.unwrap().unwrap();
    assert_eq!(call.attempts.iter().map(|one| one.record.ordinal).collect::<Vec<_>>(), [0, 1]);
    assert_eq!((call.decisive, call.terminal()), (1, Some(Terminal::Complete)));
    assert_eq!((call.started_at(), call.cost().0), (Some(at(NOW - 10)), 123));
    // The caller waited for the attempt that failed too.
    assert_eq!((call.ttft_us(), call.total_us()), (Some(2_050_000), Some(2_100_000)));
    let ToldDecision::Told(decision) = &call.attempts[1].decision else { panic!("{call:?}") };
    assert!(decision.replayed_same);
    assert_eq!((decision.chosen, decision.why), (Some(channel_id(2)), Some(Why::Algorithm)));
    assert_eq!(decision.candidates[0].exclusion, Some(Exclusion::Tried));
    assert_eq!(decision.candidates[1].name.as_deref(), Some("channel-0002"));
    assert!(decision.candidates[1].is_chosen && decision.candidates[1].score.is_some());
    assert!(decision.regime.is_some());
}

#[tokio::test]
async fn what_cannot_be_read_is_told_as_such_and_a_foreign_call_is_missing() {
    let unreadable = AttemptRecord { started_at: at(NOW), ..attempt(1, 1) };
    let bare = AttemptRecord { decision: None, ..attempt(1, 2) };
    let desk = Desk::with(&[unreadable, bare]).await;
    for (number, expected) in [(1, ToldDecision::Unreadable), (2, ToldDecision::NotKept)] {
        let call = desk.insight.call(&scope(1), call_id(number)).await.unwrap().unwrap();
        assert_eq!(call.attempts[0].decision, expected);
        assert_eq!(desk.insight.call(&scope(2), call_id(number)).await.unwrap(), None);
    }
    assert_eq!(desk.insight.call(&scope(1), call_id(3)).await.unwrap(), None);
}

#[test]
fn the_attempt_that_answered_decides_however_many_were_sent() {
    let [refused, answered] = attempts();
    assert_eq!(decisive(&[refused.clone(), answered.clone(), refused.clone()]), 1);
    assert_eq!(decisive(&[refused.clone(), refused.clone()]), 1);
    let free = AttemptRecord { usage_source: UsageSource::None, ..answered };
    assert_eq!(decisive(&[refused.clone(), free, refused]), 1);
}
