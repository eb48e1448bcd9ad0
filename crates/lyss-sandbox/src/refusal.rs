//! What a vendor says when it does not answer, each in its own shape.
//!
//! Shapes follow OpenAI's "Error codes" guide, Azure OpenAI's REST reference, DeepSeek's "Error Codes" page,
//! Anthropic's "Errors" page and Google's `google.rpc.Status` with its error details; the sentences are ours.

use std::borrow::Cow;

use crate::template::{fill, filled, quoted};
use crate::vendor::Vendor;

#[cfg(test)]
mod tests;

#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) kind: Kind,
    pub(crate) message: Cow<'static, str>,
    /// OpenAI's `param`; where Google names the field at fault.
    pub(crate) param: Option<Cow<'static, str>>,
    /// Instead of the kind's own `code` (OpenAI, Azure) or `reason` (Google).
    pub(crate) code: Option<&'static str>,
    /// What Google's `RetryInfo` says; the others say it in a header.
    pub(crate) retry_after_s: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Invalid,
    Authentication,
    /// A key came, but it is none of this vendor's.
    WrongKey,
    /// No money left.
    Balance,
    Payment,
    Permission,
    /// The prompt is against the vendor's policy.
    Blocked,
    UnknownPath,
    UnknownModel,
    Method,
    Timeout,
    Conflict,
    TooLarge,
    RateLimited,
    Server,
    BadGateway,
    Unavailable,
    Overloaded,
}

const OPENAI_ERROR: &str = r#"{"error":{"message":$message,"type":"$type","param":$param,"code":$code}}"#;
const AZURE_ERROR: &str = r#"{"error":{"code":"$code","message":$message}}"#;
const AZURE_PARAM_ERROR: &str =
    r#"{"error":{"message":$message,"type":"invalid_request_error","param":$param,"code":$code}}"#;
const AZURE_BLOCKED: &str = r#"{"error":{"message":$message,"type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"hate":{"filtered":false,"severity":"safe"},"jailbreak":{"detected":false,"filtered":false},"self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":true,"severity":"medium"}}}}}"#;
const GOOGLE_ERROR: &str = r#"{
  "error": {
    "code": $code,
    "message": $message,
    "status": "$type"$details
  }
}
"#;
const GOOGLE_REASON: &str = r#"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"$reason","domain":"googleapis.com","metadata":{"service":"generativelanguage.googleapis.com"}}"#;
const GOOGLE_FIELD: &str = r#"{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":$field,"description":$message}]}"#;
const GOOGLE_QUOTA: &str = r#"{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"generativelanguage.googleapis.com/generate_content_requests","quotaId":"GenerateRequestsPerMinutePerProjectPerModel","quotaDimensions":{"location":"global"},"quotaValue":"1000"}]}"#;
const GOOGLE_RETRY: &str = r#"{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"$secondss"}"#;
const ANTHROPIC_ERROR: &str =
    r#"{"type":"error","error":{"type":"$type","message":$message},"request_id":"$request_id"}"#;

