//! Tenants' wrapped data keys.

use async_trait::async_trait;
use lyss_domain::{TenantId, TenantScope};
use lyss_repositories::{StoreError, TenantKeyRepository, WrappedKey};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::entities::tenant_key::{Column, Entity, Model};
use crate::error::store_error;
use crate::rows::{all, at, insert, owner, replace, unsigned};
use crate::work::SqlWork;

fn row(key: &WrappedKey) -> Model {
    Model {
        tenant_id: key.tenant.0,
        version: key.version,
        master_key_id: key.master_key_id.clone(),
        wrapped: key.wrapped.clone(),
        created_at_us: key.created_at.as_micros(),
    }
}

impl TryFrom<Model> for WrappedKey {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            tenant: TenantId(row.tenant_id),
            version: row.version,
            master_key_id: row.master_key_id,
            wrapped: row.wrapped,
            created_at: at(row.created_at_us),
        })
    }
}

#[async_trait]
impl TenantKeyRepository for SqlWork {
    async fn create(&mut self, scope: &TenantScope, key: &WrappedKey) -> Result<(), StoreError> {
        owner(scope, Some(key.tenant))?;
        insert::<Entity>(self.tx(), row(key), "tenant").await
    }

    async fn list(&mut self, scope: &TenantScope) -> Result<Vec<WrappedKey>, StoreError> {
        let mine = Entity::find().filter(Column::TenantId.eq(scope.tenant().0));
        all(self.tx(), mine.order_by_asc(Column::Version)).await
    }

    async fn rewrap(&mut self, key: &WrappedKey) -> Result<(), StoreError> {
        let this =
            Condition::all().add(Column::TenantId.eq(key.tenant.0)).add(Column::Version.eq(key.version));
        replace::<Entity>(self.tx(), row(key), this, "tenant").await
    }

    async fn not_under(&mut self, master_key_id: &str, limit: u32) -> Result<Vec<WrappedKey>, StoreError> {
        let others = Entity::find()
            .filter(Column::MasterKeyId.ne(master_key_id))
            .order_by_asc(Column::TenantId)
            .order_by_asc(Column::Version)
            .limit(u64::from(limit));
        all(self.tx(), others).await
    }

    async fn count_by_master_key(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        let counts = Entity::find()
            .select_only()
            .column(Column::MasterKeyId)
            .column_as(Column::Version.count(), "wrapped")
            .group_by(Column::MasterKeyId)
            .order_by_asc(Column::MasterKeyId)
            .into_tuple::<(String, i64)>();
        let rows = counts.all(self.tx()).await.map_err(store_error)?;
        rows.into_iter().map(|(id, count)| Ok((id, unsigned(count, "count")?))).collect()
    }
}
