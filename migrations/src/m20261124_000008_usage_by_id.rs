//! Usage records by time are found by their id, which begins with their call's millisecond: one index less to write
//! for every attempt.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut by_time = Index::drop();
        by_time.name("ix_usage_records_started_at_us").table("usage_records");
        manager.drop_index(by_time).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let by_time = Index::create()
            .name("ix_usage_records_started_at_us")
            .table("usage_records")
            .col("tenant_id")
            .col("started_at_us")
            .take();
        manager.create_index(by_time).await
    }
}
