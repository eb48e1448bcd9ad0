//! The store: where units of work begin, and what reads and writes without one.

use std::sync::Arc;

use async_trait::async_trait;
use lyss_repositories::{CatalogRows, CatalogSource, Store, StoreError, UnitOfWork};
use sea_orm::{
    AccessMode, DatabaseConnection, EntityTrait, IsolationLevel, QueryOrder, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use crate::entities::{
    channel, credential, generation, policy, price, provider, tenant, tenant_key, virtual_key,
};
use crate::error::store_error;
use crate::rows::all;
use crate::work::{SqlWork, Transaction};

/// The one row of `catalog_generation`.
pub(crate) const GENERATION_ROW: i32 = 1;

/// A database that is open. Clones share its connections.
#[derive(Clone)]
pub struct SqlStore(Arc<Inner>);

struct Inner {
    kind: Kind,
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    /// Where transactions begin, and end when abandoned.
    runtime: Handle,
}

/// What differs between the databases.
#[derive(Clone)]
pub(crate) enum Kind {
    Postgres,
    Sqlite {
        /// Writers wait here, in order, and only then ask SQLite, which has no queue of its own.
        queue: Arc<Mutex<()>>,
        /// The change feed: all that may change this file's catalog is in this process.
        news: watch::Sender<i64>,
    },
}

impl SqlStore {
    pub(crate) fn postgres(pool: DatabaseConnection) -> Self {
        Self::new(Kind::Postgres, pool.clone(), pool)
    }

    pub(crate) fn sqlite(writer: DatabaseConnection, reader: DatabaseConnection) -> Self {
        Self::new(Kind::Sqlite { queue: Arc::default(), news: watch::Sender::new(0) }, writer, reader)
    }

    fn new(kind: Kind, writer: DatabaseConnection, reader: DatabaseConnection) -> Self {
        Self(Arc::new(Inner { kind, writer, reader, runtime: Handle::current() }))
    }

    /// For migrations, which speak to the schema and to no repository.
    pub fn connection(&self) -> &DatabaseConnection {
        &self.0.writer
    }

    /// Waits for the units of work under way, then closes every connection.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.0.reader.close_by_ref().await.map_err(store_error)?;
        self.0.writer.close_by_ref().await.map_err(store_error)
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.0.kind
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.0.runtime
    }

    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.0.reader
    }

    pub(crate) async fn begin_write(&self) -> Result<Transaction, StoreError> {
        let (queue, mode) = match &self.0.kind {
            Kind::Postgres => (None, None),
            Kind::Sqlite { queue, .. } => {
                (Some(Arc::clone(queue).lock_owned().await), Some(SqliteTransactionMode::Immediate))
            }
        };
        let options = TransactionOptions { sqlite_transaction_mode: mode, ..TransactionOptions::default() };
        self.open(&self.0.writer, options, queue).await
    }

    pub(crate) async fn begin_read(&self) -> Result<Transaction, StoreError> {
        let options = match &self.0.kind {
            Kind::Postgres => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            },
            Kind::Sqlite { .. } => TransactionOptions::default(),
        };
        self.open(&self.0.reader, options, None).await
    }

    /// In a task of its own, because sqlx 0.9.0 forgets a BEGIN whose caller goes away before the answer: the
    /// connection would go back to its pool within a transaction that nobody ends. A task that outlives its caller
    /// drops the transaction, which rolls it back.
    async fn open(
        &self,
        db: &DatabaseConnection,
        options: TransactionOptions,
        queue: Option<OwnedMutexGuard<()>>,
    ) -> Result<Transaction, StoreError> {
        let (db, runtime) = (db.clone(), self.0.runtime.clone());
        let begun = self.0.runtime.spawn(async move {
            let inner = db.begin_with_options(options).await.map_err(store_error)?;
            Ok(Transaction::new(inner, queue, runtime))
        });
        begun.await.map_err(|_| StoreError::Unavailable("the service is going down".to_owned()))?
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        Ok(Box::new(SqlWork::new(self.begin_write().await?, self.0.kind.clone())))
    }

    async fn read(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        Ok(Box::new(SqlWork::new(self.begin_read().await?, self.0.kind.clone())))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.reader.ping().await.map_err(store_error)
    }
}

#[async_trait]
impl CatalogSource for SqlStore {
    async fn generation(&self) -> Result<i64, StoreError> {
        stored_generation(&self.0.reader).await
    }

    async fn load(&self) -> Result<CatalogRows, StoreError> {
        let transaction = self.begin_read().await?;
        let tx = &transaction;
        let rows = CatalogRows {
            generation: stored_generation(tx).await?,
            tenants: all(tx, tenant::Entity::find().order_by_asc(tenant::Column::Id)).await?,
            providers: all(tx, provider::Entity::find()).await?,
            channels: all(tx, channel::Entity::find()).await?,
            credentials: all(tx, credential::Entity::find()).await?,
            tenant_keys: all(tx, tenant_key::Entity::find()).await?,
            keys: all(tx, virtual_key::Entity::find()).await?,
            policies: all(tx, policy::Entity::find()).await?,
            prices: all(tx, price::Entity::find()).await?,
        };
        transaction.commit().await?;
        Ok(rows)
    }
}

pub(crate) async fn stored_generation(db: &impl sea_orm::ConnectionTrait) -> Result<i64, StoreError> {
    let row = generation::Entity::find_by_id(GENERATION_ROW).one(db).await.map_err(store_error)?;
    row.map(|row| row.generation).ok_or(StoreError::Corrupt("catalog generation"))
}
