//! What each dialect has words for, towards its vendors. What a model makes of them is another question.

use lyss_domain::{Capability, CapabilitySet};

use crate::Dialect;

/// What all four can say.
const COMMON: CapabilitySet = CapabilitySet::of(&[
    Capability::Chat,
    Capability::Stream,
    Capability::Tools,
    Capability::ParallelTools,
    Capability::ForcedTools,
    Capability::ImageInput,
    Capability::ImageUrl,
    Capability::FileInput,
    Capability::StructuredOutput,
    Capability::Reasoning,
    Capability::ReasoningEffort,
    Capability::Sampling,
    Capability::Citations,
    Capability::WebSearch,
]);

/// From the API reference, "Create chat completion".
const CHAT: CapabilitySet = COMMON.and(CapabilitySet::of(&[
    Capability::StrictTools,
    Capability::AudioInput,
    Capability::AudioOutput,
    Capability::JsonObject,
    Capability::Logprobs,
    Capability::Candidates,
    Capability::Seed,
    Capability::Stop,
    Capability::Penalties,
]));

/// From the API reference, "Create a model response": neither stop sequences nor seed, penalties, several answers, sound.
const RESPONSES: CapabilitySet = COMMON.and(CapabilitySet::of(&[
    Capability::StrictTools,
    Capability::ImageOutput,
    Capability::JsonObject,
    Capability::Logprobs,
    Capability::CodeExecution,
]));

/// From the API reference, "Messages": no JSON mode without a schema, no logprobs, seed, penalties, several answers, sound.
const MESSAGES: CapabilitySet = COMMON.and(CapabilitySet::of(&[
    Capability::StrictTools,
    Capability::ReasoningBudget,
    Capability::Stop,
    Capability::TopK,
    Capability::PromptCaching,
    Capability::CodeExecution,
]));

/// From the API reference, "generateContent" and "GenerationConfig": calls cannot be held to one at a time.
const GENERATE: CapabilitySet = COMMON
    .and(CapabilitySet::of(&[
        Capability::StrictTools,
        Capability::AudioInput,
        Capability::VideoInput,
        Capability::ImageOutput,
        Capability::AudioOutput,
        Capability::JsonObject,
        Capability::ReasoningBudget,
        Capability::Logprobs,
        Capability::Candidates,
        Capability::Seed,
        Capability::Stop,
        Capability::TopK,
        Capability::Penalties,
        Capability::CodeExecution,
    ]))
    .without(CapabilitySet::of(&[Capability::ParallelTools]));

/// What can be said in this dialect.
pub const fn of_dialect(dialect: Dialect) -> CapabilitySet {
    match dialect {
        Dialect::OpenAiChat => CHAT,
        Dialect::OpenAiResponses => RESPONSES,
        Dialect::AnthropicMessages => MESSAGES,
        Dialect::GoogleGenerate => GENERATE,
    }
}
