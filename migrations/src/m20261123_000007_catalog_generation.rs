//! The catalog's generation: one row, whose number grows with every change the catalog must see.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer};

use crate::columns::{drop_tables, primary_key};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("catalog_generation")
            .col(integer("id"))
            .col(big_integer("generation"))
            .col(big_integer("changed_at_us"))
            .primary_key(&mut primary_key("pk_catalog_generation_id", &["id"]))
            .take();
        manager.create_table(table).await?;
        let first = Query::insert()
            .into_table("catalog_generation")
            .columns(["id", "generation", "changed_at_us"])
            .values_panic([1.into(), 0i64.into(), 0i64.into()])
            .take();
        manager.execute(first).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["catalog_generation"]).await
    }
}
