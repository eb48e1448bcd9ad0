//! What is left of an attempt: the row that money and figures are made of.

use crate::{
    AttemptId, CallId, ChannelId, FaultKind, KeyId, Micros, PriceId, ProviderSlug, Strategy, TenantId,
    Timestamp, TokenUsage,
};

/// One attempt, written exactly once. The first attempt that reached the caller carries the call's charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    pub id: AttemptId,
    pub call: CallId,
    /// 0 for the first attempt of a call.
    pub ordinal: u16,
    pub tenant: TenantId,
    pub key: KeyId,
    pub channel: ChannelId,
    pub provider: ProviderSlug,
    pub model_asked: String,
    /// The model named to the vendor.
    pub model_served: String,
    pub strategy: Strategy,
    pub operation: Operation,
    pub stream: bool,
    pub terminal: Terminal,
    pub fault: Option<FaultKind>,
    /// The vendor's HTTP status, where there was one.
    pub status: Option<u16>,
    pub usage: TokenUsage,
    pub usage_source: UsageSource,
    pub cost: Micros,
    /// The dated price it was computed with; `None`: no price was known and `cost` is zero.
    pub price: Option<PriceId>,
    pub started_at: Timestamp,
    /// From sending to the first content; `None`: none came.
    pub ttft_us: Option<i64>,
    /// From sending to the terminal state.
    pub total_us: i64,
    /// Fields of the request that the vendor's dialect could not express, by their paths.
    pub losses: Vec<String>,
    /// How this attempt's channel was chosen, in the balancer's own encoding; `None`: it was not kept.
    pub decision: Option<Box<[u8]>>,
}

/// What a call asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Operation {
    /// An answer of a conversation, in any dialect.
    #[default]
    Chat,
    /// The count of a prompt's tokens.
    CountTokens,
    Embeddings,
    /// Text completions of the old kind.
    Completions,
    Moderations,
    Images,
    Speech,
    Transcriptions,
    Rerank,
    /// A probe of the service's own that a vendor may charge for. It belongs to no key, counts towards no quota and is no
    /// part of a channel's figures.
    Health,
}

impl Operation {
    pub const ALL: [Self; 10] = [
        Self::Chat,
        Self::CountTokens,
        Self::Embeddings,
        Self::Completions,
        Self::Moderations,
        Self::Images,
        Self::Speech,
        Self::Transcriptions,
        Self::Rerank,
        Self::Health,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::CountTokens => "count_tokens",
            Self::Embeddings => "embeddings",
            Self::Completions => "completions",
            Self::Moderations => "moderations",
            Self::Images => "images",
            Self::Speech => "speech",
            Self::Transcriptions => "transcriptions",
            Self::Rerank => "rerank",
            Self::Health => "health",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == text)
    }
}

/// How an attempt ended; each has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Terminal {
    Complete,
    /// The vendor's answer stopped, or turned into an error, after it began.
    UpstreamCut,
    ClientGone,
    TimedOut,
    /// Ended before any content: the vendor's error, or ours.
    Refused,
}

impl Terminal {
    pub const ALL: [Self; 5] =
        [Self::Complete, Self::UpstreamCut, Self::ClientGone, Self::TimedOut, Self::Refused];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::UpstreamCut => "upstream_cut",
            Self::ClientGone => "client_gone",
            Self::TimedOut => "timed_out",
            Self::Refused => "refused",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.as_str() == text)
    }
}

/// Where the token counts came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UsageSource {
    Provider,
    Estimated,
    /// Nothing was generated and nothing is owed.
    None,
}

impl UsageSource {
    pub const ALL: [Self; 3] = [Self::Provider, Self::Estimated, Self::None];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Estimated => "estimated",
            Self::None => "none",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}
