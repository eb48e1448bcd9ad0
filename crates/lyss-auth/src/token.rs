//! JSON web tokens: from the bytes a caller sent to the principal they prove.
//!
//! Who made a token is read from its `iss`; which key and which algorithm verify it is decided by that issuer's
//! configuration and by `kid`. The token's own `alg` may only agree, and a header that brings a key or the address of
//! one (`jwk`, `jku`, `x5c`, `x5u`) is refused.

mod cache;
pub(crate) mod claims;
mod crypto;
mod issuer;
mod parts;
pub(crate) mod verifying_key;

use futures_util::future::join_all;
use lyss_domain::Timestamp;
use lyss_wire::Transport;

use self::cache::{Cache, Fingerprint};
use self::claims::{Claims, Expected};
pub use self::crypto::install_crypto;
pub(crate) use self::issuer::check_secret;
pub use self::issuer::{BadIssuer, Issuer, IssuerKeys, SHORTEST_SECRET};
use self::issuer::{Keys, Trusted};
pub use self::parts::LONGEST_TOKEN;
use self::parts::Parts;
pub use self::verifying_key::PublicAlgorithm;
use crate::key_set::KeySetError;
use crate::principal::{Home, Principal};

/// Verifies tokens of the configured issuers. Make one per process and share it.
pub struct Tokens {
    issuers: Vec<Trusted>,
    cache: Cache,
}

/// Why a token is turned away. `Display` is what the caller may be told; [`TokenRefusal::code`] is for logs, counters
/// and the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenRefusal {
    #[error("the token is not valid")]
    TooLong,
    /// Not three base64url parts, the first two of them JSON objects.
    #[error("the token is not valid")]
    Malformed,
    /// The header brings its own key, or asks for what we do not do.
    #[error("the token is not valid")]
    ForbiddenHeader,
    #[error("the token is not valid")]
    UnknownIssuer,
    /// `alg` is not that of the issuer's key.
    #[error("the token is not valid")]
    WrongAlgorithm,
    /// The issuer's key set, looked at just now, has no key of this `kid`.
    #[error("the token is not valid")]
    UnknownKey,
    #[error("the token is not valid")]
    WrongSignature,
    /// Missing, of the wrong type, or of no value it may have.
    #[error("the token is not valid")]
    Claim(Claim),
    #[error("the token is not valid")]
    WrongAudience,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid")]
    NotYetValid,
    #[error("the token is not valid")]
    IssuedInFuture,
    #[error("the token is not valid")]
    UnknownTenant,
    /// The issuer's keys cannot be had: nothing is known about the token, least of all that it is invalid. A 503.
    #[error("tokens cannot be verified at the moment")]
    Unavailable,
}

/// A claim that can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    Subject,
    Expiry,
    IssuedAt,
    NotBefore,
    Role,
    Tenant,
    Issuer,
    Audience,
}

/// A refresh that failed; the keys fetched before stay in force for their hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshFailure {
    /// Name of the issuer, as configured.
    pub issuer: Option<String>,
    pub error: KeySetError,
}

impl TokenRefusal {
    /// Tells apart what the caller is not told apart: never sent to it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::ForbiddenHeader => "forbidden_header",
            Self::UnknownIssuer => "unknown_issuer",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::UnknownKey => "unknown_key",
            Self::WrongSignature => "wrong_signature",
            Self::Claim(claim) => claim.code(),
            Self::WrongAudience => "wrong_audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "issued_in_future",
            Self::UnknownTenant => "unknown_tenant",
            Self::Unavailable => "unavailable",
        }
    }
}

impl Claim {
    const fn code(self) -> &'static str {
        match self {
            Self::Subject => "claim_sub",
            Self::Expiry => "claim_exp",
            Self::IssuedAt => "claim_iat",
            Self::NotBefore => "claim_nbf",
            Self::Role => "claim_role",
            Self::Tenant => "claim_tenant_id",
            Self::Issuer => "claim_iss",
            Self::Audience => "claim_aud",
        }
    }
}

impl Tokens {
    /// Reads every key now, so that a bad one stops the start and not the first caller.
    pub fn new(issuers: Vec<Issuer>) -> Result<Self, BadIssuer> {
        install_crypto();
        Ok(Self { issuers: issuer::trust_all(issuers)?, cache: Cache::default() })
    }

