//! `[auth]`: whose tokens are believed.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use lyss_auth::{Issuer, IssuerKeys, PublicAlgorithm};
use lyss_domain::Secret;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AuthSection {
    /// What `iss` must be in tokens signed with `security.jwt_secret`; unset: tokens that name no other issuer.
    pub(crate) issuer: Option<String>,
    /// What `aud` must be or contain in them; unset: a token that has one is for somebody else, and refused.
    pub(crate) audience: Option<String>,
    /// How far an issuer's clock and ours may be apart.
    pub(crate) leeway_seconds: u32,
    /// Others whose tokens are believed, each with its public key or the address of its key set.
    pub(crate) issuers: Vec<IssuerSection>,
}

/// `[[auth.issuers]]`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssuerSection {
    /// Its tokens' `iss`.
    pub(crate) name: String,
    pub(crate) audience: Option<String>,
    /// Address of its JSON web key set.
    pub(crate) jwks_url: Option<String>,
    /// A PEM file with its public key, instead of a key set.
    pub(crate) public_key_file: Option<PathBuf>,
    /// RS256, ES256 or EdDSA; goes with `public_key_file`.
    pub(crate) algorithm: Option<String>,
}

impl Default for AuthSection {
    fn default() -> Self {
        Self { issuer: None, audience: None, leeway_seconds: Issuer::LEEWAY_SECS, issuers: Vec::new() }
    }
}

impl AuthSection {
    /// All issuers: the holder of the shared secret first, where there is one.
    pub(crate) fn issuers(&self, secret: Option<Secret>) -> Result<Vec<Issuer>> {
        let own = secret.map(|secret| Issuer {
            name: self.issuer.clone(),
            audience: self.audience.clone(),
            leeway_secs: self.leeway_seconds,
            keys: IssuerKeys::Secret(secret),
        });
        let others = self.issuers.iter().map(|section| {
            let keys = section.keys().with_context(|| format!("auth.issuers: {}", section.name))?;
            Ok(Issuer {
                name: Some(section.name.clone()),
                audience: section.audience.clone(),
                leeway_secs: self.leeway_seconds,
                keys,
            })
        });
        own.into_iter().map(Ok).chain(others).collect()
    }
}

impl IssuerSection {
    fn keys(&self) -> Result<IssuerKeys> {
        match (&self.jwks_url, &self.public_key_file, &self.algorithm) {
            (Some(url), None, None) => Ok(IssuerKeys::KeySet { url: url.clone() }),
            (None, Some(file), Some(algorithm)) => {
                let algorithm = PublicAlgorithm::parse(algorithm)
                    .context("algorithm is one of RS256, ES256 and EdDSA")?;
                let pem = fs::read_to_string(file)
                    .with_context(|| format!("public_key_file {} cannot be read", file.display()))?;
                Ok(IssuerKeys::PublicKey { pem, algorithm })
            }
            _ => bail!("give either jwks_url, or public_key_file together with algorithm"),
        }
    }
}
