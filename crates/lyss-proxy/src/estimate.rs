//! Tokens before, or instead of, the vendor's count.

use lyss_adapters::{Ask, Tapped};
use lyss_domain::TokenUsage;

/// Tokens never charged for a data URL's bytes but for what it shows; a table by kind comes with the quota issue.
const TOKENS_PER_DATA_URL: u64 = 2_048;

/// No prompt has more tokens than this: byte-level tokenizers make at most one token a byte, and the JSON around the
/// text is longer than the few tokens a vendor adds for each message.
pub fn prompt_bound(ask: &Ask) -> u64 {
    let text = ask.body.len().saturating_sub(ask.data_url_bytes) as u64;
    let urls = if ask.data_url_bytes > 0 { TOKENS_PER_DATA_URL } else { 0 };
    text.saturating_add(urls.saturating_mul(1 + ask.data_url_bytes as u64 / (1 << 20)))
}

/// A likely prompt size: four bytes a token.
pub fn prompt_guess(ask: &Ask) -> u64 {
    prompt_bound(ask).div_ceil(4)
}

/// What to charge when the answer stopped before the vendor's count came: the prompt, and at least a token for every
/// event that was delivered.
pub fn counted(prompt: u64, seen: &Tapped) -> TokenUsage {
    TokenUsage {
        input: prompt,
        output: seen.events.max(seen.generated_bytes.div_ceil(4)),
        ..TokenUsage::default()
    }
}
