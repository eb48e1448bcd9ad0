//! A tenant's dated prices, and one usage record per attempt. Usage records have no foreign key: they outlive
//! everything they name, their tenant included.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, integer_null, text, text_null, uuid, uuid_null,
};
use sea_orm_migration::sea_orm::DbBackend;

use crate::columns::{created_at, drop_tables, of_tenant, primary_key, sorted_text, tenant_id, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(prices(manager)).await?;
        manager.create_table(clustered(manager, usage_records())).await?;
        let by_time = Index::create()
            .name("ix_usage_records_started_at_us")
            .table("usage_records")
            .col("tenant_id")
            .col("started_at_us")
            .take();
        manager.create_index(by_time).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["usage_records", "prices"]).await
    }
}

/// Rates are micros per million tokens of each class; `request_micros` is per request.
fn prices(manager: &SchemaManager<'_>) -> TableCreateStatement {
    Table::create()
        .table("prices")
        .col(tenant_id())
        .col(uuid("id"))
        .col(sorted_text(manager, "model"))
        .col(big_integer("effective_from_us"))
        .col(big_integer("input_micros"))
        .col(big_integer("cache_read_micros"))
        .col(big_integer("cache_write_micros"))
        .col(big_integer("cache_write_long_micros"))
        .col(big_integer("audio_input_micros"))
        .col(big_integer("output_micros"))
        .col(big_integer("audio_output_micros"))
        .col(big_integer("request_micros"))
        .col(created_at())
        .primary_key(&mut primary_key("pk_prices_id", &["tenant_id", "id"]))
        .index(&mut unique("uq_prices_effective_from_us", &["tenant_id", "model", "effective_from_us"]))
        .foreign_key(&mut of_tenant("fk_prices_tenant"))
        .take()
}

fn usage_records() -> TableCreateStatement {
    Table::create()
        .table("usage_records")
        .col(tenant_id())
        .col(uuid("id"))
        .col(uuid("call_id"))
        .col(integer("ordinal"))
        .col(uuid("key_id"))
        .col(uuid("channel_id"))
        .col(text("provider"))
        .col(text("model_asked"))
        .col(text("model_served"))
        .col(text("strategy"))
        .col(boolean("stream"))
        .col(text("terminal"))
        .col(text_null("fault"))
        .col(integer_null("status"))
        .col(big_integer("input_tokens"))
        .col(big_integer("cache_read_tokens"))
        .col(big_integer("cache_write_tokens"))
        .col(big_integer("cache_write_long_tokens"))
        .col(big_integer("audio_input_tokens"))
        .col(big_integer("output_tokens"))
        .col(big_integer("reasoning_tokens"))
        .col(big_integer("audio_output_tokens"))
        .col(text("usage_source"))
        .col(big_integer("cost_micros"))
        .col(uuid_null("price_id"))
        .col(big_integer("started_at_us"))
        .col(big_integer_null("ttft_us"))
        .col(big_integer("total_us"))
        .primary_key(&mut primary_key("pk_usage_records_id", &["tenant_id", "id"]))
        .take()
}

/// SQLite alone keeps rows apart from their primary key unless told not to; this table is written more than read.
fn clustered(manager: &SchemaManager, mut table: TableCreateStatement) -> TableCreateStatement {
    if manager.get_database_backend() == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}
