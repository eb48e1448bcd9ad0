//! What several dialects brought: which models are reached through the responses API, what a call asked for, and what
//! was lost in its conversion.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{json_binary_null, text_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut channels = Table::alter();
        channels.table("channels").add_column(json_binary_null("responses_models"));
        manager.alter_table(channels).await?;
        let mut operation = Table::alter();
        // Records written before had no other operation.
        let column = ColumnDef::new("operation").text().not_null().default("chat").take();
        operation.table("usage_records").add_column(column);
        manager.alter_table(operation).await?;
        let mut losses = Table::alter();
        losses.table("usage_records").add_column(text_null("losses"));
        manager.alter_table(losses).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in
            [("usage_records", "losses"), ("usage_records", "operation"), ("channels", "responses_models")]
        {
            let mut alter = Table::alter();
            alter.table(table).drop_column(column);
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}
