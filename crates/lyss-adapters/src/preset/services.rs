//! What a vendor serves beside chat.

/// An endpoint in OpenAI's shape, below the same base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Service {
    /// `/responses`.
    Responses,
    /// `/embeddings`.
    Embeddings,
    /// `/completions`, text without roles.
    Completions,
    /// `/moderations`.
    Moderations,
    /// `/images/generations` and its neighbours.
    Images,
    /// `/audio/speech`, `/audio/transcriptions`: one of them or both.
    Audio,
    /// `/rerank`, which OpenAI itself does not have.
    Rerank,
}

/// A small set of [`Service`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Services(u8);

impl Service {
    pub const ALL: [Self; 7] = [
        Self::Responses,
        Self::Embeddings,
        Self::Completions,
        Self::Moderations,
        Self::Images,
        Self::Audio,
        Self::Rerank,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Responses => "responses",
            Self::Embeddings => "embeddings",
            Self::Completions => "completions",
            Self::Moderations => "moderations",
            Self::Images => "images",
            Self::Audio => "audio",
            Self::Rerank => "rerank",
        }
    }
}

impl Services {
    pub const NONE: Self = Self(0);

    pub const fn of(list: &[Service]) -> Self {
        let mut bits = 0;
        let mut rest = list;
        while let [first, tail @ ..] = rest {
            bits |= 1 << (*first as u8);
            rest = tail;
        }
        Self(bits)
    }

    pub const fn has(self, service: Service) -> bool {
        self.0 & (1 << (service as u8)) != 0
    }

    /// In the order of [`Service::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Service> {
        Service::ALL.into_iter().filter(move |service| self.has(*service))
    }
}
