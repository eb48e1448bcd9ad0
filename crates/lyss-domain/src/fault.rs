//! What went wrong, whose it is, and what to do about it.

use std::fmt;

/// The closed list of what can go wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// The caller's request is malformed or refused as such (400, 409, 413, 422).
    BadRequest,
    /// Our own credential check failed (401).
    Unauthenticated,
    /// The caller may not do this (403).
    Forbidden,
    /// No such model for this caller, or the vendor has no such model (404).
    ModelNotFound,
    /// A vendor's content filter refused the prompt.
    ContentFiltered,
    /// The prompt does not fit the model's context.
    ContextTooLong,
    /// Our rate window is full (429).
    RateLimited,
    /// Our quota is used up (429).
    QuotaExceeded,
    /// The vendor refused the channel's credential (401, 403).
    CredentialRefused,
    /// The vendor's account is out of funds or quota (402, or 429 saying so).
    VendorQuota,
    /// The vendor is rate limiting us (429).
    VendorRateLimited,
    /// The vendor is overloaded (503, 529).
    Overloaded,
    /// The vendor failed (other 5xx, 408).
    VendorError,
    /// What the vendor sent cannot be read.
    Protocol,
    /// Refused by our egress policy before any byte was sent.
    EgressDenied,
    /// No connection: name, refused, reset before the answer.
    Network,
    Tls,
    ConnectTimeout,
    FirstByteTimeout,
    IdleTimeout,
    TotalTimeout,
    /// The answer stopped before its end.
    UpstreamCut,
    ClientGone,
    /// Another attempt of the same call answered first.
    Superseded,
    /// No channel is able to serve this call now (503).
    Unavailable,
    /// Ours.
    Internal,
}

/// Whose fault it is: the scope a health penalty may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultOwner {
    Caller,
    Credential,
    VendorQuota,
    Model,
    Network,
    Vendor,
    Ours,
}

/// The only thing the pipeline branches on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Advice {
    /// Another channel may do better.
    TryNext,
    /// Every channel would answer the same; tell the caller.
    GiveUp,
}

impl FaultKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::ModelNotFound => "model_not_found",
            Self::ContentFiltered => "content_filtered",
            Self::ContextTooLong => "context_too_long",
            Self::RateLimited => "rate_limited",
            Self::QuotaExceeded => "quota_exceeded",
            Self::CredentialRefused => "credential_refused",
            Self::VendorQuota => "vendor_quota",
            Self::VendorRateLimited => "vendor_rate_limited",
            Self::Overloaded => "overloaded",
            Self::VendorError => "vendor_error",
            Self::Protocol => "protocol",
            Self::EgressDenied => "egress_denied",
            Self::Network => "network",
            Self::Tls => "tls",
            Self::ConnectTimeout => "connect_timeout",
            Self::FirstByteTimeout => "first_byte_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::TotalTimeout => "total_timeout",
            Self::UpstreamCut => "upstream_cut",
            Self::ClientGone => "client_gone",
            Self::Superseded => "superseded",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    pub const ALL: [Self; 26] = [
        Self::BadRequest,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::ModelNotFound,
        Self::ContentFiltered,
        Self::ContextTooLong,
        Self::RateLimited,
        Self::QuotaExceeded,
        Self::CredentialRefused,
        Self::VendorQuota,
        Self::VendorRateLimited,
        Self::Overloaded,
        Self::VendorError,
        Self::Protocol,
        Self::EgressDenied,
        Self::Network,
        Self::Tls,
        Self::ConnectTimeout,
        Self::FirstByteTimeout,
        Self::IdleTimeout,
        Self::TotalTimeout,
        Self::UpstreamCut,
        Self::ClientGone,
        Self::Superseded,
        Self::Unavailable,
        Self::Internal,
    ];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }

    pub const fn owner(self) -> FaultOwner {
        match self {
            Self::BadRequest
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::ContentFiltered
            | Self::ContextTooLong
            | Self::RateLimited
            | Self::QuotaExceeded
            | Self::ClientGone => FaultOwner::Caller,
            Self::CredentialRefused => FaultOwner::Credential,
            Self::VendorQuota | Self::VendorRateLimited => FaultOwner::VendorQuota,
            Self::ModelNotFound => FaultOwner::Model,
            Self::Network | Self::Tls | Self::ConnectTimeout => FaultOwner::Network,
            Self::Overloaded
            | Self::VendorError
            | Self::Protocol
            | Self::FirstByteTimeout
            | Self::IdleTimeout
            | Self::UpstreamCut => FaultOwner::Vendor,
            Self::EgressDenied
            | Self::TotalTimeout
            | Self::Superseded
            | Self::Unavailable
            | Self::Internal => FaultOwner::Ours,
        }
    }

    /// What to do when this stops an attempt before the first byte went to the caller.
    pub const fn advice(self) -> Advice {
        match self.owner() {
            FaultOwner::Caller => Advice::GiveUp,
            FaultOwner::Ours => match self {
                // Another channel has another address, and limits of its own.
                Self::EgressDenied | Self::Unavailable => Advice::TryNext,
                _ => Advice::GiveUp,
            },
            _ => Advice::TryNext,
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
