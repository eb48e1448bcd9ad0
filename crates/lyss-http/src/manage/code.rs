//! Every code a failure of the management API can carry: its status and one line of text. Clients branch on the codes, so
//! a code is added, never renamed.

use actix_web::http::StatusCode;
use lyss_management::Noun;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    MalformedJson,
    MalformedHeader,
    TenantRequired,
    Unauthenticated,
    TokenExpired,
    Forbidden,
    TenantMismatch,
    GrantExceeds,
    NotFound,
    TenantNotFound,
    ProviderNotFound,
    ChannelNotFound,
    KeyNotFound,
    QuotaNotFound,
    PriceNotFound,
    RequestNotFound,
    MethodNotAllowed,
    NotAcceptable,
    RequestTimeout,
    Conflict,
    InUse,
    ReadOnly,
    IdempotencyConflict,
    IdempotencyInProgress,
    Stale,
    BodyTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
    RateLimited,
    Internal,
    Unavailable,
}

impl Code {
    pub const ALL: [Self; 31] = [
        Self::MalformedJson,
        Self::MalformedHeader,
        Self::TenantRequired,
        Self::Unauthenticated,
        Self::TokenExpired,
        Self::Forbidden,
        Self::TenantMismatch,
        Self::GrantExceeds,
        Self::NotFound,
        Self::TenantNotFound,
        Self::ProviderNotFound,
        Self::ChannelNotFound,
        Self::KeyNotFound,
        Self::QuotaNotFound,
        Self::PriceNotFound,
        Self::RequestNotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::RequestTimeout,
        Self::Conflict,
        Self::InUse,
        Self::ReadOnly,
        Self::IdempotencyConflict,
        Self::IdempotencyInProgress,
        Self::Stale,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::ValidationFailed,
        Self::RateLimited,
        Self::Internal,
        Self::Unavailable,
    ];

    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    pub const fn status(self) -> StatusCode {
        self.row().1
    }

    /// What it means, for people; the message where nothing better is known.
    pub const fn line(self) -> &'static str {
        self.row().2
    }

    #[rustfmt::skip]
    const fn row(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::MalformedJson => ("MALFORMED_JSON", S::BAD_REQUEST, "The request body is not readable JSON."),
            Self::MalformedHeader => ("MALFORMED_HEADER", S::BAD_REQUEST, "A request header cannot be read."),
            Self::TenantRequired => ("TENANT_REQUIRED", S::BAD_REQUEST, "Name the tenant to act for in the header X-Tenant-Id."),
            Self::Unauthenticated => ("UNAUTHENTICATED", S::UNAUTHORIZED, "The credential is missing or not valid."),
            Self::TokenExpired => ("TOKEN_EXPIRED", S::UNAUTHORIZED, "The token has expired."),
            Self::Forbidden => ("FORBIDDEN", S::FORBIDDEN, "This credential may not do this."),
            Self::TenantMismatch => ("TENANT_MISMATCH", S::FORBIDDEN, "This credential belongs to another tenant."),
            Self::GrantExceeds => ("GRANT_EXCEEDS", S::FORBIDDEN, "More would be given away than this credential has."),
            Self::NotFound => ("NOT_FOUND", S::NOT_FOUND, "There is nothing at this address."),
            Self::TenantNotFound => ("TENANT_NOT_FOUND", S::NOT_FOUND, "There is no such tenant."),
            Self::ProviderNotFound => ("PROVIDER_NOT_FOUND", S::NOT_FOUND, "There is no such provider."),
            Self::ChannelNotFound => ("CHANNEL_NOT_FOUND", S::NOT_FOUND, "There is no such channel."),
            Self::KeyNotFound => ("KEY_NOT_FOUND", S::NOT_FOUND, "There is no such key."),
            Self::QuotaNotFound => ("QUOTA_NOT_FOUND", S::NOT_FOUND, "There is no such quota."),
            Self::PriceNotFound => ("PRICE_NOT_FOUND", S::NOT_FOUND, "There is no such price."),
            Self::RequestNotFound => ("REQUEST_NOT_FOUND", S::NOT_FOUND, "There is no such request."),
            Self::MethodNotAllowed => ("METHOD_NOT_ALLOWED", S::METHOD_NOT_ALLOWED, "This address does not know this method."),
            Self::NotAcceptable => ("NOT_ACCEPTABLE", S::NOT_ACCEPTABLE, "This is there as application/json, text/markdown and text/html."),
            Self::RequestTimeout => ("REQUEST_TIMEOUT", S::REQUEST_TIMEOUT, "The request body did not arrive in time."),
            Self::Conflict => ("CONFLICT", S::CONFLICT, "This does not fit what is stored."),
            Self::InUse => ("IN_USE", S::CONFLICT, "Something else still needs this."),
            Self::ReadOnly => ("READ_ONLY", S::CONFLICT, "What is built in cannot be changed."),
            Self::IdempotencyConflict => ("IDEMPOTENCY_CONFLICT", S::CONFLICT, "This Idempotency-Key was used for another request."),
            Self::IdempotencyInProgress => ("IDEMPOTENCY_IN_PROGRESS", S::CONFLICT, "The first request with this Idempotency-Key is still under way."),
            Self::Stale => ("STALE", S::PRECONDITION_FAILED, "It was changed since this version; read it again."),
            Self::BodyTooLarge => ("BODY_TOO_LARGE", S::PAYLOAD_TOO_LARGE, "The request body is too large."),
            Self::UnsupportedMediaType => ("UNSUPPORTED_MEDIA_TYPE", S::UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json."),
            Self::ValidationFailed => ("VALIDATION_FAILED", S::UNPROCESSABLE_ENTITY, "Some fields cannot be used."),
            Self::RateLimited => ("RATE_LIMITED", S::TOO_MANY_REQUESTS, "Too many requests of this kind."),
            Self::Internal => ("INTERNAL", S::INTERNAL_SERVER_ERROR, "The service failed on this request."),
            Self::Unavailable => ("UNAVAILABLE", S::SERVICE_UNAVAILABLE, "Something this service needs is away; try again."),
        }
    }

    pub const fn missing(noun: Noun) -> Self {
        match noun {
            Noun::Tenant => Self::TenantNotFound,
            Noun::Provider => Self::ProviderNotFound,
            Noun::Channel => Self::ChannelNotFound,
            Noun::Key => Self::KeyNotFound,
            Noun::Quota => Self::QuotaNotFound,
            Noun::Price => Self::PriceNotFound,
        }
    }
}
