//! Tokens before, or instead of, the vendor's count.

use lyss_adapters::conversation::{Part, Source};
use lyss_adapters::{Ask, ChatCall, Tapped};
use lyss_domain::TokenUsage;

/// Tokens never charged for a data URL's bytes but for what it shows; a table by kind comes with the quota issue.
const TOKENS_PER_DATA_URL: u64 = 2_048;
/// A picture of a megapixel or a page or two, at most vendors.
const TOKENS_PER_MEDIA: u64 = 1_100;

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

/// A conversation's tokens where the vendor counts none: a token for four bytes of plain text and for each character of
/// a script that tokenizers know less well, and some for what frames a turn. Media count by a usual picture.
pub fn conversation(call: &ChatCall) -> u64 {
    let turns: u64 = call.turns.iter().map(|turn| 4 + turn.parts.iter().map(part).sum::<u64>()).sum();
    let tools = call.tools.iter().map(|tool| {
        let schema = tool.parameters().map_or("", |schema| schema.get());
        8 + text(&tool.name) + text(tool.description.as_deref().unwrap_or_default()) + text(schema)
    });
    turns + tools.sum::<u64>()
}

fn part(part: &Part) -> u64 {
    match part {
        Part::Text(words) | Part::Refusal(words) => text(words),
        Part::Media(media) => match &media.source {
            Source::Text(words) => text(words),
            _ => TOKENS_PER_MEDIA,
        },
        Part::ToolCall { name, arguments, .. } => 8 + text(name) + text(arguments),
        Part::ToolResult { parts, .. } => 8 + parts.iter().map(self::part).sum::<u64>(),
        Part::Reasoning(reasoning) => text(&reasoning.text),
        Part::Citation(_) | Part::CachePoint(_) => 0,
    }
}

fn text(words: &str) -> u64 {
    let plain = words.bytes().filter(u8::is_ascii).count() as u64;
    let other = words.chars().filter(|c| !c.is_ascii()).count() as u64;
    plain.div_ceil(4) + other
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
