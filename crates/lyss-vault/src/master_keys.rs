//! The ring of master keys and the setting it is written in.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::VaultError;
use crate::cipher::{self, KEY_LEN, KeyBytes, SubKey};
use crate::data_key::Wrapped;
use crate::mac::digest;
use crate::random::random;

const MAX_ID_LEN: usize = 32;

/// Words of samples and of hands. Eight characters and more: a random key holds none of them by chance.
const SAMPLE_WORDS: [&str; 14] = [
    "encryption",
    "changeme",
    "change-me",
    "change_me",
    "change-this",
    "change_this",
    "replace-me",
    "replace_me",
    "your-secret",
    "your_secret",
    "secret-key",
    "secret_key",
    "password",
    "lyss-provider",
];

/// A repetition of at most this many bytes is no key.
const LONGEST_PERIOD: usize = KEY_LEN / 2;

/// The active master key, which wraps, and those before it, which only open.
pub struct MasterKeys {
    active: MasterKey,
    others: Vec<MasterKey>,
}

pub(crate) struct MasterKey {
    id: String,
    bytes: KeyBytes,
}

impl MasterKeys {
    /// Reads the setting: one key as 32 bytes in base64 (either alphabet, padded or not) or hex, or several as
    /// `id:key,id:key`, the first active. A key without id gets one derived from it, eight hex digits.
    ///
    /// Refuses what is empty, of another length, a sample, text repeated, a sequence, or there twice.
    pub fn parse(setting: &str) -> Result<Self, VaultError> {
        let setting = setting.trim();
        if setting.is_empty() {
            return Err(VaultError::NoMasterKey);
        }
        let mut keys: Vec<MasterKey> = Vec::new();
        let alone = !setting.contains(',');
        for (position, item) in (1..).zip(setting.split(',')) {
            let key = parse_item(item.trim(), alone, position)?;
            if keys.iter().any(|k| k.id == key.id || *k.bytes == *key.bytes) {
                return Err(VaultError::MasterKeyTwice { position });
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let active = keys.next().ok_or(VaultError::NoMasterKey)?;
        Ok(Self { active, others: keys.collect() })
    }

    pub fn active_id(&self) -> &str {
        &self.active.id
    }

    /// The active one first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.all().map(|key| key.id.as_str())
    }

    pub fn has(&self, id: &str) -> bool {
        self.ids().any(|known| known == id)
    }

    pub(crate) fn active(&self) -> &MasterKey {
        &self.active
    }

    pub(crate) fn get(&self, id: &str) -> Result<&MasterKey, VaultError> {
        self.all().find(|key| key.id == id).ok_or_else(|| VaultError::UnknownMasterKey(id.to_owned()))
    }

    pub(crate) fn wrap(&self, sub: SubKey, fields: &[&[u8]], key: &KeyBytes) -> Result<Wrapped, VaultError> {
        let bytes = self.active.seal(sub, fields, key.as_slice())?;
        Ok(Wrapped { master_key_id: self.active.id.clone(), bytes })
    }

    pub(crate) fn unwrap(
        &self,
        sub: SubKey,
        fields: &[&[u8]],
        wrapped: &Wrapped,
    ) -> Result<KeyBytes, VaultError> {
        let master = self.get(&wrapped.master_key_id)?;
        cipher::open_key(&sub.derive(&master.bytes)?, &master.bound_to(sub, fields), &wrapped.bytes)
    }

    fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.active).chain(&self.others)
    }
}

impl MasterKey {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn seal(&self, sub: SubKey, fields: &[&[u8]], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        cipher::seal(&sub.derive(&self.bytes)?, &self.bound_to(sub, fields), plain)
    }

    pub(crate) fn open(
        &self,
        sub: SubKey,
        fields: &[&[u8]],
        blob: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        cipher::open(&sub.derive(&self.bytes)?, &self.bound_to(sub, fields), blob)
    }

    /// Associated data: the use, the fields, this key's id.
    fn bound_to(&self, sub: SubKey, fields: &[&[u8]]) -> Vec<u8> {
        let all: Vec<&[u8]> =
            [sub.label()].into_iter().chain(fields.iter().copied()).chain([self.id.as_bytes()]).collect();
        cipher::frame(&all)
    }
}

/// A new master key for the setting: 32 random bytes in base64. It is meant to be shown once to whoever asked for it.
pub fn generate_master_key() -> Result<String, VaultError> {
    let key = Zeroizing::new(random::<KEY_LEN>()?);
    Ok(STANDARD.encode(*key))
}

/// Whether a text may name a master key.
pub(crate) fn is_id(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=MAX_ID_LEN).contains(&text.len()) && text.bytes().all(allowed)
}

fn parse_item(item: &str, alone: bool, position: usize) -> Result<MasterKey, VaultError> {
    match item.split_once(':') {
        Some((id, key)) if is_id(id.trim()) => {
            Ok(MasterKey { id: id.trim().to_owned(), bytes: parse_key(key.trim(), position)? })
        }
        None if alone => {
            let bytes = parse_key(item, position)?;
            Ok(MasterKey { id: derived_id(&bytes)?, bytes })
        }
        _ => Err(VaultError::MasterKeyId { position }),
    }
}

fn parse_key(text: &str, position: usize) -> Result<KeyBytes, VaultError> {
    if has_sample_word(text.as_bytes()) {
        return Err(VaultError::MasterKeyWeak { position });
    }
    let decoded = if text.len() == KEY_LEN * 2 { hex::decode(text).ok() } else { decode_base64(text) };
    let decoded = Zeroizing::new(decoded.ok_or(VaultError::MasterKeyFormat { position })?);
    let bytes: KeyBytes = match decoded.as_slice().try_into() {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(_) => return Err(VaultError::MasterKeyFormat { position }),
    };
    if has_sample_word(bytes.as_slice()) || repeats(&bytes) || counts(&bytes) {
        return Err(VaultError::MasterKeyWeak { position });
    }
    Ok(bytes)
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .find_map(|letters| GeneralPurpose::new(letters, config).decode(text).ok())
}

fn has_sample_word(bytes: &[u8]) -> bool {
    SAMPLE_WORDS.iter().any(|word| bytes.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word.as_bytes())))
}

fn repeats(bytes: &KeyBytes) -> bool {
    (1..=LONGEST_PERIOD).any(|period| bytes.iter().zip(bytes.iter().skip(period)).all(|(a, b)| a == b))
}

/// `00 01 02 …`, and every other sequence with one step throughout.
fn counts(bytes: &KeyBytes) -> bool {
    let mut steps = bytes.iter().zip(bytes.iter().skip(1)).map(|(a, b)| b.wrapping_sub(*a));
    let first = steps.next();
    steps.all(|step| Some(step) == first)
}

fn derived_id(bytes: &KeyBytes) -> Result<String, VaultError> {
    let mut id = hex::encode(digest(SubKey::Id.derive(bytes)?.as_slice()));
    id.truncate(8);
    Ok(id)
}

#[cfg(test)]
mod tests;
