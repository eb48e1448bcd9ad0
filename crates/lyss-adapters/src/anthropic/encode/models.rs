//! What differs between models: how much they write at most, and which sampling fields they take. From the vendor's
//! "Models overview" page, the pages of single models, and its migration guides, read in November 2026.

/// What an encoder must know of a model.
#[derive(Clone, Copy)]
pub(super) struct Model {
    /// `max_tokens` where nobody set one.
    pub(super) max_output_tokens: u64,
    pub(super) sampling: Sampling,
}

/// `temperature`, `top_p` and `top_k`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sampling {
    /// All of them together.
    All,
    /// Temperature or `top_p`, not both.
    OneOf,
    /// None: other values than the default are refused.
    None,
}

/// The first row whose prefix fits wins, so longer names stand first.
const MODELS: [(&str, u64, Sampling); 19] = [
    ("claude-fable", 128_000, Sampling::None),
    ("claude-opus-5", 128_000, Sampling::None),
    ("claude-sonnet-5", 128_000, Sampling::None),
    ("claude-haiku-5", 128_000, Sampling::None),
    ("claude-opus-4-8", 128_000, Sampling::None),
    ("claude-opus-4-7", 128_000, Sampling::None),
    ("claude-opus-4-6", 128_000, Sampling::OneOf),
    ("claude-sonnet-4-6", 128_000, Sampling::OneOf),
    ("claude-opus-4-5", 64_000, Sampling::OneOf),
    ("claude-sonnet-4-5", 64_000, Sampling::OneOf),
    ("claude-haiku-4-5", 64_000, Sampling::OneOf),
    ("claude-opus-4-1", 32_000, Sampling::OneOf),
    ("claude-opus-4", 32_000, Sampling::All),
    ("claude-sonnet-4", 64_000, Sampling::All),
    ("claude-3-7", 64_000, Sampling::All),
    ("claude-3-5", 8_192, Sampling::All),
    ("claude-3", 4_096, Sampling::All),
    ("claude-2", 4_096, Sampling::All),
    ("claude-instant", 4_096, Sampling::All),
];

const UNKNOWN: Model = Model { max_output_tokens: 4_096, sampling: Sampling::All };

impl Model {
    /// A model's name, dated or not.
    pub(super) fn of(name: &str) -> Self {
        MODELS.iter().find(|(prefix, ..)| name.starts_with(prefix)).map_or(
            UNKNOWN,
            |(_, max_output_tokens, sampling)| Self {
                max_output_tokens: *max_output_tokens,
                sampling: *sampling,
            },
        )
    }
}
