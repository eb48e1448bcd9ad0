//! Real vendors whose key stands in its usual variable: what `demo` adds channels for.

use lyss_adapters::presets;
use lyss_domain::Secret;

/// A vendor that can be called for real.
pub(crate) struct RealVendor {
    pub(crate) slug: &'static str,
    pub(crate) key: Secret,
    /// Only where every customer has an address of their own.
    pub(crate) api_base: Option<String>,
    /// Azure: the deployment to call.
    pub(crate) model: String,
}

/// Azure names neither an address nor a model of its own: all three variables must be set.
const AZURE_VARIABLES: [&str; 3] =
    ["AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_DEPLOYMENT"];

/// Reads the variables; an empty one is as good as none.
pub(crate) fn real_vendors() -> Vec<RealVendor> {
    let mut found: Vec<_> = presets()
        .iter()
        .filter_map(|preset| {
            let key = variable(preset.key_variable?)?;
            let model = preset.trial_model?.to_owned();
            Some(RealVendor { slug: preset.slug, key: key.into(), api_base: None, model })
        })
        .collect();
    if let [Some(key), Some(endpoint), Some(deployment)] = AZURE_VARIABLES.map(variable) {
        let api_base = Some(endpoint);
        found.push(RealVendor { slug: "azure_openai", key: key.into(), api_base, model: deployment });
    }
    found
}

#[expect(clippy::disallowed_methods, reason = "config/ is the home of the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}
