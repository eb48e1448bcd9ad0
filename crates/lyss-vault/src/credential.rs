//! Channels' credentials: sealed with the tenant's data key, bound to where they may be sent.
//!
//! The plaintext is the vendor's API key itself, byte for byte. Opening costs under a microsecond, so a snapshot holds
//! ciphertext and a call opens it for itself.

use std::mem;

use lyss_domain::{ChannelId, Secret, TenantId};

use crate::cipher;
use crate::{DataKey, Vault, VaultError};

const LABEL: &[u8] = b"lyss/cred/v1";

/// Shorter secrets show none of themselves.
const HINTED_FROM_LEN: usize = 12;

/// What a sealed credential belongs to. Opened with any other value in any field, it is refused; so a changed
/// address, or a row copied to another tenant, gives no key away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialBinding<'a> {
    pub tenant: TenantId,
    pub channel: ChannelId,
    pub provider: &'a str,
    /// `scheme://host:port`, always written the same way.
    pub origin: &'a str,
    pub data_key_version: i32,
    pub credential_version: i32,
}

impl CredentialBinding<'_> {
    fn bytes(&self) -> Vec<u8> {
        cipher::frame(&[
            LABEL,
            self.tenant.0.as_bytes(),
            self.channel.0.as_bytes(),
            self.provider.as_bytes(),
            self.origin.as_bytes(),
            &self.data_key_version.to_be_bytes(),
            &self.credential_version.to_be_bytes(),
        ])
    }

    /// Whether this is the key the binding names: sealed with another, the credential would never open again.
    fn names(&self, key: &DataKey) -> bool {
        self.tenant == key.tenant && self.data_key_version == key.version
    }
}

impl Vault {
    #[expect(clippy::disallowed_methods, reason = "sealing is what a credential's plaintext is for")]
    pub fn seal_credential(
        &self,
        key: &DataKey,
        binding: &CredentialBinding<'_>,
        secret: &Secret,
    ) -> Result<Vec<u8>, VaultError> {
        if !binding.names(key) {
            return Err(VaultError::Refused);
        }
        cipher::seal(&key.bytes, &binding.bytes(), secret.expose())
    }

    /// [`VaultError::Refused`] for any other binding, any other key and any changed byte, without saying which.
    pub fn open_credential(
        &self,
        key: &DataKey,
        binding: &CredentialBinding<'_>,
        sealed: &[u8],
    ) -> Result<Secret, VaultError> {
        let mut plain = cipher::open_with(&key.cipher, &binding.bytes(), sealed)?;
        Ok(Secret::new(mem::take(&mut *plain)))
    }
}

/// What a person may see of a vendor's key: `…` and its last four characters, or only `…` where the key is shorter
/// than 12 bytes or does not end in four visible ASCII characters.
#[expect(
    clippy::disallowed_methods,
    reason = "four characters of at least twelve are shown to tell keys apart"
)]
pub fn hint(secret: &Secret) -> String {
    let mut hint = String::from("…");
    if secret.len() >= HINTED_FROM_LEN
        && let Some(end) = secret.expose().last_chunk::<4>()
        && end.iter().all(u8::is_ascii_graphic)
    {
        hint.extend(end.iter().map(|b| char::from(*b)));
    }
    hint
}

#[cfg(test)]
mod tests;
