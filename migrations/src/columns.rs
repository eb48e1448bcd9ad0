//! Columns and keys that many tables share, so that they are the same in each.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, text, uuid};

/// Text that lists are ordered by: bytewise on both databases, whatever the server's locale.
pub(crate) fn sorted_text(manager: &SchemaManager<'_>, name: &'static str) -> ColumnDef {
    let mut column = text(name);
    if manager.get_database_backend() == sea_orm::DbBackend::Postgres {
        column.extra("COLLATE \"C\"");
    }
    column
}

/// The tenant's id, which begins every key.
pub(crate) fn tenant_id() -> ColumnDef {
    uuid("tenant_id")
}

pub(crate) fn created_at() -> ColumnDef {
    big_integer("created_at_us")
}

pub(crate) fn updated_at() -> ColumnDef {
    big_integer("updated_at_us")
}

pub(crate) fn version() -> ColumnDef {
    big_integer("version")
}

/// `name` must begin with `pk_` and end with the field a user would recognise: errors are told by it.
pub(crate) fn primary_key(name: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    over(Index::create().name(name).primary(), columns)
}

/// `name` must begin with `uq_` and end with the field a user would recognise: errors are told by it.
pub(crate) fn unique(name: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    over(Index::create().name(name).unique(), columns)
}

/// To `tenants`; the row goes with its tenant.
pub(crate) fn of_tenant(name: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(name)
        .from_col("tenant_id")
        .to_tbl("tenants")
        .to_col("id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}

/// To a row `(tenant_id, id)` of the same tenant; the row goes with it.
pub(crate) fn of_row(
    name: &'static str,
    column: &'static str,
    table: &'static str,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(name)
        .from_col("tenant_id")
        .from_col(column)
        .to_tbl(table)
        .to_col("tenant_id")
        .to_col("id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}

/// Drops tables in the order given; `down` names them last made first.
pub(crate) async fn drop_tables(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables {
        manager.drop_table(Table::drop().table(*table).take()).await?;
    }
    Ok(())
}

fn over(index: &mut IndexCreateStatement, columns: &[&'static str]) -> IndexCreateStatement {
    for column in columns {
        index.col(*column);
    }
    index.take()
}
