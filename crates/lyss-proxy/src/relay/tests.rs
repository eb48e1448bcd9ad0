use std::future::poll_fn;

use super::*;

fn heartbeat(every: Duration) -> Heartbeat {
    Heartbeat { every, sleep: None, active: false }
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_comes_after_silence_and_again() {
    let mut beat = heartbeat(Duration::from_secs(15));
    let start = Instant::now();
    for round in 1..=3 {
        poll_fn(|cx| beat.poll(cx)).await;
        assert!(start.elapsed() >= Duration::from_secs(15 * round));
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_that_passed_put_it_off() {
    let mut beat = heartbeat(Duration::from_secs(15));
    let start = Instant::now();
    let noise = async {
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_secs(10)).await;
            // What `take_in` does with every chunk.
            poll_fn(|cx| {
                beat.active = true;
                let _ = beat.poll(cx);
                Poll::Ready(())
            })
            .await;
        }
    };
    noise.await;
    poll_fn(|cx| beat.poll(cx)).await;
    assert!(start.elapsed() >= Duration::from_secs(50 + 15), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn none_where_none_is_wanted() {
    let mut beat = heartbeat(Duration::ZERO);
    let waited = tokio::time::timeout(Duration::from_secs(3_600), poll_fn(|cx| beat.poll(cx))).await;
    assert!(waited.is_err());
}
