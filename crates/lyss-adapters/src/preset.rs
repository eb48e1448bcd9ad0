//! Vendors as data: one row each, in `preset/`. Operators add the same rows at run time as providers.

mod chinese;
mod kinds;
mod local;
mod services;
mod western;

use lyss_domain::tenant::pattern_matches;
use lyss_domain::{AuthScheme, Provider, ProviderKind};

pub use services::{Service, Services};

use crate::{Quirks, Target, TargetError};

/// A vendor known from the start.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    pub slug: &'static str,
    pub name: &'static str,
    pub kind: ProviderKind,
    /// What the vendor's SDK takes; `None`: every customer has an address of their own, so the channel must give it.
    pub api_base: Option<&'static str>,
    pub auth: PresetAuth,
    /// Models offered when a channel names none; a prefix ending in `*` covers a family.
    pub models: &'static [&'static str],
    /// The environment variable in which people keep this vendor's key.
    pub key_variable: Option<&'static str>,
    /// A cheap model for a first call.
    pub trial_model: Option<&'static str>,
    /// How it differs from OpenAI. Of vendors with a dialect of their own only the output limit's name is read.
    pub quirks: Quirks,
    /// What it serves beside chat, below the same base and in OpenAI's shapes.
    pub services: Services,
    /// Models that answer nowhere but behind `/responses`; a final `*` covers a family.
    pub responses_models: &'static [&'static str],
}

/// In which header the key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresetAuth {
    Bearer,
    Header(&'static str),
    /// A server in one's own house.
    None,
}

/// The system's presets: the one that speaks for each kind, then the compatible vendors by name.
pub const fn presets() -> &'static [Preset] {
    PRESETS
}

/// The preset of a slug.
pub fn preset(slug: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.slug == slug)
}

/// The preset whose slug is the kind's name; every kind has one.
pub fn preset_of(kind: ProviderKind) -> &'static Preset {
    preset(kind.as_str()).unwrap_or(&kinds::COMPATIBLE)
}

/// What a channel's provider comes to: a tenant's own row before the preset of the same slug.
#[derive(Clone, Debug)]
pub struct Resolved<'a> {
    pub kind: ProviderKind,
    /// The preset of the slug, else of the kind.
    pub preset: &'static Preset,
    pub api_base: &'a str,
    pub auth: AuthScheme,
    pub headers: &'a [(String, String)],
}

/// Why a channel has no provider to be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    #[error("there is no such provider")]
    UnknownProvider,
    #[error("an address is needed: the provider has none of its own")]
    NoAddress,
}

/// Resolves a provider's slug. `own` is the tenant's row of that slug, `api_base` the channel's own address.
pub fn resolve<'a>(
    slug: &str,
    own: Option<&'a Provider>,
    api_base: Option<&'a str>,
) -> Result<Resolved<'a>, ResolveError> {
    let row = preset(slug);
    let kind = own.map(|p| p.kind).or(row.map(|p| p.kind)).ok_or(ResolveError::UnknownProvider)?;
    let preset = row.unwrap_or_else(|| preset_of(kind));
    Ok(Resolved {
        kind,
        preset,
        api_base: api_base
            .or(own.map(|provider| provider.api_base.as_str()))
            .or(preset.api_base)
            .ok_or(ResolveError::NoAddress)?,
        auth: own.map_or_else(|| preset.auth.scheme(), |provider| provider.auth.clone()),
        headers: own.map_or(&[], |provider| &provider.headers),
    })
}

impl Preset {
    /// Under which name an output limit is written into a body that is otherwise passed as it is.
    pub const fn output_limit_field(&self) -> &'static str {
        match (self.quirks.output_limit_field, self.kind) {
            (Some(name), _) => name,
            // Where only the dialect is known, the older name is known to more servers.
            (None, ProviderKind::OpenAiCompatible) => "max_tokens",
            (None, _) => "max_completion_tokens",
        }
    }

    /// True when this model answers nowhere but behind `/responses`.
    pub fn needs_responses(&self, model: &str) -> bool {
        self.responses_models.iter().any(|pattern| pattern_matches(pattern, model))
    }
}

impl PresetAuth {
    /// The same as a provider's row says it.
    pub fn scheme(self) -> AuthScheme {
        match self {
            Self::Bearer => AuthScheme::Bearer,
            Self::Header(name) => AuthScheme::Header(name.to_owned()),
            Self::None => AuthScheme::None,
        }
    }
}

impl Resolved<'_> {
    /// Its address, made ready.
    pub fn target(&self, api_version: Option<&str>) -> Result<Target, TargetError> {
        Target::new(self.kind, self.api_base, &self.auth, self.headers, api_version)
    }
}

const PRESETS: &[Preset] = &[
    kinds::OPENAI,
    kinds::ANTHROPIC,
    kinds::GOOGLE,
    kinds::DEEPSEEK,
    kinds::AZURE_OPENAI,
    kinds::COMPATIBLE,
    western::CEREBRAS,
    western::FIREWORKS,
    western::GROQ,
    western::HUGGING_FACE,
    local::LLAMA_CPP,
    local::LM_STUDIO,
    chinese::MINIMAX,
    western::MISTRAL,
    chinese::MOONSHOT,
    western::NVIDIA_NIM,
    local::OLLAMA,
    western::OPENROUTER,
    western::PERPLEXITY,
    chinese::QWEN,
    chinese::SILICONFLOW,
    western::TOGETHER,
    local::VLLM,
    chinese::VOLCENGINE,
    western::XAI,
    chinese::ZHIPU,
];

#[cfg(test)]
mod tests;
