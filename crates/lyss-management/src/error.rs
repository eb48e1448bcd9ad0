//! Why a use-case did not happen. Nothing of it is half done.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use lyss_repositories::StoreError;
use lyss_vault::VaultError;

#[derive(Debug, thiserror::Error)]
pub enum ManagementError {
    /// Every field that cannot be used, and why.
    #[error("{0}")]
    Invalid(Fields),
    /// It is not there, or is another tenant's: nobody is told which.
    #[error("there is no such {0}")]
    NotFound(Noun),
    /// The version that the change was made for is no longer the newest.
    #[error("somebody else changed it in the meantime")]
    Stale,
    /// The change does not fit what else is stored.
    #[error("{field}: {reason}")]
    Conflict { field: &'static str, reason: String },
    /// Presets are a part of the service.
    #[error("a built-in {0} cannot be changed; one of your own under the same id overrides it")]
    ReadOnly(Noun),
    /// More would be given away than the actor has: permissions, or fields of a key.
    #[error("this goes beyond what the acting credential may do itself: {}", .0.join(", "))]
    Exceeds(Vec<&'static str>),
    #[error("too many requests of this kind; try again in {} s", .retry_after.as_secs().max(1))]
    TooMany { retry_after: Duration },
    #[error(transparent)]
    Store(StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// What a use-case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Noun {
    Tenant,
    Provider,
    Channel,
    Key,
    Quota,
    Price,
}

/// Paths of fields, as the API writes them, and what is wrong with each. The first reason of a field stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(BTreeMap<String, String>);

impl ManagementError {
    /// One field that cannot be used.
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        let mut fields = Fields::default();
        fields.refuse(field, reason);
        Self::Invalid(fields)
    }

    /// Something that is needed is away: the same request may succeed later.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Store(StoreError::Unavailable(_)))
    }

    pub(crate) fn conflict(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Conflict { field, reason: reason.into() }
    }
}

impl From<StoreError> for ManagementError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale => Self::Stale,
            StoreError::Conflict(field) => Self::conflict(field, "is already in use"),
            StoreError::Reference(field) => Self::conflict(field, "refers to something that is gone"),
            error => Self::Store(error),
        }
    }
}

impl Noun {
    /// As an audit entry's target begins, and as a message names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Provider => "provider",
            Self::Channel => "channel",
            Self::Key => "key",
            Self::Quota => "quota",
            Self::Price => "price",
        }
    }
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Fields {
    pub fn refuse(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        self.0.entry(field.into()).or_insert_with(|| reason.into());
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Ordered by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(field, reason)| (field.as_str(), reason.as_str()))
    }

    pub fn reason(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    /// Fails when a field was refused.
    pub(crate) fn check(self) -> Result<(), ManagementError> {
        if self.is_empty() { Ok(()) } else { Err(ManagementError::Invalid(self)) }
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (field, reason)) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{field}: {reason}")?;
        }
        Ok(())
    }
}
