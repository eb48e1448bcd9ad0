//! A platform administrator's requests concern no tenant, and their `Idempotency-Key`s stand under the nil id: the
//! records lose their foreign key, and whoever deletes a tenant deletes its records.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob, blob_null, integer_null, text};
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{created_at, of_tenant, primary_key, tenant_id};

const RECORDS: &str = "idempotency_records";
const REBUILT: &str = "idempotency_records_rebuilt";
const TENANT: &str = "fk_idempotency_records_tenant";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            let mut tenant = ForeignKey::drop();
            tenant.name(TENANT).table(RECORDS);
            return manager.drop_foreign_key(tenant).await;
        }
        rebuild(manager, records()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let of_nobody = "DELETE FROM idempotency_records WHERE tenant_id NOT IN (SELECT id FROM tenants)";
        manager.get_connection().execute_unprepared(of_nobody).await?;
        let mut tenant = of_tenant(TENANT);
        if manager.get_database_backend() == DbBackend::Postgres {
            return manager.create_foreign_key(tenant.from_tbl(RECORDS).take()).await;
        }
        let mut table = records();
        table.foreign_key(&mut tenant);
        rebuild(manager, table).await
    }
}

fn records() -> TableCreateStatement {
    Table::create()
        .table(REBUILT)
        .col(tenant_id())
        .col(text("key"))
        .col(blob("fingerprint"))
        .col(integer_null("status"))
        .col(blob_null("body"))
        .col(created_at())
        .col(big_integer("expires_at_us"))
        .primary_key(&mut primary_key("pk_idempotency_records_key", &["tenant_id", "key"]))
        .take()
}

/// SQLite changes no table's constraints; its manual's way is a new table in the old one's place.
async fn rebuild(manager: &SchemaManager<'_>, table: TableCreateStatement) -> Result<(), DbErr> {
    manager.create_table(table).await?;
    let copy = format!("INSERT INTO {REBUILT} SELECT * FROM {RECORDS}");
    manager.get_connection().execute_unprepared(&copy).await?;
    manager.drop_table(Table::drop().table(RECORDS).take()).await?;
    manager.rename_table(Table::rename().table(REBUILT, RECORDS).take()).await?;
    let by_expiry = Index::create()
        .name("ix_idempotency_records_expires_at_us")
        .table(RECORDS)
        .col("expires_at_us")
        .take();
    manager.create_index(by_expiry).await
}
