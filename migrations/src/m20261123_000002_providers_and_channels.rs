//! A tenant's own providers, and channels. A channel names its provider by slug without a foreign key: most slugs
//! are the system's presets, which are not stored.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, integer, json_binary, text, text_null, uuid};

use crate::columns::{
    created_at, drop_tables, of_tenant, primary_key, sorted_text, tenant_id, unique, updated_at, version,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(providers(manager)).await?;
        manager.create_table(channels(manager)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["channels", "providers"]).await
    }
}

fn providers(manager: &SchemaManager<'_>) -> TableCreateStatement {
    Table::create()
        .table("providers")
        .col(tenant_id())
        .col(sorted_text(manager, "slug"))
        .col(text("name"))
        .col(text("kind"))
        .col(text("api_base"))
        .col(json_binary("supported_models"))
        .col(json_binary("headers"))
        .col(json_binary("auth"))
        .col(created_at())
        .col(updated_at())
        .col(version())
        .primary_key(&mut primary_key("pk_providers_slug", &["tenant_id", "slug"]))
        .foreign_key(&mut of_tenant("fk_providers_tenant"))
        .take()
}

fn channels(manager: &SchemaManager<'_>) -> TableCreateStatement {
    Table::create()
        .table("channels")
        .col(tenant_id())
        .col(uuid("id"))
        .col(sorted_text(manager, "name"))
        .col(text("provider"))
        .col(text_null("api_base"))
        .col(json_binary("supported_models"))
        .col(json_binary("model_mapping"))
        .col(big_integer("weight"))
        .col(integer("priority"))
        .col(big_integer_null("requests_per_minute"))
        .col(big_integer_null("tokens_per_minute"))
        .col(big_integer_null("concurrency"))
        .col(big_integer_null("connect_timeout_us"))
        .col(big_integer_null("first_byte_timeout_us"))
        .col(big_integer_null("idle_timeout_us"))
        .col(big_integer_null("total_timeout_us"))
        .col(big_integer_null("max_retries"))
        .col(text("state"))
        .col(json_binary("tags"))
        .col(text_null("group_name"))
        .col(text_null("api_version"))
        .col(json_binary("deployment_map"))
        .col(created_at())
        .col(updated_at())
        .col(version())
        .primary_key(&mut primary_key("pk_channels_id", &["tenant_id", "id"]))
        .index(&mut unique("uq_channels_name", &["tenant_id", "name"]))
        .foreign_key(&mut of_tenant("fk_channels_tenant"))
        .take()
}
