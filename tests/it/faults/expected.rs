//! What the matrix is written in: what a caller may see, what an attempt may come to, what a channel may become.

use std::fmt;

use lyss_domain::{FaultKind, Terminal};

use super::peers::Place;

/// One fault, and what is expected of it in both forms of a call.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) place: Place,
    /// Of the simulated vendor, for a whole answer and for a stream.
    pub(super) knobs: [&'static str; 2],
    pub(super) timers: Timers,
    /// `None`: there is no such thing.
    pub(super) whole: Option<Expected>,
    pub(super) stream: Option<Expected>,
}

/// The channel's own timers; the service's where a fault does not wait for one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Timers {
    Usual,
    /// For the first byte.
    ShortStart,
    /// Between two pieces.
    ShortIdle,
}

#[derive(Clone, Copy)]
pub(super) struct Expected {
    /// With a healthy channel beside it, or two.
    pub(super) helped: Seen,
    /// Without any: the first call, and the third.
    pub(super) alone: [Seen; 2],
    pub(super) ended: Ended,
    /// After the first call, and after the third.
    pub(super) becomes: [State; 2],
    /// How many of three calls reached it: with healthy channels beside it, and without any.
    pub(super) asked: [usize; 2],
}

/// What a caller sees of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Status 200, whole.
    Answer,
    /// A status, the error's code (else its type), and the seconds of `Retry-After`.
    Refused(u16, &'static str, Option<u64>),
    /// Status 200, a beginning, and an error event with this code instead of the end.
    Broken(&'static str),
}

/// How the failed attempt is recorded, and what is charged for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) terminal: Terminal,
    pub(super) fault: Option<FaultKind>,
    pub(super) tokens: u64,
    pub(super) cost_micros: i64,
}

/// Of what is charged for a stream that broke after two words: the prompt as we guess it, and the words.
pub(super) const BEGINNING: (u64, i64) = (27, 30);
/// The same where the vendor had told what the prompt comes to.
pub(super) const COUNTED_BEGINNING: (u64, i64) = (8, 11);

/// What becomes of the channel that failed. Seconds of an ejection are before jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Untouched,
    /// The failure is remembered, and it serves on.
    Counted,
    /// This model, until the vendor's window is over.
    Cooling(u64),
    /// This model.
    ModelOut(u64),
    /// All its models.
    ChannelOut(u64),
}

impl Ended {
    pub(super) const fn unpaid(terminal: Terminal, fault: FaultKind) -> Self {
        Self { terminal, fault: Some(fault), tokens: 0, cost_micros: 0 }
    }
}

impl Case {
    /// Said of the form of a call.
    pub(super) fn expected(&self, stream: bool) -> Option<Expected> {
        if stream { self.stream } else { self.whole }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer => write!(f, "the answer"),
            Self::Refused(status, code, None) => write!(f, "{status} `{code}`"),
            Self::Refused(status, code, Some(wait)) => write!(f, "{status} `{code}`, retry after {wait} s"),
            Self::Broken(code) => write!(f, "a beginning, then the error event `{code}`"),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            Some(fault) => write!(f, "`{}`, `{fault}`", self.terminal.as_str()),
            None => write!(f, "`{}`", self.terminal.as_str()),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untouched => write!(f, "untouched"),
            Self::Counted => write!(f, "serves, failure counted"),
            Self::Cooling(seconds) => write!(f, "model cools for {seconds} s"),
            Self::ModelOut(seconds) => write!(f, "model ejected for {seconds} s"),
            Self::ChannelOut(seconds) => write!(f, "channel ejected for {seconds} s"),
        }
    }
}
