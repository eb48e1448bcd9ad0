//! `[redis]`

use serde::{Deserialize, Serialize};

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RedisSection {
    /// Where replicas tell each other how channels fare: `redis://[user:password@]host[:port][/database]`. Without it each
    /// goes by what it sees itself. Rate windows are not shared through it yet.
    pub(crate) url: Option<String>,
}
