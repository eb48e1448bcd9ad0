//! What every store must do, one file per aggregate, one `pub async fn` per promise. Each case gets a fresh, migrated
//! database; those in [`migrations`] an empty one. `tests/it/storage.rs` runs each on SQLite and on PostgreSQL.

pub mod attempts;
pub mod audit;
pub mod catalog;
pub mod channels;
pub mod credentials;
pub mod health;
pub mod idempotency;
pub mod keys;
pub mod lists;
pub mod migrations;
pub mod policies;
pub mod prices;
pub mod providers;
pub mod purpose_keys;
pub mod tenant_keys;
pub mod tenants;
pub mod work;

use lyss_repositories::{Listing, Page, Store, StoreError, UnitOfWork};

use crate::database::TestDatabase;
use crate::samples::{at, tenant};

/// Tenants 1 and 2, whom most cases are about.
async fn with_two_tenants(db: &TestDatabase) {
    let mut work = begin(db).await;
    for number in [1, 2] {
        work.tenants().create(&tenant(number)).await.unwrap();
    }
    commit(work).await;
}

async fn begin(db: &TestDatabase) -> Box<dyn UnitOfWork> {
    db.store.begin().await.unwrap()
}

async fn read(db: &TestDatabase) -> Box<dyn UnitOfWork> {
    db.store.read().await.unwrap()
}

async fn commit(work: Box<dyn UnitOfWork>) -> i64 {
    work.commit(Some(at(5))).await.unwrap()
}

/// A page of everything, in the usual order.
fn page<F: Default, S: Default>(number: u32, size: u32) -> Listing<F, S> {
    Listing::of(Page { number, size })
}

#[track_caller]
fn assert_conflict<T: std::fmt::Debug>(result: Result<T, StoreError>, field: &str) {
    match result {
        Err(StoreError::Conflict(found)) => assert_eq!(found, field),
        other => panic!("a conflict about {field} was due, not {other:?}"),
    }
}

#[track_caller]
fn assert_stale<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Stale)), "staleness was due, not {result:?}");
}

#[track_caller]
fn assert_reference<T: std::fmt::Debug>(result: Result<T, StoreError>, to: &str) {
    match result {
        Err(StoreError::Reference(found)) => assert_eq!(found, to),
        other => panic!("a broken reference to a {to} was due, not {other:?}"),
    }
}
