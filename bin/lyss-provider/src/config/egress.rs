//! `[egress]`

use anyhow::{Context, Result};
use lyss_upstream::EgressPolicy;
use serde::{Deserialize, Serialize};

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EgressSection {
    /// Private or plain-text addresses that may be reached, separated by commas, such as
    /// `10.1.0.0/16:8000-8100,127.0.0.1/32:11434`.
    pub(crate) allow: String,
}

impl EgressSection {
    pub(crate) fn policy(&self) -> Result<EgressPolicy> {
        self.allow.parse().context("egress.allow (PROVIDER_SERVICE_EGRESS_ALLOW)")
    }
}
