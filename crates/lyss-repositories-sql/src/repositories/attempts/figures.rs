//! Figures per channel: two grouped reads over the same rows, so that what comes back is a few rows however many there
//! are.

use std::collections::HashMap;

use lyss_domain::{ChannelId, FaultKind, TenantScope, Terminal, Timestamp};
use lyss_repositories::figures::LATENCY_BOUNDS_US;
use lyss_repositories::{ChannelFigures, LatencyHistogram, StoreError};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, FromQueryResult, QueryResult};
use uuid::Uuid;

use super::{started_since, sum, tokens_of};
use crate::entities::usage_record::{Column, Entity};
use crate::error::store_error;
use crate::rows::{at, unsigned};
use crate::store::SqlStore;

/// Classes of the prompt and of the answer; reasoning is part of output.
pub(super) const PROMPT: [Column; 5] = [
    Column::InputTokens,
    Column::CacheReadTokens,
    Column::CacheWriteTokens,
    Column::CacheWriteLongTokens,
    Column::AudioInputTokens,
];
pub(super) const COMPLETION: [Column; 2] = [Column::OutputTokens, Column::AudioOutputTokens];

/// The names under which a histogram's parts come back begin with these.
pub(super) const LATENCY: &str = "latency";
pub(super) const TTFT: &str = "ttft";

#[derive(FromQueryResult)]
struct Sums {
    channel_id: Uuid,
    provider: String,
    attempts: i64,
    succeeded: i64,
    client_gone: i64,
    prompt_tokens: i64,
    completion_tokens: i64,
    cost_micros: i64,
    last_attempt_at_us: i64,
}

#[derive(FromQueryResult)]
struct Fault {
    channel_id: Uuid,
    provider: String,
    fault: String,
    last_at_us: i64,
}

/// A channel and a provider's slug.
type Faults = HashMap<(Uuid, String), (FaultKind, Timestamp)>;

impl SqlStore {
    pub(super) async fn channel_figures(
        &self,
        scope: &TenantScope,
        since: Timestamp,
    ) -> Result<Vec<ChannelFigures>, StoreError> {
        let found = started_since(scope, since);
        let sums = self.reader().query_all(&sums(found.clone())).await.map_err(store_error)?;
        let faults = self.reader().query_all(&faults(found)).await.map_err(store_error)?;
        let faults = last_faults(faults)?;
        sums.iter().map(|row| figures(row, &faults)).collect()
    }
}

fn sums(found: Condition) -> SelectStatement {
    let mut query = counted(found);
    query
        .columns([Column::ChannelId, Column::Provider])
        .expr_as(Expr::col(Column::StartedAtUs).max(), "last_attempt_at_us")
        .group_by_columns([Column::ChannelId, Column::Provider])
        .order_by_columns([
            (Column::ChannelId, sea_orm::Order::Asc),
            (Column::Provider, sea_orm::Order::Asc),
        ]);
    query
}

/// Counts, sums and histograms over these rows, to be grouped.
pub(super) fn counted(found: Condition) -> SelectStatement {
    let ended = |terminal: Terminal| Column::Terminal.eq(terminal.as_str());
    let mut query = Query::select();
    query
        .expr_as(Expr::col(Column::Id).count(), "attempts")
        .expr_as(count(ended(Terminal::Complete)), "succeeded")
        .expr_as(count(ended(Terminal::ClientGone)), "client_gone")
        .expr_as(sum(tokens_of(&PROMPT)), "prompt_tokens")
        .expr_as(sum(tokens_of(&COMPLETION)), "completion_tokens")
        .expr_as(sum(Expr::col(Column::CostMicros)), "cost_micros")
        .from(Entity)
        .cond_where(found);
    histogram(&mut query, LATENCY, Column::TotalUs, &ended(Terminal::Complete));
    histogram(&mut query, TTFT, Column::TtftUs, &Column::TtftUs.is_not_null());
    query
}

