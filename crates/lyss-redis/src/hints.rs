//! Hints in one hash, a field for each replica: a round writes the own field and reads all, in one exchange.
//!
//! Nobody's clock is trusted. Each field carries a count that its replica raises with every round; one whose count has
//! stood still for two seconds, by the reader's own clock, is not heard, and one that stood still for a minute is removed
//! by whoever sees it.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_redis::Connection;
use deadpool_redis::redis::pipe;
use lyss_balancing::{Hint, HintError, HintStore};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::{Redis, RedisUnavailable};

/// Larger fields are passed over: no replica of ours writes them.
const LARGEST_FIELD: usize = 1 << 20;
const MOST_REPLICAS: usize = 256;
/// The hash goes when nobody writes to it any more.
const HASH_LASTS: Duration = Duration::from_secs(600);

#[derive(Clone, Debug)]
pub struct HintSettings {
    /// The hash; services that share a Redis and nothing else need different ones.
    pub key: String,
    /// A round takes at most so long, apart from the making of a connection.
    pub budget: Duration,
    /// A replica that was silent for so long is not heard, ...
    pub heard_for: Duration,
    /// ... and is forgotten after so long.
    pub kept_for: Duration,
}

pub struct RedisHints {
    redis: Redis,
    settings: HintSettings,
    replica: u64,
    round: Mutex<Round>,
}

/// What is carried from one round to the next.
#[derive(Default)]
struct Round {
    /// Kept out of the pool, which would ask it for its health each time.
    connection: Option<Connection>,
    beat: u64,
    others: HashMap<u64, Other>,
    /// Fields to be removed with the next round.
    gone: Vec<String>,
}

#[derive(Clone, Copy)]
struct Other {
    beat: u64,
    /// When the count was last seen to rise; `None`: not yet, so it may be long dead.
    rose_at: Option<Instant>,
    seen_at: Instant,
}

#[derive(Serialize)]
struct Told<'a> {
    beat: u64,
    hints: &'a [Hint],
}

#[derive(Deserialize)]
struct Heard {
    beat: u64,
    hints: Vec<Hint>,
}

impl Default for HintSettings {
    fn default() -> Self {
        Self {
            key: "lyss:hints".into(),
            budget: Duration::from_millis(20),
            heard_for: Duration::from_secs(2),
            kept_for: Duration::from_secs(60),
        }
    }
}

impl RedisHints {
    /// `replica`: a random number for this process.
    pub fn new(redis: Redis, settings: HintSettings, replica: u64) -> Self {
        Self { redis, settings, replica, round: Mutex::default() }
    }

    async fn fields(
        &self,
        own: &[Hint],
        round: &mut Round,
    ) -> Result<HashMap<String, Vec<u8>>, RedisUnavailable> {
        let told = Told { beat: round.beat, hints: own };
        let told = serde_json::to_vec(&told).map_err(|_| RedisUnavailable::Refused)?;
        let mut connection = match round.connection.take() {
            Some(connection) => connection,
            None => self.redis.connection().await?,
        };
        let key = &self.settings.key;
        let mut exchange = pipe();
        exchange.hset(key, self.replica, told).ignore();
        exchange.pexpire(key, i64::try_from(HASH_LASTS.as_millis()).unwrap_or(i64::MAX)).ignore();
        if !round.gone.is_empty() {
            exchange.hdel(key, &round.gone).ignore();
        }
        exchange.hgetall(key);
        let answer = timeout(self.settings.budget, exchange.query_async(&mut connection)).await;
        let answer: Result<(HashMap<String, Vec<u8>>,), _> = match answer {
            Ok(answer) => answer,
            Err(_) => {
                drop(Connection::take(connection));
                return Err(RedisUnavailable::TooSlow);
            }
        };
        match answer {
            Ok((fields,)) => {
                round.connection = Some(connection);
                round.gone.clear();
                Ok(fields)
            }
            Err(_) => {
                // Neither kept nor given back: it may be broken.
                drop(Connection::take(connection));
                Err(RedisUnavailable::Refused)
            }
        }
    }
}

#[async_trait]
impl HintStore for RedisHints {
    async fn exchange(&self, own: &[Hint]) -> Result<Vec<Hint>, HintError> {
        let mut round = self.round.lock().await;
        round.beat = round.beat.wrapping_add(1);
        let fields = self.fields(own, &mut round).await;
        let fields = fields.map_err(|error| HintError::Unavailable(error.to_string()))?;
        Ok(round.hear(fields, self.replica, &self.settings, Instant::now()))
    }
}

impl Round {
    /// The hints of those whose count rises.
    fn hear(
        &mut self,
        fields: HashMap<String, Vec<u8>>,
        own: u64,
        settings: &HintSettings,
        now: Instant,
    ) -> Vec<Hint> {
        let mut hints = Vec::new();
        for (field, value) in fields.into_iter().take(MOST_REPLICAS) {
            let Some((replica, heard)) = read(&field, &value) else {
                self.gone.push(field);
                continue;
            };
            if replica == own {
                continue;
            }
            let fresh = Other { beat: heard.beat, rose_at: None, seen_at: now };
            let other = self.others.entry(replica).or_insert(fresh);
            if other.beat != heard.beat {
                *other = Other { beat: heard.beat, rose_at: Some(now), seen_at: now };
            }
            let silent_since = other.rose_at.unwrap_or(other.seen_at);
            if other.rose_at.is_some_and(|at| now.duration_since(at) < settings.heard_for) {
                hints.extend(heard.hints.into_iter().map(|hint| Hint { replica, ..hint }));
            } else if now.duration_since(silent_since) >= settings.kept_for {
                self.gone.push(field);
                self.others.remove(&replica);
            }
        }
        if self.others.len() > MOST_REPLICAS {
            self.others.retain(|_, other| now.duration_since(other.seen_at) < settings.kept_for);
        }
        hints
    }
}

fn read(field: &str, value: &[u8]) -> Option<(u64, Heard)> {
    let replica = field.parse().ok()?;
    let heard = (value.len() <= LARGEST_FIELD).then(|| serde_json::from_slice(value).ok())??;
    Some((replica, heard))
}

#[cfg(test)]
mod tests;
