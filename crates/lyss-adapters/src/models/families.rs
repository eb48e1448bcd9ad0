//! Families of models: how much they read and write, and what they have. Sources, read in November 2026: OpenAI's model
//! pages, Anthropic's "Models overview", Google's "Gemini models", DeepSeek's "Models & Pricing", xAI's "Models", Mistral's
//! "Models", the model cards of the open ones, and the figures that the public list models.dev collects from them.

use lyss_domain::{Capability as C, CapabilitySet};

use super::Family;

/// A model of words that calls tools, as most are.
const WORDS: CapabilitySet = CapabilitySet::of(&[
    C::Chat,
    C::Stream,
    C::Tools,
    C::ParallelTools,
    C::ForcedTools,
    C::StrictTools,
    C::JsonObject,
    C::StructuredOutput,
    C::Logprobs,
    C::Candidates,
    C::Seed,
    C::Stop,
    C::Sampling,
    C::TopK,
    C::Penalties,
    C::PromptCaching,
    C::Citations,
    C::WebSearch,
    C::CodeExecution,
]);
const NOT_HELD: CapabilitySet = CapabilitySet::of(&[C::StructuredOutput, C::StrictTools]);
const SEES: CapabilitySet = WORDS.and(CapabilitySet::of(&[C::ImageInput, C::ImageUrl]));
const READS: CapabilitySet = SEES.and(CapabilitySet::of(&[C::FileInput]));
const THINKS: CapabilitySet = CapabilitySet::of(&[C::Reasoning, C::ReasoningEffort, C::ReasoningBudget]);
const TOOLS: CapabilitySet = CapabilitySet::of(&[
    C::Tools,
    C::ParallelTools,
    C::ForcedTools,
    C::StrictTools,
    C::WebSearch,
    C::CodeExecution,
]);
/// OpenAI's reasoning models refuse these ("Reasoning models", "Limitations").
const FIXED: CapabilitySet = CapabilitySet::of(&[C::Sampling, C::Penalties, C::Logprobs, C::Stop]);
const OMNI: CapabilitySet = READS.and(CapabilitySet::of(&[C::AudioInput, C::VideoInput]));
const SPEAKS: CapabilitySet = WORDS.and(CapabilitySet::of(&[C::AudioInput, C::AudioOutput]));
/// What only a vendor's platform adds to a model.
const AROUND: CapabilitySet =
    CapabilitySet::of(&[C::WebSearch, C::CodeExecution, C::Citations, C::PromptCaching]);
const VECTORS: CapabilitySet = CapabilitySet::of(&[C::Embeddings]);

const THINKER: CapabilitySet = READS.and(THINKS).without(FIXED);
const WORDY_THINKER: CapabilitySet = WORDS.and(THINKS);
const SEEING_THINKER: CapabilitySet = SEES.and(THINKS);

/// Claude up to 3.5 answers without thinking and holds no schema.
const EARLY_CLAUDE: CapabilitySet = READS.without(NOT_HELD).without(CapabilitySet::of(&[C::CodeExecution]));
const CLAUDE: CapabilitySet = READS.and(THINKS);
/// `temperature` and its like are refused from here on.
const LATE_CLAUDE: CapabilitySet = CLAUDE.without(CapabilitySet::of(&[C::Sampling, C::TopK]));
const GEMINI: CapabilitySet = OMNI.and(THINKS);
const PAINTS: CapabilitySet = SEES.and(CapabilitySet::of(&[C::ImageOutput])).without(TOOLS);

const fn row(prefix: &'static str, context: u64, max_output: u64, has: CapabilitySet) -> Family {
    Family { prefix, context, max_output: Some(max_output), has }
}

/// Weights without a vendor's own tools around them.
const fn bare(prefix: &'static str, context: u64, max_output: u64, has: CapabilitySet) -> Family {
    row(prefix, context, max_output, has.without(AROUND))
}

/// Of such models, those whose answers are bound by whoever serves them.
const fn open(prefix: &'static str, context: u64, has: CapabilitySet) -> Family {
    Family { prefix, context, max_output: None, has: has.without(AROUND) }
}

/// Perplexity's search by themselves and call no tools.
const fn sonar(prefix: &'static str, context: u64, has: CapabilitySet) -> Family {
    let has = has.without(TOOLS).and(CapabilitySet::of(&[C::WebSearch, C::Citations]));
    Family { prefix, context, max_output: None, has }
}

