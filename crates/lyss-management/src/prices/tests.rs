use lyss_repositories::Sort;

use super::*;
use crate::office::{Office, conflict, refused};

fn draft(model: &str, input: i64) -> PriceDraft {
    let rates = Rates { input, ..Rates::default() };
    PriceDraft { model: model.to_owned(), effective_from: None, rates }
}

#[tokio::test]
async fn a_price_is_added_and_listed_beside_the_built_in_ones() {
    let office = Office::open().await;
    let (acting, management) = (office.acting(), &office.management);
    let made = management.create_price(&acting, draft("gpt-4o*", 7)).await.unwrap();
    let now = lyss_domain::Clock::now(&office.clock);
    assert_eq!((made.effective_from, made.tenant), (now, Some(office.scope.tenant())));
    assert_eq!(conflict(management.create_price(&acting, draft("gpt-4o*", 8)).await), Some("effective_from"));
    management.create_price(&office.acting_abroad(), draft("gpt-4o*", 9)).await.unwrap();
    let filter = PriceFilter { model: Some("gpt-4o*".to_owned()) };
    let listing = Listing { filter, ..Listing::default() };
    let listed = management.list_prices(&office.scope, &listing).await.unwrap();
    let whose: Vec<_> = listed.items.iter().map(|price| price.tenant).collect();
    assert_eq!((whose, listed.total), (vec![None, Some(office.scope.tenant())], 2));
    let sort = Sort { by: PriceSort::EffectiveFrom, descending: true };
    let newest = Listing { sort, page: Page { number: 1, size: 1 }, ..Listing::default() };
    let listed = management.list_prices(&office.scope, &newest).await.unwrap();
    assert_eq!(listed.items, [made]);
    assert_eq!(listed.total, prices::built_in().len() as u64 + 1);
    let (entry, detail) = office.last_entry().await;
    assert_eq!((entry.action.as_str(), &detail["after"]["input_micros"]), ("price.create", &7.into()));
    office.close().await;
}

#[tokio::test]
async fn every_bad_field_is_told() {
    let office = Office::open().await;
    let mut bad = draft("", -1);
    bad.rates.output = MAX_RATE + 1;
    let bad = refused(office.management.create_price(&office.acting(), bad).await);
    assert_eq!(bad, ["input_micros", "model", "output_micros"]);
    office.close().await;
}
