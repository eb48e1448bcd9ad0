//! Usage records, one per attempt: written by the ledger in batches, outside any unit of work.

mod figures;
mod insert;
mod series;

use std::time::Duration;

use async_trait::async_trait;
use lyss_domain::{
    AttemptId, AttemptRecord, CallId, ChannelId, FaultKind, KeyId, Micros, Operation, PriceId, TenantId,
    TenantScope, Terminal, Timestamp, TokenUsage, UsageSource,
};
use lyss_repositories::{Arrival, AttemptStore, ChannelFigures, SeriesPoint, StoreError, UsageTotal};
use sea_orm::sea_query::{Alias, CaseStatement, Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use crate::entities::usage_record::{Column, Entity, Model};
use crate::error::store_error;
use crate::json::strategy;
use crate::rows::{all, at, one, unsigned};
use crate::store::SqlStore;

/// Everything that counts as a token once; reasoning is part of output.
const TOKENS: [Column; 7] = [
    Column::InputTokens,
    Column::CacheReadTokens,
    Column::CacheWriteTokens,
    Column::CacheWriteLongTokens,
    Column::AudioInputTokens,
    Column::OutputTokens,
    Column::AudioOutputTokens,
];

/// Longer than the deadline of any call.
const LONGEST_CALL: Duration = Duration::from_secs(60 * 60);

#[derive(FromQueryResult)]
struct Total {
    key_id: Uuid,
    channel_id: Uuid,
    model_asked: String,
    requests: i64,
    tokens: i64,
    cost_micros: i64,
}

impl TryFrom<Model> for AttemptRecord {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Self, StoreError> {
        let fault = |text: String| FaultKind::parse(&text).ok_or(StoreError::Corrupt("fault"));
        let status = row.status.map(u16::try_from).transpose().map_err(|_| StoreError::Corrupt("status"))?;
        Ok(Self {
            id: AttemptId(row.id),
            call: CallId(row.call_id),
            ordinal: u16::try_from(row.ordinal).map_err(|_| StoreError::Corrupt("ordinal"))?,
            tenant: TenantId(row.tenant_id),
            key: KeyId(row.key_id),
            channel: ChannelId(row.channel_id),
            provider: row.provider.parse().map_err(|_| StoreError::Corrupt("provider id"))?,
            model_asked: row.model_asked,
            model_served: row.model_served,
            strategy: strategy(&row.strategy)?,
            stream: row.stream,
            terminal: Terminal::parse(&row.terminal).ok_or(StoreError::Corrupt("terminal"))?,
            fault: row.fault.map(fault).transpose()?,
            status,
            usage: TokenUsage {
                input: unsigned(row.input_tokens, "input_tokens")?,
                cache_read: unsigned(row.cache_read_tokens, "cache_read_tokens")?,
                cache_write: unsigned(row.cache_write_tokens, "cache_write_tokens")?,
                cache_write_long: unsigned(row.cache_write_long_tokens, "cache_write_long_tokens")?,
                audio_input: unsigned(row.audio_input_tokens, "audio_input_tokens")?,
                output: unsigned(row.output_tokens, "output_tokens")?,
                reasoning: unsigned(row.reasoning_tokens, "reasoning_tokens")?,
                audio_output: unsigned(row.audio_output_tokens, "audio_output_tokens")?,
            },
            usage_source: UsageSource::parse(&row.usage_source).ok_or(StoreError::Corrupt("usage source"))?,
            cost: Micros(row.cost_micros),
            price: row.price_id.map(PriceId),
            started_at: at(row.started_at_us),
            ttft_us: row.ttft_us,
            total_us: row.total_us,
            operation: Operation::parse(&row.operation).ok_or(StoreError::Corrupt("operation"))?,
            losses: row.losses.map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default(),
            decision: row.decision.map(Vec::into_boxed_slice),
        })
    }
}

impl TryFrom<Total> for UsageTotal {
    type Error = StoreError;
    fn try_from(row: Total) -> Result<Self, StoreError> {
        Ok(Self {
            key: KeyId(row.key_id),
            channel: ChannelId(row.channel_id),
            model_asked: row.model_asked,
            requests: unsigned(row.requests, "requests")?,
            tokens: unsigned(row.tokens, "tokens")?,
            cost_micros: row.cost_micros,
        })
    }
}

#[async_trait]
impl AttemptStore for SqlStore {
    async fn write(&self, records: &[AttemptRecord]) -> Result<u64, StoreError> {
        if records.is_empty() {
            return Ok(0);
        }
        self.insert_attempts(records).await
    }

    async fn get(&self, scope: &TenantScope, id: AttemptId) -> Result<Option<AttemptRecord>, StoreError> {
        one(self.reader(), Entity::find_by_id((scope.tenant().0, id.0))).await
    }

    async fn of_call(&self, scope: &TenantScope, call: CallId) -> Result<Vec<AttemptRecord>, StoreError> {
        // They stand together under the primary key, in the order of their ordinals.
        let together = Column::Id.between(AttemptId::of(call, 0).0, AttemptId::of(call, u16::MAX).0);
        let attempts = Entity::find()
            .filter(Column::TenantId.eq(scope.tenant().0))
            .filter(together)
            .filter(Column::CallId.eq(call.0))
            .order_by_asc(Column::Id);
        all(self.reader(), attempts).await
    }

    async fn recent(&self, scope: &TenantScope, limit: u32) -> Result<Vec<AttemptRecord>, StoreError> {
        let newest = Entity::find()
            .filter(Column::TenantId.eq(scope.tenant().0))
            .order_by_desc(Column::Id)
            .limit(u64::from(limit));
        all(self.reader(), newest).await
    }

    async fn count(&self, scope: &TenantScope) -> Result<u64, StoreError> {
        let mine = Entity::find().filter(Column::TenantId.eq(scope.tenant().0));
        mine.count(self.reader()).await.map_err(store_error)
    }

    async fn totals(&self, scope: &TenantScope, since: Timestamp) -> Result<Vec<UsageTotal>, StoreError> {
        let calls =
            CaseStatement::new().case(Column::UsageSource.ne(UsageSource::None.as_str()), 1).finally(0);
        let totals = Entity::find()
            .select_only()
            .columns([Column::KeyId, Column::ChannelId, Column::ModelAsked])
            .column_as(sum(calls.into()), "requests")
            .column_as(sum(tokens_of(&TOKENS)), "tokens")
            .column_as(sum(Expr::col(Column::CostMicros)), "cost_micros")
            .filter(started_since(scope, since))
            .group_by(Column::KeyId)
            .group_by(Column::ChannelId)
            .group_by(Column::ModelAsked)
            .into_model::<Total>();
        let rows = totals.all(self.reader()).await.map_err(store_error)?;
        rows.into_iter().map(UsageTotal::try_from).collect()
    }

    async fn figures(
        &self,
        scope: &TenantScope,
        since: Timestamp,
    ) -> Result<Vec<ChannelFigures>, StoreError> {
        self.channel_figures(scope, since).await
    }

    async fn channel_series(
        &self,
        scope: &TenantScope,
        channel: ChannelId,
        since: Timestamp,
        interval: Duration,
    ) -> Result<Vec<SeriesPoint>, StoreError> {
        self.series_of_channel(scope, channel, since, interval).await
    }

    async fn traffic(
        &self,
        scope: &TenantScope,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arrival>, StoreError> {
        self.arrivals(scope, since, limit).await
    }
}

/// A tenant's attempts, but for our own probes, that started then or later, found by the primary key alone: an id begins with its call's
/// millisecond, and an attempt starts at most its call's deadline after that.
fn started_since(scope: &TenantScope, since: Timestamp) -> Condition {
    Condition::all()
        .add(Column::TenantId.eq(scope.tenant().0))
        .add(Column::Id.gte(AttemptId::floor(since.before(LONGEST_CALL)).0))
        .add(Column::StartedAtUs.gte(since.as_micros()))
        .add(Column::Operation.ne(Operation::Health.as_str()))
}

/// These classes of a row together.
fn tokens_of(classes: &[Column]) -> Expr {
    let mut classes = classes.iter().map(|class| Expr::col(*class));
    let first = classes.next().unwrap_or_else(|| Expr::value(0));
    classes.fold(first, ExprTrait::add)
}

/// PostgreSQL's sum of big integers is a decimal; ours fit 63 bits.
fn sum(of: Expr) -> Expr {
    of.sum().cast_as(Alias::new("bigint"))
}
