//! Seals: reasoning that only its own vendor can read back, carried through a dialect that has no place for it.

/// A vendor's signature over reasoning, or reasoning it keeps unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    pub kind: SealKind,
    /// As the vendor wrote it.
    pub data: String,
    /// The vendor's id of the reasoning item (OpenAI).
    pub id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealKind {
    /// `signature` of a thinking block.
    AnthropicSignature,
    /// `data` of a redacted thinking block.
    AnthropicRedacted,
    /// `encrypted_content` of a reasoning item.
    OpenAi,
    /// `thoughtSignature` of a part.
    Google,
}

/// Begins a seal that travels where another vendor's own would stand.
const MARK: &str = "lyss-seal.";

impl SealKind {
    const ALL: [Self; 4] = [Self::AnthropicSignature, Self::AnthropicRedacted, Self::OpenAi, Self::Google];

    const fn word(self) -> &'static str {
        match self {
            Self::AnthropicSignature => "anthropic",
            Self::AnthropicRedacted => "redacted",
            Self::OpenAi => "openai",
            Self::Google => "google",
        }
    }
}

impl Seal {
    pub fn new(kind: SealKind, data: impl Into<String>) -> Self {
        Self { kind, data: data.into(), id: None }
    }

    /// The seal as one printable word for a field that belongs to another vendor, such as Anthropic's `signature`.
    pub fn to_token(&self) -> String {
        let id = self.id.as_deref().unwrap_or_default();
        format!("{MARK}{}.{id}.{}", self.kind.word(), self.data)
    }

    /// Reads back what [`Seal::to_token`] wrote; `None`: it was not ours, so it is the field's own vendor's.
    pub fn from_token(token: &str) -> Option<Self> {
        let (word, rest) = token.strip_prefix(MARK)?.split_once('.')?;
        let kind = SealKind::ALL.into_iter().find(|kind| kind.word() == word)?;
        let (id, data) = rest.split_once('.')?;
        Some(Self { kind, data: data.to_owned(), id: Some(id.to_owned()).filter(|id| !id.is_empty()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_survives_a_foreign_field() {
        for kind in SealKind::ALL {
            for id in [None, Some("rs_1".to_owned())] {
                let seal = Seal { kind, data: "a.b+/=".to_owned(), id };
                assert_eq!(Seal::from_token(&seal.to_token()), Some(seal));
            }
        }
        assert_eq!(Seal::from_token("ErUBCkYIBRgC"), None);
        assert_eq!(Seal::from_token("lyss-seal.nobody..x"), None);
    }
}
