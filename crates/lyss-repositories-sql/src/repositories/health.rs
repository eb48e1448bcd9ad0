//! What is kept of channels' health: states, history, probes' turns and budgets. Written in batches, outside any unit of
//! work of others.

mod turns;

use std::collections::BTreeSet;

use async_trait::async_trait;
use lyss_domain::{
    ChannelId, FaultKind, HealthEvent, HealthEventId, HealthEventKind, HealthSource, HealthState, Micros,
    TenantId, TenantScope, Timestamp,
};
use lyss_repositories::{
    HealthEventFilter, HealthEventSort, HealthStore, Listing, Paged, ProbeTurn, Sort, StoreError,
};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, OnConflict, Query};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::entities::{channel, channel_health, health_event, probe_spending};
use crate::error::store_error;
use crate::lists::{direction, is};
use crate::rows::{all, at, micros, page, span};
use crate::store::SqlStore;
use crate::work::Transaction;

/// Rows per statement. A row takes up to ten parameters; SQLite allows 32,766 of them.
const ROWS: usize = 500;

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

impl From<&HealthState> for channel_health::Model {
    fn from(state: &HealthState) -> Self {
        Self {
            tenant_id: state.tenant.0,
            channel_id: state.channel.0,
            model: state.model.clone().unwrap_or_default(),
            state: state.state.clone(),
            updated_at_us: state.updated_at.as_micros(),
        }
    }
}

impl TryFrom<channel_health::Model> for HealthState {
    type Error = StoreError;
    fn try_from(row: channel_health::Model) -> Result<Self, StoreError> {
        Ok(Self {
            tenant: TenantId(row.tenant_id),
            channel: ChannelId(row.channel_id),
            model: (!row.model.is_empty()).then_some(row.model),
            state: row.state,
            updated_at: at(row.updated_at_us),
        })
    }
}

impl From<&HealthEvent> for health_event::Model {
    fn from(event: &HealthEvent) -> Self {
        Self {
            tenant_id: event.tenant.0,
            id: event.id.0,
            channel_id: event.channel.0,
            model: event.model.clone(),
            at_us: event.at.as_micros(),
            kind: event.kind.as_str().to_owned(),
            fault: event.fault.map(|fault| fault.as_str().to_owned()),
            for_us: event.lasting.map(micros),
            source: event.source.as_str().to_owned(),
            latency_us: event.latency.map(micros),
        }
    }
}

impl TryFrom<health_event::Model> for HealthEvent {
    type Error = StoreError;
    fn try_from(row: health_event::Model) -> Result<Self, StoreError> {
        let fault = |text: String| FaultKind::parse(&text).ok_or(StoreError::Corrupt("fault"));
        Ok(Self {
            id: HealthEventId(row.id),
            tenant: TenantId(row.tenant_id),
            channel: ChannelId(row.channel_id),
            model: row.model,
            at: at(row.at_us),
            kind: HealthEventKind::parse(&row.kind).ok_or(StoreError::Corrupt("health event"))?,
            fault: row.fault.map(fault).transpose()?,
            lasting: span(row.for_us, "for_us")?,
            source: HealthSource::parse(&row.source).ok_or(StoreError::Corrupt("health source"))?,
            latency: span(row.latency_us, "latency_us")?,
        })
    }
}

#[async_trait]
impl HealthStore for SqlStore {
    async fn save_states(&self, states: &[HealthState]) -> Result<u64, StoreError> {
        use channel_health::{Column, Entity, Model};
        if states.is_empty() {
            return Ok(0);
        }
        let tx = self.begin_write().await?;
        let there = present(&tx, states.iter().map(|state| (state.tenant, state.channel))).await?;
        let mut rows: Vec<Model> = states
            .iter()
            .filter(|state| there.contains(&(state.tenant.0, state.channel.0)))
            .map(Model::from)
            .collect();
        // In one order, so that two replicas never wait for each other crosswise; and each once, the newest.
        let key = |row: &Model| (row.tenant_id, row.channel_id, row.model.clone());
        rows.sort_by_key(|row| (key(row), std::cmp::Reverse(row.updated_at_us)));
        rows.dedup_by_key(|row| key(row));
        let newer = Expr::col((Entity, Column::UpdatedAtUs)).lte(Expr::cust("excluded.updated_at_us"));
        let replace = OnConflict::columns([Column::TenantId, Column::ChannelId, Column::Model])
            .update_columns([Column::State, Column::UpdatedAtUs])
            .action_and_where(newer)
            .to_owned();
        let mut written = 0;
        for part in rows.chunks(ROWS) {
            let models = part.iter().cloned().map(IntoActiveModel::into_active_model);
            let insert = Entity::insert_many(models).on_conflict(replace.clone());
            written += insert.exec_without_returning(&tx).await.map_err(store_error)?;
        }
        tx.commit().await?;
        Ok(written)
    }

    async fn load_states(&self) -> Result<Vec<HealthState>, StoreError> {
        all(self.reader(), channel_health::Entity::find()).await
    }

    async fn forget_states(&self, before: Timestamp) -> Result<u64, StoreError> {
        use channel_health::{Column, Entity};
        let tx = self.begin_write().await?;
        let old = Entity::delete_many().filter(Column::UpdatedAtUs.lt(before.as_micros()));
        let gone = old.exec(&tx).await.map_err(store_error)?.rows_affected;
        tx.commit().await?;
        Ok(gone)
    }