/// Cumulative counts: those of the buckets follow by subtraction.
fn histogram(query: &mut SelectStatement, name: &str, latency: Column, of: &Expr) {
    let those: Expr = CaseStatement::new().case(of.clone(), Expr::col(latency)).into();
    query
        .expr_as(count(of.clone()), format!("{name}_count"))
        .expr_as(sum(those.clone()), format!("{name}_sum"))
        .expr_as(those.max(), format!("{name}_max"));
    for bound in LATENCY_BOUNDS_US {
        let within = Expr::col(latency).lte(i64::try_from(bound).unwrap_or(i64::MAX));
        query.expr_as(count(of.clone().and(within)), format!("{name}_{bound}"));
    }
}

/// Few rows: one for each kind of fault a channel had.
fn faults(found: Condition) -> SelectStatement {
    Query::select()
        .columns([Column::ChannelId, Column::Provider, Column::Fault])
        .expr_as(Expr::col(Column::StartedAtUs).max(), "last_at_us")
        .from(Entity)
        .cond_where(found)
        .and_where(Column::Fault.is_not_null())
        .and_where(Column::Terminal.ne(Terminal::ClientGone.as_str()))
        .group_by_columns([Column::ChannelId, Column::Provider, Column::Fault])
        .take()
}

fn last_faults(rows: Vec<QueryResult>) -> Result<Faults, StoreError> {
    let mut faults = Faults::new();
    for row in rows {
        let row = Fault::from_query_result(&row, "").map_err(store_error)?;
        let fault = FaultKind::parse(&row.fault).ok_or(StoreError::Corrupt("fault"))?;
        let newest = faults.entry((row.channel_id, row.provider)).or_insert((fault, at(row.last_at_us)));
        if at(row.last_at_us) > newest.1 {
            *newest = (fault, at(row.last_at_us));
        }
    }
    Ok(faults)
}

fn figures(row: &QueryResult, faults: &Faults) -> Result<ChannelFigures, StoreError> {
    let sums = Sums::from_query_result(row, "").map_err(store_error)?;
    let attempts = unsigned(sums.attempts, "attempts")?;
    let succeeded = unsigned(sums.succeeded, "attempts")?;
    let client_gone = unsigned(sums.client_gone, "attempts")?;
    Ok(ChannelFigures {
        channel: ChannelId(sums.channel_id),
        provider: sums.provider.parse().map_err(|_| StoreError::Corrupt("provider id"))?,
        attempts,
        succeeded,
        failed: attempts.saturating_sub(succeeded).saturating_sub(client_gone),
        client_gone,
        prompt_tokens: unsigned(sums.prompt_tokens, "tokens")?,
        completion_tokens: unsigned(sums.completion_tokens, "tokens")?,
        cost_micros: sums.cost_micros,
        latency: latencies(row, LATENCY)?,
        ttft: latencies(row, TTFT)?,
        last_attempt_at: at(sums.last_attempt_at_us),
        last_fault: faults.get(&(sums.channel_id, sums.provider)).copied(),
    })
}

pub(super) fn latencies(row: &QueryResult, name: &str) -> Result<LatencyHistogram, StoreError> {
    // Sum and maximum of nothing are NULL.
    let number = |part: &str| -> Result<u64, StoreError> {
        let found: Result<Option<i64>, DbErr> = row.try_get("", &format!("{name}_{part}"));
        unsigned(found.map_err(store_error)?.unwrap_or(0), "latency")
    };
    let mut at_most = LATENCY_BOUNDS_US;
    for bound in &mut at_most {
        *bound = number(&bound.to_string())?;
    }
    Ok(LatencyHistogram::from_cumulative(at_most, number("count")?, number("sum")?, number("max")?))
}

/// How many rows are so.
fn count(so: Expr) -> Expr {
    let one: Expr = CaseStatement::new().case(so, 1).into();
    one.count()
}
