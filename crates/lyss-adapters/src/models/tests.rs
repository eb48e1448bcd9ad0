use std::collections::BTreeSet;

use lyss_domain::Capability as C;

use super::*;
use crate::presets;

fn card(slug: &str, model: &str) -> ModelCard {
    model_card(preset(slug).unwrap().kind, slug, model)
}

#[test]
fn families_stand_once_and_make_sense() {
    let mut prefixes = BTreeSet::new();
    for family in families::ALL.iter().flat_map(|list| list.iter()) {
        assert!(prefixes.insert(family.prefix), "{} stands twice", family.prefix);
        assert_eq!(family.prefix, family.prefix.to_ascii_lowercase());
        assert!(!family.prefix.contains('/') && family.context >= 2_048, "{}", family.prefix);
        assert!(family.max_output.is_none_or(|most| most <= family.context * 2), "{}", family.prefix);
        assert_ne!(family.has.has(C::Chat), family.has.has(C::Embeddings), "{}", family.prefix);
        assert!(!family.has.has(C::ReasoningEffort) || family.has.has(C::Reasoning), "{}", family.prefix);
    }
}

#[test]
fn the_longest_beginning_wins_and_paths_are_not_looked_at() {
    for (model, context, output) in [
        ("gpt-4o-mini-2024-07-18", 128_000, Some(16_384)),
        ("gpt-4-0613", 8_192, Some(8_192)),
        ("gpt-4.1-nano", 1_047_576, Some(32_768)),
        ("gpt-5-pro-2025-10-06", 400_000, Some(272_000)),
        ("gpt-5.4-mini", 400_000, Some(128_000)),
        ("openai/gpt-6-astra", 1_050_000, Some(128_000)),
        ("claude-sonnet-4-20250514", 200_000, Some(64_000)),
        ("anthropic/claude-sonnet-4-6", 1_000_000, Some(128_000)),
        ("models/gemini-2.5-flash-image", 32_768, Some(32_768)),
        ("accounts/fireworks/models/gpt-oss-20b", 131_072, Some(131_072)),
        ("deepseek-ai/DeepSeek-R1", 131_072, None),
        ("Qwen/Qwen3-VL-8B-Instruct", 262_144, None),
    ] {
        let family = family_of(model).unwrap();
        assert_eq!((family.context, family.max_output), (context, output), "{model}");
    }
    assert!(family_of("my-own-model").is_none() && family_of("").is_none());
}

#[test]
fn a_card_is_what_dialect_vendor_and_model_share() {
    let gpt = card("openai", "gpt-4o").capabilities;
    assert!(gpt.has(C::ImageUrl) && gpt.has(C::Seed) && gpt.has(C::Penalties));
    assert!(!gpt.has(C::Reasoning) && !gpt.has(C::AudioInput), "the model lacks them");
    assert!(!gpt.has(C::TopK), "the dialect has no word for it");
    let o3 = card("openai", "o3").capabilities;
    assert!(o3.has(C::ReasoningEffort) && !o3.has(C::Sampling) && !o3.has(C::ReasoningBudget));
    let pro = card("openai", "o3-pro").capabilities;
    assert!(!pro.has(C::Seed) && pro.has(C::CodeExecution), "behind /responses alone");
    assert!(card("openai", "gpt-4o-audio-preview").capabilities.has(C::AudioOutput));

    let claude = card("anthropic", "claude-sonnet-4-5").capabilities;
    assert!(claude.has(C::PromptCaching) && claude.has(C::ReasoningBudget) && claude.has(C::TopK));
    assert!(!claude.has(C::Logprobs) && !claude.has(C::Candidates) && !claude.has(C::AudioInput));
    assert!(!card("anthropic", "claude-opus-5").capabilities.has(C::TopK));
    assert!(!card("anthropic", "claude-3-haiku-20240307").capabilities.has(C::Reasoning));

    let gemini = card("google", "gemini-2.5-pro").capabilities;
    assert!(gemini.has(C::VideoInput) && gemini.has(C::AudioInput) && gemini.has(C::Candidates));
    assert!(!gemini.has(C::ImageOutput) && gemini.has(C::StrictTools));
    let paints = card("google", "gemini-2.5-flash-image").capabilities;
    assert!(paints.has(C::ImageOutput) && !paints.has(C::Tools));

    let deepseek = card("deepseek", "deepseek-v4-pro").capabilities;
    assert!(deepseek.has(C::Reasoning) && deepseek.has(C::JsonObject) && deepseek.has(C::Tools));
    assert!(!deepseek.has(C::StructuredOutput) && !deepseek.has(C::ImageInput) && !deepseek.has(C::Seed));
    assert!(card("vllm", "Qwen/Qwen3-8B").capabilities.has(C::TopK));
    assert!(card("qwen", "qwen-plus").capabilities.has(C::ReasoningBudget));
    assert!(card("openrouter", "anthropic/claude-opus-5").capabilities.has(C::PromptCaching));
    let sonar = card("perplexity", "sonar-pro").capabilities;
    assert!(sonar.has(C::WebSearch) && sonar.has(C::Citations) && !sonar.has(C::Tools));
    assert!(!card("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo").capabilities.has(C::WebSearch));
    assert!(!card("groq", "llama-3.3-70b-versatile").capabilities.has(C::Logprobs));
}

#[test]
fn an_unknown_model_has_what_can_be_said_to_its_vendor() {
    for row in presets() {
        let unknown = model_card(row.kind, row.slug, "my-own-model");
        assert_eq!((unknown.context, unknown.max_output), (None, None));
        assert!(unknown.capabilities.has(C::Chat) && unknown.capabilities.has(C::Stream), "{}", row.slug);
        if row.kind != ProviderKind::OpenAiCompatible {
            continue;
        }
        let beyond = CapabilitySet::of(&[C::TopK, C::ReasoningBudget, C::PromptCaching]);
        let more = unknown.capabilities.without(of_dialect(Dialect::OpenAiChat));
        assert!(more.without(beyond).is_empty(), "{}", row.slug);
    }
    // A tenant's own provider goes by its kind, and a name that another kind has does not mislead.
    let own = model_card(ProviderKind::Anthropic, "house", "x").capabilities;
    assert_eq!(own, of_dialect(Dialect::AnthropicMessages));
    let odd = model_card(ProviderKind::Anthropic, "mistral", "x").capabilities;
    assert_eq!(odd, own);
}
