//! The stored things in a database: the ports of `lyss-repositories` over PostgreSQL and SQLite with sea-orm.
//!
//! Must never know: HTTP, a wire format, what a secret says (only ciphertext and digests pass here), the clock. Rows
//! and entities are private; nothing of the ORM leaves this crate but the connection that migrations run on.
//!
//! Start reading at [`store`] (where units of work begin) and `work` (one transaction). To store one more thing:
//! its table in `migrations`, its entity in `entities`, its port's implementation in `repositories`, its case in the
//! conformance suite of `lyss-testkit`.

pub mod connect;
pub mod store;

mod entities;
mod error;
mod feed;
mod json;
mod lists;
mod repositories;
mod rows;
mod work;

pub use connect::{Settings, connect};
pub use store::SqlStore;
