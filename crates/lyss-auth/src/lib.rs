//! Who is calling: virtual keys, and what they allow. The only maker of `Caller` and `TenantScope` besides the
//! `system.rs` files named in `tests/it/house.rs`.
//!
//! The walk of a virtual key: [`extract()`] finds it in the headers; [`looks_valid`] turns away what was mistyped or is
//! no key of ours, before any look-up; the vault digests it and the catalog finds the entry by digest; [`authenticate()`]
//! makes the [`Caller`](lyss_domain::Caller), or says why not.
//!
//! Must never know: a database, a runtime, a clock, randomness, HTTP types. Headers come as names and bytes, time and
//! random bytes as arguments, digests ready-made. The text of a refusal never tells an unknown key from a revoked or an
//! expired one.
//!
//! Start reading at [`key_text`], then [`mod@authenticate`]. To add one more reason to refuse: an arm of
//! [`Refusal`], its code, its check. To add one more header that may carry a key: a line of `PLAIN_HEADERS` in
//! `extract.rs`. JSON web tokens get modules of their own beside these.

pub mod authenticate;
pub mod extract;
pub mod key_text;
pub mod permission;
pub mod principal;

pub use authenticate::{Refusal, authenticate, principal_of_key};
pub use extract::extract;
pub use key_text::{key_hint, looks_valid, mint};
pub use permission::{Permission, Permissions};
pub use principal::{Credential, Denial, Principal};
