//! How an attempt went, as its channel's state learns it.

use std::time::Duration;

use lyss_domain::FaultKind;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    pub ending: Ending,
    /// As the vendor counted them, else as estimated.
    pub prompt_tokens: u32,
    pub output_tokens: u32,
    /// From sending to the first content; `None`: none came, or the answer came whole.
    pub ttft: Option<Duration>,
    /// From sending to the end.
    pub total: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Complete,
    /// Whose fault it is decides what is learned; how long the vendor asked to wait.
    Failed(FaultKind, Option<Duration>),
    /// The caller hung up, or a hedge lost: nothing is learned of the channel but what it had shown.
    Cancelled,
}
