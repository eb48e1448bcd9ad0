//! The pieces of a streamed answer.

use lyss_domain::TokenUsage;

use super::{Citation, FinishReason, Media, ReplyHead, SafetyRating, Seal, TokenLogprob};
use crate::Fault;

/// A piece of a streamed answer. Tool calls are counted 0, 1, 2 … per choice, whatever stands between them.
#[derive(Clone, Debug)]
pub enum ChatEvent {
    Start(ReplyHead),
    Text {
        choice: u32,
        text: String,
    },
    Reasoning {
        choice: u32,
        text: String,
    },
    /// Seals the reasoning since the last seal, which may be none; what comes after is another stretch of reasoning.
    ReasoningSeal {
        choice: u32,
        seal: Seal,
    },
    Refusal {
        choice: u32,
        text: String,
    },
    /// Backs the text before it.
    Citation {
        choice: u32,
        citation: Citation,
    },
    /// Whole: no dialect sends media in pieces that a reader could use.
    Media {
        choice: u32,
        media: Media,
    },
    ToolCallStart {
        choice: u32,
        call: u32,
        id: String,
        name: String,
        custom: bool,
    },
    ToolCallArguments {
        choice: u32,
        call: u32,
        text: String,
    },
    Logprobs {
        choice: u32,
        tokens: Vec<TokenLogprob>,
    },
    Safety {
        choice: u32,
        ratings: Vec<SafetyRating>,
    },
    Finish {
        choice: u32,
        reason: FinishReason,
    },
    /// Totals so far; a later one replaces an earlier one.
    Usage(TokenUsage),
    /// The vendor's own end marker: only this makes a stream complete.
    End,
    /// An error inside the stream; nothing follows.
    Fault(Fault),
}

impl ChatEvent {
    /// Something a reader would see: ends the time to first token, and forbids failing over.
    pub fn is_content(&self) -> bool {
        matches!(
            self,
            Self::Text { .. }
                | Self::Reasoning { .. }
                | Self::ReasoningSeal { .. }
                | Self::Refusal { .. }
                | Self::Citation { .. }
                | Self::Media { .. }
                | Self::ToolCallStart { .. }
                | Self::ToolCallArguments { .. }
        )
    }

    /// Bytes of generated text in this event: what is counted when the vendor never says.
    pub fn generated_bytes(&self) -> usize {
        match self {
            Self::Text { text, .. }
            | Self::Reasoning { text, .. }
            | Self::Refusal { text, .. }
            | Self::ToolCallArguments { text, .. } => text.len(),
            Self::ToolCallStart { name, .. } => name.len(),
            _ => 0,
        }
    }
}
