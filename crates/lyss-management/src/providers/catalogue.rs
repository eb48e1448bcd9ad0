//! The catalogue: a tenant's own providers before the presets, which no database holds, filtered and sorted as one list.

use std::cmp::Ordering;

use lyss_adapters::presets;
use lyss_domain::{Provider, TenantScope};
use lyss_repositories::{Listing, Page, Paged, ProviderFilter, ProviderSort, UnitOfWork};

use super::ProviderView;
use crate::ManagementError;

/// Every provider of a tenant's own: there are few.
pub(super) async fn own(
    work: &mut dyn UnitOfWork,
    scope: &TenantScope,
) -> Result<Vec<Provider>, ManagementError> {
    let mut listing = Listing::of(Page { number: 1, size: 200 });
    let mut all = Vec::new();
    loop {
        let part = work.providers().list(scope, &listing).await?;
        let is_last = part.items.len() < 200;
        all.extend(part.items);
        if is_last {
            return Ok(all);
        }
        listing.page.number += 1;
    }
}

/// The part of the whole that is asked for.
pub(super) fn page(
    own: Vec<Provider>,
    listing: &Listing<ProviderFilter, ProviderSort>,
) -> Paged<ProviderView> {
    let overridden = |slug: &str| own.iter().any(|provider| provider.slug.as_str() == slug);
    let presets: Vec<_> = presets()
        .iter()
        .filter(|preset| !overridden(preset.slug))
        .filter_map(ProviderView::of_preset)
        .collect();
    let all = presets.into_iter().chain(own.into_iter().map(ProviderView::from));
    let mut rows: Vec<_> = all.filter(|row| passes(row, &listing.filter)).collect();
    rows.sort_by(|a, b| {
        order(a, b, listing.sort.by, listing.sort.descending)
            .then_with(|| directed(a.slug.cmp(&b.slug), listing.sort.descending))
    });
    let total = rows.len() as u64;
    let skipped = usize::try_from(listing.page.offset()).unwrap_or(usize::MAX);
    let items = rows.into_iter().skip(skipped).take(listing.page.size as usize).collect();
    Paged { items, total }
}

fn passes(row: &ProviderView, filter: &ProviderFilter) -> bool {
    let found = |text: &String| {
        let text = text.to_ascii_lowercase();
        [row.slug.as_str(), &row.name].iter().any(|field| field.to_ascii_lowercase().contains(&text))
    };
    filter.kind.is_none_or(|kind| kind == row.kind) && filter.search.as_ref().is_none_or(found)
}

/// A preset has no dates, and so comes last in either direction.
fn order(a: &ProviderView, b: &ProviderView, by: ProviderSort, descending: bool) -> Ordering {
    let date = |row: &ProviderView| match by {
        ProviderSort::CreatedAt => row.own.map(|own| own.created_at),
        ProviderSort::UpdatedAt => row.own.map(|own| own.updated_at),
        ProviderSort::Slug | ProviderSort::Name => None,
    };
    match by {
        ProviderSort::Slug => directed(a.slug.cmp(&b.slug), descending),
        ProviderSort::Name => directed(a.name.cmp(&b.name), descending),
        ProviderSort::CreatedAt | ProviderSort::UpdatedAt => match (date(a), date(b)) {
            (Some(a), Some(b)) => directed(a.cmp(&b), descending),
            (a, b) => b.is_some().cmp(&a.is_some()),
        },
    }
}

fn directed(order: Ordering, descending: bool) -> Ordering {
    if descending { order.reverse() } else { order }
}
