//! Values that JSON writes as text: words from a closed list, and times. And fields of a merge patch, where being absent
//! and being null are two things.

mod lists;
mod read;

use std::fmt;
use std::str::FromStr;

use lyss_domain::{Secret, Timestamp};
use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};

/// A closed list of words.
pub trait Word: Copy + 'static {
    const ALL: &'static [Self];

    fn word(self) -> &'static str;
}

/// A word as JSON writes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named<T>(pub T);

/// RFC 3339: read with any offset, written in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Timestamp);

/// An id as JSON writes it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Id<T>(pub T);

/// A secret in a request; it is never written.
pub struct SecretText(pub Secret);

/// A field of a merge patch (RFC 7396): `None` absent, `Some(None)` null.
pub type Patch<T> = Option<Option<T>>;

pub(crate) fn parse<T: Word>(text: &str) -> Option<T> {
    T::ALL.iter().copied().find(|one| one.word() == text)
}

pub(crate) fn words<T: Word>() -> Vec<&'static str> {
    T::ALL.iter().map(|one| one.word()).collect()
}

/// For a person who wrote another word.
pub(crate) fn one_of<T: Word>() -> String {
    format!("must be one of {}", words::<T>().join(", "))
}

/// For `deserialize_with` beside `default`: null is `Some(None)`.
pub(crate) fn patch<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Patch<T>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// For `deserialize_with` beside `default`: a field that can be changed, but not removed.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<T: Word> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

impl<'de, T: Word> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map(Self).ok_or_else(|| D::Error::custom(one_of::<T>()))
    }
}

impl<T: Word> fmt::Debug for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.word())
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::parse_rfc3339(&text).map(Self).ok_or_else(|| D::Error::custom(NO_MOMENT))
    }
}

pub(crate) const NO_MOMENT: &str = "must be a time as in RFC 3339, such as 2026-11-23T06:18:00Z";

impl<T: fmt::Display> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| D::Error::custom("must be an id, a UUID"))
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::from(text)))
    }
}
