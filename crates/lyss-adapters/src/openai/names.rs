//! What an OpenAI caller calls the things that can be lost.

use crate::conversation::{Loss, Origin, Setting};

/// The place of a web search that was asked for by `web_search_options` and not by a tool of the list.
pub(super) const WEB_SEARCH_OPTIONS: usize = usize::MAX;

pub(super) fn path(loss: &Loss) -> String {
    match loss {
        Loss::Field(path) => path.clone(),
        Loss::Setting(setting) => name(*setting).to_owned(),
        Loss::Turn { origin: Origin::Instructions, what } => format!("messages.{what}"),
        Loss::Turn { origin: Origin::Item(at), what } => format!("messages[{at}].{what}"),
        Loss::Call { origin: Origin::Instructions, call, what } => {
            format!("messages.tool_calls[{call}].{what}")
        }
        Loss::Call { origin: Origin::Item(at), call, what } => {
            format!("messages[{at}].tool_calls[{call}].function.{what}")
        }
        Loss::Tool { origin: WEB_SEARCH_OPTIONS, what: "" } => "web_search_options".to_owned(),
        Loss::Tool { origin: WEB_SEARCH_OPTIONS, what } => format!("web_search_options.{what}"),
        Loss::Tool { origin, what: what @ "cache_control" } => format!("tools[{origin}].{what}"),
        Loss::Tool { origin, what: "" } => format!("tools[{origin}]"),
        Loss::Tool { origin, what } => format!("tools[{origin}].function.{what}"),
    }
}

const fn name(setting: Setting) -> &'static str {
    match setting {
        Setting::Candidates => "n",
        Setting::Format => "response_format",
        Setting::FrequencyPenalty => "frequency_penalty",
        Setting::Logprobs => "logprobs",
        Setting::MaxOutputTokens => "max_completion_tokens",
        Setting::Metadata => "metadata",
        Setting::ParallelTools => "parallel_tool_calls",
        Setting::PresencePenalty => "presence_penalty",
        Setting::PromptCacheKey => "prompt_cache_key",
        Setting::PromptCacheRetention => "prompt_cache_retention",
        Setting::SafetyIdentifier => "safety_identifier",
        Setting::Seed => "seed",
        Setting::ServiceTier => "service_tier",
        Setting::Stop => "stop",
        Setting::Store => "store",
        Setting::Temperature => "temperature",
        Setting::Thinking => "reasoning_effort",
        Setting::ToolChoice => "tool_choice",
        Setting::TopK => "top_k",
        Setting::TopLogprobs => "top_logprobs",
        Setting::TopP => "top_p",
        Setting::User => "user",
        Setting::Verbosity => "verbosity",
    }
}
