//! Opening a database.

use std::time::Duration;

use lyss_repositories::StoreError;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr, sqlx};

use crate::error::store_error;
use crate::store::SqlStore;

/// Which database, and how much of it. Has no `Debug`: the URL may hold a password.
#[derive(Clone)]
pub struct Settings {
    /// `postgres://user:password@host:port/database` or `sqlite://path/to/file`; a missing file is made.
    pub url: String,
    /// Of this process: on PostgreSQL all (the change feed has one more for itself), on SQLite the readers.
    pub max_connections: u32,
    /// How long PostgreSQL may work on one statement, waiting for locks included. SQLite knows no such limit.
    pub statement_timeout_ms: u64,
}

/// How long a caller waits for a connection to come free before it is told that the database is away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that stood unused for this long is tried before it is handed out; a younger one is trusted.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// After this long PostgreSQL ends a transaction whose client vanished, and with it the locks it held.
const IDLE_IN_TRANSACTION_MS: &str = "30000";

/// How long SQLite waits for other processes; those of this process queue before they ask.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens the database and checks that it answers. Does not migrate it. Must be called within the tokio runtime that
/// is to carry the database's work: units of work begin there, and are rolled back there when abandoned.
///
/// # Errors
/// `Unavailable`, whose text holds neither the URL nor a password.
pub async fn connect(settings: &Settings) -> Result<SqlStore, StoreError> {
    let url = settings.url.as_str();
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        let pool = Database::connect(postgres(settings)).await.map_err(store_error)?;
        return Ok(SqlStore::postgres(pool));
    }
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(refused("an SQLite database must be a file"));
    }
    if url.starts_with("sqlite:") {
        // The writer first: it makes the file and turns on its write-ahead log.
        let writer = open_writer(settings).await.map_err(store_error)?;
        let reader = Database::connect(sqlite_reader(settings)).await.map_err(store_error)?;
        return Ok(SqlStore::sqlite(writer, reader));
    }
    Err(refused("a database's URL begins with postgres:// or sqlite://"))
}

fn refused(text: &str) -> StoreError {
    StoreError::Unavailable(text.to_owned())
}

fn postgres(settings: &Settings) -> ConnectOptions {
    let mut options = common(settings);
    options
        .max_connections(settings.max_connections)
        .test_before_acquire_if_idle_for(TRUSTED_FOR)
        .statement_timeout(Duration::from_millis(settings.statement_timeout_ms))
        .set_application_name("lyss")
        .map_sqlx_postgres_opts(|options| {
            options.options([("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_MS)])
        });
    options
}

/// One connection, since SQLite has one writer; never closed, so that its statements stay prepared.
fn sqlite_writer(settings: &Settings) -> ConnectOptions {
    let mut options = common(settings);
    options
        .max_connections(1)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .map_sqlx_sqlite_opts(|options| {
            options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal)
                .foreign_keys(true)
                .busy_timeout(BUSY_TIMEOUT)
        });
    options
}

fn sqlite_reader(settings: &Settings) -> ConnectOptions {
    let mut options = common(settings);
    options.max_connections(settings.max_connections).test_before_acquire(false).map_sqlx_sqlite_opts(
        |options| options.foreign_keys(true).busy_timeout(BUSY_TIMEOUT).pragma("query_only", "ON"),
    );
    options
}

fn common(settings: &Settings) -> ConnectOptions {
    let mut options = ConnectOptions::new(settings.url.clone());
    options.acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false).record_stmt_in_spans(false);
    options
}

/// Turning on the write-ahead log fails at once, whatever the busy timeout, while another process does the same.
async fn open_writer(settings: &Settings) -> Result<DatabaseConnection, DbErr> {
    const RETRY: Duration = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    loop {
        match Database::connect(sqlite_writer(settings)).await {
            Err(error) if is_busy(&error) && waited < BUSY_TIMEOUT => {
                tokio::time::sleep(RETRY).await;
                waited += RETRY;
            }
            other => return other,
        }
    }
}

/// SQLITE_BUSY (5) in any of its extended forms, which keep it in their low byte.
fn is_busy(error: &DbErr) -> bool {
    let DbErr::Conn(RuntimeErr::SqlxError(inner)) = error else { return false };
    let sqlx::Error::Database(inner) = &**inner else { return false };
    inner.code().and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| code & 0xff == 5)
}
