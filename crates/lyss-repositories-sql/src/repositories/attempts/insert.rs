//! The insert of usage records: the one write that happens once a call, so values are bound straight to the driver.
//! Building 31 expressions a row through the ORM cost more than storing them. The conformance suite reads every column
//! back on both databases.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use lyss_domain::{AttemptRecord, FaultKind, TokenUsage};
use lyss_repositories::StoreError;
use sea_orm::sqlx::error::BoxDynError;
use sea_orm::sqlx::{self, Arguments, Encode, Type};
use sea_orm::{DbErr, IdenStatic, Iterable, RuntimeErr};
use uuid::Uuid;

use crate::entities::usage_record::Column;
use crate::error::store_error;
use crate::rows::signed;
use crate::store::{Kind, SqlStore};

/// Rows per statement: few sizes, so that each is prepared once and kept. A row takes 31 parameters; PostgreSQL allows
/// 65,535 of them, SQLite 32,766.
const ROWS: [usize; 4] = [128, 32, 8, 1];

/// One statement for each of [`ROWS`].
type Statements = [String; ROWS.len()];

static POSTGRES: LazyLock<Statements> = LazyLock::new(|| ROWS.map(|rows| insert_sql(rows, Some('$'))));
static SQLITE: LazyLock<Statements> = LazyLock::new(|| ROWS.map(|rows| insert_sql(rows, None)));

/// `$1` is the use's time. Only forward; and on PostgreSQL past a row that somebody else holds, so that whoever takes
/// his time over a key does not hold up the ledger: the next use tells then.
const POSTGRES_USED: &str = "UPDATE virtual_keys SET last_used_at_us = $1 WHERE tenant_id = $2 AND id = ( \
     SELECT id FROM virtual_keys WHERE tenant_id = $2 AND id = $3 \
     AND (last_used_at_us IS NULL OR last_used_at_us < $1) FOR NO KEY UPDATE SKIP LOCKED)";
const SQLITE_USED: &str = "UPDATE virtual_keys SET last_used_at_us = ?1 WHERE tenant_id = ?2 AND id = ?3 \
     AND (last_used_at_us IS NULL OR last_used_at_us < ?1)";

