//! The words of the service as types: ids, tenants, providers, channels, virtual keys, policies, prices, usage.
//!
//! Must never know: a wire format, a database row, an HTTP type, a cipher, a runtime. Nothing here reads a clock or
//! draws randomness; both are passed in. Domain types are not `Serialize` on purpose: what leaves the process is
//! written by a DTO at the edge that sends it.
//!
//! Start reading at [`channel`] (what a route is) and [`record`] (what is left of a call). To add one more stored
//! thing, write its type here first, then its port in `lyss-repositories`.

pub mod audit;
pub mod capability;
pub mod channel;
pub mod clock;
pub mod fault;
pub mod headroom;
pub mod health;
pub mod idempotency;
pub mod ids;
pub mod key;
pub mod money;
pub mod policy;
pub mod price;
pub mod provider;
pub mod record;
pub mod role;
pub mod routing;
pub mod scope;
pub mod secret;
pub mod strategy;
pub mod tenant;
pub mod usage;
pub mod window;

pub use audit::{AuditEntry, AuditOutcome};
pub use capability::{Capability, CapabilitySet};
pub use channel::{Channel, ChannelLimits, ChannelState, ChannelTimeouts, ProbeMode, SealedCredential};
pub use clock::{Clock, Tick, Timestamp};
pub use fault::{Advice, FaultKind, FaultOwner};
pub use headroom::{RateHeadroom, WindowLeft};
pub use health::{HealthEvent, HealthEventKind, HealthSource, HealthState};
pub use idempotency::IdempotencyRecord;
pub use ids::{
    AttemptId, AuditId, CallId, ChannelId, HealthEventId, KeyId, PolicyId, PriceId, ProviderSlug, TenantId,
};
pub use key::{DigestMatch, KeyDigest, KeyLimits, KeyScope, PreviousDigest, VirtualKey};
pub use money::Micros;
pub use policy::{PolicyMode, PolicyScope, QuotaPolicy, ScopeKind};
pub use price::{Price, Rates};
pub use provider::{AuthScheme, Provider, ProviderKind};
pub use record::{AttemptRecord, Operation, Terminal, UsageSource};
pub use role::Role;
pub use routing::{Affinity, Objective, RoutingRule, RoutingSettings, Rule};
pub use scope::{Caller, TenantScope};
pub use secret::Secret;
pub use strategy::Strategy;
pub use tenant::{Tenant, TenantSettings};
pub use usage::TokenUsage;
pub use window::{Window, WindowSpan, WindowStart};