pub(super) const ALL: [&[Family]; 4] = [OPENAI, ANTHROPIC, GOOGLE, OTHERS];

const OPENAI: &[Family] = &[
    row("gpt-3.5-turbo", 16_385, 4_096, WORDS.without(NOT_HELD)),
    row("gpt-4", 8_192, 8_192, WORDS.without(NOT_HELD)),
    row("gpt-4-turbo", 128_000, 4_096, SEES.without(NOT_HELD)),
    row("gpt-4o", 128_000, 16_384, READS),
    row("chatgpt-4o", 128_000, 16_384, SEES.without(TOOLS).without(NOT_HELD)),
    row("gpt-4o-audio", 128_000, 16_384, SPEAKS.without(NOT_HELD)),
    row("gpt-4o-mini-audio", 128_000, 16_384, SPEAKS.without(NOT_HELD)),
    row("gpt-audio", 128_000, 16_384, SPEAKS.without(NOT_HELD)),
    row("gpt-4.1", 1_047_576, 32_768, READS),
    row("gpt-4.5", 128_000, 16_384, READS),
    row("o1", 200_000, 100_000, THINKER),
    row("o1-mini", 128_000, 65_536, WORDY_THINKER.without(FIXED).without(TOOLS).without(NOT_HELD)),
    row("o1-preview", 128_000, 32_768, WORDY_THINKER.without(FIXED).without(TOOLS).without(NOT_HELD)),
    row("o3", 200_000, 100_000, THINKER),
    row("o3-mini", 200_000, 100_000, WORDY_THINKER.without(FIXED)),
    row("o4-mini", 200_000, 100_000, THINKER),
    row("codex-mini", 200_000, 100_000, THINKER),
    row("gpt-5", 400_000, 128_000, THINKER),
    row("gpt-5-pro", 400_000, 272_000, THINKER),
    row("gpt-5-chat", 128_000, 16_384, READS),
    row("gpt-5.1-chat", 128_000, 16_384, THINKER),
    row("gpt-5.2-chat", 128_000, 16_384, THINKER),
    row("gpt-5.3-chat", 128_000, 16_384, THINKER),
    row("gpt-5.4", 1_050_000, 128_000, THINKER),
    row("gpt-5.4-mini", 400_000, 128_000, THINKER),
    row("gpt-5.4-nano", 400_000, 128_000, THINKER),
    row("gpt-5.4-pro", 1_050_000, 128_000, THINKER.without(NOT_HELD)),
    row("gpt-5.5", 1_050_000, 128_000, THINKER),
    row("gpt-5.6", 1_050_000, 128_000, THINKER),
    row("gpt-6", 1_050_000, 128_000, THINKER),
    bare("gpt-oss", 131_072, 131_072, WORDY_THINKER),
    open("text-embedding-", 8_192, VECTORS),
];

const ANTHROPIC: &[Family] = &[
    row("claude-2", 200_000, 4_096, WORDS.without(TOOLS).without(NOT_HELD)),
    row("claude-instant", 100_000, 4_096, WORDS.without(TOOLS).without(NOT_HELD)),
    row("claude-3", 200_000, 4_096, EARLY_CLAUDE),
    row("claude-3-5", 200_000, 8_192, EARLY_CLAUDE),
    row("claude-3-7", 200_000, 64_000, CLAUDE.without(NOT_HELD)),
    row("claude-opus-4", 200_000, 32_000, CLAUDE.without(NOT_HELD)),
    row("claude-4-opus", 200_000, 32_000, CLAUDE.without(NOT_HELD)),
    row("claude-sonnet-4", 200_000, 64_000, CLAUDE.without(NOT_HELD)),
    row("claude-opus-4-1", 200_000, 32_000, CLAUDE),
    row("claude-haiku-4-5", 200_000, 64_000, CLAUDE),
    row("claude-sonnet-4-5", 200_000, 64_000, CLAUDE),
    row("claude-opus-4-5", 200_000, 64_000, CLAUDE),
    row("claude-sonnet-4-6", 1_000_000, 128_000, CLAUDE),
    row("claude-opus-4-6", 1_000_000, 128_000, CLAUDE),
    row("claude-opus-4-7", 1_000_000, 128_000, LATE_CLAUDE),
    row("claude-opus-4-8", 1_000_000, 128_000, LATE_CLAUDE),
    row("claude-sonnet-5", 1_000_000, 128_000, LATE_CLAUDE),
    row("claude-opus-5", 1_000_000, 128_000, LATE_CLAUDE),
    row("claude-haiku-5", 1_000_000, 128_000, LATE_CLAUDE),
    row("claude-fable", 1_000_000, 128_000, LATE_CLAUDE),
    row("claude-mythos", 1_000_000, 128_000, LATE_CLAUDE),
];

