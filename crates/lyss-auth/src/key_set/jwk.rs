//! JSON web keys (RFC 7517, 7518, 8037) that can verify a token here.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::KeySetError;
use crate::token::verifying_key::VerifyingKey;

pub(super) struct KeySet(Vec<Entry>);

struct Entry {
    kid: Option<String>,
    key: Arc<VerifyingKey>,
}

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// One key that cannot be used, or read, says nothing about its neighbours.
    pub(super) fn read(json: &[u8]) -> Result<Self, KeySetError> {
        let raw: RawSet = serde_json::from_slice(json).map_err(|_| KeySetError::Unreadable)?;
        let entries: Vec<Entry> = raw.keys.into_iter().filter_map(entry).collect();
        if entries.is_empty() { Err(KeySetError::NoUsableKey) } else { Ok(Self(entries)) }
    }

    /// The one key of this id, or the one key there is. An id that two keys share names neither: picking one would
    /// leave the choice to the token.
    pub(super) fn find(&self, kid: Option<&str>) -> Option<Arc<VerifyingKey>> {
        let mut matching = self.0.iter().filter(|entry| kid.is_none() || entry.kid.as_deref() == kid);
        let first = matching.next()?;
        matching.next().is_none().then(|| Arc::clone(&first.key))
    }
}

fn entry(raw: Value) -> Option<Entry> {
    let raw: RawKey = serde_json::from_value(raw).ok()?;
    let signs = raw.usage.as_deref().is_none_or(|usage| usage == "sig");
    let verifies = raw.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
    if !signs || !verifies {
        return None;
    }
    let (algorithm, key) = match (raw.kty.as_str(), raw.crv.as_deref()) {
        ("RSA", _) => ("RS256", VerifyingKey::rsa(&bytes(raw.n)?, &bytes(raw.e)?)?),
        ("EC", Some("P-256")) => ("ES256", VerifyingKey::p256(&bytes(raw.x)?, &bytes(raw.y)?)?),
        ("OKP", Some("Ed25519")) => ("EdDSA", VerifyingKey::ed25519(&bytes(raw.x)?)?),
        // A shared secret (`oct`) in a public document is none.
        _ => return None,
    };
    let agrees = raw.alg.as_deref().is_none_or(|alg| alg == algorithm);
    agrees.then(|| Entry { kid: raw.kid, key: Arc::new(key) })
}

fn bytes(field: Option<String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(field?).ok()
}
