//! Tokens made by hand over ring, good and bad: never by the code under test.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use lyss_domain::{Secret, TenantId, Timestamp};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{IssuerKeys, PublicAlgorithm};
use crate::Home;

/// Made once by `openssl genpkey`; they open nothing anywhere.
const RSA_PRIVATE: &str = include_str!("test_only_rsa_private.pem");
pub(crate) const RSA_PUBLIC: &str = include_str!("test_only_rsa_public.pem");

pub(crate) const SECRET: &[u8] = b"a secret of this test, 32 bytes or more";
pub(crate) const ISSUER: &str = "https://issuer.test";
pub(crate) const AUDIENCE: &str = "lyss";
pub(crate) const NOW_SECS: i64 = 1_795_392_000;
pub(crate) const NOW: Timestamp = at(0);
pub(crate) const TENANT: TenantId = TenantId(Uuid::from_u128(7));

/// So many seconds after [`NOW`].
pub(crate) const fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis((NOW_SECS + secs) * 1_000)
}

/// The tenant `acme` exists, by either name.
pub(crate) fn resolve(name: &str) -> Option<Home> {
    let home = Home { tenant: TENANT, since: Timestamp::from_millis(0) };
    (name == "acme" || name == TENANT.to_string()).then_some(home)
}

/// Somebody who makes tokens, by one algorithm.
pub(crate) enum Signer {
    Hs(Vec<u8>),
    Rs(RsaKeyPair),
    Es(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Signer {
    pub(crate) const ALL: [&str; 4] = ["HS256", "RS256", "ES256", "EdDSA"];

    /// A new key, but for HS256 and RS256, where it is always the same.
    pub(crate) fn of(algorithm: &str) -> Self {
        let random = SystemRandom::new();
        match algorithm {
            "HS256" => Self::Hs(SECRET.to_vec()),
            "RS256" => Self::Rs(RsaKeyPair::from_pkcs8(&der(RSA_PRIVATE)).unwrap()),
            "ES256" => {
                let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
                Self::Es(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap())
            }
            "EdDSA" => {
                let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                Self::Ed(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
            }
            other => panic!("no signer for {other}"),
        }
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Hs(_) => "HS256",
            Self::Rs(_) => "RS256",
            Self::Es(_) => "ES256",
            Self::Ed(_) => "EdDSA",
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Hs(secret) => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
                ring::hmac::sign(&key, message).as_ref().to_vec()
            }
            Self::Rs(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Self::Es(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// What an operator would configure to trust this signer.
    pub(crate) fn keys(&self) -> IssuerKeys {
        let public_key = |algorithm, prefix: &[u8], key: &[u8]| {
            let text = STANDARD.encode([prefix, key].concat());
            let pem = format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n");
            IssuerKeys::PublicKey { pem, algorithm }
        };
        match self {
            Self::Hs(secret) => IssuerKeys::Secret(Secret::new(secret.clone())),
            Self::Rs(_) => {
                IssuerKeys::PublicKey { pem: RSA_PUBLIC.to_owned(), algorithm: PublicAlgorithm::Rs256 }
            }
            Self::Es(key) => public_key(
                PublicAlgorithm::Es256,
                b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00",
                key.public_key().as_ref(),
            ),
            Self::Ed(key) => public_key(
                PublicAlgorithm::EdDsa,
                b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
                key.public_key().as_ref(),
            ),
        }
    }

    /// As a key set shows it, without `kid`.
    pub(crate) fn jwk(&self) -> Value {
        match self {
            Self::Hs(secret) => json!({"kty": "oct", "k": text(secret)}),
            Self::Rs(key) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(key.public());
                json!({"kty": "RSA", "n": text(&n), "e": text(&e)})
            }
            Self::Es(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y)})
            }
            Self::Ed(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": text(key.public_key().as_ref())})
            }
        }
    }

    /// A token with this signer's own header.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({"alg": self.algorithm(), "typ": "JWT"}), claims)
    }

    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.raw(&header.to_string(), &claims.to_string())
    }

    /// Signs whatever stands there.
    pub(crate) fn raw(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", text(header.as_bytes()), text(claims.as_bytes()));
        format!("{message}.{}", text(&self.sign(message.as_bytes())))
    }
}

/// Claims that are good at [`NOW`].
pub(crate) fn claims() -> Value {
    json!({
        "sub": "anna", "role": "tenant_admin", "tenant_id": "acme",
        "iat": NOW_SECS - 10, "exp": NOW_SECS + 600, "nbf": NOW_SECS - 10,
        "iss": ISSUER, "aud": AUDIENCE,
    })
}

/// The same with some of them changed.
pub(crate) fn claims_with(changes: Value) -> Value {
    let mut all = claims();
    for (name, value) in changes.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

pub(crate) fn claims_without(name: &str) -> Value {
    let mut all = claims();
    all.as_object_mut().unwrap().remove(name);
    all
}

pub(crate) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn der(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(lines).unwrap()
}
