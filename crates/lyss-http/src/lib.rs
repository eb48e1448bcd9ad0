//! HTTP: routes, extractors, error rendering. The only crate that knows actix-web, and the only one that turns a
//! [`Fault`](lyss_adapters::Fault) into an answer.
//!
//! Must never know: SQL, a vendor's address, how a channel is chosen. There is no state that every handler sees: each
//! handler's signature asks for the pieces it needs.
//!
//! Start reading at [`server`] (all routes in one table), then [`chat`]. To add a route: a handler in the file of its
//! noun, a line in [`server::routes`].

pub mod body;
pub mod caller;
pub mod chat;
pub mod fault;
pub mod health;
pub mod metrics;
pub mod models;
pub mod server;
pub mod steering;

pub use caller::Doorkeeper;
pub use health::{Dependency, DependencyReport, Readiness};
pub use server::{Pieces, ServerSettings, start};
