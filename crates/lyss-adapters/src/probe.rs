//! The cheapest call that proves a credential: the vendor's list of models. It makes no token and costs nothing.
//!
//! What comes of it is a list of names or one class of failure with this service's own words. Nothing of the vendor's
//! body is repeated, so that whoever may test an address learns no more of it than this list can say.
//!
//! Read: OpenAI "List models", DeepSeek "Lists Models", Azure "Models - List", Anthropic "List Models" (all `data[].id`),
//! Google `models.list` (`models[].name`), and bare lists as some compatible servers answer.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use lyss_domain::{FaultKind, ProviderKind, Secret};
use lyss_wire::{EncodedRequest, TransportClass};
use serde_json::Value;

use crate::vendor_error::{VendorError, kind_by_status};
use crate::{Dialect, Target, TargetError};

/// More of a list than this is not kept.
const MAX_MODELS: usize = 2_000;
const MAX_MODEL_LEN: usize = 256;

/// Why a probe failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeClass {
    /// The credential was refused.
    Auth,
    /// The account is out of funds or quota.
    Quota,
    /// Nothing of the kind at this address, or no such model in the list.
    NotFound,
    RateLimited,
    /// No connection. What the egress policy denies is told the same way, so that nobody can map a network by it.
    Network,
    Timeout,
    Tls,
    /// What came back is no list of models.
    Protocol,
    Server,
}

impl ProbeClass {
    pub const ALL: [Self; 9] = [
        Self::Auth,
        Self::Quota,
        Self::NotFound,
        Self::RateLimited,
        Self::Network,
        Self::Timeout,
        Self::Tls,
        Self::Protocol,
        Self::Server,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Quota => "quota",
            Self::NotFound => "not_found",
            Self::RateLimited => "rate_limited",
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Protocol => "protocol",
            Self::Server => "server",
        }
    }

    /// For a person's eyes: the closed list.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Auth => "The vendor refused the credential.",
            Self::Quota => "The vendor says that the account has no quota or funds left.",
            Self::NotFound => {
                "The vendor answers that this is not there: check the address, or the model's name."
            }
            Self::RateLimited => "The vendor is limiting the rate of requests.",
            Self::Network => "No connection to this address could be made.",
            Self::Timeout => "The address did not answer in time.",
            Self::Tls => "No trusted TLS connection to this address could be made.",
            Self::Protocol => "What the address answers is not a list of models.",
            Self::Server => "The vendor failed.",
        }
    }
}

impl From<TransportClass> for ProbeClass {
    fn from(class: TransportClass) -> Self {
        match class {
            TransportClass::EgressDenied
            | TransportClass::Dns
            | TransportClass::Connect
            | TransportClass::Reset
            | TransportClass::Cut
            // A probe uploads nothing.
            | TransportClass::UploadBroken => Self::Network,
            TransportClass::ConnectTimeout
            | TransportClass::FirstByteTimeout
            | TransportClass::IdleTimeout
            | TransportClass::TotalTimeout => Self::Timeout,
            TransportClass::Tls => Self::Tls,
            TransportClass::Protocol => Self::Protocol,
        }
    }
}

/// The request. It has no body.
pub fn probe_request(target: &Target, secret: Option<&Secret>) -> Result<EncodedRequest, TargetError> {
    target.get(target.models_uri()?, secret)
}

/// Reads the answer: the models' names as the vendor lists them. The body may be anything.
pub fn read_probe(
    kind: ProviderKind,
    status: StatusCode,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Vec<String>, ProbeClass> {
    if status.is_success() {
        return read_models(body).ok_or(ProbeClass::Protocol);
    }
    if status.is_redirection() {
        // None is followed: it would lead the credential elsewhere.
        return Err(ProbeClass::Protocol);
    }
    // Google refuses a wrong key as a bad request and says so in prose only.
    let said = VendorError::read(body);
    if status.is_client_error() && said.says(&["api key not valid", "api key expired", "invalid api key"]) {
        return Err(ProbeClass::Auth);
    }
    let fault = match Dialect::spoken_by(kind).first().and_then(|dialect| dialect.vendor()) {
        Some(vendor) => vendor.read_fault(status, headers, body).kind,
        None => said.kind_by_any_words().unwrap_or_else(|| kind_by_status(status)),
    };
    Err(class_of(fault, status))
}

fn class_of(fault: FaultKind, status: StatusCode) -> ProbeClass {
    match fault {
        FaultKind::CredentialRefused => ProbeClass::Auth,
        FaultKind::VendorQuota => ProbeClass::Quota,
        FaultKind::ModelNotFound => ProbeClass::NotFound,
        FaultKind::VendorRateLimited => ProbeClass::RateLimited,
        _ if status == StatusCode::NOT_FOUND => ProbeClass::NotFound,
        _ if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT => ProbeClass::Protocol,
        _ => ProbeClass::Server,
    }
}

fn read_models(body: &[u8]) -> Option<Vec<String>> {
    let root: Value = serde_json::from_slice(body).ok()?;
    let list = root.get("data").or_else(|| root.get("models")).unwrap_or(&root).as_array()?;
    let names = list.iter().filter_map(|model| {
        let name = model.get("id").or_else(|| model.get("name"))?.as_str()?;
        let name = name.strip_prefix("models/").unwrap_or(name);
        let readable = (1..=MAX_MODEL_LEN).contains(&name.len()) && !name.chars().any(char::is_control);
        readable.then(|| name.to_owned())
    });
    Some(names.take(MAX_MODELS).collect())
}

#[cfg(test)]
mod tests;
