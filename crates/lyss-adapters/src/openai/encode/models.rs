//! What OpenAI's own model families refuse. Sources: the vendor's guides "Reasoning models" and "Using GPT-5.1" and
//! later, the API reference of `reasoning_effort` and `stop`, and Azure's page "Azure OpenAI reasoning models".

use crate::conversation::{Effort, Thinking};

/// A model of OpenAI's by its name. A deployment at Azure may have any name, so an unknown one is let alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Models that do not reason: GPT-3.5, GPT-4 and the `chat` variants of later ones.
    Chat,
    /// o1, o3, o4.
    OSeries,
    /// GPT-5 and its minor versions.
    Gpt5 {
        minor: u32,
    },
    Unknown,
}

impl Family {
    pub(super) fn of(model: &str) -> Self {
        // A fine-tuned one: `ft:gpt-4o-mini:…`.
        let model = model.strip_prefix("ft:").unwrap_or(model);
        let model = model.rsplit('/').next().unwrap_or(model);
        if is_o_series(model) {
            return Self::OSeries;
        }
        let Some(version) = model.strip_prefix("gpt-") else {
            return if model.starts_with("chatgpt-") { Self::Chat } else { Self::Unknown };
        };
        match version.strip_prefix('5') {
            Some(rest) if rest.contains("-chat") => Self::Chat,
            Some(rest) if rest.starts_with(['.', '-']) || rest.is_empty() => {
                let minor = rest.strip_prefix('.').map(|minor| minor.split('-').next().unwrap_or_default());
                Self::Gpt5 { minor: minor.and_then(|minor| minor.parse().ok()).unwrap_or(0) }
            }
            _ if version.starts_with(['3', '4']) => Self::Chat,
            _ => Self::Unknown,
        }
    }

    /// The efforts that may be told, from least to most; empty: none may. `None`: any word may be tried.
    pub(super) const fn efforts(self) -> Option<&'static [Effort]> {
        use Effort::{High, Low, Medium, Minimal, XHigh};
        Some(match self {
            Self::Chat => &[],
            Self::OSeries => &[Low, Medium, High],
            Self::Gpt5 { minor: 0 } => &[Minimal, Low, Medium, High],
            Self::Gpt5 { minor: 1 } => &[Effort::None, Low, Medium, High],
            Self::Gpt5 { minor: 2..=5 } => &[Effort::None, Low, Medium, High, XHigh],
            Self::Gpt5 { .. } => &[Effort::None, Low, Medium, High, XHigh, Effort::Max],
            Self::Unknown => return None,
        })
    }

    /// Temperature, `top_p`, penalties and log probabilities are taken: never while the model reasons. GPT-5.1 to 5.4
    /// do not unless told to; later ones take none of it at all.
    pub(super) fn samples(self, thinking: Option<&Thinking>) -> bool {
        match self {
            Self::Chat | Self::Unknown => true,
            Self::OSeries | Self::Gpt5 { minor: 0 | 5.. } => false,
            Self::Gpt5 { .. } => thinking.is_none_or(Thinking::is_off),
        }
    }

    pub(super) const fn takes_stop(self) -> bool {
        matches!(self, Self::Chat | Self::Unknown)
    }

    pub(super) const fn takes_parallel_tool_calls(self) -> bool {
        !matches!(self, Self::OSeries)
    }

    pub(super) const fn takes_verbosity(self) -> bool {
        matches!(self, Self::Gpt5 { .. } | Self::Unknown)
    }
}

fn is_o_series(model: &str) -> bool {
    model.strip_prefix('o').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// OpenAI's reasoning models refuse `max_tokens`, and all its chat models take the newer name; other vendors know the
/// older one.
pub(super) fn takes_max_completion_tokens(model: &str) -> bool {
    is_o_series(model) || ["gpt-", "chatgpt-", "ft:gpt-"].iter().any(|prefix| model.starts_with(prefix))
}

/// Models that take `web_search_options`: OpenAI's search previews, Perplexity's all.
pub(super) fn searches(model: &str) -> bool {
    model.contains("search") || model.starts_with("sonar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_by_name() {
        for (model, family) in [
            ("gpt-4o-mini", Family::Chat),
            ("gpt-4.1-mini-2025-04-14", Family::Chat),
            ("ft:gpt-4o-mini-2024-07-18:acme::9", Family::Chat),
            ("chatgpt-4o-latest", Family::Chat),
            ("gpt-5-chat-latest", Family::Chat),
            ("gpt-5.2-chat-latest", Family::Chat),
            ("gpt-5", Family::Gpt5 { minor: 0 }),
            ("gpt-5-mini-2025-08-07", Family::Gpt5 { minor: 0 }),
            ("gpt-5.1-codex-max", Family::Gpt5 { minor: 1 }),
            ("gpt-5.2", Family::Gpt5 { minor: 2 }),
            ("openai/o4-mini", Family::OSeries),
            ("o3", Family::OSeries),
            ("omni-moderation", Family::Unknown),
            ("gpt-oss-120b", Family::Unknown),
            ("my-deployment", Family::Unknown),
        ] {
            assert_eq!(Family::of(model), family, "{model}");
        }
    }
}
