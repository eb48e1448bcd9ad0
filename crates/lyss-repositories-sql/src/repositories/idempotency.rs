//! What repeated `Idempotency-Key`s are answered with.

use async_trait::async_trait;
use lyss_domain::{IdempotencyRecord, TenantId, TenantScope, Timestamp};
use lyss_repositories::{IdempotencyClaim, IdempotencyRepository, StoreError};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};

use crate::entities::idempotency_record::{Column, Entity, Model};
use crate::error::store_error;
use crate::rows::{at, bytes32, delete, one, owner};
use crate::work::SqlWork;

fn row(scope: &TenantScope, record: &IdempotencyRecord) -> Result<Model, StoreError> {
    let (status, body) = record.answer.clone().unzip();
    Ok(Model {
        tenant_id: owner(scope, Some(record.tenant))?,
        key: record.key.clone(),
        fingerprint: record.fingerprint.to_vec(),
        status: status.map(i32::from),
        body,
        created_at_us: record.created_at.as_micros(),
        expires_at_us: record.expires_at.as_micros(),
    })
}

impl TryFrom<Model> for IdempotencyRecord {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Self, StoreError> {
        let status = row.status.map(u16::try_from).transpose().map_err(|_| StoreError::Corrupt("status"))?;
        Ok(Self {
            tenant: TenantId(row.tenant_id),
            key: row.key,
            fingerprint: bytes32(&row.fingerprint, "fingerprint")?,
            answer: status.zip(row.body),
            created_at: at(row.created_at_us),
            expires_at: at(row.expires_at_us),
        })
    }
}

#[async_trait]
impl IdempotencyRepository for SqlWork {
    async fn claim(
        &mut self,
        scope: &TenantScope,
        record: &IdempotencyRecord,
    ) -> Result<IdempotencyClaim, StoreError> {
        // One statement decides: insert, or take over what expired before this record was made. PostgreSQL waits
        // here for another's uncommitted claim; the SELECT after it then sees that claim.
        let expired = Expr::col((Entity, Column::ExpiresAtUs)).lte(record.created_at.as_micros());
        let taken_over =
            [Column::Fingerprint, Column::Status, Column::Body, Column::CreatedAtUs, Column::ExpiresAtUs];
        let take = OnConflict::columns([Column::TenantId, Column::Key])
            .update_columns(taken_over)
            .action_and_where(expired)
            .to_owned();
        let insert = Entity::insert(row(scope, record)?.into_active_model()).on_conflict(take);
        let written = insert.exec_without_returning(self.tx()).await.map_err(store_error)?;
        if written > 0 {
            return Ok(IdempotencyClaim::Fresh);
        }
        let stored = one(self.tx(), Entity::find().filter(this(scope, &record.key))).await?;
        stored.map(IdempotencyClaim::Seen).ok_or(StoreError::Stale)
    }

    async fn finish(
        &mut self,
        scope: &TenantScope,
        claimed: &IdempotencyRecord,
        (status, body): (u16, &[u8]),
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let update = Entity::update_many()
            .col_expr(Column::Status, Expr::value(i32::from(status)))
            .col_expr(Column::Body, Expr::value(body.to_vec()))
            .col_expr(Column::ExpiresAtUs, Expr::value(expires_at.as_micros()))
            .filter(unfinished(scope, claimed));
        let written = update.exec(self.tx()).await.map_err(store_error)?;
        if written.rows_affected == 0 { Err(StoreError::Stale) } else { Ok(()) }
    }

    async fn release(&mut self, scope: &TenantScope, claimed: &IdempotencyRecord) -> Result<(), StoreError> {
        delete::<Entity>(self.tx(), unfinished(scope, claimed)).await.map(|_| ())
    }

    async fn sweep(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let expired = Entity::delete_many().filter(Column::ExpiresAtUs.lte(now.as_micros()));
        Ok(expired.exec(self.tx()).await.map_err(store_error)?.rows_affected)
    }
}

fn this(scope: &TenantScope, key: &str) -> Condition {
    Condition::all().add(Column::TenantId.eq(scope.tenant().0)).add(Column::Key.eq(key))
}

/// This very claim: one that ran out may have been taken over, for another request even.
fn unfinished(scope: &TenantScope, claimed: &IdempotencyRecord) -> Condition {
    this(scope, &claimed.key)
        .add(Column::Status.is_null())
        .add(Column::CreatedAtUs.eq(claimed.created_at.as_micros()))
        .add(Column::Fingerprint.eq(claimed.fingerprint.to_vec()))
}
