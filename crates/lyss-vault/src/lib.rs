//! Envelope encryption, the ring of master keys, keyed digests, and randomness for everyone else.
//!
//! The hierarchy: a **master key** (from the setting, never stored) gives sub-keys by HKDF, one per use, and encrypts
//! nothing itself. A sub-key wraps a tenant's **data keys** and the service's **purpose keys**; a data key seals that
//! tenant's **credentials**. Every ciphertext is bound to what it is for, so moved to another row, tenant, address or
//! use it does not open. Old master keys open, the active one wraps: rotation re-wraps keys and touches no value.
//!
//! Must never know: a database, a file, an environment variable, a clock, a runtime, HTTP. It holds no state but the
//! ring, and whatever it makes is handed back to be stored. An error never carries a value, and says of a ciphertext
//! that does not open only that it does not. Out of its reach, and said so openly: root on the host, and a dump of a
//! live process's memory.
//!
//! Start reading at [`master_keys`] (the setting), then [`data_key`] and [`credential`] (what a call needs), then
//! [`purpose`]. To add one more purpose key: an arm of [`Purpose`] and its name. To add one more use of the master
//! key itself: an arm of `SubKey` in `cipher.rs`, with a label nobody used before; the tests then present its blobs to
//! every other opener.

pub mod credential;
pub mod data_key;
pub mod error;
pub mod import;
pub mod mac;
pub mod master_keys;
pub mod purpose;
pub mod random;

mod cipher;
#[cfg(test)]
mod sample;

pub use credential::{CredentialBinding, hint};
pub use data_key::{DataKey, Wrapped};
pub use error::VaultError;
pub use mac::{digest, mac, verify_mac};
pub use master_keys::{MasterKeys, generate_master_key};
pub use purpose::{Purpose, PurposeSecret};
pub use random::random;

/// Opens and seals with a ring of master keys. Make one per process and share it.
pub struct Vault {
    keys: MasterKeys,
}

impl Vault {
    pub fn new(keys: MasterKeys) -> Self {
        Self { keys }
    }

    pub fn master_keys(&self) -> &MasterKeys {
        &self.keys
    }

    /// Fills with bytes of the operating system's secure random source.
    pub fn fill(out: &mut [u8]) -> Result<(), VaultError> {
        random::fill(out)
    }
}
