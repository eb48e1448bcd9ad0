//! HTTP: routes, extractors, error rendering. The only crate that knows actix-web, and the only one that turns a
//! [`Fault`](lyss_adapters::Fault) into an answer.
//!
//! Must never know: SQL, a vendor's address, how a channel is chosen. There is no state that every handler sees: each
//! handler's signature asks for the pieces it needs.
//!
//! Start reading at [`table`] (all routes), then [`call`] for the proxy and [`manage`] for the rest. To add a route: a
//! handler in the file of its noun, a line in that file's `routes`.

pub mod body;
pub mod call;
pub mod caller;
pub mod cors;
pub mod docs;
pub mod fault;
mod form;
pub mod health;
pub mod identity;
pub mod manage;
pub mod metrics;
pub mod models;
mod replay;
pub mod server;
pub mod steering;
pub mod table;

mod proxied;
mod way;

pub use caller::Doorkeeper;
pub use cors::AllowedOrigins;
pub use health::{Dependency, DependencyReport, Readiness};
pub use identity::{Digester, TokenCheck};
pub use manage::UseCases;
pub use server::{Pieces, ServerSettings, start};
pub use table::{Access, RouteEntry};
