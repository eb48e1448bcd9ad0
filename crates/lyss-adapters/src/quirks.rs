//! How a vendor that speaks OpenAI's chat dialect differs from OpenAI. One flag, one use in the encoder; the rows that
//! set them are in [`preset`](crate::preset).

/// What an encoder must know of a vendor. [`Quirks::OPENAI`] differs in nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// Under which name an output limit is read; `None`: OpenAI's newer name for the models that insist on it, else the
    /// older one.
    pub output_limit_field: Option<&'static str>,
    /// `stream_options` may be sent. Where not, usage comes unasked or not at all.
    pub stream_options: bool,
    /// How reasoning of earlier turns goes back.
    pub reasoning: ReasoningBack,
    /// How the caller's wish for more or less reasoning is told.
    pub effort: EffortField,
    /// `response_format` takes a JSON schema. Where not, some JSON object is asked for and the schema is a loss.
    pub json_schema: bool,
    pub json_object: bool,
    /// Content parts of these kinds are read.
    pub images: bool,
    pub audio: bool,
    pub files: bool,
    /// `tool_choice` takes more than `auto` and `none`.
    pub forced_tools: bool,
    pub strict_tools: bool,
    pub parallel_tool_calls: bool,
    /// More than one answer.
    pub candidates: bool,
    pub logprobs: bool,
    pub penalties: bool,
    /// The name under which a seed is read; `None`: not at all.
    pub seed_field: Option<&'static str>,
    pub top_k: bool,
    /// `cache_control` on parts and tools is read, as Anthropic writes it (OpenRouter).
    pub cache_control: bool,
    /// Ids of tool calls must be nine letters and digits (Mistral).
    pub nine_character_ids: bool,
    /// `user`, `metadata`, `store`, `service_tier` and what else OpenAI's own platform alone knows.
    pub platform_fields: bool,
}

/// Reasoning of earlier turns in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasoningBack {
    /// Neither wanted nor read: left out, harmlessly.
    Dropped,
    /// `reasoning_content` of an assistant's message (DeepSeek and others).
    Content,
    /// `reasoning_details`, with what other vendors sealed (OpenRouter).
    Details,
}

/// Where effort is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffortField {
    /// `reasoning_effort: "low"`.
    ReasoningEffort,
    /// `reasoning: {"effort", "max_tokens", "enabled"}` (OpenRouter).
    ReasoningObject,
    /// `thinking: {"type": "enabled" | "disabled"}` (DeepSeek, GLM, Kimi, Ark).
    ThinkingType,
    /// The same, and `reasoning_effort: "low" | "high" | "max"` beside it (DeepSeek).
    ThinkingTypeAndEffort,
    /// `enable_thinking` and `thinking_budget` (Qwen, SiliconFlow).
    EnableThinking,
    /// `chat_template_kwargs: {"enable_thinking"}` (vLLM and the like).
    TemplateArguments,
    /// The model alone decides.
    Nowhere,
}

impl Quirks {
    /// A server of which only the dialect is known: all is sent that was asked, except what OpenAI's own platform alone
    /// knows. Rows of known vendors say what they differ in.
    pub const COMPATIBLE: Self = Self { platform_fields: false, ..Self::OPENAI };

    /// OpenAI itself.
    pub const OPENAI: Self = Self {
        output_limit_field: None,
        stream_options: true,
        reasoning: ReasoningBack::Dropped,
        effort: EffortField::ReasoningEffort,
        json_schema: true,
        json_object: true,
        images: true,
        audio: true,
        files: true,
        forced_tools: true,
        strict_tools: true,
        parallel_tool_calls: true,
        candidates: true,
        logprobs: true,
        penalties: true,
        seed_field: Some("seed"),
        top_k: false,
        cache_control: false,
        nine_character_ids: false,
        platform_fields: true,
    };
}
