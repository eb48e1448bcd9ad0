//! Dated prices. They are added, never changed: a record names the price it was reckoned with.

use lyss_catalog::prices;
use lyss_domain::{Price, PriceId, Rates, TenantScope, Timestamp};
use lyss_repositories::{Listing, Page, Paged, PriceFilter, PriceSort};

use crate::audit::detail;
use crate::change::Done;
use crate::error::Fields;
use crate::{Acting, Management, ManagementError, rules};

/// A dollar a token: nothing costs that much.
const MAX_RATE: i64 = 1_000_000_000_000;

/// What a price is made from.
#[derive(Clone, Debug)]
pub struct PriceDraft {
    /// A model's name as the vendor knows it, or a prefix ending in `*`.
    pub model: String,
    /// `None`: from now on.
    pub effective_from: Option<Timestamp>,
    pub rates: Rates,
}

impl Management {
    /// The tenant's own prices and the built-in ones, which have no tenant, as one list. A model's own price always
    /// comes before a built-in one, whatever its date.
    pub async fn list_prices(
        &self,
        scope: &TenantScope,
        listing: &Listing<PriceFilter, PriceSort>,
    ) -> Result<Paged<Price>, ManagementError> {
        let mut work = self.store.read().await?;
        let mut wanted = Listing { page: Page { number: 1, size: 200 }, ..listing.clone() };
        let fits = |price: &&Price| listing.filter.model.as_ref().is_none_or(|model| *model == price.model);
        let mut rows: Vec<_> = prices::built_in().iter().filter(fits).cloned().collect();
        loop {
            let part = work.prices().list(scope, &wanted).await?;
            let is_last = part.items.len() < 200;
            rows.extend(part.items);
            if is_last {
                break;
            }
            wanted.page.number += 1;
        }
        rows.sort_by(|a, b| {
            let order = match listing.sort.by {
                PriceSort::Model => {
                    (&a.model, a.effective_from, a.id).cmp(&(&b.model, b.effective_from, b.id))
                }
                PriceSort::EffectiveFrom => (a.effective_from, a.id).cmp(&(b.effective_from, b.id)),
            };
            if listing.sort.descending { order.reverse() } else { order }
        });
        let total = rows.len() as u64;
        let skipped = usize::try_from(listing.page.offset()).unwrap_or(usize::MAX);
        let items = rows.into_iter().skip(skipped).take(listing.page.size as usize).collect();
        Ok(Paged { items, total })
    }

    pub async fn create_price(
        &self,
        acting: &Acting<'_>,
        draft: PriceDraft,
    ) -> Result<Price, ManagementError> {
        check(&draft)?;
        let now = self.clock.now();
        let (millis, random) = self.id_parts()?;
        let price = Price {
            id: PriceId::from_parts(millis, &random),
            tenant: Some(acting.scope.tenant()),
            model: draft.model,
            effective_from: draft.effective_from.unwrap_or(now),
            rates: draft.rates,
            created_at: now,
        };
        let mut change = self.begin(acting).await?;
        change.work.prices().create(&acting.scope, &price).await?;
        let target = format!("price:{}", price.id);
        let detail = detail::change(None, Some(detail::price(&price)));
        self.conclude(change, acting, Done { action: "price.create", target, detail }).await?;
        Ok(price)
    }
}

fn check(draft: &PriceDraft) -> Result<(), ManagementError> {
    let mut fields = Fields::default();
    if !rules::is_pattern(&draft.model) {
        fields.refuse("model", "must be a model's name, or a prefix ending in '*'");
    }
    let rates = &draft.rates;
    let rates = [
        ("input_micros", rates.input),
        ("cache_read_micros", rates.cache_read),
        ("cache_write_micros", rates.cache_write),
        ("cache_write_long_micros", rates.cache_write_long),
        ("audio_input_micros", rates.audio_input),
        ("output_micros", rates.output),
        ("audio_output_micros", rates.audio_output),
        ("request_micros", rates.request),
    ];
    for (field, rate) in rates {
        if !(0..=MAX_RATE).contains(&rate) {
            fields.refuse(field, format!("must be between 0 and {MAX_RATE}"));
        }
    }
    fields.check()
}

#[cfg(test)]
mod tests;
