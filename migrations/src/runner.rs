//! Applies and takes back steps: one transaction per step, its bookkeeping row included, under a lock that holds
//! across processes. A kill at any moment leaves the schema between two steps, never inside one.

use std::collections::HashSet;
use std::time::Duration;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait, RuntimeErr, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait, sqlx,
};
use sea_orm_migration::seaql_migrations;

use crate::Migrator;

/// How the database's schema stands to this binary's steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaState {
    Current,
    /// Steps of this binary that the database lacks.
    Behind {
        missing: Vec<String>,
    },
    /// Steps in the database that this binary does not know: a newer release made it.
    Ahead {
        unknown: Vec<String>,
    },
    /// No step was ever applied.
    Empty,
}

/// One step of this binary and whether the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepStatus {
    pub name: String,
    pub applied: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error("a newer release made this schema; steps unknown here: {}", unknown.join(", "))]
    Ahead { unknown: Vec<String> },
    #[error("another process has been migrating this database for {0} s")]
    Locked(u64),
    #[error("the migration failed: {0}")]
    Database(#[from] DbErr),
}

/// The advisory lock's number on PostgreSQL: `lyss.sql` in ASCII.
const LOCK: i64 = 0x6c79_7373_2e73_716c;

/// SQLite has no queue for its write lock; a second migrator asks again until the first is done.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);
const LOCK_RETRY: Duration = Duration::from_millis(20);

/// Reads only; needs no right to change the schema.
pub async fn state(db: &DatabaseConnection) -> Result<SchemaState, MigrationError> {
    Ok(compare(&applied(db).await?))
}

/// Every step of this binary in order. Steps only the database knows show in [`state`].
pub async fn status(db: &DatabaseConnection) -> Result<Vec<StepStatus>, MigrationError> {
    let applied: HashSet<String> = applied(db).await?.into_iter().collect();
    let step = |name: String| StepStatus { applied: applied.contains(&name), name };
    Ok(names().into_iter().map(step).collect())
}

/// Applies what is missing; answers the names of the steps this call applied. Several replicas may call it at once:
/// each missing step is applied by exactly one of them, and all return when the schema is current.
pub async fn up(db: &DatabaseConnection) -> Result<Vec<String>, MigrationError> {
    let mut done = Vec::new();
    loop {
        let tx = locked(db).await?;
        let Some(next) = missing(&tx).await?.into_iter().next() else { return Ok(done) };
        Migrator::up(&tx, Some(1)).await?;
        tx.commit().await?;
        done.push(next);
    }
}

/// Takes back the last `steps` applied steps, and their data with them; answers their names.
pub async fn down(db: &DatabaseConnection, steps: u32) -> Result<Vec<String>, MigrationError> {
    let mut done = Vec::new();
    for _ in 0..steps {
        let tx = locked(db).await?;
        missing(&tx).await?;
        let Some(last) = applied(&tx).await?.pop() else { break };
        Migrator::down(&tx, Some(1)).await?;
        tx.commit().await?;
        done.push(last);
    }
    Ok(done)
}

/// Drops every table of the schema, whoever made it, and applies all steps; all in one transaction.
pub async fn fresh(db: &DatabaseConnection) -> Result<(), MigrationError> {
    let tx = locked(db).await?;
    for table in tables(&tx).await? {
        tx.execute(Table::drop().table(Alias::new(table)).cascade()).await?;
    }
    Migrator::up(&tx, None).await?;
    tx.commit().await?;
    Ok(())
}

/// A transaction that only one migrator in the world holds on this database.
async fn locked(db: &DatabaseConnection) -> Result<DatabaseTransaction, MigrationError> {
    match db.get_database_backend() {
        DbBackend::Postgres => {
            let tx = db.begin().await?;
            // A step may run for long, and so may the wait for another replica's.
            tx.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
            let wait = Statement::from_sql_and_values(
                DbBackend::Postgres,
                "SELECT pg_advisory_xact_lock($1)",
                [LOCK.into()],
            );
            tx.execute_raw(wait).await?;
            Ok(tx)
        }
        _ => immediate(db).await,
    }
}

async fn immediate(db: &DatabaseConnection) -> Result<DatabaseTransaction, MigrationError> {
    let mut waited = Duration::ZERO;
    loop {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        match db.begin_with_options(options).await {
            Err(error) if is_busy(&error) && waited < LOCK_PATIENCE => {
                tokio::time::sleep(LOCK_RETRY).await;
                waited += LOCK_RETRY;
            }
            Err(error) if is_busy(&error) => return Err(MigrationError::Locked(LOCK_PATIENCE.as_secs())),
            other => return Ok(other?),
        }
    }
}

/// SQLITE_BUSY (5) in any of its extended forms, which keep it in their low byte.
fn is_busy(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(inner))
    | DbErr::Exec(RuntimeErr::SqlxError(inner))
    | DbErr::Query(RuntimeErr::SqlxError(inner))) = error
    else {
        return false;
    };
    let sqlx::Error::Database(inner) = &**inner else { return false };
    inner.code().and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| code & 0xff == 5)
}

fn names() -> Vec<String> {
    Migrator::migrations().iter().map(|step| step.name().to_owned()).collect()
}

/// Names of the applied steps, oldest first; none where the bookkeeping table is not there.
async fn applied<'c, C>(db: &'c C) -> Result<Vec<String>, DbErr>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    if !SchemaManager::new(db).has_table("seaql_migrations").await? {
        return Ok(Vec::new());
    }
    let rows = seaql_migrations::Entity::find().all(db).await?;
    let mut names: Vec<String> = rows.into_iter().map(|row| row.version).collect();
    names.sort_unstable();
    Ok(names)
}

/// What this binary has and the database lacks; refuses a schema that is ahead.
async fn missing(tx: &DatabaseTransaction) -> Result<Vec<String>, MigrationError> {
    match compare(&applied(tx).await?) {
        SchemaState::Current => Ok(Vec::new()),
        SchemaState::Behind { missing } => Ok(missing),
        SchemaState::Empty => Ok(names()),
        SchemaState::Ahead { unknown } => Err(MigrationError::Ahead { unknown }),
    }
}

fn compare(applied: &[String]) -> SchemaState {
    let names = names();
    let unknown: Vec<String> = applied.iter().filter(|name| !names.contains(name)).cloned().collect();
    if !unknown.is_empty() {
        return SchemaState::Ahead { unknown };
    }
    if applied.is_empty() {
        return SchemaState::Empty;
    }
    let missing: Vec<String> = names.into_iter().filter(|name| !applied.contains(name)).collect();
    if missing.is_empty() { SchemaState::Current } else { SchemaState::Behind { missing } }
}

/// Every table of the current schema. On SQLite, which has no `DROP … CASCADE`, the last made first: a table can
/// only refer to earlier ones.
async fn tables(tx: &DatabaseTransaction) -> Result<Vec<String>, DbErr> {
    let backend = tx.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema()"
        }
        _ => {
            r"SELECT name FROM sqlite_master
              WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY rowid DESC"
        }
    };
    let rows = tx.query_all_raw(Statement::from_string(backend, sql)).await?;
    rows.iter().map(|row| row.try_get::<String>("", "name")).collect()
}
