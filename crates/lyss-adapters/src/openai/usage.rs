//! OpenAI's usage object and what other vendors add to it, read into disjoint classes.

use lyss_domain::TokenUsage;
use serde::Deserialize;

/// `usage` of a chat completion. Cache reads are told under `prompt_tokens_details.cached_tokens` (OpenAI),
/// `prompt_cache_hit_tokens` (DeepSeek) or `cached_tokens` (Moonshot), cache writes under
/// `prompt_tokens_details.cache_write_tokens` (OpenRouter).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    prompt_cache_hit_tokens: Option<u64>,
    cached_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
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
        let said_out = wire.completion_tokens.unwrap_or(0);
        let reasoning = completion.reasoning_tokens.or(wire.reasoning_tokens).unwrap_or(0);
        // xAI counts reasoning beside the completion, not inside it; only its total shows that.
        let with_reasoning = said_out.saturating_add(reasoning);
        let is_beside = reasoning > 0 && wire.total_tokens == Some(all_in.saturating_add(with_reasoning));
        let all_out = if is_beside { with_reasoning } else { said_out };
        let cached = prompt.cached_tokens.or(wire.prompt_cache_hit_tokens).or(wire.cached_tokens);
        let cache_read = cached.unwrap_or(0).min(all_in);
        let cache_write = prompt.cache_write_tokens.unwrap_or(0).min(all_in - cache_read);
        let audio_input = prompt.audio_tokens.unwrap_or(0).min(all_in - cache_read - cache_write);
        let audio_output = completion.audio_tokens.unwrap_or(0).min(all_out);
        Self {
            input: all_in - cache_read - cache_write - audio_input,
            cache_read,
            cache_write,
            audio_input,
            output: all_out - audio_output,
            reasoning,
            audio_output,
            ..Self::default()
        }
        .capped()
    }
}

/// The top of an answer or a chunk, for its usage alone.
#[derive(Deserialize)]
struct Top {
    #[serde(default)]
    usage: Option<WireUsage>,
}

/// The usage of an answer or a chunk; null or unreadable is none. An answer of several models (Groq's compound ones)
/// also holds each model's share under the same name further in, so only the one at the top counts. Where the text is
/// no whole object it is the last that stands in it: inside a JSON string every quote is escaped, so generated text
/// that talks of `"usage":` cannot be mistaken for it.
pub(super) fn find(json: &[u8]) -> Option<TokenUsage> {
    const KEY: &[u8] = b"\"usage\"";
    let at = memchr::memmem::rfind(json, KEY)?;
    if memchr::memmem::find(json, KEY) != Some(at)
        && let Ok(top) = serde_json::from_slice::<Top>(json)
        && let Some(usage) = top.usage
    {
        return Some(usage.into());
    }
    let value = json.get(at + KEY.len()..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    if value.first() != Some(&b'{') {
        return None;
    }
    let mut reader = serde_json::Deserializer::from_slice(value);
    WireUsage::deserialize(&mut reader).ok().map(TokenUsage::from)
}
