//! What changed, for the history: kept until somebody takes it, and never more than a bounded number.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lyss_domain::{ChannelId, FaultKind, Tick};

use crate::Phase;

/// Kept at most; the oldest makes room.
const MOST: usize = 1_024;

/// A breaker that opened, let a trial through or closed, or a cool-down that began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    pub channel: ChannelId,
    /// `None`: of the channel as a whole.
    pub model: Option<Box<str>>,
    pub at: Tick,
    pub from: Phase,
    pub to: Phase,
    /// What it was, or had been, opened for.
    pub fault: Option<FaultKind>,
    /// How long it is to be left alone.
    pub for_: Option<Duration>,
}

#[derive(Debug, Default)]
pub(crate) struct Transitions {
    queue: Mutex<VecDeque<Transition>>,
}

impl Transitions {
    pub(crate) fn push(&self, transition: Transition) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() >= MOST {
            queue.pop_front();
        }
        queue.push_back(transition);
    }

    pub(crate) fn take(&self) -> Vec<Transition> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *queue).into()
    }
}
