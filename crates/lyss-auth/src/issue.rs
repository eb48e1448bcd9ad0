//! Tokens of our own making: the first administrator's, and those of `lyss-provider token issue`.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use lyss_domain::{Role, Secret, Timestamp};
use serde::Serialize;

use crate::token::claims::is_subject;
use crate::token::{BadIssuer, check_secret, install_crypto};

/// What a new token says.
#[derive(Clone, Copy, Debug)]
pub struct NewToken<'a> {
    /// 1 to 255 bytes without control characters, not beginning with `key:`.
    pub subject: &'a str,
    pub role: Role,
    /// Id or slug; absent for a platform administrator, and only there.
    pub tenant: Option<&'a str>,
    pub issued_at: Timestamp,
    /// Whole seconds count; at least one.
    pub lifetime: Duration,
    pub issuer: Option<&'a str>,
    pub audience: Option<&'a str>,
    /// `jti`: so that somebody can tell two tokens of one subject apart.
    pub id: Option<&'a str>,
    /// `kid`.
    pub key_id: Option<&'a str>,
}

/// Why no token was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotIssue {
    #[error(transparent)]
    Secret(#[from] BadIssuer),
    #[error("a subject is 1 to 255 bytes without control characters and does not begin with 'key:'")]
    Subject,
    #[error("every role but platform_admin needs a tenant, and platform_admin has none")]
    Tenant,
    #[error("a token must be valid for at least a second")]
    Lifetime,
    #[error("the token could not be signed")]
    Signing,
}

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<&'a str>,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<&'a str>,
}

/// Writes and signs a token (HS256). It opens what its role may do until it expires, so it is a secret itself.
#[expect(clippy::disallowed_methods, reason = "this is where the shared secret signs")]
pub fn issue(secret: &Secret, token: &NewToken<'_>) -> Result<Secret, CannotIssue> {
    check_secret(secret)?;
    if !is_subject(token.subject) {
        return Err(CannotIssue::Subject);
    }
    if token.tenant.is_none_or(str::is_empty) != (token.role == Role::PlatformAdmin) {
        return Err(CannotIssue::Tenant);
    }
    let iat = token.issued_at.as_secs();
    let exp = token.issued_at.after(token.lifetime).as_secs();
    if token.lifetime < Duration::from_secs(1) {
        return Err(CannotIssue::Lifetime);
    }
    let claims = Claims {
        sub: token.subject,
        role: token.role.as_str(),
        tenant_id: token.tenant,
        iat,
        exp,
        iss: token.issuer,
        aud: token.audience,
        jti: token.id,
    };
    let mut header = Header::new(Algorithm::HS256);
    header.kid = token.key_id.map(str::to_owned);
    install_crypto();
    let key = EncodingKey::from_secret(secret.expose());
    encode(&header, &claims, &key).map(Secret::from).map_err(|_| CannotIssue::Signing)
}

#[cfg(test)]
mod tests;
