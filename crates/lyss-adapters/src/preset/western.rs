//! Compatible vendors of America and Europe.
//!
//! A field of the caller's that no page below names is not sent: most of these servers refuse what they do not know.
//! Read in November 2026.

use lyss_domain::ProviderKind;

use super::{Preset, PresetAuth, Service, Services};
use crate::quirks::{EffortField, Quirks, ReasoningBack};

/// What they share: the older name of the output limit, images in messages, neither sound nor files.
const BASE: Quirks =
    Quirks { output_limit_field: Some("max_tokens"), audio: false, files: false, ..Quirks::COMPATIBLE };

pub(super) const MISTRAL: Preset = Preset {
    slug: "mistral",
    name: "Mistral",
    kind: ProviderKind::OpenAiCompatible,
    // Source: docs.mistral.ai, "API", "Chat".
    api_base: Some("https://api.mistral.ai/v1"),
    auth: PresetAuth::Bearer,
    models: &[
        "mistral-*",
        "ministral-*",
        "magistral-*",
        "codestral-*",
        "devstral-*",
        "pixtral-*",
        "voxtral-*",
        "open-mistral-*",
    ],
    key_variable: Some("MISTRAL_API_KEY"),
    trial_model: Some("mistral-small-latest"),
    quirks: Quirks {
        // The request type of the same reference: `random_seed`; no `stream_options` (the last chunk has the usage unasked),
        // no `logprobs`, no `user`.
        seed_field: Some("random_seed"),
        stream_options: false,
        logprobs: false,
        // `reasoning_effort` takes `none` and `high` there, and only some models take it at all.
        effort: EffortField::Nowhere,
        // Its own message of refusal: ids of tool calls are nine of a-z, A-Z, 0-9.
        nine_character_ids: true,
        ..BASE
    },
    services: Services::of(&[Service::Embeddings, Service::Moderations, Service::Audio]),
    responses_models: &[],
};

pub(super) const GROQ: Preset = Preset {
    slug: "groq",
    name: "Groq",
    kind: ProviderKind::OpenAiCompatible,
    // Source: console.groq.com/docs, "OpenAI Compatibility".
    api_base: Some("https://api.groq.com/openai/v1"),
    auth: PresetAuth::Bearer,
    models: &["llama-*", "meta-llama/*", "openai/gpt-oss-*", "qwen/*", "moonshotai/*", "groq/*"],
    key_variable: Some("GROQ_API_KEY"),
    trial_model: Some("openai/gpt-oss-20b"),
    quirks: Quirks {
        // Source: API reference, "Create chat completion": `max_tokens` is deprecated; `n` above 1, `logprobs`, `metadata` and
        // `store` are refused; penalties are taken by no model.
        output_limit_field: Some("max_completion_tokens"),
        candidates: false,
        logprobs: false,
        penalties: false,
        ..BASE
    },
    services: Services::of(&[Service::Responses, Service::Audio]),
    responses_models: &[],
};

pub(super) const XAI: Preset = Preset {
    slug: "xai",
    name: "xAI",
    kind: ProviderKind::OpenAiCompatible,
    // Source: docs.x.ai, "REST API reference".
    api_base: Some("https://api.x.ai/v1"),
    auth: PresetAuth::Bearer,
    models: &["grok-*"],
    key_variable: Some("XAI_API_KEY"),
    trial_model: Some("grok-4-fast-non-reasoning"),
    quirks: Quirks {
        // Source: the same, "Chat completions": `max_tokens` is deprecated. Files go through `/responses` alone.
        output_limit_field: Some("max_completion_tokens"),
        ..BASE
    },
    services: Services::of(&[Service::Responses, Service::Completions, Service::Images]),
    responses_models: &[],
};

pub(super) const TOGETHER: Preset = Preset {
    slug: "together",
    name: "Together AI",
    kind: ProviderKind::OpenAiCompatible,
    // Source: docs.together.ai, "OpenAI compatibility".
    api_base: Some("https://api.together.xyz/v1"),
    auth: PresetAuth::Bearer,
    models: &[
        "meta-llama/*",
        "openai/gpt-oss-*",
        "Qwen/*",
        "deepseek-ai/*",
        "moonshotai/*",
        "zai-org/*",
        "mistralai/*",
        "google/*",
    ],
    key_variable: Some("TOGETHER_API_KEY"),
    trial_model: Some("openai/gpt-oss-20b"),
    quirks: Quirks {
        // Source: API reference, "Create chat completion": `logprobs` is a number there and `top_logprobs` is not known;
        // `top_k` and `input_audio` parts are; there is no `parallel_tool_calls`.
        logprobs: false,
        top_k: true,
        audio: true,
        parallel_tool_calls: false,
        ..BASE
    },
    services: Services::of(&[
        Service::Embeddings,
        Service::Completions,
        Service::Images,
        Service::Audio,
        Service::Rerank,
    ]),
    responses_models: &[],
};

pub(super) const FIREWORKS: Preset = Preset {
    slug: "fireworks",
    name: "Fireworks AI",
    kind: ProviderKind::OpenAiCompatible,
    // Source: docs.fireworks.ai, "OpenAI compatibility".
    api_base: Some("https://api.fireworks.ai/inference/v1"),
    auth: PresetAuth::Bearer,
    models: &["accounts/fireworks/*"],
    key_variable: Some("FIREWORKS_API_KEY"),
    trial_model: Some("accounts/fireworks/models/gpt-oss-20b"),
    quirks: Quirks {
        // Source: API reference, "Create Chat Completion": `top_k`; `reasoning_content` in messages of the assistant.
        top_k: true,
        reasoning: ReasoningBack::Content,
        ..BASE
    },
    services: Services::of(&[Service::Responses, Service::Embeddings, Service::Completions, Service::Rerank]),
    responses_models: &[],
};

