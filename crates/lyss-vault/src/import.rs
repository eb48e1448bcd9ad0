//! Values sealed by hand: `lyss-provider seal` writes a text that may travel through files and chats, and the server
//! opens it once, to seal it again for its channel.
//!
//! The text is `lyss-sealed-v1.` and, in base64url without padding, one byte of length, the master key's id, and a
//! sealed blob. It is bound to the tenant and the origin it was made for.

use std::mem;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lyss_domain::Secret;

use crate::cipher::SubKey;
use crate::master_keys::is_id;
use crate::{Vault, VaultError};

const PREFIX: &str = "lyss-sealed-v1.";

impl Vault {
    /// `tenant` and `origin` are bound as they are written: whoever opens it must write them the same way.
    #[expect(clippy::disallowed_methods, reason = "sealing is what the value was given for")]
    pub fn seal_for_import(&self, tenant: &str, origin: &str, secret: &Secret) -> Result<String, VaultError> {
        let master = self.keys.active();
        let fields = [tenant.as_bytes(), origin.as_bytes()];
        let blob = master.seal(SubKey::Seal, &fields, secret.expose())?;
        // An id is at most 32 bytes long.
        let id_len = u8::try_from(master.id().len()).map_err(|_| VaultError::Refused)?;
        let body = [&[id_len], master.id().as_bytes(), &blob].concat();
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(body)))
    }

    /// Opens it with the master key it names.
    ///
    /// [`VaultError::NotOurs`] where `seal` did not write it, [`VaultError::UnknownMasterKey`] where the key it names
    /// is not configured, [`VaultError::Refused`] for another tenant, another origin or a changed byte.
    pub fn open_import(&self, tenant: &str, origin: &str, text: &str) -> Result<Secret, VaultError> {
        let body = text.trim().strip_prefix(PREFIX).ok_or(VaultError::NotOurs)?;
        let body = URL_SAFE_NO_PAD.decode(body).map_err(|_| VaultError::NotOurs)?;
        let (id, blob) = split_id(&body).ok_or(VaultError::NotOurs)?;
        let fields = [tenant.as_bytes(), origin.as_bytes()];
        let mut plain = self.keys.get(id)?.open(SubKey::Seal, &fields, blob)?;
        Ok(Secret::new(mem::take(&mut *plain)))
    }
}

fn split_id(body: &[u8]) -> Option<(&str, &[u8])> {
    let (id_len, rest) = body.split_first()?;
    let (id, blob) = rest.split_at_checked(usize::from(*id_len))?;
    let id = std::str::from_utf8(id).ok().filter(|id| is_id(id))?;
    Some((id, blob))
}

#[cfg(test)]
mod tests;