impl Refusal {
    pub(crate) fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), param: None, code: None, retry_after_s: None }
    }

    pub(crate) fn param(self, param: impl Into<Cow<'static, str>>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    pub(crate) fn code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    pub(crate) fn unknown_path() -> Self {
        Self::new(Kind::UnknownPath, "Resource not found")
    }

    pub(crate) fn unknown_model(vendor: Vendor, model: &str) -> Self {
        let message: Cow<'static, str> = match vendor {
            Vendor::DeepSeek => "Model Not Exist".into(),
            Vendor::Anthropic => format!("model: {model}").into(),
            Vendor::OpenAi | Vendor::AzureOpenAi => {
                format!("There is no model `{model}` for this key.").into()
            }
            Vendor::Google => {
                format!("models/{model} is not found for API version v1beta, or does not serve this method.")
                    .into()
            }
        };
        Self::new(Kind::UnknownModel, message)
    }

    /// The answer to a `status` or `quota` knob.
    pub(crate) fn wished(kind: Kind) -> Self {
        Self::new(kind, kind.sentence())
    }

    /// Says so in words, as OpenAI's messages do.
    pub(crate) fn ask_to_wait(&mut self, seconds: f64) {
        self.message = format!("{} Please try again in {seconds}s.", self.message).into();
    }

    pub(crate) fn status(&self, vendor: Vendor) -> u16 {
        self.kind.status(vendor)
    }

    pub(crate) fn body(&self, vendor: Vendor, request_id: &str) -> Vec<u8> {
        let message = quoted(&self.message);
        let param = self.param.as_deref().map_or(Cow::Borrowed("null"), |param| Cow::Owned(quoted(param)));
        let null_or = |code: Option<&'static str>| {
            self.code.or(code).map_or(Cow::Borrowed("null"), |code| Cow::Owned(quoted(code)))
        };
        let (template, kind, code) = match vendor {
            Vendor::OpenAi => {
                let (kind, code) = self.kind.openai();
                (OPENAI_ERROR, kind, null_or(code))
            }
            Vendor::DeepSeek => {
                (OPENAI_ERROR, self.kind.deepseek(), Cow::Borrowed(r#""invalid_request_error""#))
            }
            Vendor::AzureOpenAi if self.kind == Kind::Blocked => (AZURE_BLOCKED, "", Cow::Borrowed("")),
            Vendor::AzureOpenAi if self.param.is_some() => (AZURE_PARAM_ERROR, "", null_or(None)),
            Vendor::AzureOpenAi => {
                (AZURE_ERROR, "", self.code.map_or_else(|| self.kind.azure(), Cow::Borrowed))
            }
            Vendor::Anthropic => (ANTHROPIC_ERROR, self.kind.anthropic(), Cow::Borrowed("")),
            Vendor::Google => (GOOGLE_ERROR, self.kind.google(), Cow::Owned(self.status(vendor).to_string())),
        };
        let details = if vendor == Vendor::Google { self.google_details(&message) } else { String::new() };
        let mut body = Vec::with_capacity(256);
        let slots = [
            ("message", &*message),
            ("type", kind),
            ("code", &*code),
            ("param", &*param),
            ("request_id", request_id),
            ("details", &*details),
        ];
        fill(&mut body, template, &slots);
        body
    }

    /// `,"details":[…]`, or nothing.
    fn google_details(&self, message: &str) -> String {
        let mut details = Vec::new();
        if let Some(reason) = self.code.or((self.kind == Kind::WrongKey).then_some("API_KEY_INVALID")) {
            details.push(filled(GOOGLE_REASON, &[("reason", reason)]));
        }
        if let Some(field) = &self.param {
            details.push(filled(GOOGLE_FIELD, &[("field", &quoted(field)), ("message", message)]));
        }
        if matches!(self.kind, Kind::RateLimited | Kind::Balance) {
            details.push(GOOGLE_QUOTA.to_owned());
        }
        if let Some(seconds) = self.retry_after_s {
            details.push(GOOGLE_RETRY.replace("$seconds", &seconds.to_string()));
        }
        match details.is_empty() {
            true => String::new(),
            false => format!(",\n    \"details\": [{}]", details.join(",")),
        }
    }
}

impl Kind {
    pub(crate) fn from_status(status: u16) -> Option<Self> {
        Some(match status {
            400 => Self::Invalid,
            401 => Self::Authentication,
            402 => Self::Payment,
            403 => Self::Permission,
            404 => Self::UnknownPath,
            408 => Self::Timeout,
            409 => Self::Conflict,
            413 => Self::TooLarge,
            429 => Self::RateLimited,
            500 => Self::Server,
            502 => Self::BadGateway,
            503 => Self::Unavailable,
            529 => Self::Overloaded,
            _ => return None,
        })
    }

    fn status(self, vendor: Vendor) -> u16 {
        match (self, vendor) {
            (Self::Balance, Vendor::OpenAi | Vendor::AzureOpenAi | Vendor::Google)
            | (Self::RateLimited, _) => 429,
            (Self::Balance, Vendor::DeepSeek) | (Self::Payment, _) => 402,
            // DeepSeek calls an unknown model a bad request, where the others say not found.
            (Self::UnknownModel, Vendor::DeepSeek) | (Self::Invalid | Self::Blocked | Self::Balance, _) => {
                400
            }
            // Google finds a wrong key an invalid argument.
            (Self::WrongKey, Vendor::Google) => 400,
            (Self::Authentication | Self::WrongKey, _) => 401,
            (Self::Permission, _) => 403,
            (Self::UnknownPath | Self::UnknownModel, _) => 404,
            (Self::Method, _) => 405,
            (Self::Timeout, _) => 408,
            (Self::Conflict, _) => 409,
            (Self::TooLarge, _) => 413,
            (Self::Server, _) => 500,
            (Self::BadGateway, _) => 502,
            (Self::Unavailable, _) => 503,
            (Self::Overloaded, _) => 529,
        }
    }

