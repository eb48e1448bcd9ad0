//! Virtual keys.

use async_trait::async_trait;
use lyss_domain::{KeyDigest, KeyId, KeyLimits, KeyScope, TenantId, TenantScope, VirtualKey};
use lyss_repositories::{KeyRepository, Page, Paged, StoreError};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};

use crate::entities::virtual_key::{Column, Entity, Model};
use crate::json::{Strings, strategy};
use crate::rows::{at, bytes32, delete, insert, maybe_count, one, owner, page, replace};
use crate::work::SqlWork;

fn row(scope: &TenantScope, key: &VirtualKey) -> Result<Model, StoreError> {
    Ok(Model {
        tenant_id: owner(scope, Some(key.tenant))?,
        id: key.id.0,
        name: key.name.clone(),
        digest: key.digest.0.to_vec(),
        hint: key.hint.clone(),
        scopes: Strings(key.scopes.iter().map(|scope| scope.as_str().to_owned()).collect()),
        models: Strings(key.models.clone()),
        channels: Strings(key.channels.iter().map(ToString::to_string).collect()),
        tags: Strings(key.tags.clone()),
        allowed_ips: Strings(key.allowed_ips.clone()),
        requests_per_minute: key.limits.requests_per_minute.map(i64::from),
        tokens_per_minute: key.limits.tokens_per_minute.map(i64::from),
        strategy: key.strategy.map(|strategy| strategy.as_str().to_owned()),
        may_steer: key.may_steer,
        expires_at_us: key.expires_at.map(|at| at.as_micros()),
        revoked_at_us: key.revoked_at.map(|at| at.as_micros()),
        created_at_us: key.created_at.as_micros(),
        updated_at_us: key.updated_at.as_micros(),
        version: key.version,
    })
}

impl TryFrom<Model> for VirtualKey {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Self, StoreError> {
        let scope = |text: &String| KeyScope::parse(text).ok_or(StoreError::Corrupt("key scope"));
        let channel = |text: &String| text.parse().map_err(|_| StoreError::Corrupt("channel id"));
        Ok(Self {
            id: KeyId(row.id),
            tenant: TenantId(row.tenant_id),
            name: row.name,
            digest: KeyDigest(bytes32(&row.digest, "key digest")?),
            hint: row.hint,
            scopes: row.scopes.0.iter().map(scope).collect::<Result<_, _>>()?,
            models: row.models.0,
            channels: row.channels.0.iter().map(channel).collect::<Result<_, _>>()?,
            tags: row.tags.0,
            allowed_ips: row.allowed_ips.0,
            limits: KeyLimits {
                requests_per_minute: maybe_count(row.requests_per_minute, "requests_per_minute")?,
                tokens_per_minute: maybe_count(row.tokens_per_minute, "tokens_per_minute")?,
            },
            strategy: row.strategy.as_deref().map(strategy).transpose()?,
            may_steer: row.may_steer,
            expires_at: row.expires_at_us.map(at),
            revoked_at: row.revoked_at_us.map(at),
            created_at: at(row.created_at_us),
            updated_at: at(row.updated_at_us),
            version: row.version,
        })
    }
}

#[async_trait]
impl KeyRepository for SqlWork {
    async fn create(&mut self, scope: &TenantScope, key: &VirtualKey) -> Result<(), StoreError> {
        insert::<Entity>(self.tx(), row(scope, key)?, "tenant").await
    }

    async fn get(&mut self, scope: &TenantScope, id: KeyId) -> Result<Option<VirtualKey>, StoreError> {
        one(self.tx(), Entity::find().filter(this(scope, id))).await
    }

    async fn by_name(&mut self, scope: &TenantScope, name: &str) -> Result<Option<VirtualKey>, StoreError> {
        one(self.tx(), Entity::find().filter(mine(scope).add(Column::Name.eq(name)))).await
    }

    async fn by_digest(&mut self, digest: &KeyDigest) -> Result<Option<VirtualKey>, StoreError> {
        one(self.tx(), Entity::find().filter(Column::Digest.eq(digest.0.to_vec()))).await
    }

    async fn list(&mut self, scope: &TenantScope, part: Page) -> Result<Paged<VirtualKey>, StoreError> {
        page(self.tx(), Entity::find().filter(mine(scope)).order_by_asc(Column::Name), part).await
    }

    async fn update(
        &mut self,
        scope: &TenantScope,
        key: &VirtualKey,
        expected: i64,
    ) -> Result<(), StoreError> {
        let row = Model { version: expected.saturating_add(1), ..row(scope, key)? };
        let current = this(scope, key.id).add(Column::Version.eq(expected));
        replace::<Entity>(self.tx(), row, current, "tenant").await
    }

    async fn delete(&mut self, scope: &TenantScope, id: KeyId) -> Result<bool, StoreError> {
        delete::<Entity>(self.tx(), this(scope, id)).await
    }
}

fn mine(scope: &TenantScope) -> Condition {
    Condition::all().add(Column::TenantId.eq(scope.tenant().0))
}

fn this(scope: &TenantScope, id: KeyId) -> Condition {
    mine(scope).add(Column::Id.eq(id.0))
}
