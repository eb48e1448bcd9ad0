use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lyss_domain::{ChannelId, KeyId, Tick};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Line, Lines, Notice};
use crate::gate::Shed;
use crate::gate::tests::clock;

const NEVER: Tick = Tick(u64::MAX);

fn channel(number: u8) -> ChannelId {
    ChannelId::from_parts(u64::from(number), &[number; 10])
}

fn key(number: u8) -> KeyId {
    KeyId::from_parts(u64::from(number), &[number; 10])
}

/// Channels with a number of places each, as the health of a channel counts them.
struct Channels {
    lines: Lines,
    places: Vec<(AtomicU32, AtomicU32)>,
}

/// A place, and after it the notice to those who wait.
struct Held<'a> {
    _counted: Counted<'a>,
    _notice: Notice,
    channel: u8,
}

struct Counted<'a>(&'a AtomicU32);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Channels {
    fn new(limits: &[u32], length: usize, wait: Duration) -> Self {
        Self::over(limits, Lines::new(length, wait, clock()))
    }

    fn over(limits: &[u32], lines: Lines) -> Self {
        let places = limits.iter().map(|limit| (AtomicU32::new(0), AtomicU32::new(*limit))).collect();
        Self { lines, places }
    }

    fn try_enter(&self, number: u8) -> Option<Held<'_>> {
        let (count, limit) = &self.places[usize::from(number)];
        let limit = limit.load(Ordering::Acquire);
        let more = |n: u32| (n < limit).then_some(n + 1);
        count.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        let notice = self.lines.notice(channel(number));
        Some(Held { _counted: Counted(count), _notice: notice, channel: number })
    }

    /// The way a call is to go about it.
    async fn enter(&self, wanted: &[u8], by: u8) -> Result<Held<'_>, Shed> {
        let mut line: Option<Line> = None;
        loop {
            let free = |number: &&u8| {
                let id = channel(**number);
                !line.as_ref().map_or_else(|| self.lines.is_taken(id), |line| line.is_taken(id))
            };
            if let Some(held) = wanted.iter().filter(free).find_map(|number| self.try_enter(*number)) {
                if let Some(line) = line {
                    line.took(channel(held.channel));
                }
                return Ok(held);
            }
            match &mut line {
                None => {
                    let ids: Vec<_> = wanted.iter().map(|number| channel(*number)).collect();
                    line = Some(self.lines.join(&ids, key(by), NEVER)?);
                }
                Some(line) => line.turn().await?,
            }
        }
    }
}

