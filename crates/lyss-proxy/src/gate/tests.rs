use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lyss_domain::{Clock, TenantId, Tick, Timestamp};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Gate, GateSettings, Pass};

/// Tokio's own time, which tests may stop.
pub(super) struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    fn tick(&self) -> Tick {
        Tick(0).after(self.0.elapsed())
    }
}

pub(super) fn clock() -> Arc<dyn Clock> {
    Arc::new(TokioClock(Instant::now()))
}

const NEVER: Tick = Tick(u64::MAX);
const SECOND: Duration = Duration::from_secs(1);

fn gate(max_concurrency: u32, queue_length: usize, wait: Duration) -> Arc<Gate> {
    let settings = GateSettings { max_concurrency, queue_length, queue_wait: wait };
    Arc::new(Gate::new(settings, clock()))
}

fn tenant(number: u8) -> TenantId {
    TenantId::from_parts(u64::from(number), &[number; 10])
}

async fn enter(gate: &Gate, number: u8) -> Pass {
    gate.enter(tenant(number), 1, 1, NEVER).await.unwrap()
}

/// Lets everything run that can.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_nobody_waits() {
    let gate = gate(0, 0, Duration::ZERO);
    let mut held = Vec::new();
    for number in 0..100 {
        held.push(enter(&gate, number).await);
    }
    assert_eq!((gate.under_way(), gate.waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_place_goes_to_the_next_and_is_free_again_at_the_end() {
    let gate = gate(2, 10, 60 * SECOND);
    let (first, _second) = (enter(&gate, 1).await, enter(&gate, 1).await);
    let waiter = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { enter(&gate, 2).await }
    });
    settle().await;
    assert_eq!((gate.under_way(), gate.waiting()), (2, 1));
    drop(first);
    let third = waiter.await.unwrap();
    assert_eq!((gate.under_way(), gate.waiting()), (2, 0));
    drop(third);
    assert_eq!(gate.under_way(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_too_long_is_told_when_to_come_back() {
    let gate = gate(1, 10, 5 * SECOND);
    let _held = enter(&gate, 1).await;
    let began = Instant::now();
    let shed = gate.enter(tenant(2), 1, 1, NEVER).await.err().unwrap();
    assert_eq!((began.elapsed(), shed.retry_after), (5 * SECOND, SECOND));
    // A call's own deadline comes first.
    let soon = Tick(0).after(Instant::now() - began).after(SECOND);
    let shed = gate.enter(tenant(2), 1, 1, soon).await;
    assert!(shed.is_err() && began.elapsed() < 7 * SECOND);
    assert_eq!((gate.under_way(), gate.waiting()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_told_from_how_fast_places_are_freed() {
    let gate = gate(1, 1_000, 600 * SECOND);
    let mut tasks = JoinSet::new();
    for _ in 0..40 {
        let gate = Arc::clone(&gate);
        tasks.spawn(async move {
            let _pass = enter(&gate, 1).await;
            tokio::time::sleep(2 * SECOND).await;
        });
    }
    tokio::time::sleep(40 * SECOND).await;
    settle().await;
    // Twenty of tenant 1 still wait, two seconds each; tenant 2 would be served after one of them.
    let waiting = u64::try_from(gate.waiting()).unwrap();
    let at = |seconds: u64| Tick(0).after(Duration::from_secs(40 + seconds));
    let shed = gate.enter(tenant(1), 1, 1, at(10)).await.err().unwrap();
    let expected = 2 * (waiting + 1);
    assert!(shed.retry_after.as_secs().abs_diff(expected) <= 2, "{shed:?}, not {expected} s");
    tasks.join_all().await;
}

#[tokio::test(start_paused = true)]
async fn an_aggressor_crowds_out_itself() {
    let gate = gate(1, 20, 600 * SECOND);
    let held = enter(&gate, 1).await;
    let mut aggressor = JoinSet::new();
    for _ in 0..50 {
        let gate = Arc::clone(&gate);
        aggressor.spawn(async move { gate.enter(tenant(1), 1, 1, NEVER).await.map(drop) });
    }
    settle().await;
    let victim = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.enter(tenant(2), 1, 1, NEVER).await.map(drop) }
    });
    settle().await;
    assert_eq!(gate.waiting(), 20);
    drop(held);
    assert!(victim.await.unwrap().is_ok());
    let served = aggressor.join_all().await.into_iter().filter(Result::is_ok).count();
    assert_eq!(served, 19, "thirty found no room, one made room");
}

#[tokio::test(start_paused = true)]
async fn shares_hold_while_all_wait() {
    let gate = gate(1, 1_000, 6_000 * SECOND);
    let held = enter(&gate, 9).await;
    let served: Arc<[AtomicU32; 2]> = Arc::default();
    let mut tasks = JoinSet::new();
    for call in 0..400usize {
        let (gate, served) = (Arc::clone(&gate), Arc::clone(&served));
        tasks.spawn(async move {
            let (number, weight) = if call % 2 == 0 { (0, 1) } else { (1, 3) };
            let _pass = gate.enter(tenant(number), weight, 1, NEVER).await.unwrap();
            served[usize::from(number)].fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(SECOND).await;
        });
    }
    settle().await;
    drop(held);
    tokio::time::sleep(Duration::from_millis(99_500)).await;
    let [light, heavy] = [0, 1].map(|i: usize| served[i].load(Ordering::Relaxed));
    assert_eq!(light + heavy, 100);
    assert!((24..=26).contains(&light), "{light} and {heavy}");
    tasks.shutdown().await;
    assert_eq!((gate.under_way(), gate.waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_place_given_to_one_who_left_goes_on() {
    let gate = gate(1, 10, 60 * SECOND);
    let held = enter(&gate, 1).await;
    let mut left = Box::pin(gate.enter(tenant(1), 1, 1, NEVER));
    assert!(futures_util::poll!(&mut left).is_pending());
    let waiter = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { enter(&gate, 2).await }
    });
    settle().await;
    // The place is given to the first, which never looks at it.
    drop(held);
    assert_eq!((gate.under_way(), gate.waiting()), (1, 1));
    drop(left);
    drop(waiter.await.unwrap());
    assert_eq!((gate.under_way(), gate.waiting()), (0, 0));
}

/// Calls on several threads come, wait, give up at any moment, are served and go.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_place_is_lost_or_made_whatever_is_dropped_when() {
    const PLACES: u32 = 4;
    let gate = gate(PLACES, 60, Duration::from_millis(3));
    let (under_way, served) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let mut tasks = JoinSet::new();
    for task in 0..64u32 {
        let (gate, under_way, served) = (Arc::clone(&gate), Arc::clone(&under_way), Arc::clone(&served));
        tasks.spawn(async move {
            for round in 0..200u32 {
                let patience = Duration::from_micros(u64::from((task * 31 + round * 17) % 400));
                let number = u8::try_from(task % 5).unwrap();
                let entering = gate.enter(tenant(number), 1 + task % 3, 1, NEVER);
                let entered = tokio::time::timeout(patience, entering).await;
                if let Ok(Ok(pass)) = entered {
                    assert!(under_way.fetch_add(1, Ordering::SeqCst) < PLACES);
                    tokio::task::yield_now().await;
                    under_way.fetch_sub(1, Ordering::SeqCst);
                    served.fetch_add(1, Ordering::SeqCst);
                    drop(pass);
                }
            }
        });
    }
    tasks.join_all().await;
    assert_eq!((gate.under_way(), gate.waiting()), (0, 0));
    assert!(served.load(Ordering::SeqCst) > 1_000);
    // All places are there.
    let mut held = Vec::new();
    for _ in 0..PLACES {
        held.push(enter(&gate, 1).await);
    }
    assert_eq!(gate.under_way(), PLACES);
}
