//! A tenant's data keys: what its credentials are sealed with.

use lyss_domain::TenantId;
use ring::aead::LessSafeKey;
use zeroize::Zeroizing;

use crate::cipher::{self, KeyBytes, SubKey};
use crate::random::random;
use crate::{Vault, VaultError};

/// A tenant's data key, open. Wiped when dropped; has no `Debug`:
///
/// ```compile_fail,E0277
/// fn shows<T: std::fmt::Debug>() {}
/// shows::<lyss_vault::DataKey>();
/// ```
pub struct DataKey {
    pub(crate) tenant: TenantId,
    pub(crate) version: i32,
    pub(crate) bytes: KeyBytes,
    /// Ready for use: a call opens a credential, and the key schedule is half of that work.
    pub(crate) cipher: LessSafeKey,
}

/// A data key or purpose key as it rests: ciphertext, and the id of the master key that opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped {
    pub master_key_id: String,
    pub bytes: Vec<u8>,
}

impl DataKey {
    pub(crate) fn new(tenant: TenantId, version: i32, bytes: KeyBytes) -> Result<Self, VaultError> {
        let cipher = cipher::aes(&bytes)?;
        Ok(Self { tenant, version, bytes, cipher })
    }
}

impl Vault {
    /// A new random data key, and the same wrapped under the active master key to be stored.
    pub fn new_data_key(&self, tenant: TenantId, version: i32) -> Result<(DataKey, Wrapped), VaultError> {
        let key = DataKey::new(tenant, version, Zeroizing::new(random()?))?;
        let wrapped = self.wrap_data_key(&key)?;
        Ok((key, wrapped))
    }

    /// Opens a stored data key with whichever master key wrapped it.
    pub fn unwrap_data_key(
        &self,
        tenant: TenantId,
        version: i32,
        wrapped: &Wrapped,
    ) -> Result<DataKey, VaultError> {
        let version_bytes = version.to_be_bytes();
        let fields = [tenant.0.as_bytes().as_slice(), &version_bytes];
        let bytes = self.keys.unwrap(SubKey::DataKeys, &fields, wrapped)?;
        DataKey::new(tenant, version, bytes)
    }

    /// The same data key under the active master key. What it seals is not touched.
    pub fn rewrap_data_key(
        &self,
        tenant: TenantId,
        version: i32,
        wrapped: &Wrapped,
    ) -> Result<Wrapped, VaultError> {
        self.wrap_data_key(&self.unwrap_data_key(tenant, version, wrapped)?)
    }

    fn wrap_data_key(&self, key: &DataKey) -> Result<Wrapped, VaultError> {
        let fields = [key.tenant.0.as_bytes().as_slice(), &key.version.to_be_bytes()];
        self.keys.wrap(SubKey::DataKeys, &fields, &key.bytes)
    }
}

#[cfg(test)]
mod tests;
