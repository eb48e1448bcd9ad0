use std::collections::BTreeSet;

use super::*;

const VENDORS: [&str; 20] = [
    "cerebras",
    "fireworks",
    "groq",
    "hugging_face",
    "llama_cpp",
    "lm_studio",
    "minimax",
    "mistral",
    "moonshot",
    "nvidia_nim",
    "ollama",
    "openrouter",
    "perplexity",
    "qwen",
    "siliconflow",
    "together",
    "vllm",
    "volcengine",
    "xai",
    "zhipu",
];

#[test]
fn every_kind_has_one_preset_of_its_name() {
    for kind in ProviderKind::ALL {
        let found: Vec<_> = presets().iter().filter(|p| p.slug == kind.as_str()).collect();
        assert_eq!(found.len(), 1, "{kind}");
        assert_eq!((found[0].kind, preset_of(kind).slug), (kind, kind.as_str()));
    }
}

#[test]
fn the_compatible_vendors_are_there_and_reachable() {
    let slugs: BTreeSet<_> = presets().iter().map(|preset| preset.slug).collect();
    assert_eq!(slugs.len(), presets().len(), "a slug stands once");
    assert_eq!(presets().len(), VENDORS.len() + ProviderKind::ALL.len());
    for slug in VENDORS {
        let row = preset(slug).unwrap();
        assert_eq!(row.kind, ProviderKind::OpenAiCompatible, "{slug}");
        let resolved = resolve(slug, None, None).unwrap();
        let target = resolved.target(None).unwrap();
        let uri = target.uri(crate::Endpoint::ChatCompletions, "m").unwrap().to_string();
        assert_eq!(uri, format!("{}/chat/completions", row.api_base.unwrap()), "{slug}");
        let is_local = row.auth == PresetAuth::None;
        assert_eq!(is_local, uri.starts_with("http://localhost:"), "{slug}: a key never goes in the clear");
        assert_eq!(is_local, row.key_variable.is_none(), "{slug}");
        assert!(row.key_variable.is_some() == row.trial_model.is_some(), "{slug}: demo needs both");
        let trial_fits = |model| row.models.iter().any(|pattern| pattern_matches(pattern, model));
        assert!(row.trial_model.is_none_or(trial_fits), "{slug}: it would not serve its own trial model");
        assert!(!row.quirks.platform_fields && row.responses_models.is_empty(), "{slug}");
    }
}

#[test]
fn slugs_and_variables_are_well_written() {
    let mut variables = BTreeSet::new();
    for row in presets() {
        assert!(row.slug.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", row.slug);
        if let Some(name) = row.key_variable {
            assert!(name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'), "{name}");
            assert!(variables.insert(name), "{name} is read for two vendors");
        }
        for pattern in row.models.iter().chain(row.responses_models) {
            let prefix = pattern.strip_suffix('*').unwrap_or(pattern);
            assert!(!prefix.is_empty() && !prefix.contains('*'), "{}: {pattern}", row.slug);
        }
    }
}

#[test]
fn an_output_limit_has_one_name_a_vendor() {
    let name = |slug: &str| preset(slug).unwrap().output_limit_field();
    for (slug, expected) in [
        ("openai", "max_completion_tokens"),
        ("azure_openai", "max_completion_tokens"),
        ("anthropic", "max_tokens"),
        ("google", "maxOutputTokens"),
        ("deepseek", "max_tokens"),
        ("openai_compatible", "max_tokens"),
        ("groq", "max_completion_tokens"),
        ("mistral", "max_tokens"),
    ] {
        assert_eq!(name(slug), expected, "{slug}");
    }
}

#[test]
fn models_behind_responses_alone_are_known() {
    let openai = preset("openai").unwrap();
    for model in ["o1-pro", "o3-pro-2025-06-10", "gpt-5.2-pro", "gpt-5.3-codex", "o4-mini-deep-research"] {
        assert!(openai.needs_responses(model), "{model}");
        assert!(preset("azure_openai").unwrap().needs_responses(model), "{model}");
        assert!(!preset("openai_compatible").unwrap().needs_responses(model), "{model}");
    }
    for model in ["o1", "o3", "o3-mini", "gpt-5", "gpt-5.4", "gpt-5-mini", "gpt-4o", "gpt-6-astra"] {
        assert!(!openai.needs_responses(model), "{model}");
    }
}

#[test]
fn services_are_a_set() {
    let services = Services::of(&[Service::Rerank, Service::Embeddings]);
    assert!(services.has(Service::Rerank) && !services.has(Service::Images));
    assert_eq!(services.iter().collect::<Vec<_>>(), [Service::Embeddings, Service::Rerank]);
    let names: BTreeSet<_> = Service::ALL.into_iter().map(Service::as_str).collect();
    assert_eq!(names.len(), Service::ALL.len());
    assert!(Services::NONE.iter().next().is_none());
}
