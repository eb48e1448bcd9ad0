//! The headers each vendor sends with everything.

use crate::vendor::Vendor;

/// The name of the request id's header, and what stands beside it.
pub(super) fn fixed_headers(vendor: Vendor) -> (&'static str, &'static [(&'static str, &'static str)]) {
    match vendor {
        Vendor::OpenAi => (
            "x-request-id",
            &[
                ("openai-organization", "org-sandbox"),
                ("openai-processing-ms", "12"),
                ("openai-version", "2020-10-01"),
                ("x-ratelimit-limit-requests", "10000"),
                ("x-ratelimit-limit-tokens", "2000000"),
                ("x-ratelimit-remaining-requests", "9999"),
                ("x-ratelimit-remaining-tokens", "1999000"),
                ("x-ratelimit-reset-requests", "6ms"),
                ("x-ratelimit-reset-tokens", "30ms"),
            ],
        ),
        Vendor::AzureOpenAi => (
            "x-request-id",
            &[
                ("x-ms-region", "Sandbox"),
                ("x-ratelimit-limit-requests", "10000"),
                ("x-ratelimit-limit-tokens", "2000000"),
                ("x-ratelimit-remaining-requests", "9999"),
                ("x-ratelimit-remaining-tokens", "1999000"),
            ],
        ),
        Vendor::DeepSeek => ("x-ds-trace-id", &[]),
        Vendor::Google => (
            "x-goog-request-id",
            &[
                ("server", "scaffolding on HTTPServer2"),
                ("vary", "Origin, X-Origin, Referer"),
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "SAMEORIGIN"),
                ("x-xss-protection", "0"),
            ],
        ),
        Vendor::Anthropic => (
            "request-id",
            &[
                ("anthropic-organization-id", "org-sandbox"),
                ("anthropic-ratelimit-requests-limit", "4000"),
                ("anthropic-ratelimit-requests-remaining", "3999"),
                ("anthropic-ratelimit-requests-reset", "2025-06-15T00:00:00Z"),
                ("anthropic-ratelimit-tokens-limit", "480000"),
                ("anthropic-ratelimit-tokens-remaining", "479000"),
                ("anthropic-ratelimit-tokens-reset", "2025-06-15T00:00:00Z"),
            ],
        ),
    }
}
