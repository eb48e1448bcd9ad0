//! Compatible vendors of China. Several have a second address for the rest of the world; keys are good at one of the two,
//! so a channel may give the other.
//!
//! A field of the caller's that no page below names is not sent: most of these servers refuse what they do not know.
//! Read in November 2026.

use lyss_domain::ProviderKind;

use super::{Preset, PresetAuth, Service, Services};
use crate::quirks::{EffortField, Quirks, ReasoningBack};

/// What they share: the older name of the output limit, images in messages, neither sound nor files.
const BASE: Quirks =
    Quirks { output_limit_field: Some("max_tokens"), audio: false, files: false, ..Quirks::COMPATIBLE };

pub(super) const MOONSHOT: Preset = Preset {
    slug: "moonshot",
    name: "Moonshot AI (Kimi)",
    kind: ProviderKind::OpenAiCompatible,
    // Source: platform.moonshot.ai, "Quickstart". In China: https://api.moonshot.cn/v1.
    api_base: Some("https://api.moonshot.ai/v1"),
    auth: PresetAuth::Bearer,
    models: &["kimi-*", "moonshot-v1-*"],
    key_variable: Some("MOONSHOT_API_KEY"),
    trial_model: Some("kimi-k2.6"),
    quirks: Quirks {
        // Source: "Chat API": `max_completion_tokens`; `tool_choice` is `auto` or `none`; JSON mode without a schema; the kimi
        // models fix `n` and the penalties; neither `seed` nor `logprobs`.
        output_limit_field: Some("max_completion_tokens"),
        forced_tools: false,
        strict_tools: false,
        parallel_tool_calls: false,
        json_schema: false,
        candidates: false,
        penalties: false,
        logprobs: false,
        seed_field: None,
        // Source: "Thinking model guide": `thinking.type`; `reasoning_content` must come back with a tool call.
        effort: EffortField::ThinkingType,
        reasoning: ReasoningBack::Content,
        ..BASE
    },
    services: Services::NONE,
    responses_models: &[],
};

pub(super) const QWEN: Preset = Preset {
    slug: "qwen",
    name: "Qwen (DashScope)",
    kind: ProviderKind::OpenAiCompatible,
    // Source: help.aliyun.com, Model Studio, "OpenAI compatible - Chat". Elsewhere:
    // https://dashscope-intl.aliyuncs.com/compatible-mode/v1.
    api_base: Some("https://dashscope.aliyuncs.com/compatible-mode/v1"),
    auth: PresetAuth::Bearer,
    models: &["qwen*", "qwq-*", "qvq-*"],
    key_variable: Some("DASHSCOPE_API_KEY"),
    trial_model: Some("qwen-flash"),
    quirks: Quirks {
        // The same page: `enable_thinking` and `thinking_budget`, `top_k`. Sound wants a data URL where OpenAI wants base64.
        // No strict tools.
        effort: EffortField::EnableThinking,
        top_k: true,
        strict_tools: false,
        ..BASE
    },
    services: Services::of(&[Service::Embeddings]),
    responses_models: &[],
};

pub(super) const ZHIPU: Preset = Preset {
    slug: "zhipu",
    name: "Zhipu GLM",
    kind: ProviderKind::OpenAiCompatible,
    // Source: docs.bigmodel.cn, "OpenAI API compatibility". Elsewhere (Z.AI): https://api.z.ai/api/paas/v4.
    api_base: Some("https://open.bigmodel.cn/api/paas/v4"),
    auth: PresetAuth::Bearer,
    models: &["glm-*"],
    key_variable: Some("ZHIPUAI_API_KEY"),
    trial_model: Some("glm-4.5-flash"),
    quirks: Quirks {
        // Source: API reference, "Chat Completion": `thinking.type`; `tool_choice` is `auto` alone; JSON mode without a schema;
        // none of the other fields named false here. The last chunk of a stream has the usage unasked.
        effort: EffortField::ThinkingType,
        stream_options: false,
        forced_tools: false,
        strict_tools: false,
        parallel_tool_calls: false,
        json_schema: false,
        candidates: false,
        logprobs: false,
        penalties: false,
        seed_field: None,
        // Source: "Thinking mode": interleaved thinking wants `reasoning_content` back.
        reasoning: ReasoningBack::Content,
        ..BASE
    },
    services: Services::of(&[
        Service::Embeddings,
        Service::Moderations,
        Service::Images,
        Service::Audio,
        Service::Rerank,
    ]),
    responses_models: &[],
};

