//! A request of the management API that was not done, and how it is told.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use lyss_auth::Denial;
use lyss_domain::CallId;
use lyss_management::{Fields, ManagementError};
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;

use super::code::Code;
use crate::identity::AWAY;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[derive(Clone, Debug)]
pub struct Failure {
    pub code: Code,
    pub message: Cow<'static, str>,
    /// Paths of fields, or names of query parameters, and what is wrong with each.
    pub fields: BTreeMap<String, String>,
    pub retry_after: Option<Duration>,
}

/// The failure's body.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct FailureDto<'a> {
    /// Always false.
    success: bool,
    error: ErrorDto<'a>,
    /// Also in the header `x-request-id`.
    request_id: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ErrorBody)]
pub(crate) struct ErrorDto<'a> {
    /// One of the stable codes.
    #[schema(value_type = String, example = "CHANNEL_NOT_FOUND")]
    code: &'static str,
    /// For people; it may change.
    #[schema(value_type = String)]
    message: &'a str,
    /// Paths of fields or names of query parameters, and what is wrong with each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    fields: Option<&'a BTreeMap<String, String>>,
}

impl Failure {
    pub fn new(code: Code) -> Self {
        Self::saying(code, code.line())
    }

    pub fn saying(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        let retry_after = (code == Code::Unavailable).then_some(AWAY);
        Self { code, message: message.into(), fields: BTreeMap::new(), retry_after }
    }

    /// One field that cannot be used.
    pub fn field(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::fields(BTreeMap::from([(path.into(), reason.into())]))
    }

    pub fn fields(fields: BTreeMap<String, String>) -> Self {
        Self { fields, ..Self::new(Code::ValidationFailed) }
    }

    /// For whoever cares about who knocks: this was denied to somebody known.
    pub fn is_denial(&self) -> bool {
        matches!(self.code, Code::Forbidden | Code::TenantMismatch | Code::GrantExceeds)
    }

    pub(crate) fn respond(&self, id: CallId) -> HttpResponse {
        let mut response = HttpResponse::build(self.code.status());
        self.write_headers(&mut response);
        let request_id = id.to_string();
        response.insert_header((REQUEST_ID, request_id.as_str()));
        let fields = (!self.fields.is_empty()).then_some(&self.fields);
        let error = ErrorDto { code: self.code.as_str(), message: &self.message, fields };
        response.json(FailureDto { success: false, error, request_id })
    }

    fn write_headers(&self, response: &mut HttpResponseBuilder) {
        if self.code.status() == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_millis().div_ceil(1_000).max(1);
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
    }
}

impl From<ManagementError> for Failure {
    fn from(error: ManagementError) -> Self {
        if error.is_outage() {
            error!(%error, "a management request met an outage");
            return Self::new(Code::Unavailable);
        }
        let text = sentence(&error.to_string());
        match error {
            ManagementError::Invalid(fields) => Self::fields(collect(&fields)),
            ManagementError::NotFound(noun) => Self::new(Code::missing(noun)),
            ManagementError::Stale => Self::new(Code::Stale),
            ManagementError::Conflict { field, reason } => Self {
                fields: BTreeMap::from([(field.to_owned(), reason)]),
                ..Self::saying(Code::Conflict, text)
            },
            ManagementError::ReadOnly(_) => Self::saying(Code::ReadOnly, text),
            ManagementError::Exceeds(_) => Self::saying(Code::GrantExceeds, text),
            ManagementError::TooMany { retry_after } => {
                Self { retry_after: Some(retry_after), ..Self::saying(Code::RateLimited, text) }
            }
            ManagementError::Store(_) | ManagementError::Vault(_) => {
                error!(error = text, "a management request failed");
                Self::new(Code::Internal)
            }
        }
    }
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        let code = match denial {
            Denial::Lacks(_) => Code::Forbidden,
            Denial::ForeignTenant => Code::TenantMismatch,
            Denial::NoTenant => Code::TenantRequired,
        };
        Self::saying(code, sentence(&denial.to_string()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

/// So that extractors may fail with it; what is sent is [`Failure::respond`]'s.
impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }
}

fn collect(fields: &Fields) -> BTreeMap<String, String> {
    fields.iter().map(|(field, reason)| (field.to_owned(), reason.to_owned())).collect()
}

/// Our errors begin in lower case and end without a full stop; what a person reads does not.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(rest).chain(['.']).collect()
}
