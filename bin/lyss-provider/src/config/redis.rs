//! `[redis]`

use serde::{Deserialize, Serialize};

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RedisSection {
    /// Accepted already, used from the issue that brings shared rate windows on.
    pub(crate) url: Option<String>,
}
