//! Wrapped keys of the system, one per purpose.

use async_trait::async_trait;
use lyss_repositories::{PurposeKey, PurposeKeyRepository, StoreError};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryOrder};

use crate::entities::purpose_key::{Column, Entity, Model};
use crate::error::store_error;
use crate::rows::{all, at, one, replace};
use crate::work::SqlWork;

impl From<&PurposeKey> for Model {
    fn from(key: &PurposeKey) -> Self {
        Self {
            purpose: key.purpose.clone(),
            master_key_id: key.master_key_id.clone(),
            wrapped: key.wrapped.clone(),
            created_at_us: key.created_at.as_micros(),
        }
    }
}

impl TryFrom<Model> for PurposeKey {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            purpose: row.purpose,
            master_key_id: row.master_key_id,
            wrapped: row.wrapped,
            created_at: at(row.created_at_us),
        })
    }
}

#[async_trait]
impl PurposeKeyRepository for SqlWork {
    async fn create_if_absent(&mut self, key: &PurposeKey) -> Result<PurposeKey, StoreError> {
        // On PostgreSQL this waits for another's uncommitted row; the SELECT after it then sees that row.
        let keep = OnConflict::column(Column::Purpose).do_nothing().to_owned();
        let insert = Entity::insert(Model::from(key).into_active_model()).on_conflict(keep);
        insert.exec_without_returning(self.tx()).await.map_err(store_error)?;
        let stored = one(self.tx(), Entity::find_by_id(key.purpose.clone())).await?;
        stored.ok_or(StoreError::Stale)
    }

    async fn list(&mut self) -> Result<Vec<PurposeKey>, StoreError> {
        all(self.tx(), Entity::find().order_by_asc(Column::Purpose)).await
    }

    async fn rewrap(&mut self, key: &PurposeKey) -> Result<(), StoreError> {
        let this = Condition::all().add(Column::Purpose.eq(key.purpose.as_str()));
        replace::<Entity>(self.tx(), key.into(), this, "purpose").await
    }
}
