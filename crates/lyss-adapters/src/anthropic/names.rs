//! What an Anthropic caller calls the things that can be lost.

use crate::conversation::{Loss, Origin, Setting};

pub(super) fn path(loss: &Loss) -> String {
    match loss {
        Loss::Field(path) => path.clone(),
        Loss::Setting(setting) => name(*setting).to_owned(),
        Loss::Turn { origin, what } => format!("{}.{what}", place(*origin)),
        // The canonical form counts calls, this dialect blocks of all kinds, so the name stays without a place.
        Loss::Call { origin, call, what } => {
            let what = if *what == "arguments" { "input" } else { what };
            format!("{}.tool_use[{call}].{what}", place(*origin))
        }
        Loss::Tool { origin, what: "" } => format!("tools[{origin}]"),
        Loss::Tool { origin, what: "parameters" } => format!("tools[{origin}].input_schema"),
        Loss::Tool { origin, what } => format!("tools[{origin}].{what}"),
    }
}

fn place(origin: Origin) -> String {
    match origin {
        Origin::Instructions => "system".to_owned(),
        Origin::Item(at) => format!("messages[{at}].content"),
    }
}

/// Settings that this dialect does not have can still be named, since a caller of it cannot have sent them.
const fn name(setting: Setting) -> &'static str {
    match setting {
        Setting::Candidates => "n",
        Setting::Format => "output_config.format",
        Setting::FrequencyPenalty => "frequency_penalty",
        Setting::Logprobs => "logprobs",
        Setting::MaxOutputTokens => "max_tokens",
        Setting::Metadata => "metadata",
        Setting::ParallelTools => "tool_choice.disable_parallel_tool_use",
        Setting::PresencePenalty => "presence_penalty",
        Setting::PromptCacheKey => "prompt_cache_key",
        Setting::PromptCacheRetention => "prompt_cache_retention",
        Setting::SafetyIdentifier => "safety_identifier",
        Setting::Seed => "seed",
        Setting::ServiceTier => "service_tier",
        Setting::Stop => "stop_sequences",
        Setting::Store => "store",
        Setting::Temperature => "temperature",
        Setting::Thinking => "thinking",
        Setting::ToolChoice => "tool_choice",
        Setting::TopK => "top_k",
        Setting::TopLogprobs => "top_logprobs",
        Setting::TopP => "top_p",
        Setting::User => "metadata.user_id",
        Setting::Verbosity => "verbosity",
    }
}
