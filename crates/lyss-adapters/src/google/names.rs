//! What a Google caller calls the things that can be lost.

use crate::conversation::{Loss, Origin, Setting};

/// A tool's place, of which the canonical form knows one number: which of `tools`, and which of its declarations.
const PER_TOOL: usize = 1 << 16;
/// Stands for a tool that is no declaration, such as `googleSearch`.
const WHOLE: usize = PER_TOOL - 1;

pub(super) const fn declaration(tool: usize, at: usize) -> usize {
    tool * PER_TOOL + if at < WHOLE { at } else { WHOLE - 1 }
}

pub(super) const fn whole_tool(tool: usize) -> usize {
    tool * PER_TOOL + WHOLE
}

pub(super) fn path(loss: &Loss) -> String {
    match loss {
        Loss::Field(path) => path.clone(),
        Loss::Setting(setting) => name(*setting).to_owned(),
        Loss::Turn { origin: Origin::Instructions, what } => format!("systemInstruction.{what}"),
        Loss::Turn { origin: Origin::Item(at), what } => format!("contents[{at}].{what}"),
        Loss::Call { origin, call, what } => {
            let what = if *what == "arguments" { "args" } else { what };
            match origin {
                Origin::Instructions => format!("systemInstruction.functionCall[{call}].{what}"),
                Origin::Item(at) => format!("contents[{at}].functionCall[{call}].{what}"),
            }
        }
        Loss::Tool { origin, what } => {
            let (tool, at) = (origin / PER_TOOL, origin % PER_TOOL);
            let place = match at {
                WHOLE => format!("tools[{tool}]"),
                at => format!("tools[{tool}].functionDeclarations[{at}]"),
            };
            if what.is_empty() { place } else { format!("{place}.{what}") }
        }
    }
}

const fn name(setting: Setting) -> &'static str {
    match setting {
        Setting::Candidates => "generationConfig.candidateCount",
        Setting::Format => "generationConfig.responseJsonSchema",
        Setting::FrequencyPenalty => "generationConfig.frequencyPenalty",
        Setting::Logprobs => "generationConfig.responseLogprobs",
        Setting::MaxOutputTokens => "generationConfig.maxOutputTokens",
        Setting::Metadata => "labels",
        Setting::ParallelTools => "toolConfig.functionCallingConfig",
        Setting::PresencePenalty => "generationConfig.presencePenalty",
        Setting::PromptCacheKey => "promptCacheKey",
        Setting::PromptCacheRetention => "promptCacheRetention",
        Setting::SafetyIdentifier => "safetyIdentifier",
        Setting::Seed => "generationConfig.seed",
        Setting::ServiceTier => "serviceTier",
        Setting::Stop => "generationConfig.stopSequences",
        Setting::Store => "store",
        Setting::Temperature => "generationConfig.temperature",
        Setting::Thinking => "generationConfig.thinkingConfig",
        Setting::ToolChoice => "toolConfig.functionCallingConfig.mode",
        Setting::TopK => "generationConfig.topK",
        Setting::TopLogprobs => "generationConfig.logprobs",
        Setting::TopP => "generationConfig.topP",
        Setting::User => "user",
        Setting::Verbosity => "verbosity",
    }
}
