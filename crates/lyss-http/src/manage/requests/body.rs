//! A call in JSON. Times are whole milliseconds.

use lyss_domain::{
    AttemptId, AttemptRecord, CallId, ChannelId, KeyId, Operation, Strategy, Terminal, TokenUsage,
    UsageSource,
};
use lyss_insight::{ToldAttempt, ToldCall, ToldDecision};
use serde::Serialize;
use utoipa::ToSchema;

use crate::manage::decision::DecisionDto;
use crate::manage::schema;
use crate::manage::word::{Id, Moment, Named};

#[derive(Serialize, ToSchema)]
#[schema(as = Request)]
pub(super) struct RequestDto {
    #[schema(schema_with = schema::id)]
    id: Id<CallId>,
    #[schema(schema_with = schema::moment)]
    started_at: Moment,
    #[schema(schema_with = schema::id)]
    key_id: Id<KeyId>,
    /// As it was asked for.
    model: String,
    #[schema(schema_with = schema::word::<Operation>)]
    operation: Named<Operation>,
    stream: bool,
    /// How the call ended: as the attempt that answered, else as the last one.
    #[schema(schema_with = schema::word::<Terminal>)]
    terminal: Named<Terminal>,
    /// What went wrong, such as `rate_limited` or `first_byte_timeout`; null: nothing.
    fault: Option<&'static str>,
    /// From the first attempt's beginning to the first content, with what failed before; null: none came.
    ttft_ms: Option<u64>,
    total_ms: Option<u64>,
    usage: UsageDto,
    /// What the call was charged.
    cost_micros: i64,
    /// The channel whose attempt decided.
    #[schema(schema_with = schema::id)]
    channel_id: Id<ChannelId>,
    /// In the order in which they were sent.
    attempts: Vec<AttemptDto>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
struct AttemptDto {
    #[schema(schema_with = schema::id)]
    id: Id<AttemptId>,
    /// 0 for the first.
    ordinal: u16,
    #[schema(schema_with = schema::id)]
    channel_id: Id<ChannelId>,
    /// As it is called today; null: it is gone.
    channel_name: Option<String>,
    provider_id: String,
    /// The model named to the vendor.
    model: String,
    #[schema(schema_with = schema::word::<Strategy>)]
    strategy: Named<Strategy>,
    #[schema(schema_with = schema::word::<Terminal>)]
    terminal: Named<Terminal>,
    fault: Option<&'static str>,
    /// The vendor's, where there was one.
    status: Option<u16>,
    #[schema(schema_with = schema::moment)]
    started_at: Moment,
    ttft_ms: Option<u64>,
    total_ms: u64,
    usage: UsageDto,
    /// Who counted.
    #[schema(schema_with = schema::word::<UsageSource>)]
    usage_source: Named<UsageSource>,
    cost_micros: i64,
    /// Fields of the request that the vendor could not be told.
    losses: Vec<String>,
    /// `kept`, `not_kept`, or `unreadable`: written by another version of the service.
    #[schema(value_type = String)]
    decision_state: &'static str,
    decision: Option<DecisionDto>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TokenUsage)]
struct UsageDto {
    /// Everything that was read, from caches too.
    prompt_tokens: u64,
    completion_tokens: u64,
    /// Of the prompt's.
    cache_read_tokens: u64,
    /// Of the prompt's.
    cache_write_tokens: u64,
    /// Of the completion's.
    reasoning_tokens: u64,
}

impl RequestDto {
    /// `None`: it has no attempt.
    pub(super) fn of(call: ToldCall) -> Option<Self> {
        let decisive = call.decisive()?.clone();
        Some(Self {
            id: Id(call.id),
            started_at: Moment(call.started_at()?),
            key_id: Id(decisive.key),
            operation: Named(decisive.operation),
            stream: decisive.stream,
            terminal: Named(decisive.terminal),
            fault: decisive.fault.map(lyss_domain::FaultKind::as_str),
            ttft_ms: call.ttft_us().map(millis),
            total_ms: call.total_us().map(millis),
            usage: UsageDto::from(&decisive.usage),
            cost_micros: call.cost().0,
            channel_id: Id(decisive.channel),
            model: decisive.model_asked,
            attempts: call.attempts.into_iter().map(AttemptDto::from).collect(),
        })
    }
}

impl From<ToldAttempt> for AttemptDto {
    fn from(attempt: ToldAttempt) -> Self {
        let (decision_state, decision) = match attempt.decision {
            ToldDecision::NotKept => ("not_kept", None),
            ToldDecision::Unreadable => ("unreadable", None),
            ToldDecision::Told(decided) => ("kept", Some(DecisionDto::from(*decided))),
        };
        let positive = |micros: i64| u64::try_from(micros).unwrap_or(0);
        let AttemptRecord { id, ordinal, channel, provider, model_served, strategy, .. } = attempt.record;
        let AttemptRecord { terminal, fault, status, started_at, ttft_us, total_us, .. } = attempt.record;
        let AttemptRecord { usage, usage_source, cost, losses, .. } = attempt.record;
        Self {
            id: Id(id),
            ordinal,
            channel_id: Id(channel),
            channel_name: attempt.channel_name,
            provider_id: provider.as_str().to_owned(),
            model: model_served,
            strategy: Named(strategy),
            terminal: Named(terminal),
            fault: fault.map(lyss_domain::FaultKind::as_str),
            status,
            started_at: Moment(started_at),
            ttft_ms: ttft_us.map(positive).map(millis),
            total_ms: millis(positive(total_us)),
            usage: UsageDto::from(&usage),
            usage_source: Named(usage_source),
            cost_micros: cost.0,
            losses,
            decision_state,
            decision,
        }
    }
}

impl From<&TokenUsage> for UsageDto {
    fn from(usage: &TokenUsage) -> Self {
        let cache_write_tokens = usage.cache_write.saturating_add(usage.cache_write_long);
        let rest = [usage.cache_read, cache_write_tokens, usage.audio_input];
        Self {
            prompt_tokens: rest.into_iter().fold(usage.input, u64::saturating_add),
            completion_tokens: usage.output.saturating_add(usage.audio_output),
            cache_read_tokens: usage.cache_read,
            cache_write_tokens,
            reasoning_tokens: usage.reasoning,
        }
    }
}

fn millis(micros: u64) -> u64 {
    micros.div_ceil(1_000)
}