const GOOGLE: &[Family] = &[
    row("gemini-1.5-flash", 1_048_576, 8_192, OMNI),
    row("gemini-1.5-pro", 2_097_152, 8_192, OMNI),
    row("gemini-2.0-flash", 1_048_576, 8_192, OMNI),
    row("gemini-2.5", 1_048_576, 65_536, GEMINI),
    row("gemini-2.5-flash-image", 32_768, 32_768, PAINTS),
    row("gemini-2.5-flash-preview-tts", 8_192, 16_384, SPEAKS.without(TOOLS)),
    row("gemini-2.5-pro-preview-tts", 8_192, 16_384, SPEAKS.without(TOOLS)),
    row("gemini-3", 1_048_576, 65_536, GEMINI),
    row("gemini-3-pro-image", 65_536, 32_768, PAINTS.and(THINKS)),
    row("gemini-3.1-flash-image", 65_536, 32_768, PAINTS.and(THINKS)),
    open("gemini-embedding", 2_048, VECTORS),
    open("gemma-3", 131_072, SEES),
];

const OTHERS: &[Family] = &[
    bare("deepseek-v4", 1_000_000, 384_000, WORDY_THINKER),
    open("deepseek-v3", 131_072, WORDY_THINKER),
    open("deepseek-r1", 131_072, WORDY_THINKER),
    // xAI
    open("grok-3", 131_072, WORDS),
    open("grok-3-mini", 131_072, WORDY_THINKER),
    open("grok-4", 256_000, SEEING_THINKER),
    open("grok-4-fast", 2_000_000, SEEING_THINKER),
    open("grok-4-1-fast", 2_000_000, SEEING_THINKER),
    open("grok-4.3", 1_000_000, SEEING_THINKER),
    open("grok-code-fast", 256_000, WORDY_THINKER),
    // Mistral
    open("mistral-large", 131_072, SEES),
    open("mistral-medium", 131_072, SEES),
    open("mistral-small", 131_072, SEES),
    open("ministral", 131_072, SEES),
    open("magistral", 131_072, SEEING_THINKER),
    open("codestral", 256_000, WORDS),
    open("devstral", 256_000, WORDS),
    // Meta
    open("llama-3.1", 131_072, WORDS),
    open("llama-3.3", 131_072, WORDS),
    open("llama-4-scout", 10_485_760, SEES),
    open("llama-4-maverick", 1_048_576, SEES),
    // Alibaba
    open("qwen3", 131_072, WORDY_THINKER),
    open("qwen3-coder", 262_144, WORDS),
    open("qwen3-vl", 262_144, SEEING_THINKER),
    open("qwen-plus", 1_000_000, WORDY_THINKER),
    open("qwen-flash", 1_000_000, WORDY_THINKER),
    open("qwen2.5", 131_072, WORDS),
    open("qwen2.5-vl", 131_072, SEES),
    // Moonshot, Zhipu, MiniMax
    open("kimi-k2", 262_144, WORDY_THINKER),
    open("kimi-k2.5", 262_144, SEEING_THINKER),
    open("kimi-k2.6", 262_144, SEEING_THINKER),
    bare("glm-4.5", 131_072, 98_304, WORDY_THINKER),
    bare("glm-4.6", 204_800, 131_072, WORDY_THINKER),
    bare("glm-4.7", 204_800, 131_072, WORDY_THINKER),
    bare("glm-5", 204_800, 131_072, WORDY_THINKER),
    bare("minimax-m2", 204_800, 131_072, WORDY_THINKER),
    sonar("sonar", 128_000, SEES),
    sonar("sonar-pro", 200_000, SEES),
    sonar("sonar-reasoning", 128_000, SEEING_THINKER),
];
