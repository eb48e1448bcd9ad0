//! Purpose keys: random keys of the whole service, one per use, so that no key has two.

use ring::hmac::{self, HMAC_SHA256};
use zeroize::Zeroizing;

use crate::cipher::{KeyBytes, SubKey};
use crate::random::random;
use crate::{Vault, VaultError, Wrapped};

/// What a purpose key digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Virtual keys, for look-up.
    VirtualKey,
    /// The audit log's rows.
    AuditChain,
    /// Cursors of pages.
    Cursor,
}

/// The open key of one purpose. Wiped when dropped; has no `Debug`:
///
/// ```compile_fail,E0277
/// fn shows<T: std::fmt::Debug>() {}
/// shows::<lyss_vault::PurposeSecret>();
/// ```
pub struct PurposeSecret {
    purpose: Purpose,
    pub(crate) bytes: KeyBytes,
    /// Ready to digest: a call's key is digested once a call.
    pub(crate) hmac: hmac::Key,
}

impl Purpose {
    pub const ALL: [Self; 3] = [Self::VirtualKey, Self::AuditChain, Self::Cursor];

    /// The name it is stored under, and bound to. Changing one makes stored keys unreadable.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VirtualKey => "virtual_key",
            Self::AuditChain => "audit_chain",
            Self::Cursor => "cursor",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == text)
    }
}

impl PurposeSecret {
    fn new(purpose: Purpose, bytes: KeyBytes) -> Self {
        let hmac = hmac::Key::new(HMAC_SHA256, bytes.as_slice());
        Self { purpose, bytes, hmac }
    }

    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    #[cfg(test)]
    pub(crate) fn from_bytes(purpose: Purpose, bytes: [u8; 32]) -> Self {
        Self::new(purpose, Zeroizing::new(bytes))
    }
}

impl Vault {
    /// A new random key for a purpose, and the same wrapped under the active master key to be stored.
    pub fn new_purpose_key(&self, purpose: Purpose) -> Result<(PurposeSecret, Wrapped), VaultError> {
        let key = PurposeSecret::new(purpose, Zeroizing::new(random()?));
        let wrapped = self.wrap_purpose_key(&key)?;
        Ok((key, wrapped))
    }

    /// Opens a stored key. One that was made for another purpose is refused.
    pub fn unwrap_purpose_key(
        &self,
        purpose: Purpose,
        wrapped: &Wrapped,
    ) -> Result<PurposeSecret, VaultError> {
        let bytes = self.keys.unwrap(SubKey::PurposeKeys, &[purpose.as_str().as_bytes()], wrapped)?;
        Ok(PurposeSecret::new(purpose, bytes))
    }

    /// The same key under the active master key: digests made with it stay what they were.
    pub fn rewrap_purpose_key(&self, purpose: Purpose, wrapped: &Wrapped) -> Result<Wrapped, VaultError> {
        self.wrap_purpose_key(&self.unwrap_purpose_key(purpose, wrapped)?)
    }

    fn wrap_purpose_key(&self, key: &PurposeSecret) -> Result<Wrapped, VaultError> {
        self.keys.wrap(SubKey::PurposeKeys, &[key.purpose.as_str().as_bytes()], &key.bytes)
    }
}

#[cfg(test)]
mod tests;
