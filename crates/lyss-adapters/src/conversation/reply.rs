//! A whole answer.

use lyss_domain::TokenUsage;

use super::Part;

/// A whole answer.
#[derive(Debug, Default)]
pub struct ChatReply {
    pub head: ReplyHead,
    pub choices: Vec<Choice>,
    /// `None`: the vendor did not say.
    pub usage: Option<TokenUsage>,
}

/// What an answer says of itself before its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplyHead {
    /// The vendor's own; may be empty.
    pub id: String,
    pub model: String,
    /// Seconds since 1970, where the vendor says.
    pub created: Option<i64>,
    pub service_tier: Option<String>,
    pub system_fingerprint: Option<String>,
}

#[derive(Debug)]
pub struct Choice {
    pub parts: Vec<Part>,
    pub finish: FinishReason,
    /// Of the text's tokens, where asked for.
    pub logprobs: Vec<TokenLogprob>,
    pub safety: Vec<SafetyRating>,
}

/// Why the model stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinishReason {
    Stop,
    /// One of the caller's stop sequences; which, where the vendor says.
    StopSequence(Option<String>),
    Length,
    ToolCalls,
    /// A filter of the vendor's stopped it: safety, recitation, blocked words.
    ContentFilter,
    /// The model itself declined.
    Refusal,
    /// The vendor paused a long turn and expects it back.
    Pause,
    /// The model wrote a tool call that cannot be read.
    MalformedCall,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenLogprob {
    pub token: String,
    pub logprob: f64,
    pub bytes: Option<Vec<u8>>,
    /// The likeliest tokens here; each without alternatives of its own.
    pub top: Vec<TokenLogprob>,
}

/// A filter's verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafetyRating {
    /// `hate`, `harassment`, `sexual`, `violence`, `self_harm`, `dangerous`, or the vendor's own word in lower case.
    pub category: String,
    pub level: SafetyLevel,
    /// The content was stopped because of it.
    pub blocked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SafetyLevel {
    Negligible,
    Low,
    Medium,
    High,
}

impl Choice {
    pub fn new(parts: Vec<Part>, finish: FinishReason) -> Self {
        Self { parts, finish, logprobs: Vec::new(), safety: Vec::new() }
    }
}
