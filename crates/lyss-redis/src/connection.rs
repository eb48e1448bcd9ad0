//! The way to Redis.

use std::time::Duration;

use deadpool_redis::redis::AsyncConnectionConfig;
use deadpool_redis::{Connection, Manager, Pool, Runtime};

/// Name, connection and greeting together.
const CONNECT: Duration = Duration::from_secs(1);
const CONNECTIONS: usize = 4;

/// Connections to one Redis, opened when they are first needed.
#[derive(Clone)]
pub struct Redis {
    pool: Pool,
}

/// The text names neither the address nor the password.
#[derive(Debug, thiserror::Error)]
pub enum RedisUnavailable {
    #[error(
        "the URL is not one of Redis over TCP without TLS or over a socket: redis://[user:password@]host[:port][/database]"
    )]
    BadUrl,
    #[error("no connection within {CONNECT:?}")]
    NoConnection,
    #[error("no answer in time")]
    TooSlow,
    #[error("an answer that cannot be read, or a refusal")]
    Refused,
}

impl Redis {
    /// Reads the URL; does not connect yet.
    pub fn new(url: &str) -> Result<Self, RedisUnavailable> {
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT));
        let manager = Manager::new_with_config(url, config).map_err(|_| RedisUnavailable::BadUrl)?;
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECT))
            .create_timeout(Some(CONNECT))
            .recycle_timeout(Some(CONNECT))
            .build();
        Ok(Self { pool: pool.map_err(|_| RedisUnavailable::BadUrl)? })
    }

    pub(crate) async fn connection(&self) -> Result<Connection, RedisUnavailable> {
        self.pool.get().await.map_err(|_| RedisUnavailable::NoConnection)
    }
}