pub(super) const OPENROUTER: Preset = Preset {
    slug: "openrouter",
    name: "OpenRouter",
    kind: ProviderKind::OpenAiCompatible,
    // Source: openrouter.ai/docs, "Quickstart".
    api_base: Some("https://openrouter.ai/api/v1"),
    auth: PresetAuth::Bearer,
    models: &[
        "openai/*",
        "anthropic/*",
        "google/*",
        "deepseek/*",
        "meta-llama/*",
        "mistralai/*",
        "qwen/*",
        "x-ai/*",
        "moonshotai/*",
        "z-ai/*",
        "minimax/*",
        "openrouter/*",
    ],
    key_variable: Some("OPENROUTER_API_KEY"),
    trial_model: Some("openai/gpt-4o-mini"),
    quirks: Quirks {
        // Source: the pages "Parameters", "Reasoning Tokens" and "Multimodal": `top_k`; the object `reasoning`;
        // `reasoning_details` are to come back unchanged; files and sound are read; one answer alone. "Prompt caching":
        // `cache_control` on parts.
        top_k: true,
        cache_control: true,
        effort: EffortField::ReasoningObject,
        reasoning: ReasoningBack::Details,
        files: true,
        audio: true,
        candidates: false,
        ..BASE
    },
    services: Services::of(&[Service::Responses, Service::Embeddings, Service::Completions]),
    responses_models: &[],
};

pub(super) const PERPLEXITY: Preset = Preset {
    slug: "perplexity",
    name: "Perplexity",
    kind: ProviderKind::OpenAiCompatible,
    // Source: docs.perplexity.ai, "OpenAI compatibility" of the Sonar API. It lists no models there: a test of the
    // connection ends in "not found".
    api_base: Some("https://api.perplexity.ai"),
    auth: PresetAuth::Bearer,
    models: &["sonar*"],
    key_variable: Some("PERPLEXITY_API_KEY"),
    trial_model: Some("sonar"),
    quirks: Quirks {
        // Source: API reference, "Chat completions": `response_format` is `json_schema` or a pattern, `reasoning_effort` is
        // known; no tools of the caller worth the name, no `seed`, one answer.
        json_object: false,
        forced_tools: false,
        strict_tools: false,
        parallel_tool_calls: false,
        candidates: false,
        logprobs: false,
        penalties: false,
        seed_field: None,
        stream_options: false,
        ..BASE
    },
    // Its other endpoints stand below `/v1`, beside this base.
    services: Services::NONE,
    responses_models: &[],
};

pub(super) const CEREBRAS: Preset = Preset {
    slug: "cerebras",
    name: "Cerebras",
    kind: ProviderKind::OpenAiCompatible,
    // Source: inference-docs.cerebras.ai, "OpenAI Compatibility".
    api_base: Some("https://api.cerebras.ai/v1"),
    auth: PresetAuth::Bearer,
    models: &["gpt-oss-*", "llama*", "qwen-*", "zai-glm-*"],
    key_variable: Some("CEREBRAS_API_KEY"),
    trial_model: Some("gpt-oss-120b"),
    quirks: Quirks {
        // Source: the same page and "Chat Completions": `max_tokens` is deprecated, penalties are refused, content is text.
        output_limit_field: Some("max_completion_tokens"),
        penalties: false,
        images: false,
        ..BASE
    },
    services: Services::of(&[Service::Completions]),
    responses_models: &[],
};

pub(super) const NVIDIA_NIM: Preset = Preset {
    slug: "nvidia_nim",
    name: "NVIDIA NIM",
    kind: ProviderKind::OpenAiCompatible,
    // Source: docs.api.nvidia.com, "LLM APIs". A NIM in one's own house: give the channel its address.
    api_base: Some("https://integrate.api.nvidia.com/v1"),
    auth: PresetAuth::Bearer,
    models: &[
        "nvidia/*",
        "meta/*",
        "openai/gpt-oss-*",
        "qwen/*",
        "deepseek-ai/*",
        "mistralai/*",
        "moonshotai/*",
        "microsoft/*",
        "google/*",
    ],
    key_variable: Some("NVIDIA_API_KEY"),
    trial_model: Some("meta/llama-3.1-8b-instruct"),
    quirks: Quirks {
        // Source: docs.nvidia.com/nim, "API Reference" and "Thinking Budget Control": one answer; thinking is switched in
        // `chat_template_kwargs`; no strict tools.
        candidates: false,
        effort: EffortField::TemplateArguments,
        strict_tools: false,
        ..BASE
    },
    services: Services::of(&[Service::Embeddings, Service::Completions]),
    responses_models: &[],
};

pub(super) const HUGGING_FACE: Preset = Preset {
    slug: "hugging_face",
    name: "Hugging Face router",
    kind: ProviderKind::OpenAiCompatible,
    // Source: huggingface.co/docs, "Inference Providers".
    api_base: Some("https://router.huggingface.co/v1"),
    auth: PresetAuth::Bearer,
    models: &[
        "openai/gpt-oss-*",
        "meta-llama/*",
        "Qwen/*",
        "deepseek-ai/*",
        "moonshotai/*",
        "zai-org/*",
        "google/*",
        "mistralai/*",
        "MiniMaxAI/*",
    ],
    key_variable: Some("HF_TOKEN"),
    trial_model: Some("openai/gpt-oss-20b"),
    quirks: Quirks {
        // Source: the same, "Chat Completion": neither `n` nor `parallel_tool_calls`.
        candidates: false,
        parallel_tool_calls: false,
        ..BASE
    },
    services: Services::of(&[Service::Responses]),
    responses_models: &[],
};
