//! What every repository does with rows: insert, replace at a version, find, list by pages.

use std::time::Duration;

use lyss_domain::{TenantId, TenantScope, Timestamp};
use lyss_repositories::{Page, Paged, StoreError};
use sea_orm::{
    ActiveModelTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QuerySelect, Select,
};
use uuid::Uuid;

use crate::error::{refused, store_error};

/// The tenant's id for a row to be written; refuses a value that belongs to another tenant, or to none.
pub(crate) fn owner(scope: &TenantScope, tenant: Option<TenantId>) -> Result<Uuid, StoreError> {
    if tenant == Some(scope.tenant()) { Ok(scope.tenant().0) } else { Err(StoreError::Reference("tenant")) }
}

/// `referred` names what the row's foreign keys are about.
pub(crate) async fn insert<E>(
    db: &impl ConnectionTrait,
    row: E::Model,
    referred: &'static str,
) -> Result<(), StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let insert = E::insert(row.into_active_model());
    insert.exec_without_returning(db).await.map(|_| ()).map_err(|error| refused(error, referred))
}

/// Overwrites the one row that `at` selects (its version among the rest); `Stale` where there is none.
pub(crate) async fn replace<E>(
    db: &impl ConnectionTrait,
    row: E::Model,
    at: Condition,
    referred: &'static str,
) -> Result<(), StoreError>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    replace_with::<E>(db, row.into_active_model().reset_all(), at, referred).await
}

/// The same with some columns left as they are.
pub(crate) async fn replace_with<E>(
    db: &impl ConnectionTrait,
    row: E::ActiveModel,
    at: Condition,
    referred: &'static str,
) -> Result<(), StoreError>
where
    E: EntityTrait,
{
    let update = E::update_many().set(row).filter(at);
    let written = update.exec(db).await.map_err(|error| refused(error, referred))?;
    if written.rows_affected == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Whether there was something to delete.
pub(crate) async fn delete<E>(db: &impl ConnectionTrait, at: Condition) -> Result<bool, StoreError>
where
    E: EntityTrait,
{
    let gone = E::delete_many().filter(at).exec(db).await.map_err(store_error)?;
    Ok(gone.rows_affected > 0)
}

pub(crate) async fn one<E, T>(db: &impl ConnectionTrait, select: Select<E>) -> Result<Option<T>, StoreError>
where
    E: EntityTrait,
    T: TryFrom<E::Model, Error = StoreError>,
{
    select.one(db).await.map_err(store_error)?.map(T::try_from).transpose()
}

pub(crate) async fn all<E, T>(db: &impl ConnectionTrait, select: Select<E>) -> Result<Vec<T>, StoreError>
where
    E: EntityTrait,
    T: TryFrom<E::Model, Error = StoreError>,
{
    select.all(db).await.map_err(store_error)?.into_iter().map(T::try_from).collect()
}

/// `select` must be ordered by something unique.
pub(crate) async fn page<E, T>(
    db: &impl ConnectionTrait,
    select: Select<E>,
    page: Page,
) -> Result<Paged<T>, StoreError>
where
    E: EntityTrait,
    E::Model: Sync,
    T: TryFrom<E::Model, Error = StoreError>,
{
    let total = select.clone().count(db).await.map_err(store_error)?;
    let part = select.limit(u64::from(page.size)).offset(page.offset());
    Ok(Paged { items: all(db, part).await?, total })
}

/// Numbers beyond 63 bits do not occur; the largest stands for them.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64, column: &'static str) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Corrupt(column))
}

/// A count of 32 bits, stored in 64 because SQL's integers are signed.
pub(crate) fn count(number: i64, column: &'static str) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::Corrupt(column))
}

pub(crate) fn maybe_count(number: Option<i64>, column: &'static str) -> Result<Option<u32>, StoreError> {
    number.map(|number| count(number, column)).transpose()
}

pub(crate) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

pub(crate) fn span(micros: Option<i64>, column: &'static str) -> Result<Option<Duration>, StoreError> {
    micros.map(|micros| unsigned(micros, column).map(Duration::from_micros)).transpose()
}

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(crate) fn bytes32(bytes: &[u8], column: &'static str) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt(column))
}
