//! The rows that speak for a whole kind.

use lyss_domain::ProviderKind;

use super::{Preset, PresetAuth, Service, Services};
use crate::quirks::{EffortField, Quirks, ReasoningBack};

/// Pages of single models in OpenAI's model list name `v1/responses` alone for these.
const RESPONSES_ALONE: &[&str] = &[
    "o1-pro*",
    "o3-pro*",
    "o3-deep-research*",
    "o4-mini-deep-research*",
    "gpt-5-pro*",
    "gpt-5.2-pro*",
    "gpt-5.4-pro*",
    "gpt-5.5-pro*",
    "gpt-5-codex*",
    "gpt-5.1-codex*",
    "gpt-5.2-codex*",
    "gpt-5.3-codex*",
    "codex-mini*",
    "computer-use-preview*",
];

pub(super) const OPENAI: Preset = Preset {
    slug: "openai",
    name: "OpenAI",
    kind: ProviderKind::OpenAi,
    // Source: platform.openai.com API reference, "Introduction".
    api_base: Some("https://api.openai.com/v1"),
    auth: PresetAuth::Bearer,
    models: &["gpt-*", "o1*", "o3*", "o4*", "chatgpt-*", "codex-*"],
    key_variable: Some("OPENAI_API_KEY"),
    trial_model: Some("gpt-4o-mini"),
    // `max_tokens` is deprecated there and refused by reasoning models.
    quirks: Quirks::OPENAI,
    // The reference's chapters of these names. There is no reranking.
    services: Services::of(&[
        Service::Responses,
        Service::Embeddings,
        Service::Completions,
        Service::Moderations,
        Service::Images,
        Service::Audio,
    ]),
    responses_models: RESPONSES_ALONE,
};

pub(super) const ANTHROPIC: Preset = Preset {
    slug: "anthropic",
    name: "Anthropic",
    kind: ProviderKind::Anthropic,
    // Source: docs.anthropic.com API reference, "Messages".
    api_base: Some("https://api.anthropic.com"),
    auth: PresetAuth::Header("x-api-key"),
    models: &["claude-*"],
    key_variable: Some("ANTHROPIC_API_KEY"),
    trial_model: Some("claude-haiku-4-5"),
    quirks: Quirks { output_limit_field: Some("max_tokens"), ..Quirks::OPENAI },
    services: Services::NONE,
    responses_models: &[],
};

pub(super) const GOOGLE: Preset = Preset {
    slug: "google",
    name: "Google Gemini",
    kind: ProviderKind::Google,
    // Source: ai.google.dev API reference, "generateContent".
    api_base: Some("https://generativelanguage.googleapis.com"),
    auth: PresetAuth::Header("x-goog-api-key"),
    models: &["gemini-*"],
    // Source: ai.google.dev, "Using Gemini API keys".
    key_variable: Some("GEMINI_API_KEY"),
    trial_model: Some("gemini-2.5-flash-lite"),
    // Inside `generationConfig`.
    quirks: Quirks { output_limit_field: Some("maxOutputTokens"), ..Quirks::OPENAI },
    // `batchEmbedContents` in its own shape.
    services: Services::of(&[Service::Embeddings]),
    responses_models: &[],
};

pub(super) const DEEPSEEK: Preset = Preset {
    slug: "deepseek",
    name: "DeepSeek",
    kind: ProviderKind::DeepSeek,
    // Source: api-docs.deepseek.com, "Your First API Call".
    api_base: Some("https://api.deepseek.com"),
    auth: PresetAuth::Bearer,
    models: &["deepseek-*"],
    key_variable: Some("DEEPSEEK_API_KEY"),
    // Source: "Models & Pricing": `deepseek-chat` and `deepseek-reasoner` ended in July 2026.
    trial_model: Some("deepseek-v4-flash"),
    quirks: Quirks {
        // Source: API reference, "Create Chat Completion": `max_tokens`; `response_format` is `text` or `json_object`;
        // content is text; no `n`, `seed`, `parallel_tool_calls`, `metadata`.
        output_limit_field: Some("max_tokens"),
        json_schema: false,
        images: false,
        audio: false,
        files: false,
        candidates: false,
        seed_field: None,
        parallel_tool_calls: false,
        // Source: "Tool Calls": strict mode lives behind another base (`/beta`).
        strict_tools: false,
        // Source: "Thinking Mode": `thinking.type`, on unless disabled; after a tool call `reasoning_content` must come
        // back or the request is refused, elsewhere it is ignored; `reasoning_effort` stands beside it.
        effort: EffortField::ThinkingTypeAndEffort,
        reasoning: ReasoningBack::Content,
        ..Quirks::COMPATIBLE
    },
    // `/completions` (fill in the middle) stands below `/beta` only.
    services: Services::NONE,
    responses_models: &[],
};

pub(super) const AZURE_OPENAI: Preset = Preset {
    slug: "azure_openai",
    name: "Azure OpenAI",
    kind: ProviderKind::AzureOpenAi,
    // Source: learn.microsoft.com, "Azure OpenAI REST API reference": one host a resource.
    api_base: None,
    auth: PresetAuth::Header("api-key"),
    models: &[],
    key_variable: None,
    trial_model: None,
    // Source: the same reference, version 2024-10-21, "Create chat completion". Files are read by the responses API
    // alone ("Use the Azure OpenAI Responses API", "File input").
    quirks: Quirks { files: false, ..Quirks::OPENAI },
    // Content filters stand in the place of a moderation endpoint.
    services: Services::of(&[
        Service::Responses,
        Service::Embeddings,
        Service::Completions,
        Service::Images,
        Service::Audio,
    ]),
    // Of deployments that are named as their models are.
    responses_models: RESPONSES_ALONE,
};

pub(super) const COMPATIBLE: Preset = Preset {
    slug: "openai_compatible",
    name: "OpenAI-compatible",
    kind: ProviderKind::OpenAiCompatible,
    api_base: None,
    auth: PresetAuth::Bearer,
    models: &[],
    key_variable: None,
    trial_model: None,
    quirks: Quirks::COMPATIBLE,
    // Nobody knows, so everything is tried but responses: few have it, and chat is converted. A channel that has it
    // says so in `responses_models`.
    services: Services::of(&[
        Service::Embeddings,
        Service::Completions,
        Service::Moderations,
        Service::Images,
        Service::Audio,
        Service::Rerank,
    ]),
    responses_models: &[],
};
