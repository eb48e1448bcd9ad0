//! Sealed credentials, one per channel.

use async_trait::async_trait;
use lyss_domain::{ChannelId, SealedCredential, TenantId, TenantScope};
use lyss_repositories::{CredentialRepository, StoreError};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};

use crate::entities::credential::{Column, Entity, Model};
use crate::error::refused;
use crate::rows::{delete, one, owner};
use crate::work::SqlWork;

impl TryFrom<Model> for SealedCredential {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            tenant: TenantId(row.tenant_id),
            channel: ChannelId(row.channel_id),
            origin: row.origin,
            version: row.version,
            data_key_version: row.data_key_version,
            sealed: row.sealed,
            hint: row.hint,
        })
    }
}

#[async_trait]
impl CredentialRepository for SqlWork {
    async fn put(&mut self, scope: &TenantScope, credential: &SealedCredential) -> Result<(), StoreError> {
        let row = Model {
            tenant_id: owner(scope, Some(credential.tenant))?,
            channel_id: credential.channel.0,
            origin: credential.origin.clone(),
            version: credential.version,
            data_key_version: credential.data_key_version,
            sealed: credential.sealed.clone(),
            hint: credential.hint.clone(),
        };
        let replaced =
            [Column::Origin, Column::Version, Column::DataKeyVersion, Column::Sealed, Column::Hint];
        let upsert =
            OnConflict::columns([Column::TenantId, Column::ChannelId]).update_columns(replaced).to_owned();
        let insert = Entity::insert(row.into_active_model()).on_conflict(upsert);
        let written = insert.exec_without_returning(self.tx()).await;
        written.map(|_| ()).map_err(|error| refused(error, "channel"))
    }

    async fn get(
        &mut self,
        scope: &TenantScope,
        channel: ChannelId,
    ) -> Result<Option<SealedCredential>, StoreError> {
        one(self.tx(), Entity::find().filter(this(scope, channel))).await
    }

    async fn delete(&mut self, scope: &TenantScope, channel: ChannelId) -> Result<bool, StoreError> {
        delete::<Entity>(self.tx(), this(scope, channel)).await
    }
}

fn this(scope: &TenantScope, channel: ChannelId) -> Condition {
    Condition::all().add(Column::TenantId.eq(scope.tenant().0)).add(Column::ChannelId.eq(channel.0))
}
