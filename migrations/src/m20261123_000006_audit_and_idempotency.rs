//! The audit log, which outlives its tenant, and what repeated `Idempotency-Key`s are answered with.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob, blob_null, integer_null, text, text_null, uuid};

use crate::columns::{created_at, drop_tables, of_tenant, primary_key, tenant_id, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(audit_entries()).await?;
        manager.create_table(idempotency_records()).await?;
        let by_expiry = Index::create()
            .name("ix_idempotency_records_expires_at_us")
            .table("idempotency_records")
            .col("expires_at_us")
            .take();
        manager.create_index(by_expiry).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["idempotency_records", "audit_entries"]).await
    }
}

fn audit_entries() -> TableCreateStatement {
    Table::create()
        .table("audit_entries")
        .col(tenant_id())
        .col(uuid("id"))
        .col(big_integer("sequence"))
        .col(big_integer("at_us"))
        .col(text("actor"))
        .col(text_null("address"))
        .col(text("action"))
        .col(text("target"))
        .col(text("outcome"))
        // Text, not JSON: the digest is over these very bytes.
        .col(text("detail"))
        .col(blob("previous"))
        .col(blob("digest"))
        .primary_key(&mut primary_key("pk_audit_entries_id", &["tenant_id", "id"]))
        .index(&mut unique("uq_audit_entries_sequence", &["tenant_id", "sequence"]))
        .take()
}

fn idempotency_records() -> TableCreateStatement {
    Table::create()
        .table("idempotency_records")
        .col(tenant_id())
        .col(text("key"))
        .col(blob("fingerprint"))
        .col(integer_null("status"))
        .col(blob_null("body"))
        .col(created_at())
        .col(big_integer("expires_at_us"))
        .primary_key(&mut primary_key("pk_idempotency_records_key", &["tenant_id", "key"]))
        .foreign_key(&mut of_tenant("fk_idempotency_records_tenant"))
        .take()
}
