//! `[database]`

use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DatabaseSection {
    /// The application's login: `postgres://…` or `sqlite://…`; unset: SQLite in the data folder.
    pub(crate) url: Option<String>,
    /// The owner's login, for migrations; unset: `url`.
    pub(crate) migrate_url: Option<String>,
    pub(crate) max_connections: u32,
    pub(crate) statement_timeout_ms: u64,
}

impl Default for DatabaseSection {
    fn default() -> Self {
        Self { url: None, migrate_url: None, max_connections: 10, statement_timeout_ms: 2_000 }
    }
}
