//! What a dialect, a vendor or a model can do.

/// One ability. What is absent from a set is refused or reported, never dropped in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Capability {
    /// A conversation in text.
    Chat,
    Stream,
    /// Functions of the caller.
    Tools,
    /// Several calls in one turn, and a way to forbid them.
    ParallelTools,
    /// A choice beyond `auto` and `none`: some tool, or a named one.
    ForcedTools,
    /// Arguments held to the tool's schema.
    StrictTools,
    /// Images as data. Where addresses are taken too: [`Capability::ImageUrl`].
    ImageInput,
    /// Images by address.
    ImageUrl,
    /// PDF and other documents.
    FileInput,
    AudioInput,
    VideoInput,
    ImageOutput,
    AudioOutput,
    /// Some JSON object.
    JsonObject,
    /// JSON held to a schema.
    StructuredOutput,
    /// Thinking apart from the answer, readable or sealed.
    Reasoning,
    /// How much to think, in words.
    ReasoningEffort,
    /// How much to think, in tokens.
    ReasoningBudget,
    Logprobs,
    /// Several answers to one request.
    Candidates,
    Seed,
    Stop,
    /// Temperature and `top_p`.
    Sampling,
    TopK,
    Penalties,
    /// Marks in the prompt up to which it is to be cached. Caches that need no marks are not meant.
    PromptCaching,
    Citations,
    /// Tools that run at the vendor.
    WebSearch,
    CodeExecution,
    Embeddings,
}

/// A small set of [`Capability`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CapabilitySet(u64);

impl Capability {
    pub const ALL: [Self; 30] = [
        Self::Chat,
        Self::Stream,
        Self::Tools,
        Self::ParallelTools,
        Self::ForcedTools,
        Self::StrictTools,
        Self::ImageInput,
        Self::ImageUrl,
        Self::FileInput,
        Self::AudioInput,
        Self::VideoInput,
        Self::ImageOutput,
        Self::AudioOutput,
        Self::JsonObject,
        Self::StructuredOutput,
        Self::Reasoning,
        Self::ReasoningEffort,
        Self::ReasoningBudget,
        Self::Logprobs,
        Self::Candidates,
        Self::Seed,
        Self::Stop,
        Self::Sampling,
        Self::TopK,
        Self::Penalties,
        Self::PromptCaching,
        Self::Citations,
        Self::WebSearch,
        Self::CodeExecution,
        Self::Embeddings,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Stream => "stream",
            Self::Tools => "tools",
            Self::ParallelTools => "parallel_tools",
            Self::ForcedTools => "forced_tools",
            Self::StrictTools => "strict_tools",
            Self::ImageInput => "image_input",
            Self::ImageUrl => "image_url",
            Self::FileInput => "file_input",
            Self::AudioInput => "audio_input",
            Self::VideoInput => "video_input",
            Self::ImageOutput => "image_output",
            Self::AudioOutput => "audio_output",
            Self::JsonObject => "json_object",
            Self::StructuredOutput => "json_schema",
            Self::Reasoning => "reasoning",
            Self::ReasoningEffort => "reasoning_effort",
            Self::ReasoningBudget => "reasoning_budget",
            Self::Logprobs => "logprobs",
            Self::Candidates => "candidates",
            Self::Seed => "seed",
            Self::Stop => "stop",
            Self::Sampling => "sampling",
            Self::TopK => "top_k",
            Self::Penalties => "penalties",
            Self::PromptCaching => "prompt_caching",
            Self::Citations => "citations",
            Self::WebSearch => "web_search",
            Self::CodeExecution => "code_execution",
            Self::Embeddings => "embeddings",
        }
    }
}

impl CapabilitySet {
    pub const EMPTY: Self = Self(0);
    pub const ALL: Self = Self::of(&Capability::ALL);

    pub const fn of(list: &[Capability]) -> Self {
        let mut bits = 0;
        let mut rest = list;
        while let [first, tail @ ..] = rest {
            bits |= 1 << (*first as u64);
            rest = tail;
        }
        Self(bits)
    }

    pub const fn has(self, capability: Capability) -> bool {
        self.0 & (1 << (capability as u64)) != 0
    }

    /// With those of the other too.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that both have.
    pub const fn shared(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Without those of the other.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of [`Capability::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.into_iter().filter(move |capability| self.has(*capability))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_capability_has_a_place_and_a_name_of_its_own() {
        for (place, capability) in Capability::ALL.into_iter().enumerate() {
            assert_eq!(capability as usize, place, "ALL is in the order of the type");
        }
        let names: BTreeSet<_> = Capability::ALL.into_iter().map(Capability::as_str).collect();
        assert_eq!(names.len(), Capability::ALL.len());
    }

    #[test]
    fn sets_are_joined_cut_and_walked_in_order() {
        use Capability::{Chat, Embeddings, Stream, Tools};
        let talk = CapabilitySet::of(&[Stream, Chat]);
        let work = CapabilitySet::of(&[Tools, Stream, Embeddings]);
        assert_eq!(talk.and(work).iter().collect::<Vec<_>>(), [Chat, Stream, Tools, Embeddings]);
        assert_eq!(talk.shared(work), CapabilitySet::of(&[Stream]));
        assert_eq!(work.without(talk).iter().collect::<Vec<_>>(), [Tools, Embeddings]);
        assert!(talk.without(talk).is_empty() && !talk.has(Tools));
        assert_eq!(CapabilitySet::of(&Capability::ALL).iter().count(), Capability::ALL.len());
    }
}
