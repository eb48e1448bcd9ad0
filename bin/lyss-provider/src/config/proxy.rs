//! `[proxy]`

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lyss_proxy::ProxySettings;
use lyss_proxy::gate::GateSettings;
use serde::{Deserialize, Serialize};

/// Each waiting call holds its request in memory.
const MAX_QUEUE: usize = 100_000;

#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProxySection {
    /// Balancing where neither key nor tenant says otherwise.
    pub(crate) strategy: String,
    /// Further attempts after the first one failed.
    pub(crate) max_retries: u32,
    pub(crate) connect_ms: u64,
    pub(crate) first_byte_ms: u64,
    pub(crate) idle_ms: u64,
    /// The one deadline of a call that does not stream, over all its attempts.
    pub(crate) total_ms: u64,
    pub(crate) total_stream_ms: u64,
    /// Silence in a stream after which a comment is sent; 0: never.
    pub(crate) heartbeat_ms: u64,
    /// How long a stream's head waits for its first event, while another channel could take over; 0: as long as the first
    /// byte may take.
    pub(crate) hold_ms: u64,
    /// Output limit written where the caller set none and an enforced token or cost policy applies.
    pub(crate) default_output_tokens: u64,
    /// Calls under way at once; 0: any number.
    pub(crate) max_concurrency: u32,
    /// Calls that may wait for a place, in the service as for a channel at its limit; 0: none.
    pub(crate) queue_length: usize,
    /// The longest that a call waits for a place; 0: not at all.
    pub(crate) queue_wait_ms: u64,
    /// Further attempts that a hundred calls may make together.
    pub(crate) retry_budget_percent: u32,
    /// Calls in a hundred that may be hedged; 0: none.
    pub(crate) hedge_budget_percent: u32,
}

impl Default for ProxySection {
    fn default() -> Self {
        let defaults = ProxySettings::default();
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self {
            strategy: defaults.strategy.to_string(),
            max_retries: defaults.max_retries,
            connect_ms: ms(defaults.connect),
            first_byte_ms: ms(defaults.first_byte),
            idle_ms: ms(defaults.idle),
            total_ms: ms(defaults.total),
            total_stream_ms: ms(defaults.total_stream),
            heartbeat_ms: ms(defaults.heartbeat),
            hold_ms: ms(defaults.hold),
            default_output_tokens: defaults.default_output_tokens,
            max_concurrency: defaults.gate.max_concurrency,
            queue_length: defaults.gate.queue_length,
            queue_wait_ms: ms(defaults.gate.queue_wait),
            retry_budget_percent: defaults.retry_budget_percent,
            hedge_budget_percent: defaults.hedge_budget_percent,
        }
    }
}

impl ProxySection {
    pub(crate) fn settings(&self) -> Result<ProxySettings> {
        let timers = [self.connect_ms, self.first_byte_ms, self.idle_ms, self.total_ms, self.total_stream_ms];
        ensure!(timers.iter().all(|ms| *ms > 0), "a timer of [proxy] is 0");
        ensure!(self.default_output_tokens > 0, "proxy.default_output_tokens is 0");
        ensure!(self.queue_length <= MAX_QUEUE, "proxy.queue_length is more than {MAX_QUEUE}");
        for (name, percent) in [("retry", self.retry_budget_percent), ("hedge", self.hedge_budget_percent)] {
            ensure!(percent <= 100, "proxy.{name}_budget_percent is more than 100");
        }
        Ok(ProxySettings {
            strategy: self.strategy.parse().context("proxy.strategy")?,
            max_retries: self.max_retries,
            connect: Duration::from_millis(self.connect_ms),
            first_byte: Duration::from_millis(self.first_byte_ms),
            idle: Duration::from_millis(self.idle_ms),
            total: Duration::from_millis(self.total_ms),
            total_stream: Duration::from_millis(self.total_stream_ms),
            heartbeat: Duration::from_millis(self.heartbeat_ms),
            hold: Duration::from_millis(self.hold_ms),
            default_output_tokens: self.default_output_tokens,
            gate: GateSettings {
                max_concurrency: self.max_concurrency,
                queue_length: self.queue_length,
                queue_wait: Duration::from_millis(self.queue_wait_ms),
            },
            retry_budget_percent: self.retry_budget_percent,
            hedge_budget_percent: self.hedge_budget_percent,
            ..ProxySettings::default()
        })
    }
}
