//! Replicas that meet in a real Redis.

use std::sync::Arc;
use std::time::Duration;

use crate::{HintSettings, Redis, RedisHints, Sharing};
use lyss_balancing::{Ending, Health, Observation, Size, Standing, Vitals};
use lyss_domain::{ChannelId, Clock, FaultKind, Tick, Timestamp};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

/// Time that stands still: nothing here depends on how fast the machine is.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }

    fn tick(&self) -> Tick {
        Tick(1_000_000_000)
    }
}

#[expect(clippy::disallowed_methods, reason = "where the test's Redis is")]
fn url() -> String {
    std::env::var("LYSS_TEST_REDIS_URL")
        .expect("LYSS_TEST_REDIS_URL names no Redis server: run `cargo xtask test`")
}

/// A hash of its own for each test; a budget that a busy machine keeps.
fn settings(test: &str) -> HintSettings {
    HintSettings {
        key: format!("lyss:hints:{test}:{}", std::process::id()),
        budget: Duration::from_secs(10),
        heard_for: Duration::from_secs(60),
        ..HintSettings::default()
    }
}

fn replica(url: &str, settings: &HintSettings, number: u64) -> Sharing {
    let store = RedisHints::new(Redis::new(url).unwrap(), settings.clone(), number);
    let health = Arc::new(Health::default());
    model(&health);
    Sharing { health, store: Arc::new(store), clock: Arc::new(Still), replica: number }
}

fn model(health: &Health) -> Arc<Vitals> {
    health.channel(ChannelId(Uuid::from_u128(1))).model("gpt-5")
}

#[tokio::test]
async fn replicas_see_each_others_calls_and_waits() {
    let settings = settings("see");
    let [a, b, c] = [11, 22, 33].map(|number| replica(&url(), &settings, number));
    let now = Still.tick();
    let _held: Vec<_> = (0..4).map(|_| model(&a.health).enter(Size::default(), None, now).unwrap()).collect();
    let refused = model(&b.health).enter(Size::default(), None, now).unwrap();
    let observation = Observation {
        ending: Ending::Failed(FaultKind::VendorRateLimited, Some(Duration::from_secs(40))),
        prompt_tokens: 10,
        output_tokens: 0,
        ttft: None,
        total: Duration::from_millis(30),
    };
    refused.observe(&observation, 0, now);
    for _ in 0..3 {
        for sharing in [&a, &b, &c] {
            sharing.round().await.unwrap();
        }
    }
    let seen = model(&c.health).snapshot(now);
    assert_eq!((seen.in_flight, seen.in_flight_elsewhere), (0, 4));
    assert_eq!(seen.standing, Standing::Cooling(Duration::from_secs(40)));
    let seen = model(&a.health).snapshot(now);
    assert_eq!((seen.in_flight, seen.in_flight_elsewhere), (4, 0), "one's own word is not heard twice");
}

#[tokio::test]
async fn who_falls_silent_is_no_longer_heard() {
    let settings = HintSettings { heard_for: Duration::from_millis(300), ..settings("silent") };
    let [a, b] = [11, 22].map(|number| replica(&url(), &settings, number));
    let _held = model(&a.health).enter(Size::default(), None, Still.tick()).unwrap();
    let elsewhere = || model(&b.health).snapshot(Still.tick()).in_flight_elsewhere;
    for _ in 0..2 {
        a.round().await.unwrap();
        b.round().await.unwrap();
    }
    drop(a);
    // A generous ceiling; it is left as soon as the silence is noticed.
    for _ in 0..200 {
        b.round().await.unwrap();
        if elsewhere() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} are still believed to be under way", elsewhere());
}

#[tokio::test]
async fn without_redis_everything_goes_on_and_it_is_said_without_the_address() {
    // A port where nobody listens: taken for a moment, then given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let away = replica(&format!("redis://user:hunter2@127.0.0.1:{port}/"), &settings("away"), 1);
    let error = away.round().await.unwrap_err().to_string();
    assert!(!error.contains("hunter2") && !error.contains(&port.to_string()), "{error}");
    assert_eq!(model(&away.health).snapshot(Still.tick()).standing, Standing::Open);
    assert!(Redis::new("http://127.0.0.1/").is_err());
    assert!(Redis::new("rediss://127.0.0.1/").is_err(), "there is no second TLS stack here");
}

/// A way to Redis that can be closed: what is open then is cut, and what comes is accepted and never answered.
struct Way {
    url: String,
    is_closed: tokio::sync::watch::Sender<bool>,
}

impl Way {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let way = format!("redis://{}/", listener.local_addr().unwrap());
        let (is_closed, seen) = tokio::sync::watch::channel(false);
        let redis = url();
        let address = redis.trim_start_matches("redis://").trim_end_matches('/').to_owned();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (address, mut seen) = (address.clone(), seen.clone());
                tokio::spawn(async move {
                    if *seen.borrow_and_update() {
                        return seen.wait_for(|is_closed| !is_closed).await.map(drop).unwrap_or_default();
                    }
                    let mut far = TcpStream::connect(address).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = seen.wait_for(|is_closed| *is_closed) => {}
                    }
                });
            }
        });
        Self { url: way, is_closed }
    }
}

#[tokio::test]
async fn a_redis_that_falls_silent_is_given_up_within_the_budget_and_found_again() {
    let way = Way::open().await;
    let sharing = replica(&way.url, &settings("back"), 1);
    sharing.round().await.unwrap();
    way.is_closed.send_replace(true);
    for stage in ["cut", "never answered"] {
        let silent = tokio::time::timeout(Duration::from_secs(60), sharing.round()).await;
        assert!(silent.expect("it gives up").is_err(), "{stage}");
    }
    way.is_closed.send_replace(false);
    sharing.round().await.unwrap();
}
