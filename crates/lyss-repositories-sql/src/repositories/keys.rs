//! Virtual keys.

use async_trait::async_trait;
use lyss_domain::{
    DigestMatch, KeyDigest, KeyId, KeyLimits, KeyScope, PreviousDigest, TenantId, TenantScope, VirtualKey,
};
use lyss_repositories::{KeyFilter, KeyRepository, KeySort, Listing, Paged, StoreError};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter,
};

use crate::entities::virtual_key::{Column, Entity, Model};
use crate::error::store_error;
use crate::json::{Strings, strategy};
use crate::lists::{ordered, search};
use crate::rows::{at, bytes32, delete, insert, maybe_count, one, owner, page, replace_with};
use crate::work::{SqlWork, Transaction};

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
        previous_digest: key.previous.map(|previous| previous.digest.0.to_vec()),
        previous_valid_until_us: key.previous.map(|previous| previous.valid_until.as_micros()),
        last_used_at_us: key.last_used_at.map(|at| at.as_micros()),
    })
}

impl TryFrom<Model> for VirtualKey {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Self, StoreError> {
        let scope = |text: &String| KeyScope::parse(text).ok_or(StoreError::Corrupt("key scope"));
        let channel = |text: &String| text.parse().map_err(|_| StoreError::Corrupt("channel id"));
        let previous = row.previous_digest.zip(row.previous_valid_until_us);
        let previous = previous.map(|(digest, until)| {
            bytes32(&digest, "key digest")
                .map(|digest| PreviousDigest { digest: KeyDigest(digest), valid_until: at(until) })
        });
        Ok(Self {
            id: KeyId(row.id),
            tenant: TenantId(row.tenant_id),
            name: row.name,
            digest: KeyDigest(bytes32(&row.digest, "key digest")?),
            previous: previous.transpose()?,
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
            last_used_at: row.last_used_at_us.map(at),
            created_at: at(row.created_at_us),
            updated_at: at(row.updated_at_us),
            version: row.version,
        })
    }
}

#[async_trait]
impl KeyRepository for SqlWork {
    async fn create(&mut self, scope: &TenantScope, key: &VirtualKey) -> Result<(), StoreError> {
        let row = row(scope, key)?;
        unclaimed(self.tx(), key).await?;
        insert::<Entity>(self.tx(), row, "tenant").await
    }

    async fn get(&mut self, scope: &TenantScope, id: KeyId) -> Result<Option<VirtualKey>, StoreError> {
        one(self.tx(), Entity::find().filter(this(scope, id))).await
    }

    async fn by_name(&mut self, scope: &TenantScope, name: &str) -> Result<Option<VirtualKey>, StoreError> {
        one(self.tx(), Entity::find().filter(mine(scope).add(Column::Name.eq(name)))).await
    }

    async fn by_digest(
        &mut self,
        digest: &KeyDigest,
    ) -> Result<Option<(VirtualKey, DigestMatch)>, StoreError> {
        let found: Option<VirtualKey> = one(self.tx(), Entity::find().filter(known_by([*digest]))).await?;
        Ok(found.and_then(|key| key.matches(digest).map(|by| (key, by))))
    }

    async fn list(
        &mut self,
        scope: &TenantScope,
        listing: &Listing<KeyFilter, KeySort>,
    ) -> Result<Paged<VirtualKey>, StoreError> {
        let tx = self.tx();
        let KeyFilter { search: text, revoked } = &listing.filter;
        let named = |text: &String| search(tx.get_database_backend(), &[Column::Name], text);
        let revoked = revoked.map(|revoked| match revoked {
            true => Column::RevokedAtUs.is_not_null(),
            false => Column::RevokedAtUs.is_null(),
        });
        let wanted = mine(scope).add_option(text.as_ref().map(named)).add_option(revoked);
        let by = match listing.sort.by {
            KeySort::Name => Column::Name,
            KeySort::CreatedAt => Column::CreatedAtUs,
            KeySort::ExpiresAt => Column::ExpiresAtUs,
            KeySort::LastUsedAt => Column::LastUsedAtUs,
        };
        let found = ordered(Entity::find().filter(wanted), by, Column::Id, listing.sort.descending);
        page(tx, found, listing.page).await
    }

    async fn update(
        &mut self,
        scope: &TenantScope,
        key: &VirtualKey,
        expected: i64,
    ) -> Result<(), StoreError> {
        let row = Model { version: expected.saturating_add(1), ..row(scope, key)? };
        unclaimed(self.tx(), key).await?;
        let mut row = row.into_active_model().reset_all();
        // The ledger's alone: it may have moved on since this key was read.
        row.last_used_at_us = ActiveValue::NotSet;
        let current = this(scope, key.id).add(Column::Version.eq(expected));
        replace_with::<Entity>(self.tx(), row, current, "tenant").await
    }

    async fn delete(&mut self, scope: &TenantScope, id: KeyId) -> Result<bool, StoreError> {
        delete::<Entity>(self.tx(), this(scope, id)).await
    }
}

/// A digest finds one key of one tenant, whichever of the two columns holds it; each column's index alone would let the
/// same stand in both.
async fn unclaimed(tx: &Transaction, key: &VirtualKey) -> Result<(), StoreError> {
    let previous = key.previous.map(|previous| previous.digest);
    let others = known_by([key.digest].into_iter().chain(previous)).add(Column::Id.ne(key.id.0));
    let taken = Entity::find().filter(others).count(tx).await.map_err(store_error)? > 0;
    if taken || previous == Some(key.digest) { Err(tx.doom(StoreError::Conflict("digest"))) } else { Ok(()) }
}

fn known_by(digests: impl IntoIterator<Item = KeyDigest>) -> Condition {
    let any = |any: Condition, digest: KeyDigest| {
        let bytes = digest.0.to_vec();
        any.add(Column::Digest.eq(bytes.clone())).add(Column::PreviousDigest.eq(bytes))
    };
    Condition::all().add(digests.into_iter().fold(Condition::any(), any))
}

fn mine(scope: &TenantScope) -> Condition {
    Condition::all().add(Column::TenantId.eq(scope.tenant().0))
}

fn this(scope: &TenantScope, id: KeyId) -> Condition {
    mine(scope).add(Column::Id.eq(id.0))
}
