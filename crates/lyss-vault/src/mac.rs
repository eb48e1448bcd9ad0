//! Digests: keyed (HMAC-SHA-256, RFC 2104 and RFC 4231) and plain (SHA-256).

use ring::digest::{Context, SHA256};
use ring::hmac;

use crate::PurposeSecret;
use crate::cipher::frame;

/// Keyed digest over the parts, each preceded by its length as 8 bytes, big-endian, so that `["ab", "c"]` and
/// `["a", "bc"]` differ.
pub fn mac(secret: &PurposeSecret, parts: &[&[u8]]) -> [u8; 32] {
    array(hmac::sign(&secret.hmac, &frame(parts)).as_ref())
}

/// Whether [`mac`] over the parts gives `claimed`, in a time that does not tell how much of it was right.
pub fn verify_mac(secret: &PurposeSecret, parts: &[&[u8]], claimed: &[u8]) -> bool {
    hmac::verify(&secret.hmac, &frame(parts), claimed).is_ok()
}

/// SHA-256.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(bytes);
    array(context.finish().as_ref())
}

/// ring answers slices whose length only its algorithm knows; both here give 32 bytes.
fn array(digest: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest);
    out
}

#[cfg(test)]
mod tests;
