//! Comparing what was said with what was heard: what is missing must be excused by a named loss, and nothing may be
//! invented.

use lyss_adapters::conversation::{Origin, Setting};
use lyss_adapters::{Dialect, Loss};
use serde_json::Value;

use super::call_form::squeezed;

/// One thing said, and which losses would explain that the other side does not hear it.
pub(crate) struct Entry {
    pub(super) value: Value,
    pub(super) excuses: Vec<Excuse>,
}

pub(crate) enum Excuse {
    Setting(Setting),
    /// Of a turn or a call in it, by a word in the loss's name; no word: any.
    Turn(Origin, &'static [&'static str]),
    /// Of a tool; likewise.
    Tool(usize, &'static [&'static str]),
}

/// A stretch of text, blanks removed: how turns and parts are joined is not compared.
pub(crate) struct Stretch {
    pub(super) text: String,
    pub(super) origin: Origin,
    /// The target may write words of its own around it: a document with its title.
    pub(super) wrapped: bool,
}

/// What an encoder may say although the caller did not, since the vendor wants it said.
const SUPPLIED: [&str; 4] = ["setting.max_output_tokens", "setting.thinking.show", "media.name", "order"];

/// Who hears, and what else explains that something is not heard.
pub(crate) struct Hearing<'a> {
    pub(super) target: Dialect,
    pub(super) losses: &'a [Loss],
    /// The vendor shows its thoughts unasked.
    pub(super) shows_thoughts: bool,
    /// All the user's text that was heard, blanks removed.
    pub(super) text: String,
}

/// What need not be said to a vendor, since it is so there anyway.
fn is_implied(hearing: &Hearing<'_>, name: &str, entry: &Entry) -> bool {
    match (hearing.target, name) {
        // A document of plain text has its name above it, where there is no field for it.
        (_, "media.name") => entry.value.as_str().is_some_and(|name| hearing.text.contains(&squeezed(name))),
        (_, "setting.thinking.show") if entry.value == true && hearing.shows_thoughts => true,
        // Both hold a schema strictly, always.
        (Dialect::AnthropicMessages | Dialect::GoogleGenerate, "setting.format.strict") => true,
        // Anthropic's models think only where asked to, and then show it.
        (Dialect::AnthropicMessages, "setting.thinking") => entry.value == "off",
        (Dialect::AnthropicMessages, "setting.thinking.show") => entry.value == true,
        // OpenAI's models always decide themselves how much.
        (Dialect::OpenAiChat | Dialect::OpenAiResponses, "setting.thinking") => entry.value == "on",
        // … and show it only where asked to.
        (Dialect::OpenAiChat | Dialect::OpenAiResponses, "setting.thinking.show") => entry.value == false,
        _ => false,
    }
}

impl Excuse {
    fn holds(&self, loss: &Loss) -> bool {
        let fits = |words: &[&str], what: &str| {
            words.is_empty()
                || words
                    .iter()
                    .any(|word| if word.is_empty() { what.is_empty() } else { what.contains(word) })
        };
        match (self, loss) {
            (Self::Setting(one), Loss::Setting(other)) => one == other,
            (Self::Turn(one, words), Loss::Turn { origin, what } | Loss::Call { origin, what, .. }) => {
                one == origin && fits(words, what)
            }
            (Self::Tool(one, words), Loss::Tool { origin, what }) => one == origin && fits(words, what),
            _ => false,
        }
    }
}

impl Entry {
    fn is_excused(&self, losses: &[Loss]) -> bool {
        self.excuses.iter().any(|excuse| losses.iter().any(|loss| excuse.holds(loss)))
    }
}

pub(super) fn compare(
    name: &str,
    hearing: &Hearing<'_>,
    said: &[Entry],
    heard: &[Entry],
    found: &mut Vec<String>,
) {
    let mut rest = heard.iter().peekable();
    let mut skipped = 0;
    for entry in said {
        if rest.peek().is_some_and(|next| next.value == entry.value) {
            rest.next();
        } else if entry.is_excused(hearing.losses) {
            skipped += 1;
        } else if !is_implied(hearing, name, entry) {
            let heard = rest.peek().map_or_else(|| "nothing".to_owned(), |next| next.value.to_string());
            found.push(format!("{name}: said {}, heard {heard}", entry.value));
            return;
        }
    }
    // What a loss excused may have been said otherwise; more than that was invented.
    let extra: Vec<_> = rest.map(|entry| entry.value.to_string()).collect();
    let is_so_anyway = heard.iter().all(|entry| is_implied(hearing, name, entry));
    if extra.len() > skipped && !SUPPLIED.contains(&name) && !is_so_anyway {
        found.push(format!("{name}: never said, but heard {}", extra.join(", ")));
    }
}

pub(super) fn compare_text(
    role: &str,
    said: &[Stretch],
    heard: &str,
    losses: &[Loss],
    found: &mut Vec<String>,
) {
    let mut rest = heard;
    let mut slack = false;
    for stretch in said {
        slack |= stretch.wrapped;
        let at = if slack { rest.find(&stretch.text) } else { rest.starts_with(&stretch.text).then_some(0) };
        match at {
            Some(at) => {
                rest = rest.get(at + stretch.text.len()..).unwrap_or_default();
                slack = stretch.wrapped;
            }
            None if losses.iter().any(|loss| Excuse::Turn(stretch.origin, &[]).holds(loss)) => slack = true,
            None => {
                let near: String = rest.chars().take(80).collect();
                found.push(format!("text.{role}: said {:?}, heard {near:?}", stretch.text));
                return;
            }
        }
    }
    // A wish for JSON may be told in words where there is no field for it, and is named as lost then.
    slack |= role == "system" && losses.contains(&Loss::Setting(Setting::Format));
    if !rest.is_empty() && !slack {
        found.push(format!("text.{role}: never said, but heard {rest:?}"));
    }
}
