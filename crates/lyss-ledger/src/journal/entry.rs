//! A record as a line of the journal holds it. A journal outlives the build that wrote it, so the names stay.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use lyss_domain::{
    AttemptId, AttemptRecord, CallId, ChannelId, FaultKind, KeyId, Micros, Operation, PriceId, Strategy,
    TenantId, Terminal, Timestamp, TokenUsage, UsageSource,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The version this build writes, and the newest it reads.
const VERSION: u8 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry<'a> {
    v: u8,
    id: Uuid,
    call: Uuid,
    ordinal: u16,
    tenant: Uuid,
    key: Uuid,
    channel: Uuid,
    #[serde(borrow)]
    provider: Cow<'a, str>,
    #[serde(borrow)]
    model_asked: Cow<'a, str>,
    #[serde(borrow)]
    model_served: Cow<'a, str>,
    #[serde(borrow)]
    strategy: Cow<'a, str>,
    stream: bool,
    #[serde(borrow)]
    terminal: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    usage: Tokens,
    #[serde(borrow)]
    usage_source: Cow<'a, str>,
    cost_micros: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price: Option<Uuid>,
    started_at_us: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttft_us: Option<i64>,
    total_us: i64,
    /// Absent: a chat call.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    operation: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    losses: Cow<'a, [String]>,
    /// Base64 without padding.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    decision: Option<Cow<'a, str>>,
}

/// Absent classes are zero.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
struct Tokens {
    #[serde(skip_serializing_if = "is_zero")]
    input: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cache_read: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cache_write: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cache_write_long: u64,
    #[serde(skip_serializing_if = "is_zero")]
    audio_input: u64,
    #[serde(skip_serializing_if = "is_zero")]
    output: u64,
    #[serde(skip_serializing_if = "is_zero")]
    reasoning: u64,
    #[serde(skip_serializing_if = "is_zero")]
    audio_output: u64,
}

impl<'a> From<&'a AttemptRecord> for Entry<'a> {
    fn from(record: &'a AttemptRecord) -> Self {
        Self {
            v: VERSION,
            id: record.id.0,
            call: record.call.0,
            ordinal: record.ordinal,
            tenant: record.tenant.0,
            key: record.key.0,
            channel: record.channel.0,
            provider: record.provider.as_str().into(),
            model_asked: record.model_asked.as_str().into(),
            model_served: record.model_served.as_str().into(),
            strategy: record.strategy.as_str().into(),
            stream: record.stream,
            terminal: record.terminal.as_str().into(),
            fault: record.fault.map(|fault| fault.as_str().into()),
            status: record.status,
            usage: record.usage.into(),
            usage_source: record.usage_source.as_str().into(),
            cost_micros: record.cost.0,
            price: record.price.map(|price| price.0),
            started_at_us: record.started_at.as_micros(),
            ttft_us: record.ttft_us,
            total_us: record.total_us,
            operation: (record.operation != Operation::Chat).then(|| record.operation.as_str().into()),
            losses: record.losses.as_slice().into(),
            decision: record.decision.as_deref().map(|decision| BASE64.encode(decision).into()),
        }
    }
}

impl Entry<'_> {
    /// `None`: written by a newer build, or with a name this one does not know.
    pub(crate) fn into_record(self) -> Option<AttemptRecord> {
        if self.v != VERSION {
            return None;
        }
        let fault = match self.fault {
            Some(name) => Some(FaultKind::parse(&name)?),
            None => None,
        };
        let operation = match self.operation {
            Some(name) => Operation::parse(&name)?,
            None => Operation::Chat,
        };
        // It explains a record and is no part of what is owed: a broken one is not worth losing the rest for.
        let decision = self.decision.and_then(|text| BASE64.decode(text.as_bytes()).ok());
        Some(AttemptRecord {
            id: AttemptId(self.id),
            call: CallId(self.call),
            ordinal: self.ordinal,
            tenant: TenantId(self.tenant),
            key: KeyId(self.key),
            channel: ChannelId(self.channel),
            provider: self.provider.parse().ok()?,
            model_asked: self.model_asked.into_owned(),
            model_served: self.model_served.into_owned(),
            strategy: self.strategy.parse::<Strategy>().ok()?,
            stream: self.stream,
            terminal: Terminal::parse(&self.terminal)?,
            fault,
            status: self.status,
            usage: self.usage.into(),
            usage_source: UsageSource::parse(&self.usage_source)?,
            cost: Micros(self.cost_micros),
            price: self.price.map(PriceId),
            started_at: Timestamp::from_micros(self.started_at_us),
            ttft_us: self.ttft_us,
            total_us: self.total_us,
            operation,
            losses: self.losses.into_owned(),
            decision: decision.map(Vec::into_boxed_slice),
        })
    }
}

impl Default for Tokens {
    fn default() -> Self {
        TokenUsage::default().into()
    }
}

impl From<TokenUsage> for Tokens {
    fn from(usage: TokenUsage) -> Self {
        let TokenUsage {
            input,
            cache_read,
            cache_write,
            cache_write_long,
            audio_input,
            output,
            reasoning,
            audio_output,
        } = usage;
        Self {
            input,
            cache_read,
            cache_write,
            cache_write_long,
            audio_input,
            output,
            reasoning,
            audio_output,
        }
    }
}

impl From<Tokens> for TokenUsage {
    fn from(tokens: Tokens) -> Self {
        let Tokens {
            input,
            cache_read,
            cache_write,
            cache_write_long,
            audio_input,
            output,
            reasoning,
            audio_output,
        } = tokens;
        Self {
            input,
            cache_read,
            cache_write,
            cache_write_long,
            audio_input,
            output,
            reasoning,
            audio_output,
        }
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
