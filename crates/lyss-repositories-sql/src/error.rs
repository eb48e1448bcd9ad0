//! From the driver's errors to the store's. No text of the driver is passed on: it may name values or addresses.

use lyss_repositories::StoreError;
use sea_orm::sqlx::Error as SqlxError;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlErr};

/// The last word of a constraint's or column's name, and the field a user knows it by.
const FIELDS: [(&str, &str); 10] = [
    ("slug", "slug"),
    ("name", "name"),
    ("digest", "digest"),
    ("sequence", "sequence"),
    ("version", "version"),
    ("purpose", "purpose"),
    ("effective_from_us", "effective_from"),
    ("channel_id", "id"),
    ("key", "key"),
    ("id", "id"),
];

/// For statements that can break no reference.
pub(crate) fn store_error(error: DbErr) -> StoreError {
    refused(error, "a row")
}

/// `referred` names what a broken foreign key was about; SQLite does not say.
pub(crate) fn refused(error: DbErr, referred: &'static str) -> StoreError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(text)) => StoreError::Conflict(field(&text)),
        Some(SqlErr::ForeignKeyConstraintViolation(_)) => StoreError::Reference(referred),
        _ => other(&error),
    }
}

/// PostgreSQL names the constraint (`uq_channels_name`), SQLite the columns (`channels.tenant_id, channels.name`).
fn field(text: &str) -> &'static str {
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let mut tokens = text.split(word).filter(|token| !token.is_empty());
    let named = tokens.clone().find(|token| token.starts_with("uq_") || token.starts_with("pk_"));
    let token = named.or_else(|| tokens.next_back()).unwrap_or_default();
    FIELDS.iter().find(|(end, _)| token.ends_with(end)).map_or("value", |(_, field)| field)
}

fn other(error: &DbErr) -> StoreError {
    match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => unavailable("no connection came free in time"),
        DbErr::ConnectionAcquire(_) => unavailable("the connections are closed"),
        DbErr::Conn(RuntimeErr::SqlxError(inner))
        | DbErr::Exec(RuntimeErr::SqlxError(inner))
        | DbErr::Query(RuntimeErr::SqlxError(inner)) => driver(inner),
        DbErr::Type(_) | DbErr::Json(_) | DbErr::TryIntoErr { .. } => StoreError::Corrupt("a column's value"),
        DbErr::Conn(_) => unavailable("the address cannot be read"),
        _ => unavailable("the statement was refused"),
    }
}

pub(crate) fn driver(error: &SqlxError) -> StoreError {
    match error {
        SqlxError::Database(inner) => unavailable_with_code(inner.code().as_deref().unwrap_or("none")),
        SqlxError::Io(_) => unavailable("the connection is lost or refused"),
        SqlxError::Tls(_) => unavailable("no TLS connection"),
        SqlxError::PoolTimedOut => unavailable("no connection came free in time"),
        SqlxError::PoolClosed => unavailable("the connections are closed"),
        SqlxError::Configuration(_) => unavailable("the address cannot be read"),
        SqlxError::ColumnDecode { .. } | SqlxError::Decode(_) => StoreError::Corrupt("a column's value"),
        _ => unavailable("the driver failed"),
    }
}

/// SQLSTATE on PostgreSQL (its manual, appendix A), a result code in decimal on SQLite.
fn unavailable_with_code(code: &str) -> StoreError {
    match code {
        "57014" => unavailable("a statement took too long"),
        "25P02" => unavailable("an earlier statement of this unit of work failed"),
        "25P03" => unavailable("the unit of work stood idle for too long"),
        "42P01" => unavailable("a table is missing; migrate the schema"),
        "3D000" => unavailable("there is no such database"),
        "53300" => unavailable("the server takes no more connections"),
        "14" => unavailable("the file cannot be opened"),
        code if code.starts_with("28") => unavailable("the server refuses the credentials"),
        code if code.starts_with("57P") => unavailable("the server is going down or coming up"),
        code => StoreError::Unavailable(format!("code {code}")),
    }
}

fn unavailable(text: &str) -> StoreError {
    StoreError::Unavailable(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_names_the_field_on_either_database() {
        for (text, expected) in [
            ("duplicate key value violates unique constraint \"uq_channels_name\"", "name"),
            ("UNIQUE constraint failed: channels.tenant_id, channels.name", "name"),
            ("UNIQUE constraint failed: tenants.slug", "slug"),
            ("duplicate key value violates unique constraint \"pk_virtual_keys_id\"", "id"),
            ("UNIQUE constraint failed: virtual_keys.tenant_id, virtual_keys.id", "id"),
            ("« uq_prices_effective_from_us » est déjà pris", "effective_from"),
            ("UNIQUE constraint failed: idempotency_records.tenant_id, idempotency_records.key", "key"),
            ("something else", "value"),
        ] {
            assert_eq!(field(text), expected, "{text}");
        }
    }
}
