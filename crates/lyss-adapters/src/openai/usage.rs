//! OpenAI's usage object and DeepSeek's additions, read into disjoint classes.

use lyss_domain::TokenUsage;
use serde::Deserialize;

/// `usage` of a chat completion. DeepSeek says `prompt_cache_hit_tokens` where OpenAI says
/// `prompt_tokens_details.cached_tokens`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_cache_hit_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    audio_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
    audio_tokens: Option<u64>,
}

impl From<WireUsage> for TokenUsage {
    fn from(wire: WireUsage) -> Self {
        let prompt = wire.prompt_tokens_details.unwrap_or_default();
        let completion = wire.completion_tokens_details.unwrap_or_default();
        let all_in = wire.prompt_tokens.unwrap_or(0);
        let all_out = wire.completion_tokens.unwrap_or(0);
        let cache_read = prompt.cached_tokens.or(wire.prompt_cache_hit_tokens).unwrap_or(0).min(all_in);
        let audio_input = prompt.audio_tokens.unwrap_or(0).min(all_in - cache_read);
        let audio_output = completion.audio_tokens.unwrap_or(0).min(all_out);
        Self {
            input: all_in - cache_read - audio_input,
            cache_read,
            audio_input,
            output: all_out - audio_output,
            reasoning: completion.reasoning_tokens.unwrap_or(0),
            audio_output,
            ..Self::default()
        }
        .capped()
    }
}

/// The last usage object standing in a JSON text; null or unreadable is none. Inside a JSON string every quote is
/// escaped, so generated text that talks of `"usage":` cannot be mistaken for it.
pub(super) fn find(json: &[u8]) -> Option<TokenUsage> {
    const KEY: &[u8] = b"\"usage\"";
    let at = memchr::memmem::rfind(json, KEY)?;
    let value = json.get(at + KEY.len()..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    if value.first() != Some(&b'{') {
        return None;
    }
    let mut reader = serde_json::Deserializer::from_slice(value);
    WireUsage::deserialize(&mut reader).ok().map(TokenUsage::from)
}
