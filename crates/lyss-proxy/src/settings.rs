//! What the service does where neither tenant, key nor channel says otherwise.

use std::time::Duration;

use lyss_domain::Strategy;

use crate::gate::GateSettings;

#[derive(Clone, Debug)]
pub struct ProxySettings {
    pub strategy: Strategy,
    /// Further attempts after the first one failed.
    pub max_retries: u32,
    pub connect: Duration,
    pub first_byte: Duration,
    pub idle: Duration,
    /// The one deadline of a call that does not stream, over all its attempts.
    pub total: Duration,
    /// The same for a stream.
    pub total_stream: Duration,
    /// Silence after which a comment goes to the caller between two events; zero: never.
    pub heartbeat: Duration,
    /// How long an answer's head waits for a stream's first event, so that another channel may still take over; zero:
    /// until the first-byte timer. After it the head goes out and comments keep the connection alive.
    pub hold: Duration,
    /// Written into the upstream request where the caller set no output limit and an enforced token or cost policy
    /// applies.
    pub default_output_tokens: u64,
    /// Calls under way at once, and how they wait for a place; the queues of single channels are as long.
    pub gate: GateSettings,
    /// Further attempts that a hundred calls may make together.
    pub retry_budget_percent: u32,
    /// Calls in a hundred that may be sent to a second channel while the first is awaited; 0: none.
    pub hedge_budget_percent: u32,
    /// Largest answer that is held whole.
    pub max_reply_bytes: usize,
    /// Bytes read while waiting for a stream's first event.
    pub max_peek_bytes: usize,
}

impl Default for ProxySettings {
    fn default() -> Self {
        Self {
            strategy: Strategy::WeightedRandom,
            max_retries: 2,
            connect: Duration::from_secs(2),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            total: Duration::from_secs(600),
            total_stream: Duration::from_secs(1_800),
            heartbeat: Duration::from_secs(15),
            hold: Duration::from_secs(20),
            default_output_tokens: 4_096,
            gate: GateSettings::default(),
            retry_budget_percent: 20,
            hedge_budget_percent: 5,
            max_reply_bytes: 32 << 20,
            max_peek_bytes: 64 << 10,
        }
    }
}
