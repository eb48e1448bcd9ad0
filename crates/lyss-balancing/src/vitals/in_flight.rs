//! One attempt under way, counted for as long as it is held.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lyss_domain::Tick;

use super::{Roles, Vitals};
use crate::{Observation, Size};

/// One attempt under way, from before its request is sent to the last byte of its answer or its end. Dropping it takes
/// it out of every count; without an observation nothing is learned, and a trial is free again.
#[derive(Debug)]
#[must_use = "an attempt that is not held is not under way"]
pub struct InFlight {
    vitals: Arc<Vitals>,
    roles: Roles,
    size: Size,
    /// Of the outstanding tokens these are this attempt's.
    owed: AtomicU64,
}

impl InFlight {
    pub(super) fn new(vitals: Arc<Vitals>, roles: Roles, size: Size) -> Self {
        let owed = u64::from(size.prompt_tokens) + u64::from(size.output_tokens);
        vitals.owe_more(owed);
        Self { vitals, roles, size, owed: AtomicU64::new(owed) }
    }

    pub fn vitals(&self) -> &Arc<Vitals> {
        &self.vitals
    }

    /// So many tokens of output have come, so the prompt has been read; what is left is what was expected beyond them.
    pub fn progress(&self, output_tokens: u32) {
        let left = u64::from(self.size.output_tokens.saturating_sub(output_tokens));
        let before = self.owed.fetch_min(left, Ordering::AcqRel);
        self.vitals.owe_less(before.saturating_sub(left));
    }

    /// Whether it is the one attempt that shows whether its channel is well again.
    pub fn is_trial(&self) -> bool {
        use crate::breaker::Role::Trial;
        matches!(self.roles.of_model, Trial(_)) || matches!(self.roles.of_channel, Trial(_))
    }

    /// The attempt ended. `draw` spreads waiting times.
    pub fn observe(self, observation: &Observation, draw: u64, now: Tick) {
        self.vitals.judge(self.roles, self.size, observation, draw, now);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.vitals.leave(self.roles, *self.owed.get_mut());
    }
}
