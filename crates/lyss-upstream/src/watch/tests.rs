//! On tokio's paused clock: the durations here are of that clock, not of the wall.

use std::future::poll_fn;
use std::time::Duration;

use lyss_wire::{Timers, TransportClass};
use tokio::time::{Instant, advance};

use super::Watch;

const TIMERS: Timers = Timers {
    connect: Duration::from_secs(2),
    first_byte: Duration::from_secs(60),
    idle: Duration::from_secs(10),
    total: Duration::from_secs(100),
};

async fn expiry(watch: &mut Watch, since: Instant) -> (TransportClass, u64) {
    let class = poll_fn(|cx| watch.poll_expired(cx)).await;
    (class, since.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn nothing_ever_comes() {
    let start = Instant::now();
    assert_eq!(expiry(&mut Watch::start(&TIMERS, None), start).await, (TransportClass::FirstByteTimeout, 60));
}

#[tokio::test(start_paused = true)]
async fn the_total_is_shorter_than_the_first_byte() {
    let start = Instant::now();
    let mut watch = Watch::start(&Timers { total: Duration::from_secs(30), ..TIMERS }, None);
    assert_eq!(expiry(&mut watch, start).await, (TransportClass::TotalTimeout, 30));
}

#[tokio::test(start_paused = true)]
async fn silence_after_the_first_byte_is_noticed_before_the_first_alarm() {
    let start = Instant::now();
    let mut watch = Watch::start(&TIMERS, None);
    advance(Duration::from_secs(5)).await;
    watch.saw_bytes().unwrap();
    assert_eq!(expiry(&mut watch, start).await, (TransportClass::IdleTimeout, 15));
}

#[tokio::test(start_paused = true)]
async fn every_chunk_moves_the_silence() {
    let start = Instant::now();
    let mut watch = Watch::start(&TIMERS, None);
    for _ in 0..8 {
        advance(Duration::from_secs(9)).await;
        watch.saw_bytes().unwrap();
    }
    assert_eq!(expiry(&mut watch, start).await, (TransportClass::IdleTimeout, 82));
}

#[tokio::test(start_paused = true)]
async fn the_total_ends_a_lively_stream_too() {
    let start = Instant::now();
    let mut watch = Watch::start(&TIMERS, None);
    for _ in 0..11 {
        advance(Duration::from_secs(9)).await;
        watch.saw_bytes().unwrap();
    }
    // Waiting for the next chunk, and receiving one without ever waiting.
    assert_eq!(expiry(&mut watch, start).await, (TransportClass::TotalTimeout, 100));
    assert_eq!(watch.saw_bytes(), Err(TransportClass::TotalTimeout));
}

#[tokio::test(start_paused = true)]
async fn endless_timers_are_no_overflow() {
    let endless = Timers { first_byte: Duration::MAX, idle: Duration::MAX, total: Duration::MAX, ..TIMERS };
    let mut watch = Watch::start(&endless, None);
    advance(Duration::from_secs(1_000_000)).await;
    assert_eq!(watch.saw_bytes(), Ok(()));
}
