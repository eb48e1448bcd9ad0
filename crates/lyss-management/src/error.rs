//! Why a use-case did not happen. Nothing of it is half done.

use lyss_adapters::TargetError;
use lyss_repositories::StoreError;
use lyss_vault::VaultError;

#[derive(Debug, thiserror::Error)]
pub enum ManagementError {
    /// A field of the request cannot be used.
    #[error("{field}: {reason}")]
    Invalid { field: &'static str, reason: String },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl ManagementError {
    pub(crate) fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid { field, reason: reason.into() }
    }
}

impl From<TargetError> for ManagementError {
    fn from(error: TargetError) -> Self {
        Self::invalid("api_base", error.to_string())
    }
}
