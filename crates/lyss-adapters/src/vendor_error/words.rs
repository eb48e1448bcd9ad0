//! What compatible vendors say in their own words and in no common code. From the pages "Errors" or "Error codes" of the
//! vendors in [`preset`](crate::preset), and from the texts of vLLM, llama.cpp and LM Studio.

use lyss_domain::FaultKind;

/// Codes and types, the finer before the coarser.
const CODES: [(&[&str], FaultKind); 6] = [
    (&["context_length_exceeded", "exceed_context_size_error"], FaultKind::ContextTooLong),
    (
        &[
            "content_filter",
            "data_inspection_failed",
            "DataInspectionFailed",
            "InputTextSensitiveContentDetected",
            "InputImageSensitiveContentDetected",
            "SensitiveContentDetected",
            // GLM and MiniMax count their errors.
            "1301",
            "1026",
        ],
        FaultKind::ContentFiltered,
    ),
    (
        &[
            "insufficient_quota",
            "exceeded_current_quota_error",
            "AccountOverdueError",
            "Arrearage",
            "insufficient_balance",
            "1113",
            "1008",
        ],
        FaultKind::VendorQuota,
    ),
    (
        &[
            "rate_limit_exceeded",
            "rate_limit_reached_error",
            "Throttling",
            "RateLimitExceeded",
            "1302",
            "1002",
        ],
        FaultKind::VendorRateLimited,
    ),
    (&["engine_overloaded_error", "overloaded_error", "ServerOverloaded"], FaultKind::Overloaded),
    (
        &["model_not_found", "invalid_model", "ModelNotFound", "InvalidEndpointOrModel.NotFound", "1211"],
        FaultKind::ModelNotFound,
    ),
];

/// Parts of messages in lower case, in the order of what matters more.
const PHRASES: [(&[&str], FaultKind); 6] = [
    (
        &[
            "maximum context length",
            "context length exceeded",
            "context window",
            "available context size",
            "context size has been exceeded",
            "exceeded model token limit",
            "exceed max message tokens",
            "exceeds the maximum number of tokens",
            "prompt is too long",
            "prompt exceeds max length",
            "range of input length should be",
        ],
        FaultKind::ContextTooLong,
    ),
    (
        &[
            "content exists risk",
            "content management policy",
            "inappropriate content",
            "considered high risk",
            "input was flagged",
            "sensitive content",
            "new_sensitive",
            "不安全或敏感内容",
        ],
        FaultKind::ContentFiltered,
    ),
    (
        &[
            "insufficient balance",
            "insufficient credits",
            "insufficient funds",
            "balance is not enough",
            "balance is insufficient",
            "exceeded your current quota",
            "credit balance",
            "out of credits",
            "account is in good standing",
            "overdue balance",
            "余额不足",
        ],
        FaultKind::VendorQuota,
    ),
    (
        &[
            "rate limit",
            "rate-limit",
            "too many requests",
            "tokens per minute",
            "requests per minute",
            "请求频率",
        ],
        FaultKind::VendorRateLimited,
    ),
    (
        &["overloaded", "over capacity", "server is busy", "no available capacity", "queue is full"],
        FaultKind::Overloaded,
    ),
    (
        &["model not exist", "model does not exist", "not a valid model", "model not found", "模型不存在"],
        FaultKind::ModelNotFound,
    ),
];

/// By a code or a type of the error's own.
pub(super) fn by_code(is_any: impl Fn(&[&str]) -> bool) -> Option<FaultKind> {
    CODES.iter().find(|(codes, _)| is_any(codes)).map(|(_, kind)| *kind)
}

/// By what the message holds.
pub(super) fn by_phrase(message: &str) -> Option<FaultKind> {
    let message = message.to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
    PHRASES.iter().find(|(phrases, _)| says(phrases)).map(|(_, kind)| *kind)
}
