//! Health: what is known of channels over a restart, its history, whose turn a probe is and what probes may cost; how
//! a channel is probed and limited; the decision behind an attempt.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob, blob_null, boolean, text, text_null, uuid,
};

use crate::columns::{drop_tables, of_row, of_tenant, primary_key, tenant_id, updated_at};

const CHANNELS: &str = "channels";
const RECORDS: &str = "usage_records";
const EVENTS: &str = "health_events";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add(manager, RECORDS, blob_null("decision")).await?;
        add(manager, CHANNELS, text("probe").default("free").take()).await?;
        add(manager, CHANNELS, boolean("adaptive_concurrency").default(false).take()).await?;
        for table in [channel_health(), health_events(), probe_turns(), probe_spending()] {
            manager.create_table(table).await?;
        }
        // One channel's history, a tenant's, and what is old enough to be forgotten.
        for (name, columns) in [
            ("ix_health_events_channel_id", &["tenant_id", "channel_id", "at_us"][..]),
            ("ix_health_events_tenant_id", &["tenant_id", "at_us"]),
            ("ix_health_events_at_us", &["at_us"]),
        ] {
            let mut index = Index::create();
            index.name(name).table(EVENTS);
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["probe_spending", "probe_turns", EVENTS, "channel_health"]).await?;
        for (table, column) in
            [(CHANNELS, "adaptive_concurrency"), (CHANNELS, "probe"), (RECORDS, "decision")]
        {
            let mut alter = Table::alter();
            alter.table(table).drop_column(column);
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}

async fn add(manager: &SchemaManager<'_>, table: &'static str, mut column: ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).add_column(&mut column).take()).await
}

/// `model` is empty where the whole channel is meant. What `state` says is the balancer's matter.
fn channel_health() -> TableCreateStatement {
    Table::create()
        .table("channel_health")
        .col(tenant_id())
        .col(uuid("channel_id"))
        .col(text("model"))
        .col(blob("state"))
        .col(updated_at())
        .primary_key(&mut primary_key("pk_channel_health_model", &["tenant_id", "channel_id", "model"]))
        .foreign_key(&mut of_row("fk_channel_health_channel", "channel_id", CHANNELS))
        .take()
}

fn health_events() -> TableCreateStatement {
    Table::create()
        .table(EVENTS)
        .col(tenant_id())
        .col(uuid("id"))
        .col(uuid("channel_id"))
        .col(text_null("model"))
        .col(big_integer("at_us"))
        .col(text("kind"))
        .col(text_null("fault"))
        .col(big_integer_null("for_us"))
        .col(text("source"))
        .col(big_integer_null("latency_us"))
        .primary_key(&mut primary_key("pk_health_events_id", &["tenant_id", "id"]))
        .foreign_key(&mut of_row("fk_health_events_channel", "channel_id", CHANNELS))
        .take()
}

/// When a channel may be probed next; whoever moves it on probes.
fn probe_turns() -> TableCreateStatement {
    Table::create()
        .table("probe_turns")
        .col(tenant_id())
        .col(uuid("channel_id"))
        .col(big_integer("next_at_us"))
        .primary_key(&mut primary_key("pk_probe_turns_id", &["tenant_id", "channel_id"]))
        .foreign_key(&mut of_row("fk_probe_turns_channel", "channel_id", CHANNELS))
        .take()
}

/// What a tenant's paid probes were granted on one day of UTC, counted since 1970.
fn probe_spending() -> TableCreateStatement {
    Table::create()
        .table("probe_spending")
        .col(tenant_id())
        .col(big_integer("day"))
        .col(big_integer("granted_micros"))
        .primary_key(&mut primary_key("pk_probe_spending_day", &["tenant_id", "day"]))
        .foreign_key(&mut of_tenant("fk_probe_spending_tenant"))
        .take()
}
