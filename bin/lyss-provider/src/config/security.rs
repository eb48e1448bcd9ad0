//! `[security]`

use anyhow::{Result, bail};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SecuritySection {
    /// Master keys: 32 bytes in base64 or hex, or several as `id:key,id:key`, the first active. Unset with the embedded
    /// database: one is made in the data folder.
    pub(crate) encryption_key: Option<SecretText>,
    /// Signs tokens and verifies them; at least 32 bytes. Unset with the embedded database: one is made in the data
    /// folder.
    pub(crate) jwt_secret: Option<SecretText>,
}

/// A secret setting: cannot be printed, and is written as nothing.
pub(crate) struct SecretText(String);

/// Samples from manuals that people forget to change.
const SAMPLES: &[&str] = &["your-secret-key", "your-encryption-key", "changeme", "secret", "password"];

impl SecretText {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl SecuritySection {
    pub(crate) fn validate(&self) -> Result<()> {
        if let Some(secret) = &self.jwt_secret {
            if SAMPLES.iter().any(|sample| secret.0.contains(sample)) {
                bail!("security.jwt_secret (PROVIDER_SERVICE_JWT_SECRET) is a sample value");
            }
            if secret.0.len() < 32 {
                bail!("security.jwt_secret (PROVIDER_SERVICE_JWT_SECRET) is shorter than 32 bytes");
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_none()
    }
}
