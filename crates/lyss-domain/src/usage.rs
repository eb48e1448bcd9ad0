//! Tokens of one attempt as disjoint classes, so that nothing is counted or priced twice.

/// Largest count believed from a vendor: anything above is a broken or hostile answer, and is capped here.
pub const MAX_TOKENS: u64 = 1 << 40;

/// Disjoint token classes. `reasoning` is the one exception: it says how many of `output` were reasoning.
///
/// Each dialect sums differently: OpenAI's `prompt_tokens` is `input + cache_read + cache_write + audio_input`,
/// Anthropic's `input_tokens` is `input` alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TokenUsage {
    /// Prompt tokens neither read from nor written to a cache.
    pub input: u64,
    /// Prompt tokens read from the vendor's cache.
    pub cache_read: u64,
    /// Prompt tokens written to the vendor's cache for its short lifetime (Anthropic: five minutes).
    pub cache_write: u64,
    /// Prompt tokens written for the long lifetime (Anthropic: one hour).
    pub cache_write_long: u64,
    /// Prompt tokens that were audio.
    pub audio_input: u64,
    /// Generated tokens, reasoning included, audio excluded.
    pub output: u64,
    /// Of `output`: reasoning.
    pub reasoning: u64,
    /// Generated tokens that were audio.
    pub audio_output: u64,
}

impl TokenUsage {
    /// Every prompt token once.
    pub fn prompt(&self) -> u64 {
        sum(&[self.input, self.cache_read, self.cache_write, self.cache_write_long, self.audio_input])
    }

    /// Every generated token once.
    pub fn completion(&self) -> u64 {
        sum(&[self.output, self.audio_output])
    }

    pub fn total(&self) -> u64 {
        sum(&[self.prompt(), self.completion()])
    }

    /// The same with every class at most [`MAX_TOKENS`], and reasoning at most the output it is part of.
    pub fn capped(self) -> Self {
        let cap = |n: u64| n.min(MAX_TOKENS);
        Self {
            input: cap(self.input),
            cache_read: cap(self.cache_read),
            cache_write: cap(self.cache_write),
            cache_write_long: cap(self.cache_write_long),
            audio_input: cap(self.audio_input),
            output: cap(self.output),
            reasoning: cap(self.reasoning.min(self.output)),
            audio_output: cap(self.audio_output),
        }
    }
}

fn sum(parts: &[u64]) -> u64 {
    parts.iter().fold(0, |all, part| all.saturating_add(*part))
}
