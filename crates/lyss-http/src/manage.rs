//! The management API under `/api/v1`: what an administrator does over HTTP.
//!
//! A handler names the permission it needs in its first argument ([`authorized`]) and is made ready for a route by
//! [`managed()`], which no other function passes. Start reading there, then at [`quotas`], the plainest noun. Values in
//! JSON are DTOs beside their noun; domain types are never written.

pub mod accept;
pub mod address;
pub mod authorized;
pub mod code;
pub mod failure;
pub mod json;
pub mod managed;
pub mod may;
pub mod once;
pub mod precondition;
pub mod query;
pub mod reply;
pub mod use_cases;
pub mod word;

pub mod audit;
pub mod channels;
pub mod figures;
pub mod keys;
pub mod prices;
pub mod providers;
pub mod quotas;
pub mod reports;
pub mod requests;
pub mod routing;
pub mod tenants;

mod decision;
pub(crate) mod schema;

use std::sync::Arc;

use lyss_management::Management;

pub use authorized::{AboveTenants, Authorized};
pub use code::Code;
pub use failure::Failure;
pub use json::{Json, ManagementBody, OptionalJson};
pub use managed::{Managed, RequestIds, managed};
pub use query::Query;
pub use reply::Reply;
pub use use_cases::UseCases;

use crate::table::RouteEntry;

/// As a use-case's task holds it.
type Shared = Arc<Management>;

/// Every route of the management API. A path without `{id}` stands before its neighbour that has one.
pub(crate) fn routes() -> Vec<RouteEntry> {
    let nouns = [
        figures::routes(),
        tenants::routes(),
        providers::routes(),
        channels::routes(),
        keys::routes(),
        quotas::routes(),
        prices::routes(),
        requests::routes(),
        routing::routes(),
        reports::routes(),
        audit::routes(),
    ];
    nouns.into_iter().flatten().collect()
}

#[cfg(test)]
pub(crate) mod tests;
