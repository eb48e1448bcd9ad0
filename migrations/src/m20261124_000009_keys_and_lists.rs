//! A virtual key's rotation with overlap and its last use; names that lists are sorted by and searched in.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer_null, blob_null};
use sea_orm_migration::sea_orm::DbBackend;

const KEYS: &str = "virtual_keys";
const COLUMNS: [&str; 3] = ["previous_digest", "previous_valid_until_us", "last_used_at_us"];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        for mut column in [blob_null(COLUMNS[0]), big_integer_null(COLUMNS[1]), big_integer_null(COLUMNS[2])]
        {
            manager.alter_table(Table::alter().table(KEYS).add_column(&mut column).take()).await?;
        }
        let unique = Index::create()
            .name("uq_virtual_keys_previous_digest")
            .table(KEYS)
            .col(COLUMNS[0])
            .unique()
            .take();
        manager.create_index(unique).await?;
        collate_names(manager, "\"C\"").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        collate_names(manager, "\"default\"").await?;
        let mut unique = Index::drop();
        unique.name("uq_virtual_keys_previous_digest").table(KEYS);
        manager.drop_index(unique).await?;
        for column in COLUMNS {
            manager.alter_table(Table::alter().table(KEYS).drop_column(column).take()).await?;
        }
        Ok(())
    }
}

/// The other names and slugs that lists are sorted by were made with "C"; SQLite compares bytes by nature.
async fn collate_names(manager: &SchemaManager<'_>, collation: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    for table in ["tenants", "providers"] {
        let alter = format!("ALTER TABLE {table} ALTER COLUMN name TYPE text COLLATE {collation}");
        manager.get_connection().execute_unprepared(&alter).await?;
    }
    Ok(())
}