async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_whichever_is_free_first() {
    let channels = Channels::new(&[1, 1], 10, MINUTE);
    let (_a, b) = (channels.enter(&[0], 1).await.unwrap(), channels.enter(&[1], 1).await.unwrap());
    let mut waiting = Box::pin(channels.enter(&[0, 1], 1));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    drop(b);
    assert_eq!(waiting.await.unwrap().channel, 1);
    assert_eq!(channels.lines.waiting(), 0);
    assert!(channels.lines.0.state().channels.is_empty(), "nothing is left behind");
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_keeps_away_from_what_was_freed_for_another() {
    let channels = Channels::new(&[1, 1], 10, MINUTE);
    let a = channels.enter(&[0], 1).await.unwrap();
    let mut first = Box::pin(channels.enter(&[0], 1));
    assert!(futures_util::poll!(&mut first).is_pending());
    drop(a);
    // The place on channel 0 is free, and the first has not run yet.
    assert!(channels.lines.is_taken(channel(0)) && !channels.lines.is_taken(channel(1)));
    let mut newcomer = Box::pin(channels.enter(&[0], 2));
    assert!(futures_util::poll!(&mut newcomer).is_pending());
    assert_eq!(channels.enter(&[0, 1], 2).await.unwrap().channel, 1);
    let first = first.await.unwrap();
    drop(first);
    assert_eq!(newcomer.await.unwrap().channel, 0);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_is_not_used_goes_on() {
    let channels = Channels::new(&[1], 10, MINUTE);
    let held = channels.enter(&[0], 1).await.unwrap();
    let mut lines = Vec::new();
    for number in 1..=4 {
        lines.push(channels.lines.join(&[channel(0)], key(number), NEVER).unwrap());
    }
    drop(held);
    let mut lines = lines.into_iter();
    let mut next = || lines.next().unwrap();
    let (mut first, mut second, third, mut fourth) = (next(), next(), next(), next());
    let began = Instant::now();
    first.turn().await.unwrap();
    assert!(!first.is_taken(channel(0)) && second.is_taken(channel(0)));
    // It took another channel, or none.
    first.took(channel(7));
    second.turn().await.unwrap();
    assert!(!second.is_taken(channel(0)) && fourth.is_taken(channel(0)));
    drop(second);
    // One that is gone before it looked is passed over.
    drop(third);
    fourth.turn().await.unwrap();
    assert!(!fourth.is_taken(channel(0)));
    assert!(began.elapsed().is_zero(), "by its turn, not by looking again");
    assert!(channels.lines.is_taken(channel(0)));
    drop(fourth);
    assert_eq!(channels.lines.waiting(), 0);
    assert!(channels.try_enter(0).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_raised_limit_is_found_without_a_notice() {
    let channels = Channels::new(&[1], 10, MINUTE);
    let _held = channels.enter(&[0], 1).await.unwrap();
    let mut waiting = Box::pin(channels.enter(&[0], 1));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    channels.places[0].1.store(2, Ordering::Release);
    let began = Instant::now();
    waiting.await.unwrap();
    assert!(began.elapsed() <= Duration::from_millis(250));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_too_long_or_finds_no_room_is_shed() {
    let channels = Channels::new(&[1, 1], 2, Duration::from_secs(5));
    let _held = (channels.enter(&[0], 1).await.unwrap(), channels.enter(&[1], 1).await.unwrap());
    let began = Instant::now();
    let mut calls = Vec::new();
    for _ in 0..2 {
        let mut call = Box::pin(channels.enter(&[0, 1], 1));
        assert!(futures_util::poll!(&mut call).is_pending());
        calls.push(call);
    }
    assert!(channels.enter(&[0, 1], 1).await.is_err());
    assert!(began.elapsed().is_zero(), "at once");
    // Another key has nothing waiting, so the first key's newest leaves: it waited in both queues.
    let mut other = Box::pin(channels.enter(&[0, 1], 2));
    assert!(futures_util::poll!(&mut other).is_pending());
    assert!(calls.pop().unwrap().await.is_err());
    for call in calls {
        assert_eq!(call.await.err().map(|shed| shed.retry_after), Some(Duration::from_secs(1)));
    }
    assert!(other.await.is_err());
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    assert_eq!(channels.lines.waiting(), 0);
    assert!(channels.lines.0.state().channels.is_empty() && channels.lines.0.state().calls.is_empty());
}

#[tokio::test(start_paused = true)]
async fn keys_take_turns() {
    let channels = Arc::new(Channels::new(&[1], 100, 100 * MINUTE));
    let order: Arc<std::sync::Mutex<Vec<u8>>> = Arc::default();
    let held = channels.enter(&[0], 1).await.unwrap();
    let mut tasks = JoinSet::new();
    for by in [1, 1, 1, 1, 1, 1, 2, 2, 2] {
        let (channels, order) = (Arc::clone(&channels), Arc::clone(&order));
        tasks.spawn(async move {
            let _held = channels.enter(&[0], by).await.unwrap();
            order.lock().unwrap().push(by);
            tokio::time::sleep(Duration::from_secs(1)).await;
        });
        settle().await;
    }
    drop(held);
    tasks.join_all().await;
    assert_eq!(order.lock().unwrap()[..6].iter().filter(|by| **by == 2).count(), 3);
}

/// Calls on several threads want some of several channels, give up at any moment, are served and go. Nobody looks again by
/// itself here, so that a place that is free while somebody waits for it would be seen as a call that times out.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_forgotten_and_no_place_is_made() {
    let lines = Lines::looking_again(10 * MINUTE, 1_000, 10 * MINUTE, clock());
    let channels = Arc::new(Channels::over(&[1, 2, 1], lines));
    let most = Arc::new(AtomicU32::new(0));
    let mut tasks = JoinSet::new();
    for task in 0..48u32 {
        let (channels, most) = (Arc::clone(&channels), Arc::clone(&most));
        tasks.spawn(async move {
            let wanted: &[u8] = [&[0][..], &[0, 1], &[1, 2], &[2, 1, 0]][task as usize % 4];
            for round in 0..150u32 {
                let by = u8::try_from(task % 6).unwrap();
                let impatient = (task + round) % 3 == 0;
                let patience = Duration::from_micros(u64::from((task * 31 + round * 17) % 300));
                let patience = if impatient { patience } else { MINUTE };
                match tokio::time::timeout(patience, channels.enter(wanted, by)).await {
                    Ok(held) => {
                        let held = held.unwrap();
                        let (count, limit) = &channels.places[usize::from(held.channel)];
                        assert!(count.load(Ordering::SeqCst) <= limit.load(Ordering::SeqCst));
                        most.fetch_add(1, Ordering::Relaxed);
                        tokio::task::yield_now().await;
                    }
                    Err(_) => assert!(impatient, "it waited for a minute"),
                }
            }
        });
    }
    tasks.join_all().await;
    assert!(most.load(Ordering::Relaxed) >= 48 * 100);
    assert_eq!(channels.lines.waiting(), 0);
    let state = channels.lines.0.state();
    assert!(state.channels.is_empty() && state.calls.is_empty());
}