    /// Who the token proves. `resolve` answers the tenant for what the token names it by, id or slug, and `None` for
    /// a tenant that is not there (any more).
    ///
    /// Waits for nothing unless the issuer's keys come from a key set that must be fetched through `transport`.
    pub async fn verify(
        &self,
        token: &[u8],
        now: Timestamp,
        transport: &dyn Transport,
        resolve: impl Fn(&str) -> Option<Home>,
    ) -> Result<Principal, TokenRefusal> {
        if let Some(known) = self.verify_cached(token, now, &resolve) {
            return known;
        }
        let parts = parts::read(token)?;
        let (place, issuer) = self.issuer_of(&parts)?;
        let (claims, generation) = issuer.verify(&parts, now, transport).await?;
        if let Some(fingerprint) = Fingerprint::of(token) {
            self.cache.put(fingerprint, place, generation, claims.clone(), now);
        }
        claims.principal(&resolve)
    }

    /// The same for a token that was verified within the last minute; `None` when it must be verified (again).
    pub fn verify_cached(
        &self,
        token: &[u8],
        now: Timestamp,
        resolve: &impl Fn(&str) -> Option<Home>,
    ) -> Option<Result<Principal, TokenRefusal>> {
        if !looks_like_token(token) {
            return None;
        }
        let verified = self.cache.get(Fingerprint::of(token)?, now)?;
        let current = self.issuers.get(verified.issuer)?.keys.generation();
        (verified.generation == current).then(|| verified.claims.principal(resolve))
    }

    /// Fetches the key sets that are no longer fresh, or were never fetched; to be called every few seconds, so that no
    /// caller has to wait for it. How often a fetch is tried is limited here.
    pub async fn refresh_due(&self, now: Timestamp, transport: &dyn Transport) -> Vec<RefreshFailure> {
        let refreshes = self.issuers.iter().filter_map(|issuer| match &issuer.keys {
            Keys::One(_) => None,
            Keys::Set(source) => Some(async move {
                let error = source.refresh_due(now, transport).await.err()?;
                Some(RefreshFailure { issuer: issuer.name.clone(), error })
            }),
        });
        join_all(refreshes).await.into_iter().flatten().collect()
    }

    /// By the name the token gives, else the issuer that has none.
    fn issuer_of(&self, parts: &Parts<'_>) -> Result<(usize, &Trusted), TokenRefusal> {
        let named = parts.claims.issuer()?;
        let by_name = |name: Option<&str>| {
            self.issuers.iter().enumerate().find(|(_, issuer)| issuer.name.as_deref() == name)
        };
        by_name(named).or_else(|| by_name(None)).ok_or(TokenRefusal::UnknownIssuer)
    }
}

impl Trusted {
    /// The claims, and the generation of the keys that proved them.
    async fn verify(
        &self,
        parts: &Parts<'_>,
        now: Timestamp,
        transport: &dyn Transport,
    ) -> Result<(Claims, u64), TokenRefusal> {
        let check =
            |key: &verifying_key::VerifyingKey| key.verify(parts.message, parts.signature, &parts.header.alg);
        let generation = match &self.keys {
            Keys::One(key) => {
                check(key)?;
                0
            }
            Keys::Set(source) => {
                let found = source.find(parts.header.kid.as_deref(), now, transport).await?;
                check(&found.key)?;
                found.generation
            }
        };
        let expected = Expected { audience: self.audience.as_deref(), leeway_secs: self.leeway_secs };
        Ok((parts.claims.judge(&expected, now)?, generation))
    }
}

impl Keys {
    fn generation(&self) -> u64 {
        match self {
            Self::One(_) => 0,
            Self::Set(source) => source.generation(),
        }
    }
}

/// Whether this has the outer form of a token, which no virtual key has. It says nothing about its worth.
pub fn looks_like_token(text: &[u8]) -> bool {
    text.len() <= LONGEST_TOKEN && text.iter().filter(|byte| **byte == b'.').count() == 2
}

#[cfg(test)]
pub(crate) mod tests;