pub(super) const MINIMAX: Preset = Preset {
    slug: "minimax",
    name: "MiniMax",
    kind: ProviderKind::OpenAiCompatible,
    // Source: platform.minimax.io, "Compatible OpenAI API". In China: https://api.minimaxi.com/v1.
    api_base: Some("https://api.minimax.io/v1"),
    auth: PresetAuth::Bearer,
    models: &["MiniMax-*"],
    key_variable: Some("MINIMAX_API_KEY"),
    trial_model: Some("MiniMax-M2.5"),
    quirks: Quirks {
        // The same page: `max_tokens` is deprecated, one answer, penalties are ignored. The schema of requests has no
        // `tool_choice`, `response_format`, `seed` or `logprobs`. Thinking is on; the text holds it in `<think>` tags and comes
        // back with them, so nothing else is to be sent.
        output_limit_field: Some("max_completion_tokens"),
        effort: EffortField::Nowhere,
        forced_tools: false,
        strict_tools: false,
        parallel_tool_calls: false,
        json_schema: false,
        json_object: false,
        candidates: false,
        logprobs: false,
        penalties: false,
        seed_field: None,
        ..BASE
    },
    services: Services::of(&[Service::Responses]),
    responses_models: &[],
};

pub(super) const SILICONFLOW: Preset = Preset {
    slug: "siliconflow",
    name: "SiliconFlow",
    kind: ProviderKind::OpenAiCompatible,
    // Source: docs.siliconflow.cn, "Create chat completion". Elsewhere: https://api.siliconflow.com/v1.
    api_base: Some("https://api.siliconflow.cn/v1"),
    auth: PresetAuth::Bearer,
    models: &[
        "Qwen/*",
        "deepseek-ai/*",
        "Pro/*",
        "moonshotai/*",
        "zai-org/*",
        "MiniMaxAI/*",
        "THUDM/*",
        "inclusionAI/*",
    ],
    key_variable: Some("SILICONFLOW_API_KEY"),
    trial_model: Some("Qwen/Qwen3-8B"),
    quirks: Quirks {
        // The same page: `enable_thinking` and `thinking_budget`, `top_k`; JSON mode without a schema; no choice among tools;
        // neither `seed` nor `logprobs`.
        effort: EffortField::EnableThinking,
        top_k: true,
        forced_tools: false,
        parallel_tool_calls: false,
        json_schema: false,
        logprobs: false,
        seed_field: None,
        ..BASE
    },
    services: Services::of(&[Service::Embeddings, Service::Images, Service::Audio, Service::Rerank]),
    responses_models: &[],
};

pub(super) const VOLCENGINE: Preset = Preset {
    slug: "volcengine",
    name: "Volcengine Ark",
    kind: ProviderKind::OpenAiCompatible,
    // Source: volcengine.com/docs, Ark, "Chat API". A model may also be an endpoint of one's own (`ep-…`).
    api_base: Some("https://ark.cn-beijing.volces.com/api/v3"),
    auth: PresetAuth::Bearer,
    models: &["doubao-*", "deepseek-*", "kimi-*", "glm-*", "ep-*"],
    key_variable: Some("ARK_API_KEY"),
    trial_model: Some("doubao-seed-1-6-flash-250828"),
    quirks: Quirks {
        // The same page: `thinking.type`, `reasoning_content` in messages of the assistant; neither `n` nor `seed`; no strict
        // tools.
        effort: EffortField::ThinkingType,
        reasoning: ReasoningBack::Content,
        candidates: false,
        seed_field: None,
        strict_tools: false,
        ..BASE
    },
    services: Services::of(&[Service::Responses, Service::Embeddings, Service::Images]),
    responses_models: &[],
};
