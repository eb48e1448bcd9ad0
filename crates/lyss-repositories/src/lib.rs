//! Ports to what is stored: one trait per aggregate, a unit of work over them, and the feed of changes.
//!
//! Must never know: SQL, an ORM, a database's name. Ids and times are passed in. Every method on tenants' data takes
//! a [`TenantScope`](lyss_domain::TenantScope); a row of another tenant is exactly as absent as one that never was.
//!
//! Start reading at [`work`]. To store one more thing: its type in `lyss-domain`, its port here, its table and
//! implementation in `migrations` and `lyss-repositories-sql`, its case in the conformance suite of `lyss-testkit`.

pub mod error;
pub mod feed;
pub mod figures;
pub mod filters;
pub mod health;
pub mod listing;
pub mod page;
pub mod ports;
pub mod system;
pub mod work;

pub use error::StoreError;
pub use feed::{ChangeFeed, ChangeListener};
pub use figures::{Arrival, ChannelFigures, LatencyHistogram, SeriesPoint};
pub use filters::{
    AuditFilter, AuditSort, ChannelFilter, ChannelSort, HealthEventFilter, HealthEventSort, KeyFilter,
    KeySort, PolicyFilter, PolicySort, PriceFilter, PriceSort, ProviderFilter, ProviderSort, TenantFilter,
    TenantSort,
};
pub use health::{HealthStore, ProbeTurn};
pub use listing::{Listing, Sort};
pub use page::{Page, Paged};
pub use ports::{
    AuditRepository, ChannelRepository, CredentialRepository, IdempotencyClaim, IdempotencyRepository,
    KeyRepository, PolicyRepository, PriceRepository, ProviderRepository, TenantKeyRepository,
    TenantRepository, WrappedKey,
};
pub use system::{
    AttemptStore, AuditSource, CatalogRows, CatalogSource, PurposeKey, PurposeKeyRepository, UsageTotal,
};
pub use work::{Store, UnitOfWork};
