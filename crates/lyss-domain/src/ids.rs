//! Typed ids. All but the provider's slug are UUIDs (version 7 where we make them, so they sort by time).

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::Timestamp;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl $name {
            /// A version 7 id from milliseconds since the Unix epoch and ten random bytes.
            pub fn from_parts(unix_millis: u64, random: &[u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(unix_millis, random).into_uuid())
            }

            /// As `Display` writes it, without an allocation.
            pub fn write<'b>(&self, buffer: &'b mut [u8; 36]) -> &'b str {
                self.0.hyphenated().encode_lower(buffer)
            }
        }
    )+};
}

uuid_ids! {
    /// A company, or a part of one, whose data nobody else may see.
    TenantId,
    /// One tenant's credentialed route to a provider.
    ChannelId,
    /// A virtual key.
    KeyId,
    /// A quota policy.
    PolicyId,
    /// A dated price.
    PriceId,
    /// One call by an application; answered as `x-request-id`.
    CallId,
    /// One request sent to one channel on behalf of a call.
    AttemptId,
    /// A row of the audit log.
    AuditId,
    /// One thing that happened to a channel's health.
    HealthEventId,
}

impl TenantId {
    /// Stands where a tenant's id is due and none is concerned: a login with an unknown credential, what a platform
    /// administrator does above all tenants. No tenant has it.
    pub const NONE: Self = Self(Uuid::nil());
}

impl KeyId {
    /// Stands where a key's id is due and no key acted: the service's own probes. No key has it.
    pub const NONE: Self = Self(Uuid::nil());
}

impl AttemptId {
    /// The id of a call's attempt: the call's own with the ordinal in its last two bytes, so that a call's attempts
    /// stand together under any index of ids.
    pub fn of(call: CallId, ordinal: u16) -> Self {
        let mut bytes = *call.0.as_bytes();
        if let Some(last) = bytes.last_chunk_mut::<2>() {
            *last = ordinal.to_be_bytes();
        }
        Self(Uuid::from_bytes(bytes))
    }

    /// The smallest version 7 id of this millisecond: every attempt of a call that began then or later has a greater
    /// or the same id. An attempt starts up to its call's whole deadline after the millisecond in its id.
    pub fn floor(at: Timestamp) -> Self {
        // An id holds 48 bits of milliseconds.
        let millis = u64::try_from(at.as_millis()).unwrap_or(0).min((1 << 48) - 1);
        Self::from_parts(millis, &[0; 10])
    }
}

/// A provider's id: 1 to 64 of `a-z`, `0-9`, `-`, `_`, beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderSlug(Box<str>);

/// Why a text is no provider slug.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "a provider id is 1 to 64 of a-z, 0-9, '-' and '_', beginning with a letter or digit, and not 'statistics'"
)]
pub struct BadSlug;

impl ProviderSlug {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProviderSlug {
    type Err = BadSlug;
    fn from_str(text: &str) -> Result<Self, BadSlug> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let starts_plain = text.bytes().next().is_some_and(plain);
        let all_allowed = text.bytes().all(|b| plain(b) || b == b'-' || b == b'_');
        // `statistics` would collide with `GET /providers/statistics`.
        if starts_plain && all_allowed && text.len() <= 64 && text != "statistics" {
            Ok(Self(text.into()))
        } else {
            Err(BadSlug)
        }
    }
}

impl fmt::Display for ProviderSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain_and_never_reserved() {
        for good in ["openai", "azure_openai", "my-vendor-2", "0x"] {
            assert_eq!(good.parse::<ProviderSlug>().unwrap().as_str(), good);
        }
        let long = "a".repeat(65);
        for bad in ["", "-a", "OpenAI", "a b", "a/b", "statistics", long.as_str()] {
            assert_eq!(bad.parse::<ProviderSlug>(), Err(BadSlug), "{bad}");
        }
    }

    #[test]
    fn made_ids_sort_by_time() {
        let early = CallId::from_parts(1_000, &[0xff; 10]);
        let late = CallId::from_parts(1_001, &[0; 10]);
        assert!(early < late);
        assert!(
            AttemptId::of(early, 0) < AttemptId::of(early, 1)
                && AttemptId::of(early, 1) < AttemptId::of(late, 0)
        );
        assert_eq!(early.to_string().parse::<CallId>().unwrap(), early);
    }

    #[test]
    fn a_floor_lies_below_every_id_of_its_millisecond_and_above_all_before() {
        let floor = AttemptId::floor(Timestamp::from_micros(1_000_999));
        for random in [[0; 10], [0xff; 10]] {
            let call = CallId::from_parts(1_000, &random);
            assert!(floor <= AttemptId::of(call, 0) && floor <= AttemptId(call.0));
            assert!(AttemptId::of(CallId::from_parts(999, &random), u16::MAX) < floor);
        }
        assert_eq!(AttemptId::floor(Timestamp::from_micros(-1)), AttemptId::floor(Timestamp::default()));
        let latest = AttemptId::floor(Timestamp::from_micros(i64::MAX));
        assert!(AttemptId::floor(Timestamp::from_millis(1 << 40)) < latest);
    }
}
