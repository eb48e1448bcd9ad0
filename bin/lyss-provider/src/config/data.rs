//! `[data]`

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What this instance keeps on its own disk: the embedded database, generated secrets, the ledger's journal.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DataSection {
    pub(crate) folder: PathBuf,
}

impl Default for DataSection {
    fn default() -> Self {
        Self { folder: PathBuf::from("./lyss-data") }
    }
}