    fn openai(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Authentication | Self::WrongKey => ("invalid_request_error", Some("invalid_api_key")),
            Self::Blocked => ("invalid_request_error", Some("content_policy_violation")),
            Self::Balance => ("insufficient_quota", Some("insufficient_quota")),
            Self::Payment => ("billing_error", Some("billing_not_active")),
            Self::Permission => ("request_forbidden", Some("unsupported_country_region_territory")),
            Self::UnknownModel => ("invalid_request_error", Some("model_not_found")),
            Self::RateLimited => ("requests", Some("rate_limit_exceeded")),
            Self::Invalid | Self::UnknownPath | Self::Method | Self::Conflict | Self::TooLarge => {
                ("invalid_request_error", None)
            }
            Self::Timeout => ("timeout", Some("request_timeout")),
            Self::Server | Self::BadGateway | Self::Unavailable | Self::Overloaded => ("server_error", None),
        }
    }

    fn deepseek(self) -> &'static str {
        match self {
            Self::Authentication | Self::WrongKey => "authentication_error",
            Self::Balance | Self::Payment => "unknown_error",
            Self::RateLimited => "rate_limit_error",
            Self::Unavailable | Self::Overloaded => "service_unavailable_error",
            Self::Server | Self::BadGateway | Self::Timeout => "server_error",
            _ => "invalid_request_error",
        }
    }

    fn azure(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Invalid | Self::Blocked => "BadRequest",
            Self::Balance => "insufficient_quota",
            Self::UnknownModel => "DeploymentNotFound",
            Self::Server => "InternalServerError",
            Self::Unavailable => "ServiceUnavailable",
            _ => return Cow::Owned(self.status(Vendor::AzureOpenAi).to_string()),
        })
    }

    fn anthropic(self) -> &'static str {
        match self {
            Self::Authentication | Self::WrongKey => "authentication_error",
            Self::Payment => "billing_error",
            Self::Permission => "permission_error",
            Self::UnknownPath | Self::UnknownModel => "not_found_error",
            Self::Timeout => "timeout_error",
            Self::TooLarge => "request_too_large",
            Self::RateLimited => "rate_limit_error",
            Self::Server | Self::BadGateway | Self::Unavailable => "api_error",
            Self::Overloaded => "overloaded_error",
            Self::Invalid | Self::Blocked | Self::Balance | Self::Method | Self::Conflict => {
                "invalid_request_error"
            }
        }
    }

    fn google(self) -> &'static str {
        match self {
            Self::Invalid | Self::Blocked | Self::WrongKey | Self::TooLarge | Self::Method => {
                "INVALID_ARGUMENT"
            }
            Self::Authentication => "UNAUTHENTICATED",
            Self::Payment => "FAILED_PRECONDITION",
            Self::Permission => "PERMISSION_DENIED",
            Self::UnknownPath | Self::UnknownModel => "NOT_FOUND",
            Self::Conflict => "ABORTED",
            Self::RateLimited | Self::Balance => "RESOURCE_EXHAUSTED",
            Self::Timeout => "DEADLINE_EXCEEDED",
            Self::Server => "INTERNAL",
            Self::BadGateway | Self::Unavailable | Self::Overloaded => "UNAVAILABLE",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Blocked => "The prompt was stopped by the content management policy; please change it.",
            Self::Invalid => "The request could not be understood.",
            Self::Authentication | Self::WrongKey => "The key is not one of this account.",
            Self::Balance | Self::Payment => "The account's credit balance is too low; add some to go on.",
            Self::Permission => "This account may not do that.",
            Self::UnknownPath => "Resource not found",
            Self::UnknownModel => "There is no such model.",
            Self::Method => "Use another method with this address.",
            Self::Timeout => "The request took too long to arrive.",
            Self::Conflict => "The resource was changed by somebody else.",
            Self::TooLarge => "The request is larger than allowed.",
            Self::RateLimited => "Too many requests in this minute; slow down and try again.",
            Self::Server => "Something failed on our side while answering.",
            Self::BadGateway => "No good answer came from behind the gateway.",
            Self::Unavailable => "The service cannot take requests at the moment.",
            Self::Overloaded => "Overloaded",
        }
    }
}
