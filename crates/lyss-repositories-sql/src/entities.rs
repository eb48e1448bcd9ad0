//! One entity per table, private to this crate: a row as the database holds it. How rows become domain values
//! stands beside their repository.
#![expect(unreachable_pub, reason = "sea-orm's derive writes `pub` items next to the model")]

pub(crate) mod audit_entry;
pub(crate) mod channel;
pub(crate) mod channel_health;
pub(crate) mod credential;
pub(crate) mod generation;
pub(crate) mod health_event;
pub(crate) mod idempotency_record;
pub(crate) mod policy;
pub(crate) mod price;
pub(crate) mod probe_spending;
pub(crate) mod probe_turn;
pub(crate) mod provider;
pub(crate) mod purpose_key;
pub(crate) mod tenant;
pub(crate) mod tenant_key;
pub(crate) mod usage_record;
pub(crate) mod virtual_key;
