//! One channel over time, and a tenant's traffic as it came: reads along the primary key.

use std::cmp;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use lyss_domain::{ChannelId, FaultKind, Operation, TenantScope, Terminal, Timestamp};
use lyss_repositories::{Arrival, SeriesPoint, StoreError};
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QueryResult,
    QuerySelect,
};
use uuid::Uuid;

use super::figures::{COMPLETION, LATENCY, PROMPT, TTFT, counted, latencies};
use super::{started_since, tokens_of};
use crate::entities::usage_record::{Column, Entity};
use crate::error::store_error;
use crate::rows::{at, unsigned};
use crate::store::SqlStore;

const SHORTEST: Duration = Duration::from_secs(1);

#[derive(FromQueryResult)]
struct Sums {
    interval: i64,
    model_served: String,
    attempts: i64,
    succeeded: i64,
    client_gone: i64,
    prompt_tokens: i64,
    completion_tokens: i64,
    cost_micros: i64,
}

#[derive(FromQueryResult)]
struct Faults {
    interval: i64,
    model_served: String,
    fault: String,
    attempts: i64,
}

#[derive(FromQueryResult)]
struct Attempt {
    call_id: Uuid,
    model_asked: String,
    operation: String,
    stream: bool,
    started_at_us: i64,
    prompt_tokens: i64,
    output_tokens: i64,
}

type FaultCounts = HashMap<(i64, String), BTreeMap<FaultKind, u64>>;

impl SqlStore {
    pub(super) async fn series_of_channel(
        &self,
        scope: &TenantScope,
        channel: ChannelId,
        since: Timestamp,
        interval: Duration,
    ) -> Result<Vec<SeriesPoint>, StoreError> {
        let length = i64::try_from(interval.max(SHORTEST).as_micros()).unwrap_or(i64::MAX);
        let found = started_since(scope, since).add(Column::ChannelId.eq(channel.0));
        let sums = self.reader().query_all(&sums(found.clone(), length)).await.map_err(store_error)?;
        let counts = self.reader().query_all(&faults(found, length)).await.map_err(store_error)?;
        let mut counts = fault_counts(counts)?;
        sums.iter().map(|row| point(row, length, &mut counts)).collect()
    }

    pub(super) async fn arrivals(
        &self,
        scope: &TenantScope,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arrival>, StoreError> {
        let newest = Entity::find()
            .select_only()
            .columns([Column::CallId, Column::ModelAsked, Column::Operation, Column::Stream])
            .column(Column::StartedAtUs)
            .column_as(tokens_of(&PROMPT), "prompt_tokens")
            .column_as(tokens_of(&COMPLETION), "output_tokens")
            .filter(started_since(scope, since))
            .order_by_desc(Column::Id)
            .limit(u64::from(limit))
            .into_model::<Attempt>();
        let attempts = newest.all(self.reader()).await.map_err(store_error)?;
        let mut arrivals = Vec::with_capacity(attempts.len());
        let mut last = None;
        for attempt in attempts.into_iter().rev() {
            let call = attempt.call_id;
            let arrival = Arrival::try_from(attempt)?;
            match arrivals.last_mut() {
                Some(first) if last == Some(call) => again(first, &arrival),
                _ => arrivals.push(arrival),
            }
            last = Some(call);
        }
        // By their ids they stand in the order of their milliseconds alone.
        arrivals.sort_by_key(|arrival| arrival.at);
        Ok(arrivals)
    }
}

impl TryFrom<Attempt> for Arrival {
    type Error = StoreError;
    fn try_from(row: Attempt) -> Result<Self, StoreError> {
        Ok(Self {
            at: at(row.started_at_us),
            model: row.model_asked,
            operation: Operation::parse(&row.operation).ok_or(StoreError::Corrupt("operation"))?,
            stream: row.stream,
            prompt_tokens: unsigned(row.prompt_tokens, "tokens")?,
            output_tokens: unsigned(row.output_tokens, "tokens")?,
        })
    }
}

/// A further attempt of the same call.
fn again(arrival: &mut Arrival, attempt: &Arrival) {
    arrival.at = cmp::min(arrival.at, attempt.at);
    arrival.prompt_tokens = cmp::max(arrival.prompt_tokens, attempt.prompt_tokens);
    arrival.output_tokens = cmp::max(arrival.output_tokens, attempt.output_tokens);
}

/// Which interval a row is in. Written out, since PostgreSQL does not see that two parameters are the same number.
fn interval(length: i64) -> Expr {
    Expr::cust(format!("started_at_us / {length}"))
}

fn sums(found: Condition, length: i64) -> SelectStatement {
    counted(found)
        .expr_as(interval(length), "interval")
        .column(Column::ModelServed)
        .add_group_by([interval(length), Expr::col(Column::ModelServed)])
        .order_by_expr(interval(length), sea_orm::Order::Asc)
        .order_by(Column::ModelServed, sea_orm::Order::Asc)
        .take()
}

fn faults(found: Condition, length: i64) -> SelectStatement {
    Query::select()
        .expr_as(interval(length), "interval")
        .columns([Column::ModelServed, Column::Fault])
        .expr_as(Expr::col(Column::Id).count(), "attempts")
        .from(Entity)
        .cond_where(found)
        .and_where(Column::Fault.is_not_null())
        .and_where(Column::Terminal.ne(Terminal::ClientGone.as_str()))
        .add_group_by([interval(length), Expr::col(Column::ModelServed), Expr::col(Column::Fault)])
        .take()
}

fn fault_counts(rows: Vec<QueryResult>) -> Result<FaultCounts, StoreError> {
    let mut counts = FaultCounts::new();
    for row in rows {
        let row = Faults::from_query_result(&row, "").map_err(store_error)?;
        let fault = FaultKind::parse(&row.fault).ok_or(StoreError::Corrupt("fault"))?;
        let count = unsigned(row.attempts, "attempts")?;
        counts.entry((row.interval, row.model_served)).or_default().insert(fault, count);
    }
    Ok(counts)
}

fn point(row: &QueryResult, length: i64, faults: &mut FaultCounts) -> Result<SeriesPoint, StoreError> {
    let sums = Sums::from_query_result(row, "").map_err(store_error)?;
    let attempts = unsigned(sums.attempts, "attempts")?;
    let succeeded = unsigned(sums.succeeded, "attempts")?;
    let client_gone = unsigned(sums.client_gone, "attempts")?;
    Ok(SeriesPoint {
        at: at(sums.interval.saturating_mul(length)),
        faults: faults.remove(&(sums.interval, sums.model_served.clone())).unwrap_or_default(),
        model: sums.model_served,
        attempts,
        succeeded,
        failed: attempts.saturating_sub(succeeded).saturating_sub(client_gone),
        client_gone,
        prompt_tokens: unsigned(sums.prompt_tokens, "tokens")?,
        completion_tokens: unsigned(sums.completion_tokens, "tokens")?,
        cost_micros: sums.cost_micros,
        latency: latencies(row, LATENCY)?,
        ttft: latencies(row, TTFT)?,
    })
}
