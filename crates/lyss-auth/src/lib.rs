//! Who is calling: virtual keys and JSON web tokens, and what they allow. The only maker of `Caller` and `TenantScope`
//! besides the `system.rs` files named in `tests/it/house.rs`.
//!
//! The walk of a virtual key: [`extract()`] finds it in the headers; [`looks_valid`] turns away what was mistyped or is
//! no key of ours, before any look-up; the vault digests it and the catalog finds the entry by digest; [`authenticate()`]
//! makes the [`Caller`](lyss_domain::Caller), or [`principal_of_key`] the [`Principal`], or they say why not.
//!
//! The walk of a token: [`Tokens::verify`] reads it, chooses issuer and key, verifies it over ring, judges its claims
//! and answers the [`Principal`]; [`Principal::entitle`] makes the scope for one tenant, [`caller_of_token`] the
//! [`Caller`](lyss_domain::Caller). Keys of issuers that publish them are fetched through the
//! [`Transport`](lyss_wire::Transport) port, see [`key_set`].
//!
//! Must never know: a database, a runtime, a clock, randomness, sockets, an HTTP server. Headers come as names and bytes,
//! time and random bytes as arguments, digests ready-made, key sets through a port. The text of a refusal never tells an
//! unknown key from a revoked or an expired one, nor why a token is not valid; its code does, for logs. What could not
//! be found out is never called invalid.
//!
//! Start reading at [`key_text`], then [`mod@authenticate`]; for tokens at [`token`]. To add one more reason to refuse:
//! an arm of [`Refusal`] or [`TokenRefusal`], its code, its check. To add one more header that may carry a key: a line
//! of `PLAIN_HEADERS` in `extract.rs`. To add one more algorithm: an arm in `token/crypto.rs`, a way to read its keys in
//! `token/verifying_key.rs` and `key_set/jwk.rs`, a row in the matrix of `token/tests/matrix.rs`.

pub mod authenticate;
pub mod caller;
pub mod extract;
pub mod issue;
pub mod key_set;
pub mod key_text;
pub mod permission;
pub mod principal;
pub mod token;

pub use authenticate::{Refusal, authenticate, principal_of_key};
pub use caller::caller_of_token;
pub use extract::extract;
pub use issue::{CannotIssue, NewToken, issue};
pub use key_set::KeySetError;
pub use key_text::{key_hint, looks_valid, mint};
pub use permission::{Permission, Permissions};
pub use principal::{Credential, Denial, Home, Principal};
pub use token::{
    BadIssuer, Issuer, IssuerKeys, PublicAlgorithm, RefreshFailure, TokenRefusal, Tokens, install_crypto,
    looks_like_token,
};
