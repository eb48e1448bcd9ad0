//! Tenants.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, json_binary, text, uuid};

use crate::columns::{created_at, drop_tables, primary_key, sorted_text, unique, updated_at, version};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tenants = Table::create()
            .table("tenants")
            .col(uuid("id"))
            .col(sorted_text(manager, "slug"))
            .col(text("name"))
            .col(boolean("enabled"))
            .col(json_binary("settings"))
            .col(created_at())
            .col(updated_at())
            .col(version())
            .primary_key(&mut primary_key("pk_tenants_id", &["id"]))
            .index(&mut unique("uq_tenants_slug", &["slug"]))
            .take();
        manager.create_table(tenants).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["tenants"]).await
    }
}
