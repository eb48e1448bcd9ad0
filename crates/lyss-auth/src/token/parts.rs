//! A token taken apart, before anything in it is believed (RFC 7515, compact form).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::TokenRefusal;
use super::claims::RawClaims;

/// A longer token is refused unread.
pub const LONGEST_TOKEN: usize = 8 * 1024;

pub(crate) struct Parts<'a> {
    /// What was signed: header and claims as sent, with the dot between them.
    pub(crate) message: &'a [u8],
    /// Base64url, not yet decoded.
    pub(crate) signature: &'a str,
    pub(crate) header: Header,
    pub(crate) claims: RawClaims,
}

/// What is read of a header. A field that would bring its own key or change how the rest is read is refused whatever
/// it holds.
#[derive(Deserialize)]
pub(crate) struct Header {
    pub(crate) alg: String,
    #[serde(default, deserialize_with = "given")]
    pub(crate) kid: Option<String>,
    #[serde(default, deserialize_with = "given")]
    typ: Option<String>,
    #[serde(default, deserialize_with = "given")]
    jku: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "given")]
    jwk: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "given")]
    x5u: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "given")]
    x5c: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "given")]
    crit: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "given")]
    enc: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "given")]
    zip: Option<IgnoredAny>,
}

impl Header {
    fn is_plain(&self) -> bool {
        let refused = [&self.jku, &self.jwk, &self.x5u, &self.x5c, &self.crit, &self.enc, &self.zip];
        refused.iter().all(|field| field.is_none()) && self.typ.as_deref().is_none_or(is_access_token)
    }
}

/// Splits and decodes; the claims' types are judged later, once the signature holds.
pub(crate) fn read(token: &[u8]) -> Result<Parts<'_>, TokenRefusal> {
    if token.len() > LONGEST_TOKEN {
        return Err(TokenRefusal::TooLong);
    }
    let text = str::from_utf8(token).map_err(|_| TokenRefusal::Malformed)?;
    let (message, signature) = text.rsplit_once('.').ok_or(TokenRefusal::Malformed)?;
    let (header, claims) = message.split_once('.').ok_or(TokenRefusal::Malformed)?;
    let header: Header = object(header)?;
    if !header.is_plain() {
        return Err(TokenRefusal::ForbiddenHeader);
    }
    Ok(Parts { message: message.as_bytes(), signature, header, claims: object(claims)? })
}

/// One base64url part. serde would take an array for a struct; a token never has one there.
fn object<T: DeserializeOwned>(part: &str) -> Result<T, TokenRefusal> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenRefusal::Malformed)?;
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(TokenRefusal::Malformed);
    }
    serde_json::from_slice(&json).map_err(|_| TokenRefusal::Malformed)
}

/// An absent field is `None`; a `null` is a value like any other, and mostly the wrong one.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(field: D) -> Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}

/// RFC 8725, section 3.11: a token made for another use (`logout+jwt`, `secevent+jwt`) is none of ours.
fn is_access_token(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt")
}
