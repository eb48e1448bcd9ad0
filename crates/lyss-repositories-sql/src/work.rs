//! One unit of work: every repository over one transaction.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use lyss_domain::Timestamp;
use lyss_repositories::{
    AuditRepository, ChannelRepository, CredentialRepository, IdempotencyRepository, KeyRepository,
    PolicyRepository, PriceRepository, ProviderRepository, PurposeKeyRepository, StoreError,
    TenantKeyRepository, TenantRepository, UnitOfWork,
};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnAcquireErr, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait,
    ExecResult, QueryFilter, QueryResult, Statement,
};
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;

use crate::entities::generation;
use crate::error::store_error;
use crate::feed;
use crate::store::{GENERATION_ROW, Kind, stored_generation};

/// A transaction of the driver that is rolled back when dropped, on the database's own runtime: the driver's own
/// drop panics where there is none. On SQLite it holds the writers' queue until then.
///
/// Statements run on it through [`ConnectionTrait`]. Once one failed it can no more be committed, on SQLite as on
/// PostgreSQL, whose COMMIT would then roll back without a word.
pub(crate) struct Transaction {
    /// `None` once it is over.
    inner: Option<DatabaseTransaction>,
    backend: DbBackend,
    failed: AtomicBool,
    queue: Option<OwnedMutexGuard<()>>,
    runtime: Handle,
}

/// Implements every repository; each stands in its file under `repositories`.
pub(crate) struct SqlWork {
    transaction: Transaction,
    kind: Kind,
}

impl Transaction {
    pub(crate) fn new(
        inner: DatabaseTransaction,
        queue: Option<OwnedMutexGuard<()>>,
        runtime: Handle,
    ) -> Self {
        let backend = inner.get_database_backend();
        Self { inner: Some(inner), backend, failed: AtomicBool::new(false), queue, runtime }
    }

    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        if self.failed.load(Ordering::Relaxed) {
            return Err(doomed());
        }
        match self.inner.take() {
            Some(inner) => inner.commit().await.map_err(store_error),
            None => Ok(()),
        }
    }

    /// For a refusal that no statement made: it dooms the whole like one that failed.
    pub(crate) fn doom(&self, error: StoreError) -> StoreError {
        self.failed.store(true, Ordering::Relaxed);
        error
    }

    fn inner(&self) -> Result<&DatabaseTransaction, DbErr> {
        self.inner.as_ref().ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
    }

    fn noted<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        if result.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        result
    }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.noted(self.inner()?.execute_raw(statement).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.noted(self.inner()?.execute_unprepared(sql).await)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.noted(self.inner()?.query_one_raw(statement).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.noted(self.inner()?.query_all_raw(statement).await)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(inner) = self.inner.take() else { return };
        let queue = self.queue.take();
        let _within = self.runtime.enter();
        self.runtime.spawn(async move {
            if let Err(error) = inner.rollback().await {
                tracing::debug!(error = %store_error(error), "rollback failed; the connection is given up");
            }
            drop(queue);
        });
    }
}

impl SqlWork {
    pub(crate) fn new(transaction: Transaction, kind: Kind) -> Self {
        Self { transaction, kind }
    }

    pub(crate) fn tx(&self) -> &Transaction {
        &self.transaction
    }
}

#[async_trait]
impl UnitOfWork for SqlWork {
    fn tenants(&mut self) -> &mut dyn TenantRepository {
        self
    }
    fn providers(&mut self) -> &mut dyn ProviderRepository {
        self
    }
    fn channels(&mut self) -> &mut dyn ChannelRepository {
        self
    }
    fn credentials(&mut self) -> &mut dyn CredentialRepository {
        self
    }
    fn tenant_keys(&mut self) -> &mut dyn TenantKeyRepository {
        self
    }
    fn purpose_keys(&mut self) -> &mut dyn PurposeKeyRepository {
        self
    }
    fn keys(&mut self) -> &mut dyn KeyRepository {
        self
    }
    fn policies(&mut self) -> &mut dyn PolicyRepository {
        self
    }
    fn prices(&mut self) -> &mut dyn PriceRepository {
        self
    }
    fn audit(&mut self) -> &mut dyn AuditRepository {
        self
    }
    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository {
        self
    }

    async fn commit(self: Box<Self>, changed_at: Option<Timestamp>) -> Result<i64, StoreError> {
        let Self { transaction, kind } = *self;
        if transaction.failed.load(Ordering::Relaxed) {
            return Err(doomed());
        }
        if let Some(at) = changed_at {
            bump(&transaction, at).await?;
        }
        let generation = stored_generation(&transaction).await?;
        match (&kind, changed_at) {
            (Kind::Postgres, Some(_)) => {
                feed::notify(&transaction, generation).await?;
                transaction.commit().await?;
            }
            (Kind::Sqlite { news, .. }, Some(_)) => {
                transaction.commit().await?;
                news.send_replace(generation);
            }
            (_, None) => transaction.commit().await?,
        }
        Ok(generation)
    }
}

fn doomed() -> StoreError {
    StoreError::Unavailable("an earlier statement of this unit of work failed".to_owned())
}

/// The row is locked from here to the commit, so it comes last.
async fn bump(tx: &Transaction, at: Timestamp) -> Result<(), StoreError> {
    let next = Expr::col(generation::Column::Generation).add(1);
    let update = generation::Entity::update_many()
        .col_expr(generation::Column::Generation, next)
        .col_expr(generation::Column::ChangedAtUs, Expr::value(at.as_micros()))
        .filter(generation::Column::Id.eq(GENERATION_ROW));
    update.exec(tx).await.map(|_| ()).map_err(store_error)
}
