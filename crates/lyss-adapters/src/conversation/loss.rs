//! What a target could not be told.

use super::Origin;

/// One thing of a request that was left out. The caller's side names it by a path of its own dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// By its path already: a field that only the caller's dialect knows.
    Field(String),
    /// A setting of the whole call.
    Setting(Setting),
    /// Something of a turn, by a plain word: `reasoning`, `image`, `is_error`, `cache_control` …
    Turn { origin: Origin, what: &'static str },
    /// A field inside a turn, by its place among the turn's tool calls, counted from 0.
    Call { origin: Origin, call: usize, what: &'static str },
    /// Something of a tool, counted from 0 in the caller's list: `strict`, `cache_control`; empty: the tool itself.
    Tool { origin: usize, what: &'static str },
}

/// Settings of a call that some target does not know. Every caller's dialect has its own name for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setting {
    Candidates,
    Format,
    FrequencyPenalty,
    Logprobs,
    MaxOutputTokens,
    Metadata,
    ParallelTools,
    PresencePenalty,
    PromptCacheKey,
    PromptCacheRetention,
    SafetyIdentifier,
    Seed,
    ServiceTier,
    Stop,
    Store,
    Temperature,
    Thinking,
    ToolChoice,
    TopK,
    TopLogprobs,
    TopP,
    User,
    Verbosity,
}

impl Loss {
    pub fn turn(origin: Origin, what: &'static str) -> Self {
        Self::Turn { origin, what }
    }

    pub fn tool(origin: usize, what: &'static str) -> Self {
        Self::Tool { origin, what }
    }
}

impl From<Setting> for Loss {
    fn from(setting: Setting) -> Self {
        Self::Setting(setting)
    }
}
