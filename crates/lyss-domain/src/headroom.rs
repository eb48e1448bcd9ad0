//! What a vendor says of its rate windows beside an answer.

use std::time::Duration;

/// Windows by what they count; `None`: the vendor said nothing of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateHeadroom {
    pub requests: Option<WindowLeft>,
    /// Of input and output together, or of the scarcer where they are told apart.
    pub tokens: Option<WindowLeft>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowLeft {
    /// 0: not said.
    pub limit: u64,
    pub remaining: u64,
    /// Until the window is whole again; `None`: not said.
    pub resets_in: Option<Duration>,
}

impl RateHeadroom {
    pub fn is_unknown(&self) -> bool {
        self.requests.is_none() && self.tokens.is_none()
    }
}
