//! A tenant's own providers.

use lyss_domain::{AuthScheme, Provider, ProviderKind};

use super::{assert_conflict, assert_reference, assert_stale, begin, commit, page, read, with_two_tenants};
use crate::database::TestDatabase;
use crate::samples::*;

pub async fn are_kept_whole(db: &TestDatabase) {
    with_two_tenants(db).await;
    let kept = [
        provider(1, "a"),
        Provider { auth: AuthScheme::Bearer, kind: ProviderKind::AzureOpenAi, ..provider(1, "b") },
        Provider { auth: AuthScheme::None, headers: Vec::new(), ..provider(1, "c") },
    ];
    let mut work = begin(db).await;
    for provider in kept.iter().rev() {
        work.providers().create(&scope(1), provider).await.unwrap();
    }
    commit(work).await;

    let mut work = read(db).await;
    let listed = work.providers().list(&scope(1), &page(1, 50)).await.unwrap();
    assert_eq!(listed.items, kept);
    assert_eq!(work.providers().get(&scope(1), &slug("b")).await.unwrap().as_ref(), Some(&kept[1]));
    assert_eq!(work.providers().get(&scope(1), &slug("d")).await.unwrap(), None);
}

pub async fn have_slugs_of_their_own_within_a_tenant(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    work.providers().create(&scope(1), &provider(1, "mine")).await.unwrap();
    work.providers().create(&scope(2), &provider(2, "mine")).await.unwrap();
    commit(work).await;
    assert_conflict(begin(db).await.providers().create(&scope(1), &provider(1, "mine")).await, "slug");
}

pub async fn belong_to_the_tenant_that_acts(db: &TestDatabase) {
    with_two_tenants(db).await;
    let preset = Provider { tenant: None, ..provider(1, "preset") };
    assert_reference(begin(db).await.providers().create(&scope(1), &preset).await, "tenant");
    let foreign = provider(2, "foreign");
    assert_reference(begin(db).await.providers().create(&scope(1), &foreign).await, "tenant");
    let nobodys = provider(3, "nobodys");
    assert_reference(begin(db).await.providers().create(&scope(3), &nobodys).await, "tenant");
}

pub async fn change_only_at_the_version_read(db: &TestDatabase) {
    with_two_tenants(db).await;
    let changed = Provider { api_base: "https://other.example".to_owned(), ..provider(1, "mine") };
    let mut work = begin(db).await;
    work.providers().create(&scope(1), &provider(1, "mine")).await.unwrap();
    work.providers().update(&scope(1), &changed, 1).await.unwrap();
    commit(work).await;

    assert_stale(begin(db).await.providers().update(&scope(1), &changed, 1).await);
    let stored = read(db).await.providers().get(&scope(1), &slug("mine")).await.unwrap();
    assert_eq!(stored, Some(Provider { version: 2, ..changed }));
}

pub async fn of_others_are_as_absent_as_none(db: &TestDatabase) {
    with_two_tenants(db).await;
    let mut work = begin(db).await;
    work.providers().create(&scope(2), &provider(2, "theirs")).await.unwrap();
    commit(work).await;

    let mut work = begin(db).await;
    for absent in ["theirs", "nobodys"] {
        assert_eq!(work.providers().get(&scope(1), &slug(absent)).await.unwrap(), None);
        assert_stale(work.providers().update(&scope(1), &provider(1, absent), 1).await);
        assert!(!work.providers().delete(&scope(1), &slug(absent)).await.unwrap());
    }
    assert_eq!(work.providers().list(&scope(1), &page(1, 50)).await.unwrap().total, 0);
    commit(work).await;
    let mut work = begin(db).await;
    assert!(work.providers().delete(&scope(2), &slug("theirs")).await.unwrap());
    assert!(!work.providers().delete(&scope(2), &slug("theirs")).await.unwrap());
}
