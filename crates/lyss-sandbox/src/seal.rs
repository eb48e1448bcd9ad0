//! Signatures: reasoning that is handed to the caller sealed, and must come back as it was.
//!
//! A vendor's own seals are opaque. These are the base64 of who made it, and a hash of what it seals, so that the
//! sandbox can tell its own from anybody else's without remembering anything.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::text;

#[cfg(test)]
mod tests;

/// Who sealed; a seal of one is none of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sealer {
    Anthropic,
    AnthropicRedacted,
    Google,
    OpenAi,
}

impl Sealer {
    fn mark(self) -> &'static str {
        match self {
            Self::Anthropic => "sandbox/anthropic/thinking",
            Self::AnthropicRedacted => "sandbox/anthropic/redacted",
            Self::Google => "sandbox/google/thought",
            Self::OpenAi => "sandbox/openai/reasoning",
        }
    }

    /// A seal over `content`.
    pub(crate) fn seal(self, content: &str) -> String {
        let hash = text::seed(self.mark(), content);
        STANDARD.encode(format!("{}/{hash:016x}", self.mark()))
    }

    /// A seal that carries `content` in itself.
    pub(crate) fn lock(self, content: &str) -> String {
        let hash = text::seed(self.mark(), content);
        STANDARD.encode(format!("{}/{hash:016x}/{content}", self.mark()))
    }

    /// `seal` is over `content`.
    pub(crate) fn made(self, seal: &str, content: &str) -> bool {
        seal == self.seal(content)
    }

    /// `seal` carries what it was made over.
    pub(crate) fn locked(self, seal: &str) -> bool {
        let Some(opened) = decoded(seal) else { return false };
        let Some(rest) = opened.strip_prefix(self.mark()).and_then(|rest| rest.strip_prefix('/')) else {
            return false;
        };
        rest.split_once('/')
            .is_some_and(|(hash, content)| hash == format!("{:016x}", text::seed(self.mark(), content)))
    }
}

/// Either alphabet; SDKs write bytes in one or the other.
pub(crate) fn decoded(base64: &str) -> Option<String> {
    let bytes = STANDARD.decode(base64).or_else(|_| URL_SAFE.decode(base64)).ok()?;
    String::from_utf8(bytes).ok()
}
