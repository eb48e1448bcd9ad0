//! Who may make tokens for us, as configured, and what of a configuration is refused.

use http::Uri;
use lyss_domain::Secret;

use super::verifying_key::{PublicAlgorithm, VerifyingKey};
use crate::key_set::KeySetSource;

/// RFC 7518, section 3.2: a key of the size of the hash, at least.
pub const SHORTEST_SECRET: usize = 32;
const LONGEST_LEEWAY_SECS: u32 = 300;

/// Somebody whose tokens are believed.
pub struct Issuer {
    /// What the token's `iss` must be; the one issuer without a name takes all tokens that name none of the others.
    pub name: Option<String>,
    /// What the token's `aud` must be or contain.
    pub audience: Option<String>,
    pub keys: IssuerKeys,
    /// How far its clock and ours may be apart.
    pub leeway_secs: u32,
}

pub enum IssuerKeys {
    /// HS256; at least [`SHORTEST_SECRET`] bytes.
    Secret(Secret),
    /// A public key in PEM, and the one algorithm it verifies by.
    PublicKey { pem: String, algorithm: PublicAlgorithm },
    /// Address of a JSON web key set, fetched when needed.
    KeySet { url: String },
}

/// Why a configuration of issuers is refused. Shows no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadIssuer {
    #[error("the secret for tokens must be at least {SHORTEST_SECRET} bytes long")]
    ShortSecret,
    #[error("the secret for tokens is a PEM block: keys that are no secret belong under a public key")]
    PemAsSecret,
    #[error("the PEM must hold one public key for {}, and nothing else", .0.as_str())]
    PublicKey(PublicAlgorithm),
    #[error("the address of a key set must be an http or https URL without a user name")]
    KeySetUrl,
    #[error("the leeway must be at most {LONGEST_LEEWAY_SECS} seconds")]
    Leeway,
    #[error("an issuer's name or audience is empty")]
    EmptyName,
    #[error("two issuers have the same name, or both have none")]
    SameName,
}

/// An issuer with its keys read.
pub(super) struct Trusted {
    pub(super) name: Option<String>,
    pub(super) audience: Option<String>,
    pub(super) leeway_secs: u32,
    pub(super) keys: Keys,
}

pub(super) enum Keys {
    One(VerifyingKey),
    Set(Box<KeySetSource>),
}

impl Issuer {
    pub const LEEWAY_SECS: u32 = 5;

    /// With nothing asked of `iss` and `aud`, and the usual leeway.
    pub fn new(keys: IssuerKeys) -> Self {
        Self { name: None, audience: None, keys, leeway_secs: Self::LEEWAY_SECS }
    }
}

pub(super) fn trust_all(issuers: Vec<Issuer>) -> Result<Vec<Trusted>, BadIssuer> {
    let mut trusted: Vec<Trusted> = Vec::with_capacity(issuers.len());
    for issuer in issuers {
        if trusted.iter().any(|other| other.name == issuer.name) {
            return Err(BadIssuer::SameName);
        }
        trusted.push(trust(issuer)?);
    }
    Ok(trusted)
}

fn trust(issuer: Issuer) -> Result<Trusted, BadIssuer> {
    let Issuer { name, audience, keys, leeway_secs } = issuer;
    if [&name, &audience].into_iter().flatten().any(String::is_empty) {
        return Err(BadIssuer::EmptyName);
    }
    if leeway_secs > LONGEST_LEEWAY_SECS {
        return Err(BadIssuer::Leeway);
    }
    let keys = match keys {
        IssuerKeys::Secret(secret) => {
            check_secret(&secret)?;
            Keys::One(VerifyingKey::shared(&secret))
        }
        IssuerKeys::PublicKey { pem, algorithm } => {
            Keys::One(VerifyingKey::from_pem(&pem, algorithm).ok_or(BadIssuer::PublicKey(algorithm))?)
        }
        IssuerKeys::KeySet { url } => Keys::Set(Box::new(KeySetSource::new(key_set_url(&url)?))),
    };
    Ok(Trusted { name, audience, leeway_secs, keys })
}

/// Whether a secret may sign and verify tokens at all.
#[expect(clippy::disallowed_methods, reason = "looks whether the secret is public by its form")]
pub(crate) fn check_secret(secret: &Secret) -> Result<(), BadIssuer> {
    if secret.len() < SHORTEST_SECRET {
        return Err(BadIssuer::ShortSecret);
    }
    if secret.expose().trim_ascii_start().starts_with(b"-----BEGIN") {
        return Err(BadIssuer::PemAsSecret);
    }
    Ok(())
}

/// The egress policy judges where it leads; here only its form counts.
fn key_set_url(url: &str) -> Result<Uri, BadIssuer> {
    let uri: Uri = url.parse().map_err(|_| BadIssuer::KeySetUrl)?;
    let by_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    if by_http && plain { Ok(uri) } else { Err(BadIssuer::KeySetUrl) }
}
