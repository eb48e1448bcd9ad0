//! The change feed: LISTEN/NOTIFY on PostgreSQL, a watch channel within the process on SQLite.

use async_trait::async_trait;
use lyss_repositories::{ChangeFeed, ChangeListener, StoreError};
use sea_orm::sqlx::Postgres;
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::postgres::PgListener;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio::sync::watch;

use crate::error::{driver, store_error};
use crate::store::{Kind, SqlStore};

const CHANNEL: &str = "lyss_catalog";

struct PostgresListener(PgListener);

struct SqliteListener(watch::Receiver<i64>);

#[async_trait]
impl ChangeFeed for SqlStore {
    async fn listen(&self) -> Result<Box<dyn ChangeListener>, StoreError> {
        match self.kind() {
            Kind::Postgres => Ok(Box::new(listener(self).await.map_err(|error| driver(&error))?)),
            Kind::Sqlite { news, .. } => Ok(Box::new(SqliteListener(news.subscribe()))),
        }
    }
}

#[async_trait]
impl ChangeListener for PostgresListener {
    async fn changed(&mut self) -> Result<(), StoreError> {
        match self.0.try_recv().await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(StoreError::Unavailable("the connection that listened is lost".to_owned())),
            Err(error) => Err(driver(&error)),
        }
    }
}

#[async_trait]
impl ChangeListener for SqliteListener {
    async fn changed(&mut self) -> Result<(), StoreError> {
        self.0.changed().await.map_err(|_| StoreError::Unavailable("the store is closed".to_owned()))
    }
}

/// A connection of its own, so that listening for days takes none from the pool.
async fn listener(store: &SqlStore) -> Result<PostgresListener, sea_orm::sqlx::Error> {
    let address = store.connection().get_postgres_connection_pool().connect_options();
    let pool = PoolOptions::<Postgres>::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_with((*address).clone())
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.ignore_pool_close_event(true);
    // A loss must be told, not mended in silence: what was sent meanwhile is gone.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(PostgresListener(listener))
}

/// Part of the transaction: heard when it commits, and only then.
pub(crate) async fn notify(tx: &impl ConnectionTrait, generation: i64) -> Result<(), StoreError> {
    let notify = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT pg_notify($1, $2)",
        [CHANNEL.into(), generation.to_string().into()],
    );
    tx.execute_raw(notify).await.map(|_| ()).map_err(store_error)
}
