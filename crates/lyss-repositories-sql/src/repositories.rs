//! One file per aggregate: how its rows become domain values and back, and its port.

mod attempts;
mod audit;
mod channels;
mod credentials;
mod health;
mod idempotency;
mod keys;
mod policies;
mod prices;
mod providers;
mod purpose_keys;
mod tenant_keys;
mod tenants;
