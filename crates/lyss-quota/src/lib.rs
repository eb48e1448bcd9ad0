//! Budgets that hold: what may still be used of a quota, and how fast.
//!
//! Two halves. **Budgets** ([`quotas`]): a call reserves its worst case on every account that counts it, all or none,
//! before anything is sent; sending makes the reservation a debt; the real use settles it. Units come from a
//! [`LeaseStore`], which never hands out more than the limit. **Rate windows** ([`rate`]): so much per minute, taken
//! from a [`RateStore`].
//!
//! Must never know: a clock, a runtime, a database, Redis, HTTP. Time is passed in; only stores are awaited. No float
//! enters: units are `i64`, checked, and one amount is at most [`MAX_AMOUNT`]. The window's start is part of an
//! account's name, so nothing is ever reset.
//!
//! Start reading at [`budget`] (the words), then [`quotas`] (the engine), then [`hold`] (how a reservation ends). The
//! stores here, [`MemoryLeaseStore`] and [`MemoryRateStore`], are the truth of a single process. Others come elsewhere
//! behind the same ports: the database ledger's `LeaseStore` (blocks, epochs, expiry) in `lyss-repositories-sql`, and
//! in `lyss-redis` a `RateStore` that leases each replica a slice of a window, so that Redis is called only when a
//! slice is empty. To add one more unit: an arm of [`Unit`], its field in [`Spend`], its line in [`Spend::of`].

pub mod budget;
pub mod hold;
pub mod lease;
pub mod memory_lease;
pub mod memory_rate;
pub mod quotas;
pub mod rate;

mod block;

pub use budget::{Account, Demand, Figures, MAX_AMOUNT, QuotaRefusal, Remaining, Spend, Unit};
pub use hold::{Dispatched, Reservation, Settled};
pub use lease::{LeaseError, LeaseGrant, LeaseStore};
pub use memory_lease::MemoryLeaseStore;
pub use memory_rate::MemoryRateStore;
pub use quotas::Quotas;
pub use rate::{RateAsk, RateError, RateState, RateStore, RateSubject, RateUnit, RateVerdict};
