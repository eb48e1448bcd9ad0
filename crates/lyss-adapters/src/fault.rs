//! A failure on its way to the caller, in no dialect yet.

use std::time::Duration;

use bytes::Bytes;
use lyss_domain::{Advice, FaultKind, FaultOwner};
use lyss_wire::TransportClass;

use crate::Dialect;

/// Whose side broke, for the reader of a log or a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Caller,
    Vendor,
    Ours,
}

/// What went wrong. Only [`Fault::advice`] is branched on, and only `lyss-http` renders it.
#[derive(Clone, Debug)]
pub struct Fault {
    pub kind: FaultKind,
    pub side: Side,
    /// The HTTP status the caller sees.
    pub status: u16,
    /// For the caller's eyes: never a credential, an address or a body of ours.
    pub message: String,
    /// The vendor's own machine-readable words, where it had any.
    pub vendor_type: Option<String>,
    pub vendor_code: Option<String>,
    /// The request field at fault, in the words of [`Fault::dialect`].
    pub param: Option<String>,
    /// The dialect of a vendor's own words; `None`: the fault speaks of the caller's request as the caller wrote it.
    pub dialect: Option<Dialect>,
    /// The smallest wait after which trying again makes sense.
    pub retry_after: Option<Duration>,
    /// The vendor's error body, passed through as it is when the caller speaks the same dialect and the fault is the
    /// caller's own. Never set where the body could quote a channel's credential.
    pub verbatim: Option<Bytes>,
}

impl Fault {
    /// A fault with this service's own words and the kind's usual status.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            side: side_of(kind),
            status: status_of(kind),
            message: message.into(),
            vendor_type: None,
            vendor_code: None,
            param: None,
            dialect: None,
            retry_after: None,
            verbatim: None,
        }
    }

    pub fn bad_request(message: impl Into<String>, param: Option<&str>) -> Self {
        Self { param: param.map(str::to_owned), ..Self::new(FaultKind::BadRequest, message) }
    }

    /// `None` leaves what was known.
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait.or(self.retry_after);
        self
    }

    /// The vendor's words are of this dialect.
    pub(crate) fn told_in(&mut self, dialect: Dialect) {
        self.dialect = Some(dialect);
    }

    /// Keeps the vendor's body for a caller of its dialect, where the fault is the caller's own.
    pub(crate) fn pass(&mut self, body: &Bytes, may_pass: bool) {
        let is_callers = matches!(self.kind.owner(), FaultOwner::Caller | FaultOwner::Model);
        self.verbatim = (is_callers && may_pass).then(|| body.clone());
    }

    /// The field at fault, for a caller of this dialect. A path in another dialect's request says nothing there, except a
    /// field that stands at the top of both under one name.
    pub(crate) fn param_for(&self, dialect: Dialect) -> Option<&str> {
        let param = self.param.as_deref()?;
        let is_understood = match self.dialect {
            None => true,
            Some(of) => family(of) == family(dialect) || fields_of(dialect).contains(&param),
        };
        is_understood.then_some(param)
    }

    pub fn advice(&self) -> Advice {
        self.kind.advice()
    }
}

/// OpenAI's two dialects and their vendors' paths differ less than the rest: an error of one is read by the other.
const fn family(dialect: Dialect) -> Dialect {
    match dialect {
        Dialect::OpenAiResponses => Dialect::OpenAiChat,
        other => other,
    }
}

/// Fields at the top of a request that other dialects call the same.
const fn fields_of(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::OpenAiChat => &[
            "model",
            "messages",
            "tools",
            "tool_choice",
            "temperature",
            "top_p",
            "max_tokens",
            "stream",
            "metadata",
            "service_tier",
        ],
        Dialect::OpenAiResponses => {
            &["model", "tools", "tool_choice", "temperature", "top_p", "stream", "metadata", "service_tier"]
        }
        Dialect::AnthropicMessages => &[
            "model",
            "messages",
            "max_tokens",
            "tools",
            "tool_choice",
            "temperature",
            "top_p",
            "top_k",
            "stream",
            "metadata",
            "service_tier",
        ],
        // Its names are written otherwise; two are the same.
        Dialect::GoogleGenerate => &["model", "tools"],
    }
}

impl From<TransportClass> for Fault {
    fn from(class: TransportClass) -> Self {
        let kind = match class {
            TransportClass::EgressDenied => FaultKind::EgressDenied,
            TransportClass::Dns | TransportClass::Connect | TransportClass::Reset => FaultKind::Network,
            TransportClass::ConnectTimeout => FaultKind::ConnectTimeout,
            TransportClass::Tls => FaultKind::Tls,
            TransportClass::Protocol => FaultKind::Protocol,
            TransportClass::FirstByteTimeout => FaultKind::FirstByteTimeout,
            TransportClass::IdleTimeout => FaultKind::IdleTimeout,
            TransportClass::TotalTimeout => FaultKind::TotalTimeout,
            TransportClass::Cut => FaultKind::UpstreamCut,
            TransportClass::UploadBroken => FaultKind::ClientGone,
        };
        Self::new(kind, format!("The upstream could not answer: {class}."))
    }
}

/// The status a caller sees when the vendor gave none, or one that would mislead: a refused channel credential is no
/// 401 of the caller's.
pub const fn status_of(kind: FaultKind) -> u16 {
    match kind {
        FaultKind::BadRequest | FaultKind::ContentFiltered | FaultKind::ContextTooLong => 400,
        FaultKind::Unauthenticated => 401,
        FaultKind::Forbidden => 403,
        FaultKind::ModelNotFound => 404,
        FaultKind::RateLimited | FaultKind::QuotaExceeded | FaultKind::VendorRateLimited => 429,
        FaultKind::ClientGone | FaultKind::Superseded => 499,
        FaultKind::Internal => 500,
        FaultKind::CredentialRefused
        | FaultKind::VendorQuota
        | FaultKind::VendorError
        | FaultKind::Protocol
        | FaultKind::EgressDenied
        | FaultKind::Network
        | FaultKind::Tls
        | FaultKind::UpstreamCut => 502,
        FaultKind::Overloaded | FaultKind::Unavailable => 503,
        FaultKind::ConnectTimeout
        | FaultKind::FirstByteTimeout
        | FaultKind::IdleTimeout
        | FaultKind::TotalTimeout => 504,
    }
}

const fn side_of(kind: FaultKind) -> Side {
    use lyss_domain::FaultOwner as Owner;
    match kind.owner() {
        Owner::Caller => Side::Caller,
        Owner::Ours => Side::Ours,
        Owner::Credential | Owner::VendorQuota | Owner::Model | Owner::Network | Owner::Vendor => {
            Side::Vendor
        }
    }
}
