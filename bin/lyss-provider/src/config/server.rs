//! `[server]`

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
            drain_seconds: 300,
        }
    }
}

impl ServerSection {
    /// The number of worker threads meant by `workers`.
    pub(crate) fn worker_threads(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            n => n,
        }
    }
}
