//! What may be told of a model before it is called: how much it reads and writes, and what it can do.
//!
//! A card is what the dialect can say, less what the vendor does not read, less what the model lacks. Of a model that no
//! row knows, the first two are told.

mod dialects;
mod families;

use lyss_domain::{Capability, CapabilitySet, ProviderKind};

pub use dialects::of_dialect;

use crate::preset::{preset, preset_of};
use crate::quirks::{EffortField, Quirks};
use crate::{Dialect, Preset};

/// What is known of one model at one vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelCard {
    /// Tokens of prompt and answer together (Google: of the prompt); `None`: not known.
    pub context: Option<u64>,
    /// The most tokens of an answer, thinking included; `None`: not known.
    pub max_output: Option<u64>,
    pub capabilities: CapabilitySet,
}

/// A family of models, by how their names begin.
struct Family {
    /// In lower case, without the maker's path before it.
    prefix: &'static str,
    context: u64,
    /// `None`: up to whoever serves it.
    max_output: Option<u64>,
    has: CapabilitySet,
}

/// The card of a model as its vendor knows it. `slug` is the provider's; one without a preset is read as its kind's.
pub fn model_card(kind: ProviderKind, slug: &str, model: &str) -> ModelCard {
    let row = preset(slug).filter(|row| row.kind == kind).unwrap_or_else(|| preset_of(kind));
    let sayable = sayable(kind, row, model);
    match family_of(model) {
        Some(family) => ModelCard {
            context: Some(family.context),
            max_output: family.max_output,
            capabilities: sayable.shared(family.has),
        },
        None => ModelCard { context: None, max_output: None, capabilities: sayable },
    }
}

fn sayable(kind: ProviderKind, row: &Preset, model: &str) -> CapabilitySet {
    let usual = Dialect::spoken_by(kind).first().copied().unwrap_or(Dialect::OpenAiChat);
    let dialect = if row.needs_responses(model) { Dialect::OpenAiResponses } else { usual };
    let set = of_dialect(dialect);
    if dialect == Dialect::OpenAiChat { with_quirks(set, &row.quirks) } else { set }
}

/// What a vendor of this dialect reads of it, and beyond it.
fn with_quirks(set: CapabilitySet, quirks: &Quirks) -> CapabilitySet {
    use Capability as C;
    let has_effort = matches!(
        quirks.effort,
        EffortField::ReasoningEffort | EffortField::ReasoningObject | EffortField::ThinkingTypeAndEffort
    );
    let has_budget = matches!(quirks.effort, EffortField::ReasoningObject | EffortField::EnableThinking);
    let flags: [(C, bool); 17] = [
        (C::StructuredOutput, quirks.json_schema),
        (C::JsonObject, quirks.json_object),
        (C::ImageInput, quirks.images),
        (C::ImageUrl, quirks.images),
        (C::AudioInput, quirks.audio),
        (C::FileInput, quirks.files),
        (C::ForcedTools, quirks.forced_tools),
        (C::StrictTools, quirks.strict_tools),
        (C::ParallelTools, quirks.parallel_tool_calls),
        (C::Candidates, quirks.candidates),
        (C::Logprobs, quirks.logprobs),
        (C::Penalties, quirks.penalties),
        (C::Seed, quirks.seed_field.is_some()),
        (C::TopK, quirks.top_k),
        (C::PromptCaching, quirks.cache_control),
        (C::ReasoningEffort, has_effort),
        (C::ReasoningBudget, has_budget),
    ];
    flags.into_iter().fold(set, |set, (capability, has)| {
        let one = CapabilitySet::of(&[capability]);
        if has { set.and(one) } else { set.without(one) }
    })
}

/// The most tokens of an answer of this model, where a row knows it.
pub(crate) fn max_output_of(model: &str) -> Option<u64> {
    family_of(model)?.max_output
}

/// By the longest beginning; the path before a name (`openai/`, `accounts/fireworks/models/`) is not looked at.
fn family_of(model: &str) -> Option<&'static Family> {
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    families::ALL
        .iter()
        .flat_map(|list| list.iter())
        .filter(|family| name.starts_with(family.prefix))
        .max_by_key(|family| family.prefix.len())
}

#[cfg(test)]
mod tests;
