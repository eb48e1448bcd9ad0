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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_named_by_paths_of_this_dialect() {
        for (loss, name) in [
            (Loss::Field("container".into()), "container"),
            (Loss::Setting(Setting::Stop), "stop_sequences"),
            (Loss::turn(Origin::Instructions, "cache_control"), "system.cache_control"),
            (Loss::turn(Origin::Item(2), "image"), "messages[2].content.image"),
            (
                Loss::Call { origin: Origin::Item(1), call: 0, what: "arguments" },
                "messages[1].content.tool_use[0].input",
            ),
            (Loss::tool(3, "strict"), "tools[3].strict"),
            (Loss::tool(3, "parameters"), "tools[3].input_schema"),
            (Loss::tool(3, ""), "tools[3]"),
        ] {
            assert_eq!(path(&loss), name);
        }
    }
}
