//! A tenant's dated prices.

use lyss_domain::Price;

use super::{assert_conflict, assert_reference, begin, commit, page, read, with_two_tenants};
use crate::database::TestDatabase;
use crate::samples::*;

pub async fn are_listed_by_model_and_date(db: &TestDatabase) {
    with_two_tenants(db).await;
    let kept = [price(1, 3, "a", 10), price(1, 1, "a", 20), price(1, 2, "b*", 5)];
    let mut work = begin(db).await;
    for price in kept.iter().rev() {
        work.prices().create(&scope(1), price).await.unwrap();
    }
    work.prices().create(&scope(2), &price(2, 4, "a", 10)).await.unwrap();
    commit(work).await;

    let mut work = read(db).await;
    let first = work.prices().list(&scope(1), &page(1, 2)).await.unwrap();
    assert_eq!((first.total, first.items.as_slice()), (3, &kept[..2]));
    assert_eq!(work.prices().list(&scope(1), &page(2, 2)).await.unwrap().items, kept[2..]);
    assert_eq!(work.prices().list(&scope(2), &page(1, 50)).await.unwrap().items, [price(2, 4, "a", 10)]);
}

pub async fn have_one_rate_per_model_and_moment(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    work.prices().create(&scope(1), &price(1, 1, "a", 10)).await.unwrap();
    commit(work).await;
    let second = price(1, 2, "a", 10);
    assert_conflict(begin(db).await.prices().create(&scope(1), &second).await, "effective_from");
}

pub async fn belong_to_the_tenant_that_acts(db: &TestDatabase) {
    with_two_tenants(db).await;
    let built_in = Price { tenant: None, ..price(1, 1, "a", 10) };
    assert_reference(begin(db).await.prices().create(&scope(1), &built_in).await, "tenant");
    let foreign = price(2, 1, "a", 10);
    assert_reference(begin(db).await.prices().create(&scope(1), &foreign).await, "tenant");
}
