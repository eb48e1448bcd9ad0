//! The usage object, read into disjoint classes and written from them, as in the API reference ("Usage") and the page
//! "Prompt caching".

use lyss_domain::TokenUsage;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What was said so far. `iterations`, `server_tool_use` and the like repeat or add nothing in tokens.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Usage {
    input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
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
        serde_json::from_str(raw?.get()).ok()
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
    }

    /// Disjoint classes: `input_tokens` excludes the cache. What was written to the cache without a lifetime counts
    /// as short-lived.
    pub(super) fn to_tokens(self) -> TokenUsage {
        let creation = self.cache_creation.unwrap_or_default();
        let short = creation.ephemeral_5m_input_tokens.unwrap_or(0);
        let long = creation.ephemeral_1h_input_tokens.unwrap_or(0);
        let told = short.saturating_add(long);
        let untold = self.cache_creation_input_tokens.unwrap_or(0).saturating_sub(told);
        TokenUsage {
            input: self.input_tokens.unwrap_or(0),
            cache_read: self.cache_read_input_tokens.unwrap_or(0),
            cache_write: short.saturating_add(untold),
            cache_write_long: long,
            output: self.output_tokens.unwrap_or(0),
            reasoning: self.output_tokens_details.unwrap_or_default().thinking_tokens.unwrap_or(0),
            ..TokenUsage::default()
        }
        .capped()
    }
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
