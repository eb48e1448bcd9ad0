//! What a caller of responses calls the things that can be lost.

use crate::conversation::{Loss, Origin, Setting};

pub(super) fn path(loss: &Loss) -> String {
    match loss {
        Loss::Field(path) => path.clone(),
        Loss::Setting(setting) => name(*setting).to_owned(),
        Loss::Turn { origin, what } => format!("{}.{what}", item(*origin)),
        // A turn is a run of items and its origin the first of them: the call is named by its place among the calls.
        Loss::Call { origin, call, what } => format!("{}.function_call[{call}].{what}", item(*origin)),
        Loss::Tool { origin, what: "" } => format!("tools[{origin}]"),
        Loss::Tool { origin, what } => format!("tools[{origin}].{what}"),
    }
}

fn item(origin: Origin) -> String {
    match origin {
        Origin::Instructions => "instructions".to_owned(),
        Origin::Item(at) => format!("input[{at}]"),
    }
}

const fn name(setting: Setting) -> &'static str {
    match setting {
        // The dialect has no word for these five; they are lost only towards it.
        Setting::Candidates => "n",
        Setting::FrequencyPenalty => "frequency_penalty",
        Setting::PresencePenalty => "presence_penalty",
        Setting::Seed => "seed",
        Setting::Stop => "stop",
        Setting::Format => "text.format",
        Setting::Logprobs => "include",
        Setting::MaxOutputTokens => "max_output_tokens",
        Setting::Metadata => "metadata",
        Setting::ParallelTools => "parallel_tool_calls",
        Setting::PromptCacheKey => "prompt_cache_key",
        Setting::PromptCacheRetention => "prompt_cache_retention",
        Setting::SafetyIdentifier => "safety_identifier",
        Setting::ServiceTier => "service_tier",
        Setting::Store => "store",
        Setting::Temperature => "temperature",
        Setting::Thinking => "reasoning.effort",
        Setting::ToolChoice => "tool_choice",
        Setting::TopK => "top_k",
        Setting::TopLogprobs => "top_logprobs",
        Setting::TopP => "top_p",
        Setting::User => "user",
        Setting::Verbosity => "text.verbosity",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_named_in_the_callers_words() {
        let table = [
            (Loss::Field("prompt".into()), "prompt"),
            (Loss::turn(Origin::Item(3), "reasoning"), "input[3].reasoning"),
            (Loss::turn(Origin::Instructions, "cache_control"), "instructions.cache_control"),
            (Loss::tool(1, "strict"), "tools[1].strict"),
            (Loss::tool(0, ""), "tools[0]"),
            (Setting::Format.into(), "text.format"),
            (Setting::Thinking.into(), "reasoning.effort"),
            (
                Loss::Call { origin: Origin::Item(2), call: 1, what: "arguments" },
                "input[2].function_call[1].arguments",
            ),
        ];
        for (loss, expected) in table {
            assert_eq!(path(&loss), expected);
        }
    }
}
