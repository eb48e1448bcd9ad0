//! What is secret, always sealed or wrapped: channels' credentials, tenants' data keys, purpose keys.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{blob, integer, text, uuid};

use crate::columns::{created_at, drop_tables, of_row, of_tenant, primary_key, tenant_id};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(channel_credentials()).await?;
        manager.create_table(tenant_data_keys()).await?;
        // For rotation: which keys does a master key still wrap?
        let by_master_key = Index::create()
            .name("ix_tenant_data_keys_master_key_id")
            .table("tenant_data_keys")
            .col("master_key_id")
            .take();
        manager.create_index(by_master_key).await?;
        manager.create_table(purpose_keys()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["purpose_keys", "tenant_data_keys", "channel_credentials"]).await
    }
}

fn channel_credentials() -> TableCreateStatement {
    Table::create()
        .table("channel_credentials")
        .col(tenant_id())
        .col(uuid("channel_id"))
        .col(text("origin"))
        .col(integer("version"))
        .col(integer("data_key_version"))
        .col(blob("sealed"))
        .col(text("hint"))
        .primary_key(&mut primary_key("pk_channel_credentials_id", &["tenant_id", "channel_id"]))
        .foreign_key(&mut of_row("fk_channel_credentials_channel", "channel_id", "channels"))
        .take()
}

fn tenant_data_keys() -> TableCreateStatement {
    Table::create()
        .table("tenant_data_keys")
        .col(tenant_id())
        .col(integer("version"))
        .col(text("master_key_id"))
        .col(blob("wrapped"))
        .col(created_at())
        .primary_key(&mut primary_key("pk_tenant_data_keys_version", &["tenant_id", "version"]))
        .foreign_key(&mut of_tenant("fk_tenant_data_keys_tenant"))
        .take()
}

fn purpose_keys() -> TableCreateStatement {
    Table::create()
        .table("purpose_keys")
        .col(text("purpose"))
        .col(text("master_key_id"))
        .col(blob("wrapped"))
        .col(created_at())
        .primary_key(&mut primary_key("pk_purpose_keys_purpose", &["purpose"]))
        .take()
}
