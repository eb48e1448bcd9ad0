//! Vendors as data: one row each. Operators add the same rows at run time as providers.

use lyss_domain::{AuthScheme, Provider, ProviderKind};

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
    /// Under which name this vendor reads an output limit.
    pub output_limit_field: &'static str,
    pub quirks: Quirks,
    /// Models that exist behind the responses API alone; a final `*` covers a family.
    pub responses_models: &'static [&'static str],
}

/// In which header the key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresetAuth {
    Bearer,
    Header(&'static str),
}

/// The system's presets; their slugs equal their kinds.
pub const fn presets() -> &'static [Preset] {
    PRESETS
}

/// The preset of a slug.
pub fn preset(slug: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.slug == slug)
}

/// The preset whose slug is the kind's name; every kind has one.
pub fn preset_of(kind: ProviderKind) -> &'static Preset {
    preset(kind.as_str()).unwrap_or(&COMPATIBLE)
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

impl PresetAuth {
    /// The same as a provider's row says it.
    pub fn scheme(self) -> AuthScheme {
        match self {
            Self::Bearer => AuthScheme::Bearer,
            Self::Header(name) => AuthScheme::Header(name.to_owned()),
        }
    }
}

impl Resolved<'_> {
    /// Its address, made ready.
    pub fn target(&self, api_version: Option<&str>) -> Result<Target, TargetError> {
        Target::new(self.kind, self.api_base, &self.auth, self.headers, api_version)
    }
}

const OPENAI: Preset = Preset {
    slug: "openai",
    name: "OpenAI",
    kind: ProviderKind::OpenAi,
    // Source: platform.openai.com API reference, "Introduction".
    api_base: Some("https://api.openai.com/v1"),
    auth: PresetAuth::Bearer,
    models: &["gpt-*", "o1*", "o3*", "o4*", "chatgpt-*"],
    key_variable: Some("OPENAI_API_KEY"),
    trial_model: Some("gpt-4o-mini"),
    // `max_tokens` is deprecated there and refused by reasoning models.
    output_limit_field: "max_completion_tokens",
    quirks: Quirks::OPENAI,
    responses_models: &[],
};

const COMPATIBLE: Preset = Preset {
    slug: "openai_compatible",
    name: "OpenAI-compatible",
    kind: ProviderKind::OpenAiCompatible,
    api_base: None,
    auth: PresetAuth::Bearer,
    models: &[],
    key_variable: None,
    trial_model: None,
    output_limit_field: "max_tokens",
    quirks: Quirks::OPENAI,
    responses_models: &[],
};

const PRESETS: &[Preset] = &[
    OPENAI,
    Preset {
        slug: "anthropic",
        name: "Anthropic",
        kind: ProviderKind::Anthropic,
        // Source: docs.anthropic.com API reference, "Messages".
        api_base: Some("https://api.anthropic.com"),
        auth: PresetAuth::Header("x-api-key"),
        models: &["claude-*"],
        key_variable: Some("ANTHROPIC_API_KEY"),
        trial_model: Some("claude-haiku-4-5"),
        output_limit_field: "max_tokens",
        quirks: Quirks::OPENAI,
        responses_models: &[],
    },
    Preset {
        slug: "google",
        name: "Google Gemini",
        kind: ProviderKind::Google,
        // Source: ai.google.dev API reference, "generateContent".
        api_base: Some("https://generativelanguage.googleapis.com"),
        auth: PresetAuth::Header("x-goog-api-key"),
        models: &["gemini-*"],
        // Its dialect comes with a later issue; until then no channel of this kind serves.
        key_variable: None,
        trial_model: None,
        output_limit_field: "maxOutputTokens",
        quirks: Quirks::OPENAI,
        responses_models: &[],
    },
    Preset {
        slug: "deepseek",
        name: "DeepSeek",
        kind: ProviderKind::DeepSeek,
        // Source: api-docs.deepseek.com, "Your First API Call".
        api_base: Some("https://api.deepseek.com"),
        auth: PresetAuth::Bearer,
        models: &["deepseek-*"],
        key_variable: Some("DEEPSEEK_API_KEY"),
        trial_model: Some("deepseek-chat"),
        output_limit_field: "max_tokens",
        quirks: Quirks::OPENAI,
        responses_models: &[],
    },
    Preset {
        slug: "azure_openai",
        name: "Azure OpenAI",
        kind: ProviderKind::AzureOpenAi,
        // Source: learn.microsoft.com, "Azure OpenAI REST API reference": one host a resource.
        api_base: None,
        auth: PresetAuth::Header("api-key"),
        models: &[],
        key_variable: None,
        trial_model: None,
        output_limit_field: "max_completion_tokens",
        quirks: Quirks::OPENAI,
        responses_models: &[],
    },
    COMPATIBLE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_preset_under_its_own_name() {
        for kind in ProviderKind::ALL {
            let found: Vec<_> = presets().iter().filter(|p| p.slug == kind.as_str()).collect();
            assert_eq!(found.len(), 1, "{kind}");
            assert_eq!((found[0].kind, preset_of(kind).slug), (kind, kind.as_str()));
        }
    }
}
