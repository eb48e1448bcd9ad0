//! Virtual keys: what an application holds.

use crate::{ChannelId, KeyId, Strategy, TenantId, Timestamp};

/// Keyed digest (HMAC-SHA-256) of a virtual key: what is stored and looked up, never the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyDigest(pub [u8; 32]);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualKey {
    pub id: KeyId,
    pub tenant: TenantId,
    pub name: String,
    pub digest: KeyDigest,
    /// The text before the last rotation, as long as it still counts.
    pub previous: Option<PreviousDigest>,
    /// What a person may see: the beginning and the last four characters.
    pub hint: String,
    pub scopes: Vec<KeyScope>,
    /// Models it may call, by name or prefix ending in `*`; empty: all of the tenant's.
    pub models: Vec<String>,
    /// Channels it may use; empty: all.
    pub channels: Vec<ChannelId>,
    /// A channel must carry one of these tags; empty: any.
    pub tags: Vec<String>,
    /// Networks in CIDR form it may be used from; empty: any.
    pub allowed_ips: Vec<String>,
    pub limits: KeyLimits,
    pub strategy: Option<Strategy>,
    /// May choose the strategy and the channel by request header.
    pub may_steer: bool,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// The start of its newest attempt. The ledger writes it, beside the version and never backwards.
    pub last_used_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
}

/// A rotated key's former digest, and the moment from which it opens nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviousDigest {
    pub digest: KeyDigest,
    pub valid_until: Timestamp,
}

/// Which of a key's digests was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestMatch {
    Current,
    Previous { valid_until: Timestamp },
}

impl VirtualKey {
    /// Which of this key's digests `digest` is; `None`: neither.
    pub fn matches(&self, digest: &KeyDigest) -> Option<DigestMatch> {
        if self.digest == *digest {
            return Some(DigestMatch::Current);
        }
        let previous = self.previous.filter(|previous| previous.digest == *digest)?;
        Some(DigestMatch::Previous { valid_until: previous.valid_until })
    }
}

impl DigestMatch {
    pub fn holds(self, now: Timestamp) -> bool {
        match self {
            Self::Current => true,
            Self::Previous { valid_until } => now < valid_until,
        }
    }
}

/// What a virtual key may do; without any management scope it may only call models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyScope {
    Proxy,
    ManagementRead,
    ManagementWrite,
}

impl KeyScope {
    pub const ALL: [Self; 3] = [Self::Proxy, Self::ManagementRead, Self::ManagementWrite];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::ManagementRead => "management:read",
            Self::ManagementWrite => "management:write",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// `None`: no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct KeyLimits {
    pub requests_per_minute: Option<u32>,
    pub tokens_per_minute: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_previous_digest_holds_until_its_moment() {
        let until = Timestamp::from_millis(5);
        let previous = DigestMatch::Previous { valid_until: until };
        assert!(previous.holds(Timestamp::from_micros(4_999)) && !previous.holds(until));
        assert!(DigestMatch::Current.holds(until));
    }
}
