//! The immutable picture that a call reads: tenants, providers, channels with their ciphertext, keys by digest,
//! policies, prices. Built whole, swapped whole; a call that began with one picture ends with it.
//!
//! Must never know: SQL, HTTP, a dialect, a plain credential. No database call ever stands on the request path because
//! this crate makes them elsewhere: on change (the feed), and once a second in case a hint was lost (the poll).
//!
//! Start reading at [`picture`]; [`loader`] keeps it fresh. To add one more thing a call must know: a field of
//! `CatalogRows` in `lyss-repositories`, a map here.

pub mod handle;
pub mod loader;
pub mod picture;
pub mod prices;
mod system;

pub use handle::CatalogHandle;
pub use loader::{Loader, LoaderSettings, Prepare};
pub use picture::{Catalog, CatalogError, ChannelEntry, PolicyEntry, TenantEntry};
