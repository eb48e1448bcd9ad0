//! The usage object, read into disjoint classes and written from them, as in the API reference ("Usage") and the page
//! "Prompt caching".

use lyss_domain::TokenUsage;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What was said so far. `server_tool_use` and the like add nothing in tokens.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Usage {
    input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
    /// Spent beside the answer itself, and in none of the counts above.
    #[serde(skip)]
    beside: Option<TokenUsage>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

impl Usage {
    /// What is not readable was not said.
    pub(super) fn read(raw: Option<&RawValue>) -> Option<Self> {
        let said: Self = serde_json::from_str(raw?.get()).ok()?;
        Some(Self { beside: beside(raw?), ..said })
    }

    /// A later statement replaces an earlier one, field by field.
    pub(super) fn replace(&mut self, later: Self) {
        self.input_tokens = later.input_tokens.or(self.input_tokens);
        self.cache_read_input_tokens = later.cache_read_input_tokens.or(self.cache_read_input_tokens);
        self.cache_creation_input_tokens =
            later.cache_creation_input_tokens.or(self.cache_creation_input_tokens);
        self.cache_creation = later.cache_creation.or(self.cache_creation);
        self.output_tokens = later.output_tokens.or(self.output_tokens);
        self.output_tokens_details = later.output_tokens_details.or(self.output_tokens_details);
        self.beside = later.beside.or(self.beside);
    }

    /// Disjoint classes: `input_tokens` excludes the cache. What was written to the cache without a lifetime counts
    /// as short-lived.
    pub(super) fn to_tokens(self) -> TokenUsage {
        let creation = self.cache_creation.unwrap_or_default();
        let short = creation.ephemeral_5m_input_tokens.unwrap_or(0);
        let long = creation.ephemeral_1h_input_tokens.unwrap_or(0);
        let told = short.saturating_add(long);
        let untold = self.cache_creation_input_tokens.unwrap_or(0).saturating_sub(told);
        let beside = self.beside.unwrap_or_default();
        let all = |own: Option<u64>, beside: u64| own.unwrap_or(0).saturating_add(beside);
        TokenUsage {
            input: all(self.input_tokens, beside.input),
            cache_read: all(self.cache_read_input_tokens, beside.cache_read),
            cache_write: short.saturating_add(untold).saturating_add(beside.cache_write),
            cache_write_long: long.saturating_add(beside.cache_write_long),
            output: all(self.output_tokens, beside.output),
            reasoning: self.output_tokens_details.unwrap_or_default().thinking_tokens.unwrap_or(0),
            ..TokenUsage::default()
        }
        .capped()
    }
}

/// What the vendor's own work on the conversation took: its summary ("Compaction") and another model's advice ("Advisor
/// tool") stand in `iterations` alone, while the answer's own steps there repeat the totals.
fn beside(usage: &RawValue) -> Option<TokenUsage> {
    #[derive(Deserialize)]
    struct Steps {
        iterations: Option<Vec<Step>>,
    }
    #[derive(Deserialize)]
    struct Step {
        r#type: Option<String>,
        #[serde(flatten)]
        usage: Usage,
    }
    let steps: Steps = serde_json::from_str(usage.get()).ok()?;
    let is_beside = |step: &Step| matches!(step.r#type.as_deref(), Some("compaction" | "advisor_message"));
    let sum = |one: TokenUsage, other: TokenUsage| TokenUsage {
        input: one.input.saturating_add(other.input),
        cache_read: one.cache_read.saturating_add(other.cache_read),
        cache_write: one.cache_write.saturating_add(other.cache_write),
        cache_write_long: one.cache_write_long.saturating_add(other.cache_write_long),
        output: one.output.saturating_add(other.output),
        ..one
    };
    steps.iterations?.into_iter().filter(is_beside).map(|step| step.usage.to_tokens()).reduce(sum)
}

/// `usage.service_tier` of an answer, in OpenAI's words.
pub(super) fn tier(raw: Option<&RawValue>) -> Option<String> {
    #[derive(Deserialize)]
    struct Tier {
        service_tier: Option<String>,
    }
    let tier: Tier = serde_json::from_str(raw?.get()).ok()?;
    tier.service_tier.map(|tier| if tier == "standard" { "default".to_owned() } else { tier })
}

/// The reverse: one of the three words an answer may say.
fn tier_word(tier: &str) -> Option<&'static str> {
    match tier {
        "default" | "standard" => Some("standard"),
        "priority" => Some("priority"),
        "batch" => Some("batch"),
        _ => None,
    }
}

/// `usage` as a caller reads it. Audio counts with its own side, since this dialect has no class for it.
#[derive(Serialize)]
pub(super) struct Written {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation: Option<WrittenCreation>,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<WrittenDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
}

#[derive(Serialize)]
struct WrittenCreation {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Serialize)]
struct WrittenDetails {
    thinking_tokens: u64,
}

impl Written {
    /// Of a whole answer or of a stream's beginning.
    pub(super) fn whole(usage: &TokenUsage, tier: Option<&str>) -> Self {
        Self {
            cache_creation: Some(WrittenCreation {
                ephemeral_5m_input_tokens: usage.cache_write,
                ephemeral_1h_input_tokens: usage.cache_write_long,
            }),
            service_tier: tier.and_then(tier_word),
            ..Self::delta(usage)
        }
    }

    /// Of a `message_delta`, which knows neither lifetimes nor the tier.
    pub(super) fn delta(usage: &TokenUsage) -> Self {
        Self {
            input_tokens: usage.input.saturating_add(usage.audio_input),
            cache_creation_input_tokens: usage.cache_write.saturating_add(usage.cache_write_long),
            cache_read_input_tokens: usage.cache_read,
            cache_creation: None,
            output_tokens: usage.completion(),
            output_tokens_details: Some(usage.reasoning)
                .filter(|tokens| *tokens > 0)
                .map(|thinking_tokens| WrittenDetails { thinking_tokens }),
            service_tier: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(usage: &str) -> TokenUsage {
        Usage::read(Some(serde_json::from_str(usage).unwrap())).unwrap().to_tokens()
    }

    #[test]
    fn work_beside_the_answer_is_counted_and_its_own_steps_are_not_twice() {
        let told = tokens(
            r#"{"input_tokens": 20, "output_tokens": 7, "iterations": [
                {"type": "compaction", "input_tokens": 900, "output_tokens": 50, "cache_read_input_tokens": 3},
                {"type": "message", "input_tokens": 20, "output_tokens": 7}]}"#,
        );
        assert_eq!((told.input, told.cache_read, told.output), (920, 3, 57));
        let untold = tokens(r#"{"input_tokens": 20, "output_tokens": 7, "iterations": "none"}"#);
        assert_eq!((untold.input, untold.output), (20, 7));
    }
}