    async fn append_events(&self, events: &[HealthEvent]) -> Result<u64, StoreError> {
        use health_event::{Column, Entity, Model};
        if events.is_empty() {
            return Ok(0);
        }
        let tx = self.begin_write().await?;
        let there = present(&tx, events.iter().map(|event| (event.tenant, event.channel))).await?;
        let mut rows: Vec<Model> = events
            .iter()
            .filter(|event| there.contains(&(event.tenant.0, event.channel.0)))
            .map(Model::from)
            .collect();
        rows.sort_by_key(|row| (row.tenant_id, row.id));
        let as_it_is = OnConflict::columns([Column::TenantId, Column::Id]).do_nothing().to_owned();
        let mut written = 0;
        for part in rows.chunks(ROWS) {
            let models = part.iter().cloned().map(IntoActiveModel::into_active_model);
            let insert = Entity::insert_many(models).on_conflict(as_it_is.clone());
            written += insert.exec_without_returning(&tx).await.map_err(store_error)?;
        }
        tx.commit().await?;
        Ok(written)
    }

    async fn events(
        &self,
        scope: &TenantScope,
        listing: &Listing<HealthEventFilter, HealthEventSort>,
    ) -> Result<Paged<HealthEvent>, StoreError> {
        use health_event::{Column, Entity};
        let Sort { by: HealthEventSort::At, descending } = listing.sort;
        let HealthEventFilter { channel, model, kind, source, from, until } = &listing.filter;
        let wanted = Condition::all()
            .add(Column::TenantId.eq(scope.tenant().0))
            .add_option(channel.map(|channel| Column::ChannelId.eq(channel.0)))
            .add_option(model.as_ref().map(|model| is(Column::Model, model)))
            .add_option(kind.map(|kind| Column::Kind.eq(kind.as_str())))
            .add_option(source.map(|source| Column::Source.eq(source.as_str())))
            .add_option(from.map(|from| Column::AtUs.gte(from.as_micros())))
            .add_option(until.map(|until| Column::AtUs.lt(until.as_micros())));
        let found = Entity::find()
            .filter(wanted)
            .order_by(Column::AtUs, direction(descending))
            .order_by(Column::Id, direction(descending));
        page(self.reader(), found, listing.page).await
    }

    async fn claim_turns(&self, turns: &[ProbeTurn], now: Timestamp) -> Result<Vec<ChannelId>, StoreError> {
        self.take_turns(turns, now).await
    }

    async fn spend_probe(
        &self,
        tenant: TenantId,
        at: Timestamp,
        cost: Micros,
        budget: Micros,
    ) -> Result<bool, StoreError> {
        self.grant(tenant, at, cost, budget).await
    }

    async fn forget_before(&self, at: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let tx = self.begin_write().await?;
        let oldest = Query::select()
            .columns([health_event::Column::TenantId, health_event::Column::Id])
            .from(health_event::Entity)
            .and_where(health_event::Column::AtUs.lt(at.as_micros()))
            .order_by(health_event::Column::AtUs, sea_orm::Order::Asc)
            .limit(u64::from(limit))
            .take();
        let those =
            Expr::tuple([Expr::col(health_event::Column::TenantId), Expr::col(health_event::Column::Id)]);
        let forget = health_event::Entity::delete_many().filter(those.in_subquery(oldest));
        let gone = forget.exec(&tx).await.map_err(store_error)?.rows_affected;
        let days = probe_spending::Column::Day.lt(day(at));
        probe_spending::Entity::delete_many().filter(days).exec(&tx).await.map_err(store_error)?;
        tx.commit().await?;
        Ok(gone)
    }
}

/// Days of UTC since 1970.
fn day(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(DAY_US)
}

/// Which of these channels are there, held until the transaction ends: a foreign key that broke would take the whole
/// batch with it.
async fn present(
    tx: &Transaction,
    channels: impl Iterator<Item = (TenantId, ChannelId)>,
) -> Result<BTreeSet<(Uuid, Uuid)>, StoreError> {
    let wanted: BTreeSet<(Uuid, Uuid)> = channels.map(|(tenant, channel)| (tenant.0, channel.0)).collect();
    let ids: Vec<Uuid> = wanted.iter().map(|(_, channel)| *channel).collect();
    let tenants: BTreeSet<Uuid> = wanted.iter().map(|(tenant, _)| *tenant).collect();
    let mut there = BTreeSet::new();
    for part in ids.chunks(ROWS) {
        let found = channel::Entity::find()
            .select_only()
            .columns([channel::Column::TenantId, channel::Column::Id])
            .filter(channel::Column::TenantId.is_in(tenants.iter().copied()))
            .filter(channel::Column::Id.is_in(part.iter().copied()))
            .order_by_asc(channel::Column::TenantId)
            .order_by_asc(channel::Column::Id)
            .lock(LockType::KeyShare)
            .into_tuple::<(Uuid, Uuid)>();
        there.extend(found.all(tx).await.map_err(store_error)?);
    }
    there.retain(|found| wanted.contains(found));
    Ok(there)
}
