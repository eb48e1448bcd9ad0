//! Providers: a vendor's endpoint and how it is spoken to.

use std::fmt;
use std::str::FromStr;

use crate::{ProviderSlug, TenantId, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub slug: ProviderSlug,
    /// `None`: one of the system's presets, the same for every tenant. A tenant's own of the same slug overrides it.
    pub tenant: Option<TenantId>,
    pub name: String,
    pub kind: ProviderKind,
    /// What the vendor's own SDK takes as its base URL.
    pub api_base: String,
    pub supported_models: Vec<String>,
    /// Fixed extra headers for every request; never a credential.
    pub headers: Vec<(String, String)>,
    pub auth: AuthScheme,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
}

/// The family of a provider: which dialect, addresses and oddities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProviderKind {
    OpenAi,
    Anthropic,
    Google,
    DeepSeek,
    AzureOpenAi,
    OpenAiCompatible,
}

impl ProviderKind {
    pub const ALL: [Self; 6] = [
        Self::OpenAi,
        Self::Anthropic,
        Self::Google,
        Self::DeepSeek,
        Self::AzureOpenAi,
        Self::OpenAiCompatible,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Google => "google",
            Self::DeepSeek => "deepseek",
            Self::AzureOpenAi => "azure_openai",
            Self::OpenAiCompatible => "openai_compatible",
        }
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No provider kind has this name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a kind is one of openai, anthropic, google, deepseek, azure_openai, openai_compatible")]
pub struct UnknownKind;

impl FromStr for ProviderKind {
    type Err = UnknownKind;
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|k| k.as_str() == text).ok_or(UnknownKind)
    }
}

/// In which header a vendor wants its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthScheme {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// `NAME: KEY`, the name in lower case.
    Header(String),
    /// No credential at all (a private model server).
    None,
}
