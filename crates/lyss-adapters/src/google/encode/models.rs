//! What differs between models, from the Gemini API's pages "Thinking", "Gemini 3", "Thought signatures", "Tool
//! combination" and "File input methods", and its pages of single models, read in November 2026.

use crate::conversation::Effort;

/// What an encoder must know of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    /// Major and minor: `(2, 5)` of `gemini-2.5-pro`. An unknown name counts as the newest.
    version: (u32, u32),
    pub(super) thinking: Thinks,
}

/// How a model is told how much to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinks {
    Never,
    /// In tokens, from the least to the most.
    Budget {
        least: u64,
        most: u64,
        /// A budget of 0 turns it off.
        can_stop: bool,
    },
    /// In words; it cannot be turned off.
    Level {
        lowest: Effort,
        has_medium: bool,
    },
}

const NEWEST: (u32, u32) = (99, 0);

impl Model {
    pub(super) fn of(name: &str) -> Self {
        let name = name.rsplit('/').next().unwrap_or(name);
        let version = version(name);
        let is_pro = name.contains("pro");
        let thinking = match version {
            (..2, _) | (2, ..5) => Thinks::Never,
            // Those that draw or speak decide for themselves.
            _ if name.contains("image") || name.contains("tts") => Thinks::Never,
            (2, _) if is_pro => Thinks::Budget { least: 128, most: 32_768, can_stop: false },
            (2, _) if name.contains("lite") => Thinks::Budget { least: 512, most: 24_576, can_stop: true },
            (2, _) => Thinks::Budget { least: 1, most: 24_576, can_stop: true },
            // The first of them knew two levels only.
            (3, 0) if is_pro => Thinks::Level { lowest: Effort::Low, has_medium: false },
            _ if is_pro => Thinks::Level { lowest: Effort::Low, has_medium: true },
            // Later ones refuse the lowest level, but for the light ones.
            (3, 7..) | (4.., _) if !name.contains("lite") => {
                Thinks::Level { lowest: Effort::Low, has_medium: true }
            }
            _ => Thinks::Level { lowest: Effort::Minimal, has_medium: true },
        };
        Self { version, thinking }
    }

    /// Gemini 3 and later: ids of calls go back, media may stand in a function's result, vendor tools stand beside
    /// functions, every call wants a signature, and penalties are refused.
    pub(super) fn is_third(self) -> bool {
        self.version >= (3, 0)
    }

    /// Real JSON Schema is read, in `parametersJsonSchema` and `responseJsonSchema`.
    pub(super) fn reads_json_schema(self) -> bool {
        self.version >= (2, 0)
    }

    /// Fetches what an `https` address names.
    pub(super) fn fetches(self) -> bool {
        self.version >= (2, 5)
    }

    /// Has `urlContext`.
    pub(super) fn reads_urls(self) -> bool {
        self.version >= (2, 5)
    }

    /// Searches with `googleSearch`; before, with `googleSearchRetrieval`.
    pub(super) fn searches(self) -> bool {
        self.version >= (2, 0)
    }
}

/// `gemini-2.5-flash-lite`, `gemini-3-pro-preview`; aliases such as `gemini-flash-latest` are the newest.
fn version(name: &str) -> (u32, u32) {
    let Some(rest) = name.strip_prefix("gemini-") else {
        // Gemma and others served beside it: nothing newer than the plain features.
        return if name.starts_with("gemma") || name.starts_with("learnlm") { (2, 0) } else { NEWEST };
    };
    if rest.starts_with("pro-vision") || rest == "pro" {
        return (1, 0);
    }
    let word = rest.split('-').next().unwrap_or_default();
    let (major, minor) = word.split_once('.').unwrap_or((word, "0"));
    match (major.parse(), minor.parse()) {
        (Ok(major), Ok(minor)) => (major, minor),
        _ => NEWEST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_family() {
        assert_eq!(version("gemini-2.5-flash-lite"), (2, 5));
        assert_eq!(version("gemini-3-pro-preview"), (3, 0));
        assert_eq!(version("gemini-flash-latest"), NEWEST);
        assert_eq!(version("gemini-pro"), (1, 0));
        let thinking = |name: &str| Model::of(name).thinking;
        assert_eq!(thinking("models/gemini-2.0-flash"), Thinks::Never);
        assert_eq!(thinking("gemini-2.5-pro"), Thinks::Budget { least: 128, most: 32_768, can_stop: false });
        assert_eq!(
            thinking("gemini-2.5-flash-lite"),
            Thinks::Budget { least: 512, most: 24_576, can_stop: true }
        );
        assert_eq!(
            thinking("gemini-3-pro-preview"),
            Thinks::Level { lowest: Effort::Low, has_medium: false }
        );
        assert_eq!(thinking("gemini-3.5-flash"), Thinks::Level { lowest: Effort::Minimal, has_medium: true });
    }
}
