//! What a renderer remembers of each choice.

use std::collections::BTreeSet;

use super::super::wire::{Logprobs, Stretch};
use crate::conversation::{SafetyRating, Seal};

/// Reasoning kept for the seal that may follow. A longer one is sealed without its text being told again.
pub(super) const MAX_KEPT_BYTES: usize = 64 << 10;

#[derive(Default)]
pub(super) struct ChoiceState {
    pub(super) calls: BTreeSet<u32>,
    pub(super) custom: BTreeSet<u32>,
    pub(super) finished: bool,
    pub(super) is_refusal: bool,
    /// Reasoning since the last seal.
    pub(super) kept: Kept,
    pub(super) details: u64,
    pub(super) images: usize,
    pub(super) citations: u64,
    pub(super) has_audio: bool,
    pub(super) cited: Stretch,
    /// A seal of Google's: it belongs to the tool call, if one comes next.
    pub(super) waiting: Option<Seal>,
}

#[derive(Default)]
pub(super) struct Kept {
    text: String,
    too_long: bool,
}

/// What stands in a chunk's choice beside the delta.
#[derive(Default)]
pub(super) struct Beside<'a> {
    pub(super) finish: Option<&'static str>,
    pub(super) logprobs: Option<Logprobs<'a>>,
    pub(super) ratings: &'a [SafetyRating],
}

impl Kept {
    pub(super) fn push(&mut self, text: &str) {
        self.too_long |= self.text.len() + text.len() > MAX_KEPT_BYTES;
        if self.too_long {
            self.text = String::new();
        } else {
            self.text.push_str(text);
        }
    }

    pub(super) fn take(&mut self) -> String {
        std::mem::take(self).text
    }
}
