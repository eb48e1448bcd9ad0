//! What differs between models, from the vendor's pages "Models overview", "Thinking", "Effort", "Structured outputs",
//! "Prefill Claude's response", "Forcing tool use" and the migration guides of single models, read in November 2026.

use crate::conversation::Effort;
use crate::models::max_output_of;

/// `max_tokens` for a model of which no row of [`models`](crate::models) knows how much it writes: what even the oldest
/// of the vendor's do.
const UNSAID: u64 = 4_096;

/// What an encoder must know of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    /// `max_tokens` where nobody set one; no more is taken of a model that is known.
    pub(super) max_output_tokens: u64,
    pub(super) is_known: bool,
    pub(super) sampling: Sampling,
    pub(super) thinking: Thinks,
    pub(super) efforts: Efforts,
    /// `output_config.format` and strict tools.
    pub(super) schemas: bool,
    /// The last turn may be the assistant's own, to be carried on.
    pub(super) prefill: bool,
    /// `tool_choice` may force a tool.
    pub(super) forced_tools: bool,
}

/// `temperature`, `top_p` and `top_k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sampling {
    /// All of them together.
    All,
    /// Temperature or `top_p`, not both.
    OneOf,
    /// None: other values than the default are refused.
    None,
}

/// How a model is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinks {
    Never,
    /// `enabled` with a budget; off unless asked for.
    Budget,
    /// `adaptive`, or a budget; off unless asked for.
    Either,
    /// `adaptive` alone; off unless asked for.
    Adaptive,
    /// `adaptive` alone; on unless `disabled`.
    AdaptiveUnlessDisabled,
    /// `adaptive` alone; on unless `between_tools`.
    AdaptiveUnlessBetweenTools,
    /// `adaptive` alone, and no way to turn it off.
    Always,
}

/// Which words `output_config.effort` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Efforts {
    None,
    UpToHigh,
    /// `max`, but not `xhigh`.
    HighAndMax,
    All,
}

const fn model(sampling: Sampling, thinking: Thinks, efforts: Efforts) -> Model {
    Model {
        max_output_tokens: UNSAID,
        is_known: true,
        sampling,
        thinking,
        efforts,
        schemas: true,
        prefill: false,
        forced_tools: true,
    }
}

/// The models of the fifth generation and what comes after.
const fn fifth(thinking: Thinks, forced_tools: bool) -> Model {
    Model { forced_tools, ..model(Sampling::None, thinking, Efforts::All) }
}

/// The models before 4.6.
const fn early(sampling: Sampling, thinking: Thinks, schemas: bool) -> Model {
    Model { schemas, prefill: true, ..model(sampling, thinking, Efforts::None) }
}

/// The first row whose prefix fits wins, so longer names stand first.
const MODELS: [(&str, Model); 24] = [
    ("claude-opus-5-5", fifth(Thinks::Always, false)),
    ("claude-sonnet-5-5", fifth(Thinks::AdaptiveUnlessBetweenTools, false)),
    ("claude-haiku-5-5", fifth(Thinks::AdaptiveUnlessDisabled, false)),
    ("claude-fable", fifth(Thinks::Always, false)),
    ("claude-mythos", fifth(Thinks::Always, false)),
    ("claude-opus-5", fifth(Thinks::AdaptiveUnlessDisabled, true)),
    ("claude-sonnet-5", fifth(Thinks::AdaptiveUnlessDisabled, true)),
    ("claude-haiku-5", fifth(Thinks::AdaptiveUnlessDisabled, true)),
    ("claude-opus-4-8", model(Sampling::None, Thinks::Adaptive, Efforts::All)),
    ("claude-opus-4-7", model(Sampling::None, Thinks::Adaptive, Efforts::All)),
    ("claude-opus-4-6", model(Sampling::OneOf, Thinks::Either, Efforts::HighAndMax)),
    ("claude-sonnet-4-6", model(Sampling::OneOf, Thinks::Either, Efforts::HighAndMax)),
    ("claude-opus-4-5", Model { efforts: Efforts::UpToHigh, ..early(Sampling::OneOf, Thinks::Budget, true) }),
    ("claude-sonnet-4-5", early(Sampling::OneOf, Thinks::Budget, true)),
    ("claude-haiku-4-5", early(Sampling::OneOf, Thinks::Budget, true)),
    ("claude-opus-4-1", early(Sampling::OneOf, Thinks::Budget, false)),
    ("claude-opus-4", early(Sampling::All, Thinks::Budget, false)),
    ("claude-4-opus", early(Sampling::All, Thinks::Budget, false)),
    ("claude-sonnet-4", early(Sampling::All, Thinks::Budget, false)),
    ("claude-3-7", early(Sampling::All, Thinks::Budget, false)),
    ("claude-3-5", early(Sampling::All, Thinks::Never, false)),
    ("claude-3", early(Sampling::All, Thinks::Never, false)),
    ("claude-2", early(Sampling::All, Thinks::Never, false)),
    ("claude-instant", early(Sampling::All, Thinks::Never, false)),
];

/// A name of the operator's own, or of another vendor that speaks this dialect: the widest form of every field.
const UNKNOWN: Model = Model { is_known: false, ..early(Sampling::All, Thinks::Budget, false) };

impl Model {
    /// A model's name, dated or not, with or without what other platforms put before it.
    pub(super) fn of(name: &str) -> Self {
        let name = name.find("claude-").and_then(|at| name.get(at..)).unwrap_or(name);
        let row =
            MODELS.iter().find(|(prefix, _)| name.starts_with(prefix)).map_or(UNKNOWN, |(_, model)| *model);
        match max_output_of(name).filter(|_| row.is_known) {
            Some(max_output_tokens) => Self { max_output_tokens, ..row },
            None => row,
        }
    }
}

impl Thinks {
    /// `adaptive` is taken.
    pub(super) const fn adaptively(self) -> bool {
        !matches!(self, Self::Never | Self::Budget)
    }

    /// It thinks without being asked to.
    pub(super) const fn unasked(self) -> bool {
        matches!(self, Self::AdaptiveUnlessDisabled | Self::AdaptiveUnlessBetweenTools | Self::Always)
    }
}

impl Efforts {
    /// The nearest word that is taken; `None`: the field is refused.
    pub(super) fn word(self, effort: Effort) -> Option<&'static str> {
        let word = match effort {
            Effort::None | Effort::Minimal | Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::XHigh if self == Self::All => "xhigh",
            Effort::Max if matches!(self, Self::All | Self::HighAndMax) => "max",
            Effort::XHigh | Effort::Max => "high",
        };
        (self != Self::None).then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much a model writes is known in one table, and of every model here.
    #[test]
    fn every_row_has_its_output_limit() {
        for (name, _) in MODELS {
            assert_eq!(Some(Model::of(name).max_output_tokens), max_output_of(name), "{name}");
        }
        assert_eq!(Model::of("anthropic.claude-sonnet-4-5-20250929-v1:0").max_output_tokens, 64_000);
        assert_eq!(Model::of("someones-own").max_output_tokens, UNSAID);
    }
}