/// Statements and their arguments, in the order they are run.
type Bound<A> = Vec<(&'static str, A)>;

impl SqlStore {
    /// All in one transaction, and the keys' last uses with them; answers how many were new. In a task of its own, for
    /// the reason given at `open`.
    pub(super) async fn insert_attempts(&self, records: &[AttemptRecord]) -> Result<u64, StoreError> {
        let written = match self.kind() {
            Kind::Postgres => {
                let pool = self.connection().get_postgres_connection_pool().clone();
                let parts = parts::<sqlx::postgres::PgArguments>(records, &POSTGRES).map_err(unbound)?;
                let uses = uses::<sqlx::postgres::PgArguments>(records, POSTGRES_USED).map_err(unbound)?;
                self.runtime().spawn(async move {
                    let mut transaction = pool.begin().await?;
                    let mut new = 0;
                    for (sql, arguments) in parts {
                        let insert = sqlx::query_with(sql, arguments);
                        new += insert.execute(&mut *transaction).await?.rows_affected();
                    }
                    for (sql, arguments) in uses {
                        sqlx::query_with(sql, arguments).execute(&mut *transaction).await?;
                    }
                    transaction.commit().await?;
                    Ok(new)
                })
            }
            Kind::Sqlite { queue, .. } => {
                let turn = std::sync::Arc::clone(queue).lock_owned().await;
                let pool = self.connection().get_sqlite_connection_pool().clone();
                let parts = parts::<sqlx::sqlite::SqliteArguments>(records, &SQLITE).map_err(unbound)?;
                let uses = uses::<sqlx::sqlite::SqliteArguments>(records, SQLITE_USED).map_err(unbound)?;
                self.runtime().spawn(async move {
                    let _turn = turn;
                    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
                    let mut new = 0;
                    for (sql, arguments) in parts {
                        let insert = sqlx::query_with(sql, arguments);
                        new += insert.execute(&mut *transaction).await?.rows_affected();
                    }
                    for (sql, arguments) in uses {
                        sqlx::query_with(sql, arguments).execute(&mut *transaction).await?;
                    }
                    transaction.commit().await?;
                    Ok(new)
                })
            }
        };
        let done: Result<u64, sqlx::Error> =
            written.await.map_err(|_| StoreError::Unavailable("the service is going down".to_owned()))?;
        done.map_err(|error| store_error(DbErr::Exec(RuntimeErr::SqlxError(error.into()))))
    }
}

/// One statement for each key of the batch, in the keys' order, so that two replicas never wait for each other crosswise.
fn uses<A: Arguments>(records: &[AttemptRecord], sql: &'static str) -> Result<Bound<A>, BoxDynError>
where
    for<'v> i64: Encode<'v, A::Database> + Type<A::Database>,
    for<'v> Uuid: Encode<'v, A::Database> + Type<A::Database>,
{
    let mut newest = BTreeMap::new();
    for record in records {
        let at = newest.entry((record.tenant.0, record.key.0)).or_insert(record.started_at);
        *at = record.started_at.max(*at);
    }
    let bound = newest.into_iter().map(|((tenant, key), at)| {
        let mut to = A::default();
        to.add(at.as_micros())?;
        to.add(tenant)?;
        to.add(key)?;
        Ok((sql, to))
    });
    bound.collect()
}

/// The records cut into statements, largest first, with their values in the order of the table's columns.
fn parts<A: Arguments>(
    mut records: &[AttemptRecord],
    statements: &'static Statements,
) -> Result<Bound<A>, BoxDynError>
where
    for<'v> &'v str: Encode<'v, A::Database> + Type<A::Database>,
    for<'v> Option<&'v str>: Encode<'v, A::Database> + Type<A::Database>,
    for<'v> Option<&'v [u8]>: Encode<'v, A::Database> + Type<A::Database>,
    for<'v> Option<String>: Encode<'v, A::Database> + Type<A::Database>,
    for<'v> bool: Encode<'v, A::Database> + Type<A::Database>,
    for<'v> i32: Encode<'v, A::Database> + Type<A::Database>,
    for<'v> Option<i32>: Encode<'v, A::Database> + Type<A::Database>,
    for<'v> i64: Encode<'v, A::Database> + Type<A::Database>,
    for<'v> Option<i64>: Encode<'v, A::Database> + Type<A::Database>,
    for<'v> Uuid: Encode<'v, A::Database> + Type<A::Database>,
    for<'v> Option<Uuid>: Encode<'v, A::Database> + Type<A::Database>,
{
    let mut parts = Vec::new();
    for (rows, sql) in ROWS.into_iter().zip(statements) {
        while records.len() >= rows {
            let (part, rest) = records.split_at(rows);
            records = rest;
            let mut to = A::default();
            to.reserve(rows * 31, rows * 450);
            for record in part {
                to.add(record.tenant.0)?;
                to.add(record.id.0)?;
                to.add(record.call.0)?;
                to.add(i32::from(record.ordinal))?;
                to.add(record.key.0)?;
                to.add(record.channel.0)?;
                to.add(record.provider.as_str())?;
                to.add(record.model_asked.as_str())?;
                to.add(record.model_served.as_str())?;
                to.add(record.strategy.as_str())?;
                to.add(record.stream)?;
                to.add(record.terminal.as_str())?;
                to.add(record.fault.map(FaultKind::as_str))?;
                to.add(record.status.map(i32::from))?;
                classes(&record.usage).into_iter().try_for_each(|class| to.add(class))?;
                to.add(record.usage_source.as_str())?;
                to.add(record.cost.0)?;
                to.add(record.price.map(|price| price.0))?;
                to.add(record.started_at.as_micros())?;
                to.add(record.ttft_us)?;
                to.add(record.total_us)?;
                to.add(record.operation.as_str())?;
                let losses = (!record.losses.is_empty()).then(|| record.losses.join(","));
                to.add(losses)?;
                to.add(record.decision.as_deref())?;
            }
            parts.push((sql.as_str(), to));
        }
    }
    Ok(parts)
}

fn classes(usage: &TokenUsage) -> [i64; 8] {
    [
        usage.input,
        usage.cache_read,
        usage.cache_write,
        usage.cache_write_long,
        usage.audio_input,
        usage.output,
        usage.reasoning,
        usage.audio_output,
    ]
    .map(signed)
}

/// `placeholder`: what stands before a parameter's number; `None`: unnumbered question marks.
fn insert_sql(rows: usize, placeholder: Option<char>) -> String {
    let columns: Vec<_> = Column::iter().map(|column| column.as_str().to_owned()).collect();
    let width = columns.len();
    let mut sql = format!("INSERT INTO usage_records ({}) VALUES ", columns.join(", "));
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { "), (" });
        for column in 0..width {
            if column > 0 {
                sql.push(',');
            }
            match placeholder {
                // Writing to a String cannot fail.
                Some(sign) => drop(write!(sql, "{sign}{}", row * width + column + 1)),
                None => sql.push('?'),
            }
        }
    }
    sql.push_str(") ON CONFLICT (tenant_id, id) DO NOTHING");
    sql
}

fn unbound(_: BoxDynError) -> StoreError {
    StoreError::Corrupt("a usage record's value")
}
