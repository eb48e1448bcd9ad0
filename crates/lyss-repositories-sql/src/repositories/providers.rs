//! A tenant's own providers.

use async_trait::async_trait;
use lyss_domain::{Provider, ProviderSlug, TenantId, TenantScope};
use lyss_repositories::{Listing, Paged, ProviderFilter, ProviderRepository, ProviderSort, StoreError};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};

use crate::entities::provider::{Column, Entity, Model};
use crate::json::{Headers, Strings};
use crate::lists::{ordered, search};
use crate::rows::{at, delete, insert, one, owner, page, replace};
use crate::work::SqlWork;

fn row(scope: &TenantScope, provider: &Provider) -> Result<Model, StoreError> {
    Ok(Model {
        tenant_id: owner(scope, provider.tenant)?,
        slug: provider.slug.as_str().to_owned(),
        name: provider.name.clone(),
        kind: provider.kind.as_str().to_owned(),
        api_base: provider.api_base.clone(),
        supported_models: Strings(provider.supported_models.clone()),
        headers: Headers(provider.headers.clone()),
        auth: (&provider.auth).into(),
        created_at_us: provider.created_at.as_micros(),
        updated_at_us: provider.updated_at.as_micros(),
        version: provider.version,
    })
}

impl TryFrom<Model> for Provider {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            slug: row.slug.parse().map_err(|_| StoreError::Corrupt("provider id"))?,
            tenant: Some(TenantId(row.tenant_id)),
            name: row.name,
            kind: row.kind.parse().map_err(|_| StoreError::Corrupt("provider kind"))?,
            api_base: row.api_base,
            supported_models: row.supported_models.0,
            headers: row.headers.0,
            auth: row.auth.into(),
            created_at: at(row.created_at_us),
            updated_at: at(row.updated_at_us),
            version: row.version,
        })
    }
}

#[async_trait]
impl ProviderRepository for SqlWork {
    async fn create(&mut self, scope: &TenantScope, provider: &Provider) -> Result<(), StoreError> {
        insert::<Entity>(self.tx(), row(scope, provider)?, "tenant").await
    }

    async fn get(
        &mut self,
        scope: &TenantScope,
        slug: &ProviderSlug,
    ) -> Result<Option<Provider>, StoreError> {
        one(self.tx(), Entity::find().filter(this(scope, slug))).await
    }

    async fn list(
        &mut self,
        scope: &TenantScope,
        listing: &Listing<ProviderFilter, ProviderSort>,
    ) -> Result<Paged<Provider>, StoreError> {
        let tx = self.tx();
        let ProviderFilter { kind, search: text } = &listing.filter;
        let named = |text: &String| search(tx.get_database_backend(), &[Column::Slug, Column::Name], text);
        let wanted = Condition::all()
            .add(Column::TenantId.eq(scope.tenant().0))
            .add_option(kind.map(|kind| Column::Kind.eq(kind.as_str())))
            .add_option(text.as_ref().map(named));
        let by = match listing.sort.by {
            ProviderSort::Slug => Column::Slug,
            ProviderSort::Name => Column::Name,
            ProviderSort::CreatedAt => Column::CreatedAtUs,
            ProviderSort::UpdatedAt => Column::UpdatedAtUs,
        };
        let found = ordered(Entity::find().filter(wanted), by, Column::Slug, listing.sort.descending);
        page(tx, found, listing.page).await
    }

    async fn update(
        &mut self,
        scope: &TenantScope,
        provider: &Provider,
        expected: i64,
    ) -> Result<(), StoreError> {
        let row = Model { version: expected.saturating_add(1), ..row(scope, provider)? };
        let current = this(scope, &provider.slug).add(Column::Version.eq(expected));
        replace::<Entity>(self.tx(), row, current, "tenant").await
    }

    async fn delete(&mut self, scope: &TenantScope, slug: &ProviderSlug) -> Result<bool, StoreError> {
        delete::<Entity>(self.tx(), this(scope, slug)).await
    }
}

fn this(scope: &TenantScope, slug: &ProviderSlug) -> Condition {
    Condition::all().add(Column::TenantId.eq(scope.tenant().0)).add(Column::Slug.eq(slug.as_str()))
}
