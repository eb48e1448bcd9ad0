//! What tests share: a database per test, the conformance suite every store must pass, samples of every stored
//! thing, a clock that stands still, a transport that plays a script.
//!
//! Must never know: production code's secrets or settings, a network beyond loopback. Never a dependency of what is
//! shipped; environment and clock are allowed here.
//!
//! Start reading at [`database`], then [`conformance`]. To add a case: one `pub async fn` in the file of its
//! aggregate under `conformance/`, and its name in the list of `tests/it/storage.rs`.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test support"
)]

pub mod clock;
pub mod conformance;
pub mod database;
pub mod samples;
pub mod transport;

pub use clock::ManualClock;
pub use database::TestDatabase;
