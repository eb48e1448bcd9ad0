//! `usageMetadata`, as in the API reference ("GenerateContentResponse", `UsageMetadata`), and the disjoint classes.
//!
//! The vendor's sums: `promptTokenCount` holds what was read from a cache; `candidatesTokenCount` does not hold
//! `thoughtsTokenCount`; `toolUsePromptTokenCount` stands beside the prompt.

use lyss_domain::TokenUsage;
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WireUsage {
    prompt_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
    tool_use_prompt_token_count: Option<u64>,
    total_token_count: Option<u64>,
    prompt_tokens_details: Option<Vec<Detail>>,
    cache_tokens_details: Option<Vec<Detail>>,
    candidates_tokens_details: Option<Vec<Detail>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    modality: Option<String>,
    token_count: Option<u64>,
}

fn audio(details: Option<Vec<Detail>>) -> u64 {
    let is_audio = |detail: &Detail| detail.modality.as_deref() == Some("AUDIO");
    let counts = details.unwrap_or_default().into_iter().filter(is_audio).filter_map(|one| one.token_count);
    counts.fold(0, u64::saturating_add)
}

impl WireUsage {
    /// `None`: nothing is counted yet. The first chunks of a stream may say no more than how they are paid for
    /// (`trafficType`), and a stream cut there is not one of zero tokens.
    pub(super) fn read(self) -> Option<TokenUsage> {
        let counts = [
            self.prompt_token_count,
            self.candidates_token_count,
            self.thoughts_token_count,
            self.total_token_count,
        ];
        counts.iter().any(Option::is_some).then(|| self.into())
    }
}

impl From<WireUsage> for TokenUsage {
    fn from(wire: WireUsage) -> Self {
        let prompt = wire.prompt_token_count.unwrap_or(0);
        let tool_use = wire.tool_use_prompt_token_count.unwrap_or(0);
        let thoughts = wire.thoughts_token_count.unwrap_or(0);
        // Where the vendor leaves the answer's count out, its sum still holds it.
        let rest = || {
            let known = prompt.saturating_add(tool_use).saturating_add(thoughts);
            wire.total_token_count.unwrap_or(0).saturating_sub(known)
        };
        let candidates = wire.candidates_token_count.unwrap_or_else(rest);
        let cache_read = wire.cached_content_token_count.unwrap_or(0).min(prompt);
        let cached_audio = audio(wire.cache_tokens_details);
        let audio_input =
            audio(wire.prompt_tokens_details).saturating_sub(cached_audio).min(prompt - cache_read);
        let audio_output = audio(wire.candidates_tokens_details).min(candidates);
        Self {
            input: (prompt - cache_read - audio_input).saturating_add(tool_use),
            cache_read,
            audio_input,
            output: (candidates - audio_output).saturating_add(thoughts),
            reasoning: thoughts,
            audio_output,
            ..Self::default()
        }
        .capped()
    }
}

/// The last usage object standing in a JSON text. Inside a JSON string every quote is escaped, so generated text that
/// talks of `"usageMetadata":` cannot be mistaken for it.
pub(super) fn find(json: &[u8]) -> Option<TokenUsage> {
    const KEY: &[u8] = b"\"usageMetadata\"";
    let at = memchr::memmem::rfind(json, KEY)?;
    let value = json.get(at + KEY.len()..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    if value.first() != Some(&b'{') {
        return None;
    }
    let mut reader = serde_json::Deserializer::from_slice(value);
    WireUsage::deserialize(&mut reader).ok()?.read()
}

/// Usage as a caller of this dialect reads it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownUsage {
    prompt_token_count: u64,
    candidates_token_count: u64,
    total_token_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cached_content_token_count: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    prompt_tokens_details: Vec<ShownDetail>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates_tokens_details: Vec<ShownDetail>,
    #[serde(skip_serializing_if = "is_zero")]
    thoughts_token_count: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownDetail {
    modality: &'static str,
    token_count: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Told apart only where there was audio.
fn by_modality(all: u64, audio: u64) -> Vec<ShownDetail> {
    if audio == 0 {
        return Vec::new();
    }
    let text = all.saturating_sub(audio);
    vec![
        ShownDetail { modality: "TEXT", token_count: text },
        ShownDetail { modality: "AUDIO", token_count: audio },
    ]
}

impl From<&TokenUsage> for ShownUsage {
    fn from(usage: &TokenUsage) -> Self {
        let prompt = usage.prompt();
        let candidates = usage.completion().saturating_sub(usage.reasoning);
        Self {
            prompt_token_count: prompt,
            candidates_token_count: candidates,
            total_token_count: usage.total(),
            cached_content_token_count: usage.cache_read,
            prompt_tokens_details: by_modality(prompt, usage.audio_input),
            candidates_tokens_details: by_modality(candidates, usage.audio_output),
            thoughts_token_count: usage.reasoning,
        }
    }
}
