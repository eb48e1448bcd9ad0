//! What a dialect or a model can do.

/// One ability. What is absent from a set is refused or reported, never dropped in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Capability {
    Chat,
    Stream,
    Tools,
    ParallelTools,
    ImageInput,
    FileInput,
    AudioInput,
    StructuredOutput,
    Reasoning,
    Logprobs,
    Candidates,
    Embeddings,
}

/// A small set of [`Capability`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CapabilitySet(u32);

impl CapabilitySet {
    pub const fn of(list: &[Capability]) -> Self {
        let mut bits = 0;
        let mut rest = list;
        while let [first, tail @ ..] = rest {
            bits |= 1 << (*first as u32);
            rest = tail;
        }
        Self(bits)
    }

    pub const fn has(self, capability: Capability) -> bool {
        self.0 & (1 << (capability as u32)) != 0
    }
}
