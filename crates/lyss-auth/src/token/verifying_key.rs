//! A key with the one algorithm it may verify by, and how it is read from a secret or from PEM.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use lyss_domain::Secret;

use super::TokenRefusal;

/// ring verifies RSA of 2048 to 8192 bits, with an exponent of at most 33.
const RSA_MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
const RSA_EXPONENT_BYTES: std::ops::RangeInclusive<usize> = 1..=5;
const P256_COORDINATE_BYTES: usize = 32;
const ED25519_BYTES: usize = 32;

/// What an algorithm identifier looks like inside a public key (RFC 3279, 5480 and 8410), parameters included: an EC
/// key of another curve than P-256 is none of ours.
const RSA_IDENTIFIER: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
const P256_IDENTIFIER: &[u8] = &[
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07,
];
const ED25519_IDENTIFIER: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// An algorithm whose tokens are verified by a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicAlgorithm {
    /// RSA (PKCS #1 v1.5) with SHA-256, 2048 to 8192 bits.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

/// Verifies by its own algorithm only; a token's `alg` may agree with it, and chooses nothing.
pub(crate) struct VerifyingKey {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl PublicAlgorithm {
    /// As `alg` writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Rs256, Self::Es256, Self::EdDsa].into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

impl VerifyingKey {
    #[expect(
        clippy::disallowed_methods,
        reason = "the shared secret becomes a key that is wiped when dropped"
    )]
    pub(crate) fn shared(secret: &Secret) -> Self {
        Self { algorithm: Algorithm::HS256, key: DecodingKey::from_secret(secret.expose()) }
    }

    /// From modulus and exponent, big-endian; `None` where ring would not verify by them.
    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let [n, e] = [modulus, exponent].map(without_leading_zeros);
        let usable = RSA_MODULUS_BYTES.contains(&n.len()) && RSA_EXPONENT_BYTES.contains(&e.len());
        usable.then(|| Self { algorithm: Algorithm::RS256, key: DecodingKey::from_rsa_raw_components(n, e) })
    }

    pub(crate) fn p256(x: &[u8], y: &[u8]) -> Option<Self> {
        if [x, y].iter().any(|coordinate| coordinate.len() != P256_COORDINATE_BYTES) {
            return None;
        }
        let point = [&[0x04], x, y].concat();
        Some(Self { algorithm: Algorithm::ES256, key: DecodingKey::from_ec_der(&point) })
    }

    pub(crate) fn ed25519(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == ED25519_BYTES)
            .then(|| Self { algorithm: Algorithm::EdDSA, key: DecodingKey::from_ed_der(bytes) })
    }

    /// From one PEM block of exactly that kind: `PUBLIC KEY`, or `RSA PUBLIC KEY` for RSA. Private keys and
    /// certificates are refused, so that neither is ever kept where a public key was meant.
    pub(crate) fn from_pem(pem: &str, algorithm: PublicAlgorithm) -> Option<Self> {
        if let Some(der) = pem_block(pem, "PUBLIC KEY") {
            return Self::from_public_key_info(&der, algorithm);
        }
        let der = pem_block(pem, "RSA PUBLIC KEY")?;
        if algorithm == PublicAlgorithm::Rs256 { Self::from_rsa_public_key(&der) } else { None }
    }

    /// RFC 5280, `SubjectPublicKeyInfo`.
    fn from_public_key_info(der: &[u8], algorithm: PublicAlgorithm) -> Option<Self> {
        let identifier = match algorithm {
            PublicAlgorithm::Rs256 => RSA_IDENTIFIER,
            PublicAlgorithm::Es256 => P256_IDENTIFIER,
            PublicAlgorithm::EdDsa => ED25519_IDENTIFIER,
        };
        let info = only_element(der, SEQUENCE)?;
        let bits = only_element(info.strip_prefix(identifier)?, BIT_STRING)?;
        // The first byte counts unused bits: none in a key.
        let key = bits.strip_prefix(&[0])?;
        match algorithm {
            PublicAlgorithm::Rs256 => Self::from_rsa_public_key(key),
            PublicAlgorithm::Es256 => {
                let (x, y) = key.strip_prefix(&[0x04])?.split_at_checked(P256_COORDINATE_BYTES)?;
                Self::p256(x, y)
            }
            PublicAlgorithm::EdDsa => Self::ed25519(key),
        }
    }

    /// RFC 8017, `RSAPublicKey`.
    fn from_rsa_public_key(der: &[u8]) -> Option<Self> {
        let (modulus, rest) = element(only_element(der, SEQUENCE)?, INTEGER)?;
        Self::rsa(modulus, only_element(rest, INTEGER)?)
    }

    /// Whether `signature` (base64url) over `message` was made for this key. `named` is the token's `alg`: another one
    /// than the key's is refused before anything is computed.
    pub(crate) fn verify(&self, message: &[u8], signature: &str, named: &str) -> Result<(), TokenRefusal> {
        if named.parse() != Ok(self.algorithm) {
            return Err(TokenRefusal::WrongAlgorithm);
        }
        match crypto::verify(signature, message, &self.key, self.algorithm) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(TokenRefusal::WrongSignature),
        }
    }
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// The bytes of the one PEM block that `text` is.
fn pem_block(text: &str, label: &str) -> Option<Vec<u8>> {
    let body = text.trim().strip_prefix(&format!("-----BEGIN {label}-----"))?;
    let body = body.strip_suffix(&format!("-----END {label}-----"))?;
    let letters: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(letters).ok()
}

/// The content of the DER element that `der` is, with nothing behind it.
fn only_element(der: &[u8], tag: u8) -> Option<&[u8]> {
    element(der, tag).filter(|(_, rest)| rest.is_empty()).map(|(content, _)| content)
}

/// The content of the first DER element, and what stands behind it. Lengths of up to two bytes: no key is longer.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match der.strip_prefix(&[tag])? {
        [0x81, length, rest @ ..] => (usize::from(*length), rest),
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [length @ ..=0x7f, rest @ ..] => (usize::from(*length), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests;
