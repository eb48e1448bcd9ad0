//! What a token says, read strictly: a claim of another type than it should have is a refusal, never an absence.
//!
//! `jsonwebtoken` lets wrong-typed `iss`, `aud`, `sub` and fractional times pass and reads the machine's clock, so only
//! its signatures are used and the claims are judged here.

use lyss_domain::{Role, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::parts::given;
use super::{Claim, TokenRefusal};
use crate::permission::of_role;
use crate::principal::{Credential, Home, KEY_NAME_PREFIX, Principal};

const LONGEST_SUBJECT: usize = 255;
const LONGEST_TENANT: usize = 255;
/// The year 9999, in seconds: what comes later is a number of another unit.
const LATEST_TIME: u64 = 253_402_300_799;
/// How far ahead of ours, beyond the leeway, the clock of an issuer may be.
const ISSUED_AHEAD_SECS: i64 = 60;

/// A claim given twice does not deserialise.
#[derive(Deserialize)]
pub(crate) struct RawClaims {
    #[serde(default, deserialize_with = "given")]
    sub: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    exp: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    iat: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    nbf: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    role: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    tenant_id: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    iss: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    aud: Option<Value>,
}

/// Claims of a token that was verified, as long as it has not expired.
#[derive(Clone)]
pub(crate) struct Claims {
    subject: String,
    role: Role,
    /// Id or slug; `None` for a platform administrator only.
    tenant: Option<String>,
    /// The latest moment at which it can have been issued, by a clock within the leeway.
    issued_by: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// What the issuer's configuration asks of its tokens' claims.
pub(crate) struct Expected<'a> {
    pub(crate) audience: Option<&'a str>,
    pub(crate) leeway_secs: u32,
}

impl RawClaims {
    /// Who says it made this token; nothing is proven yet.
    pub(crate) fn issuer(&self) -> Result<Option<&str>, TokenRefusal> {
        self.iss.as_ref().map(|value| text(value, Claim::Issuer)).transpose()
    }

    /// Judges the claims of a token whose signature holds.
    pub(crate) fn judge(&self, expected: &Expected<'_>, now: Timestamp) -> Result<Claims, TokenRefusal> {
        let subject = text(required(self.sub.as_ref(), Claim::Subject)?, Claim::Subject)?;
        let expires = seconds(required(self.exp.as_ref(), Claim::Expiry)?, Claim::Expiry)?;
        let issued = seconds(required(self.iat.as_ref(), Claim::IssuedAt)?, Claim::IssuedAt)?;
        let begins = self.nbf.as_ref().map(|value| seconds(value, Claim::NotBefore)).transpose()?;
        let role = text(required(self.role.as_ref(), Claim::Role)?, Claim::Role)?;
        let role = Role::parse(role).ok_or(TokenRefusal::Claim(Claim::Role))?;
        if !is_subject(subject) {
            return Err(TokenRefusal::Claim(Claim::Subject));
        }
        let tenant = self.tenant(role)?;
        self.check_audience(expected.audience)?;

        let leeway = i64::from(expected.leeway_secs);
        let now_secs = now.as_secs();
        if now_secs >= expires.saturating_add(leeway) {
            return Err(TokenRefusal::Expired);
        }
        if begins.is_some_and(|begins| begins > now_secs.saturating_add(leeway)) {
            return Err(TokenRefusal::NotYetValid);
        }
        if issued > now_secs.saturating_add(leeway + ISSUED_AHEAD_SECS) {
            return Err(TokenRefusal::IssuedInFuture);
        }
        let expires_at = Timestamp::from_millis(expires.saturating_mul(1_000));
        // A claim counts whole seconds: it may have been issued up to a second later.
        let issued_by = Timestamp::from_millis((issued + leeway + 1).saturating_mul(1_000));
        Ok(Claims { subject: subject.to_owned(), role, tenant, issued_by, expires_at })
    }

    /// Everyone acts for one tenant, but a platform administrator, who must not pretend to.
    fn tenant(&self, role: Role) -> Result<Option<String>, TokenRefusal> {
        let wrong = TokenRefusal::Claim(Claim::Tenant);
        match (role, &self.tenant_id) {
            (Role::PlatformAdmin, None) => Ok(None),
            (Role::PlatformAdmin, Some(_)) | (_, None) => Err(wrong),
            (_, Some(value)) => {
                let name = text(value, Claim::Tenant)?;
                let fits = !name.is_empty() && name.len() <= LONGEST_TENANT;
                if fits { Ok(Some(name.to_owned())) } else { Err(wrong) }
            }
        }
    }

    /// RFC 7519, section 4.1.3: a text or a list of texts. A token for somebody else is refused, also where no audience
    /// is configured: we are then none of those it names.
    fn check_audience(&self, expected: Option<&str>) -> Result<(), TokenRefusal> {
        let Some(named) = &self.aud else {
            return if expected.is_none() { Ok(()) } else { Err(TokenRefusal::Claim(Claim::Audience)) };
        };
        let named = match named {
            Value::Array(list) => {
                list.iter().map(|one| text(one, Claim::Audience)).collect::<Result<Vec<_>, _>>()?
            }
            one => vec![text(one, Claim::Audience)?],
        };
        if expected.is_some_and(|expected| named.contains(&expected)) {
            Ok(())
        } else {
            Err(TokenRefusal::WrongAudience)
        }
    }
}

impl Claims {
    /// The tenant is looked up each time, so that one that is gone is gone at once. One that was made after the token is
    /// another of the same name.
    pub(crate) fn principal(
        self,
        resolve: &impl Fn(&str) -> Option<Home>,
    ) -> Result<Principal, TokenRefusal> {
        let home = match &self.tenant {
            Some(name) => {
                let home = resolve(name).filter(|home| home.since <= self.issued_by);
                Some(home.ok_or(TokenRefusal::UnknownTenant)?.tenant)
            }
            None => None,
        };
        Ok(Principal {
            name: self.subject,
            credential: Credential::Token(self.role),
            permissions: of_role(self.role),
            home,
        })
    }
}

/// 1 to 255 bytes that can stand in a log line, and are no name that a virtual key or the service itself acts under.
pub(crate) fn is_subject(text: &str) -> bool {
    (1..=LONGEST_SUBJECT).contains(&text.len())
        && !text.chars().any(char::is_control)
        && ![KEY_NAME_PREFIX, "system:"].iter().any(|taken| text.starts_with(taken))
        && text != "anonymous"
}

fn required(value: Option<&Value>, claim: Claim) -> Result<&Value, TokenRefusal> {
    value.ok_or(TokenRefusal::Claim(claim))
}

fn text(value: &Value, claim: Claim) -> Result<&str, TokenRefusal> {
    value.as_str().ok_or(TokenRefusal::Claim(claim))
}

/// Whole seconds since the epoch, written as an integer.
fn seconds(value: &Value, claim: Claim) -> Result<i64, TokenRefusal> {
    let secs = value.as_u64().filter(|secs| *secs <= LATEST_TIME);
    secs.and_then(|secs| i64::try_from(secs).ok()).ok_or(TokenRefusal::Claim(claim))
}
