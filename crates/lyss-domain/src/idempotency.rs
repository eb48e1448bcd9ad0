//! What a repeated `Idempotency-Key` is answered with.

use crate::{TenantId, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    pub tenant: TenantId,
    /// The caller's header value, 1 to 255 bytes.
    pub key: String,
    /// SHA-256 over method, path and body: the same key with another request is a conflict.
    pub fingerprint: [u8; 32],
    /// `None` while the first request is still under way.
    pub answer: Option<(u16, Vec<u8>)>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}
