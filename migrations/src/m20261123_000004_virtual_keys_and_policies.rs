//! Virtual keys (digests, never the keys) and quota policies.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer_null, blob, boolean, json_binary, text, text_null, uuid, uuid_null,
};

use crate::columns::{
    created_at, drop_tables, of_row, of_tenant, primary_key, sorted_text, tenant_id, unique, updated_at,
    version,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(virtual_keys(manager)).await?;
        manager.create_table(quota_policies()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["quota_policies", "virtual_keys"]).await
    }
}

fn virtual_keys(manager: &SchemaManager<'_>) -> TableCreateStatement {
    Table::create()
        .table("virtual_keys")
        .col(tenant_id())
        .col(uuid("id"))
        .col(sorted_text(manager, "name"))
        .col(blob("digest"))
        .col(text("hint"))
        .col(json_binary("scopes"))
        .col(json_binary("models"))
        .col(json_binary("channels"))
        .col(json_binary("tags"))
        .col(json_binary("allowed_ips"))
        .col(big_integer_null("requests_per_minute"))
        .col(big_integer_null("tokens_per_minute"))
        .col(text_null("strategy"))
        .col(boolean("may_steer"))
        .col(big_integer_null("expires_at_us"))
        .col(big_integer_null("revoked_at_us"))
        .col(created_at())
        .col(updated_at())
        .col(version())
        .primary_key(&mut primary_key("pk_virtual_keys_id", &["tenant_id", "id"]))
        .index(&mut unique("uq_virtual_keys_name", &["tenant_id", "name"]))
        .index(&mut unique("uq_virtual_keys_digest", &["digest"]))
        .foreign_key(&mut of_tenant("fk_virtual_keys_tenant"))
        .take()
}

/// `scope` says which one of the three nullable columns counts. A policy about a key or a channel goes with it.
fn quota_policies() -> TableCreateStatement {
    Table::create()
        .table("quota_policies")
        .col(tenant_id())
        .col(uuid("id"))
        .col(text("scope"))
        .col(uuid_null("key_id"))
        .col(uuid_null("channel_id"))
        .col(text_null("model"))
        .col(text("window"))
        .col(big_integer_null("limit_requests"))
        .col(big_integer_null("limit_tokens"))
        .col(big_integer_null("limit_cost_micros"))
        .col(text("mode"))
        .col(created_at())
        .col(updated_at())
        .col(version())
        .primary_key(&mut primary_key("pk_quota_policies_id", &["tenant_id", "id"]))
        .foreign_key(&mut of_tenant("fk_quota_policies_tenant"))
        .foreign_key(&mut of_row("fk_quota_policies_key", "key_id", "virtual_keys"))
        .foreign_key(&mut of_row("fk_quota_policies_channel", "channel_id", "channels"))
        .take()
}
