//! A tenant's dated prices.

use async_trait::async_trait;
use lyss_domain::{Price, PriceId, Rates, TenantId, TenantScope};
use lyss_repositories::{Listing, Paged, PriceFilter, PriceRepository, PriceSort, StoreError};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};

use crate::entities::price::{Column, Entity, Model};
use crate::lists::{is, ordered};
use crate::rows::{at, insert, owner, page};
use crate::work::SqlWork;

fn row(scope: &TenantScope, price: &Price) -> Result<Model, StoreError> {
    let rates = &price.rates;
    Ok(Model {
        tenant_id: owner(scope, price.tenant)?,
        id: price.id.0,
        model: price.model.clone(),
        effective_from_us: price.effective_from.as_micros(),
        input_micros: rates.input,
        cache_read_micros: rates.cache_read,
        cache_write_micros: rates.cache_write,
        cache_write_long_micros: rates.cache_write_long,
        audio_input_micros: rates.audio_input,
        output_micros: rates.output,
        audio_output_micros: rates.audio_output,
        request_micros: rates.request,
        created_at_us: price.created_at.as_micros(),
    })
}

impl TryFrom<Model> for Price {
    type Error = StoreError;
    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: PriceId(row.id),
            tenant: Some(TenantId(row.tenant_id)),
            model: row.model,
            effective_from: at(row.effective_from_us),
            rates: Rates {
                input: row.input_micros,
                cache_read: row.cache_read_micros,
                cache_write: row.cache_write_micros,
                cache_write_long: row.cache_write_long_micros,
                audio_input: row.audio_input_micros,
                output: row.output_micros,
                audio_output: row.audio_output_micros,
                request: row.request_micros,
            },
            created_at: at(row.created_at_us),
        })
    }
}

#[async_trait]
impl PriceRepository for SqlWork {
    async fn create(&mut self, scope: &TenantScope, price: &Price) -> Result<(), StoreError> {
        insert::<Entity>(self.tx(), row(scope, price)?, "tenant").await
    }

    async fn list(
        &mut self,
        scope: &TenantScope,
        listing: &Listing<PriceFilter, PriceSort>,
    ) -> Result<Paged<Price>, StoreError> {
        let wanted = Condition::all()
            .add(Column::TenantId.eq(scope.tenant().0))
            .add_option(listing.filter.model.as_ref().map(|model| is(Column::Model, model)));
        let found = Entity::find().filter(wanted);
        let descending = listing.sort.descending;
        let found = match listing.sort.by {
            PriceSort::Model => ordered(found, Column::Model, Column::EffectiveFromUs, descending),
            PriceSort::EffectiveFrom => ordered(found, Column::EffectiveFromUs, Column::Id, descending),
        };
        page(self.tx(), found, listing.page).await
    }
}
