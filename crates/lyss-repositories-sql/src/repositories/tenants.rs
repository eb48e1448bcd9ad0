//! Tenants.

use async_trait::async_trait;
use lyss_domain::{Tenant, TenantId};
use lyss_repositories::{Listing, Paged, StoreError, TenantFilter, TenantRepository, TenantSort};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};

use crate::entities::idempotency_record;
use crate::entities::tenant::{Column, Entity, Model};
use crate::lists::{ordered, search};
use crate::rows::{at, delete, insert, one, page, replace};
use crate::work::SqlWork;

impl From<&Tenant> for Model {
    fn from(tenant: &Tenant) -> Self {
        Self {
            id: tenant.id.0,
            slug: tenant.slug.clone(),
            name: tenant.name.clone(),
            enabled: tenant.enabled,
            settings: (&tenant.settings).into(),
            created_at_us: tenant.created_at.as_micros(),
            updated_at_us: tenant.updated_at.as_micros(),
            version: tenant.version,
        }
    }
}

impl TryFrom<Model> for Tenant {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: TenantId(row.id),
            slug: row.slug,
            name: row.name,
            enabled: row.enabled,
            settings: row.settings.try_into()?,
            created_at: at(row.created_at_us),
            updated_at: at(row.updated_at_us),
            version: row.version,
        })
    }
}

#[async_trait]
impl TenantRepository for SqlWork {
    async fn create(&mut self, tenant: &Tenant) -> Result<(), StoreError> {
        insert::<Entity>(self.tx(), tenant.into(), "tenant").await
    }

    async fn get(&mut self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        one(self.tx(), Entity::find_by_id(id.0)).await
    }

    async fn by_slug(&mut self, slug: &str) -> Result<Option<Tenant>, StoreError> {
        one(self.tx(), Entity::find().filter(Column::Slug.eq(slug))).await
    }

    async fn list(
        &mut self,
        listing: &Listing<TenantFilter, TenantSort>,
    ) -> Result<Paged<Tenant>, StoreError> {
        let tx = self.tx();
        let TenantFilter { search: text, enabled } = &listing.filter;
        let named = |text: &String| search(tx.get_database_backend(), &[Column::Slug, Column::Name], text);
        let wanted = Condition::all()
            .add_option(text.as_ref().map(named))
            .add_option(enabled.map(|enabled| Column::Enabled.eq(enabled)));
        let by = match listing.sort.by {
            TenantSort::Slug => Column::Slug,
            TenantSort::Name => Column::Name,
            TenantSort::CreatedAt => Column::CreatedAtUs,
            TenantSort::UpdatedAt => Column::UpdatedAtUs,
        };
        let found = ordered(Entity::find().filter(wanted), by, Column::Id, listing.sort.descending);
        page(tx, found, listing.page).await
    }

    async fn update(&mut self, tenant: &Tenant, expected: i64) -> Result<(), StoreError> {
        let row = Model { version: expected.saturating_add(1), ..tenant.into() };
        let current = Condition::all().add(Column::Id.eq(row.id)).add(Column::Version.eq(expected));
        replace::<Entity>(self.tx(), row, current, "tenant").await
    }

    async fn delete(&mut self, id: TenantId) -> Result<bool, StoreError> {
        let there = delete::<Entity>(self.tx(), Condition::all().add(Column::Id.eq(id.0))).await?;
        if there {
            // What the database does not do by itself: these have no foreign key, since some are of no tenant.
            let records = Condition::all().add(idempotency_record::Column::TenantId.eq(id.0));
            delete::<idempotency_record::Entity>(self.tx(), records).await?;
        }
        Ok(there)
    }
}
