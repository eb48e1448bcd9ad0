//! Servers in one's own house. Their addresses are the ones their pages give; a private address must be opened by
//! `egress.allow`. Which models they have is theirs to say, so a channel names them.
//!
//! A field of the caller's that no page below names is not sent: most of these servers refuse what they do not know.
//! Read in November 2026.

use lyss_domain::ProviderKind;

use super::{Preset, PresetAuth, Service, Services};
use crate::quirks::{EffortField, Quirks};

/// What they share: the older name of the output limit, images in messages, neither sound nor files.
const BASE: Quirks =
    Quirks { output_limit_field: Some("max_tokens"), audio: false, files: false, ..Quirks::COMPATIBLE };

pub(super) const OLLAMA: Preset = Preset {
    slug: "ollama",
    name: "Ollama",
    kind: ProviderKind::OpenAiCompatible,
    // Source: docs.ollama.com, "OpenAI compatibility".
    api_base: Some("http://localhost:11434/v1"),
    auth: PresetAuth::None,
    models: &[],
    key_variable: None,
    trial_model: None,
    quirks: Quirks {
        // The same page: `tool_choice`, `n` and `user` are not known; images are read as data, not by address.
        forced_tools: false,
        strict_tools: false,
        parallel_tool_calls: false,
        candidates: false,
        ..BASE
    },
    services: Services::of(&[Service::Responses, Service::Embeddings, Service::Completions]),
    responses_models: &[],
};

pub(super) const VLLM: Preset = Preset {
    slug: "vllm",
    name: "vLLM",
    kind: ProviderKind::OpenAiCompatible,
    // Source: docs.vllm.ai, "OpenAI-Compatible Server".
    api_base: Some("http://localhost:8000/v1"),
    auth: PresetAuth::None,
    models: &[],
    key_variable: None,
    trial_model: None,
    quirks: Quirks {
        // The same page: `input_audio` parts, `top_k` and `chat_template_kwargs` are known; `user` is ignored.
        audio: true,
        top_k: true,
        effort: EffortField::TemplateArguments,
        ..BASE
    },
    services: Services::of(&[
        Service::Responses,
        Service::Embeddings,
        Service::Completions,
        Service::Audio,
        Service::Rerank,
    ]),
    responses_models: &[],
};

pub(super) const LM_STUDIO: Preset = Preset {
    slug: "lm_studio",
    name: "LM Studio",
    kind: ProviderKind::OpenAiCompatible,
    // Source: lmstudio.ai/docs, "OpenAI Compatibility Endpoints".
    api_base: Some("http://localhost:1234/v1"),
    auth: PresetAuth::None,
    models: &[],
    key_variable: None,
    trial_model: None,
    quirks: Quirks {
        // The same page and "Structured Output": `top_k`; `response_format` is `json_schema` alone; `tool_choice` is one of the
        // three words; neither `n` nor `logprobs` nor effort.
        top_k: true,
        json_object: false,
        strict_tools: false,
        parallel_tool_calls: false,
        candidates: false,
        logprobs: false,
        effort: EffortField::Nowhere,
        ..BASE
    },
    services: Services::of(&[Service::Responses, Service::Embeddings, Service::Completions]),
    responses_models: &[],
};

pub(super) const LLAMA_CPP: Preset = Preset {
    slug: "llama_cpp",
    name: "llama.cpp",
    kind: ProviderKind::OpenAiCompatible,
    // Source: the README of `tools/server` in the repository ggml-org/llama.cpp.
    api_base: Some("http://localhost:8080/v1"),
    auth: PresetAuth::None,
    models: &[],
    key_variable: None,
    trial_model: None,
    quirks: Quirks {
        // The same: `top_k`, `chat_template_kwargs` and `input_audio` parts are known; one answer; `tool_choice` is one of the
        // three words.
        audio: true,
        top_k: true,
        candidates: false,
        strict_tools: false,
        effort: EffortField::TemplateArguments,
        ..BASE
    },
    services: Services::of(&[Service::Responses, Service::Embeddings, Service::Completions, Service::Rerank]),
    responses_models: &[],
};
