//! The database's schema as a list of steps, for PostgreSQL and SQLite alike, and the runner that applies them.
//!
//! Must never know: what the rows mean, who reads them, where the database's address comes from.
//!
//! Start reading at [`runner`]; each step is one file named by its date. To add one: write the next file (`up` and
//! `down`), add it at the end of [`Migrator::migrations`], and never change a step that was released. Columns say
//! their unit: `*_at_us` are microseconds since the Unix epoch, `*_micros` millionths of a US dollar.

#![expect(
    elided_lifetimes_in_paths,
    reason = "sea-orm-migration declares `&SchemaManager` without its lifetime, and async-trait wants the same here"
)]

pub mod runner;

mod columns;
mod m20261123_000001_tenants;
mod m20261123_000002_providers_and_channels;
mod m20261123_000003_credentials_and_keys;
mod m20261123_000004_virtual_keys_and_policies;
mod m20261123_000005_prices_and_usage;
mod m20261123_000006_audit_and_idempotency;
mod m20261123_000007_catalog_generation;
mod m20261124_000008_usage_by_id;
mod m20261124_000009_keys_and_lists;
mod m20261124_000010_audit_append_only;
mod m20261124_000011_idempotency_of_nobody;
mod m20261124_000012_dialects;
mod m20261124_000013_health;

use sea_orm_migration::{MigrationTrait, MigratorTrait};

pub use runner::{MigrationError, SchemaState, StepStatus, down, fresh, state, status, up};

/// The steps in order. Run them through [`up`] and [`down`], which hold the lock and the transaction.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_tenants::Migration),
            Box::new(m20261123_000002_providers_and_channels::Migration),
            Box::new(m20261123_000003_credentials_and_keys::Migration),
            Box::new(m20261123_000004_virtual_keys_and_policies::Migration),
            Box::new(m20261123_000005_prices_and_usage::Migration),
            Box::new(m20261123_000006_audit_and_idempotency::Migration),
            Box::new(m20261123_000007_catalog_generation::Migration),
            Box::new(m20261124_000008_usage_by_id::Migration),
            Box::new(m20261124_000009_keys_and_lists::Migration),
            Box::new(m20261124_000010_audit_append_only::Migration),
            Box::new(m20261124_000011_idempotency_of_nobody::Migration),
            Box::new(m20261124_000012_dialects::Migration),
            Box::new(m20261124_000013_health::Migration),
        ]
    }
}
