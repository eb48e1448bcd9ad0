//! What an operator may choose, and what can be wrong with the choice.

use std::time::Duration;

use crate::EgressPolicy;

/// Settings of one [`crate::Upstream`].
#[derive(Clone, Debug)]
pub struct UpstreamSettings {
    /// What may be reached beside `https` on port 443 of a public address.
    pub egress: EgressPolicy,
    /// How long an unused connection is kept.
    pub pool_idle: Duration,
    /// Unused connections kept for one scheme, host and port.
    pub pool_max_idle_per_host: usize,
    /// Certificates trusted beside the system's: each entry is a PEM file's content with one or more certificates.
    pub extra_roots_pem: Vec<Vec<u8>>,
    /// Largest head of an answer, in bytes; values below 8 KiB count as 8 KiB. It also bounds the read buffer, which
    /// starts at 8 KiB and grows only while reads fill it.
    pub max_head_bytes: usize,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    #[error("egress allowlist entry `{entry}`: {reason}")]
    AllowEntry { entry: String, reason: &'static str },
    /// `index` counts from 0 in `extra_roots_pem`.
    #[error("extra root certificate file {index}: {reason}")]
    ExtraRoot { index: usize, reason: &'static str },
    #[error("TLS could not be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl Default for UpstreamSettings {
    fn default() -> Self {
        Self {
            egress: EgressPolicy::default(),
            pool_idle: Duration::from_secs(30),
            pool_max_idle_per_host: 4096,
            extra_roots_pem: Vec::new(),
            max_head_bytes: 64 * 1024,
        }
    }
}
