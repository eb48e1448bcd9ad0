//! What can go wrong. No text here contains a key, a plaintext or a ciphertext.

/// `position` counts the keys of the setting from 1.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum VaultError {
    #[error("no encryption key is set; `lyss-provider keys generate` prints one")]
    NoMasterKey,
    #[error("encryption key {position} is not 32 bytes in base64 or hex")]
    MasterKeyFormat { position: usize },
    #[error(
        "encryption key {position} is a sample, a text or a repetition; \
             `lyss-provider keys generate` prints a real one"
    )]
    MasterKeyWeak { position: usize },
    #[error(
        "encryption key {position} has no usable id: \
             several keys are written `id:key,id:key`, an id being 1 to 32 of \
             a-z, A-Z, 0-9, '-', '_' and '.'"
    )]
    MasterKeyId { position: usize },
    #[error("encryption key {position} has the id or the value of an earlier one")]
    MasterKeyTwice { position: usize },
    #[error("the master key `{0}` is not among the configured encryption keys")]
    UnknownMasterKey(String),
    /// Another key, another binding, another purpose or a changed byte: which one is not said.
    #[error("it does not open with this key for this use")]
    Refused,
    #[error(
        "this is not a value made by `lyss-provider seal`; \
             values sealed by pgcrypto are brought in with `lyss-provider import pgcrypto`"
    )]
    NotOurs,
    #[error("the operating system's random source failed")]
    NoRandomness,
}
