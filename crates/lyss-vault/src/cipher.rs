//! What everything here is made of: AES-256-GCM (NIST SP 800-38D) with a random nonce, HKDF-SHA-256 (RFC 5869), and a
//! way of writing several fields as bytes that no other fields can give.
//!
//! A sealed blob is one byte of format (1), 12 bytes of nonce, the ciphertext, 16 bytes of tag. Random nonces are safe
//! to about 2^32 messages per key; a data key seals one per change of a credential.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

use crate::VaultError;
use crate::random::random;

pub(crate) const KEY_LEN: usize = 32;
const FORMAT: u8 = 1;
const HEAD_LEN: usize = 1 + NONCE_LEN;
const TAG_LEN: usize = 16;
/// Sets our sub-keys apart from anything else derived from the same 32 bytes.
const SALT: &[u8] = b"lyss-vault";

/// 32 bytes of key, wiped when dropped.
pub(crate) type KeyBytes = Zeroizing<[u8; KEY_LEN]>;

/// What a sub-key of a master key is for. One label serves derivation and associated data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubKey {
    DataKeys,
    PurposeKeys,
    Seal,
    /// Encrypts nothing: its digest names a key that was given no id.
    Id,
}

impl SubKey {
    pub(crate) const fn label(self) -> &'static [u8] {
        match self {
            Self::DataKeys => b"lyss/dek/v1",
            Self::PurposeKeys => b"lyss/purpose/v1",
            Self::Seal => b"lyss/seal/v1",
            Self::Id => b"lyss/master-key-id/v1",
        }
    }

    pub(crate) fn derive(self, master: &KeyBytes) -> Result<KeyBytes, VaultError> {
        hkdf(SALT, master.as_slice(), self.label())
    }
}

/// Each field preceded by its length as 8 bytes, big-endian: different fields never give the same bytes.
pub(crate) fn frame(fields: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(fields.iter().map(|f| f.len() + 8).sum());
    for field in fields {
        out.extend_from_slice(&(field.len() as u64).to_be_bytes());
        out.extend_from_slice(field);
    }
    out
}

pub(crate) fn seal(key: &KeyBytes, bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    seal_with_nonce(key, random()?, bound_to, plain)
}

pub(crate) fn open(key: &KeyBytes, bound_to: &[u8], blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    open_with(&aes(key)?, bound_to, blob)
}

/// With a key that is scheduled already.
pub(crate) fn open_with(
    key: &LessSafeKey,
    bound_to: &[u8],
    blob: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let Some(([FORMAT, nonce @ ..], body)) = blob.split_first_chunk::<HEAD_LEN>() else {
        return Err(VaultError::Refused);
    };
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let mut buffer = Zeroizing::new(body.to_vec());
    let plain_len =
        key.open_in_place(nonce, Aad::from(bound_to), &mut buffer).map_err(|_| VaultError::Refused)?.len();
    buffer.truncate(plain_len);
    Ok(buffer)
}

/// Key material taken out of a blob.
pub(crate) fn open_key(key: &KeyBytes, bound_to: &[u8], blob: &[u8]) -> Result<KeyBytes, VaultError> {
    let plain = open(key, bound_to, blob)?;
    let bytes = plain.as_slice().try_into().map_err(|_| VaultError::Refused)?;
    Ok(Zeroizing::new(bytes))
}

/// Apart from [`seal`] so that a published vector can name its nonce. Nothing else may.
fn seal_with_nonce(
    key: &KeyBytes,
    nonce: [u8; NONCE_LEN],
    bound_to: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, VaultError> {
    // Room for all of it at once: growing would leave a copy of the plaintext behind.
    let mut out = Vec::with_capacity(HEAD_LEN + plain.len() + TAG_LEN);
    out.push(FORMAT);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(plain);
    let (_, body) = out.split_at_mut(HEAD_LEN);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let sealed = aes(key)?.seal_in_place_separate_tag(nonce, Aad::from(bound_to), body);
    let tag = sealed.map_err(|_| VaultError::Refused)?;
    out.extend_from_slice(tag.as_ref());
    Ok(out)
}

pub(crate) fn aes(key: &KeyBytes) -> Result<LessSafeKey, VaultError> {
    UnboundKey::new(&AES_256_GCM, key.as_slice()).map(LessSafeKey::new).map_err(|_| VaultError::Refused)
}

fn hkdf(salt: &[u8], input: &[u8], info: &[u8]) -> Result<KeyBytes, VaultError> {
    let mut out = Zeroizing::new([0; KEY_LEN]);
    Salt::new(HKDF_SHA256, salt)
        .extract(input)
        .expand(&[info], HKDF_SHA256)
        .and_then(|okm| okm.fill(out.as_mut_slice()))
        .map_err(|_| VaultError::Refused)?;
    Ok(out)
}

#[cfg(test)]
mod tests;
