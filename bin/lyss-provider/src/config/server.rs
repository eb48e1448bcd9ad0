//! `[server]`

use anyhow::{Context, Result};
use lyss_http::AllowedOrigins;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerSection {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Threads that serve calls; 0: one a core.
    pub(crate) workers: usize,
    /// Largest request body of a proxied call.
    pub(crate) proxy_body_bytes: usize,
    /// Largest request body of the management API.
    pub(crate) management_body_bytes: usize,
    /// Origins whose pages may call the service, separated by commas, each exactly as a browser sends it; empty:
    /// none.
    pub(crate) cors_origins: String,
    /// How long open answers may go on after the signal to stop.
    pub(crate) drain_seconds: u64,
}

impl Default for ServerSection {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8003,
            workers: 0,
            proxy_body_bytes: 32 << 20,
            management_body_bytes: 1 << 20,
            cors_origins: String::new(),
            drain_seconds: 300,
        }
    }
}

impl ServerSection {
    /// The origins of `cors_origins`.
    pub(crate) fn origins(&self) -> Result<AllowedOrigins> {
        let list = self.cors_origins.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        AllowedOrigins::new(&list.map(str::to_owned).collect::<Vec<_>>()).context("server.cors_origins")
    }

    /// The number of worker threads meant by `workers`.
    pub(crate) fn worker_threads(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            n => n,
        }
    }
}
