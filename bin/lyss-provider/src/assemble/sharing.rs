//! Telling other replicas how channels fare, where there is a Redis to meet in.

use std::sync::Arc;

use anyhow::{Context, Result};
use lyss_balancing::Health;
use lyss_domain::Clock;
use lyss_redis::{HintSettings, Redis, RedisHints, Sharing, share};
use lyss_vault::random;
use tokio::task::JoinHandle;

use crate::config::redis::RedisSection;

/// The loop, for as long as the process lives; nothing where no Redis is named. That Redis answers is no condition of a
/// start.
pub(crate) fn begin(
    section: &RedisSection,
    health: Arc<Health>,
    clock: Arc<dyn Clock>,
) -> Result<Option<JoinHandle<()>>> {
    let Some(url) = &section.url else { return Ok(None) };
    let redis = Redis::new(url).context("redis.url (PROVIDER_SERVICE_REDIS_URL)")?;
    let replica = u64::from_be_bytes(random()?);
    let store = Arc::new(RedisHints::new(redis, HintSettings::default(), replica));
    let sharing = Sharing { health, store, clock, replica };
    Ok(Some(tokio::spawn(sharing.run(share::EVERY))))
}
