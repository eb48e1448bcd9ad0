//! Whose turn a probe is, and what probes were granted: one conditional statement each, so that of all replicas exactly
//! one succeeds.

use std::collections::BTreeMap;

use lyss_domain::{ChannelId, Micros, TenantId, Timestamp};
use lyss_repositories::{ProbeTurn, StoreError};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{EntityTrait, IntoActiveModel};

use super::{ROWS, day, present};
use crate::entities::{probe_spending, probe_turn};
use crate::error::store_error;
use crate::store::SqlStore;

impl SqlStore {
    pub(super) async fn take_turns(
        &self,
        turns: &[ProbeTurn],
        now: Timestamp,
    ) -> Result<Vec<ChannelId>, StoreError> {
        use probe_turn::{Column, Entity, Model};
        if turns.is_empty() {
            return Ok(Vec::new());
        }
        let tx = self.begin_write().await?;
        let there = present(&tx, turns.iter().map(|turn| (turn.tenant, turn.channel))).await?;
        let rows: BTreeMap<_, _> = turns
            .iter()
            .map(|turn| ((turn.tenant.0, turn.channel.0), turn.next_at.as_micros()))
            .filter(|(channel, _)| there.contains(channel))
            .collect();
        let rows: Vec<Model> = rows
            .into_iter()
            .map(|((tenant_id, channel_id), next_at_us)| Model { tenant_id, channel_id, next_at_us })
            .collect();
        // A row that another replica moves on at this moment is waited for, and its new time is then too late.
        let due = Expr::col((Entity, Column::NextAtUs)).lte(now.as_micros());
        let take = OnConflict::columns([Column::TenantId, Column::ChannelId])
            .update_column(Column::NextAtUs)
            .action_and_where(due)
            .to_owned();
        let mut won = Vec::new();
        for part in rows.chunks(ROWS) {
            let models = part.iter().cloned().map(IntoActiveModel::into_active_model);
            let insert = Entity::insert_many(models).on_conflict(take.clone());
            let taken = insert.exec_with_returning(&tx).await.map_err(store_error)?;
            won.extend(taken.into_iter().map(|row| ChannelId(row.channel_id)));
        }
        tx.commit().await?;
        Ok(won)
    }

    pub(super) async fn grant(
        &self,
        tenant: TenantId,
        at: Timestamp,
        cost: Micros,
        budget: Micros,
    ) -> Result<bool, StoreError> {
        use probe_spending::{Column, Entity, Model};
        if cost.0 < 0 || cost.0 > budget.0 {
            return Ok(false);
        }
        let row = Model { tenant_id: tenant.0, day: day(at), granted_micros: cost.0 };
        let granted = || Expr::col((Entity, Column::GrantedMicros));
        let add = OnConflict::columns([Column::TenantId, Column::Day])
            .value(Column::GrantedMicros, granted().add(cost.0))
            .action_and_where(granted().lte(budget.0 - cost.0))
            .to_owned();
        let tx = self.begin_write().await?;
        let insert = Entity::insert(row.into_active_model()).on_conflict(add);
        let written = match insert.exec_without_returning(&tx).await.map_err(store_error) {
            // The tenant went meanwhile.
            Err(StoreError::Reference(_)) => return Ok(false),
            written => written?,
        };
        tx.commit().await?;
        Ok(written > 0)
    }
}
