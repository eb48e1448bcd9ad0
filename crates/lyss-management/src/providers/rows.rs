//! What a provider's row may hold, and what hangs on it.

use http::header::{HeaderName, HeaderValue};
use lyss_adapters::preset;
use lyss_adapters::{Target, TargetError};
use lyss_domain::{AuthScheme, Provider, ProviderSlug};

use crate::error::Fields;
use crate::rules;

const MAX_HEADERS: usize = 32;
const MAX_HEADER_VALUE_LEN: usize = 1_024;

/// Headers that frame a message, name its host or are this service's own to set (RFC 9110, sections 7.2 and 7.6.1).
const FRAMING: [&str; 14] = [
    "host",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
    "content-length",
    "content-type",
    "content-encoding",
    "accept",
    "accept-encoding",
];

/// Parts of names whose values are credentials: those belong to a channel, where they are sealed.
const CREDENTIAL_NAMES: [&str; 9] =
    ["authorization", "authenticat", "x-auth", "api-key", "apikey", "token", "secret", "password", "cookie"];

/// Names are written in lower case.
pub(super) fn check(fields: &mut Fields, provider: &mut Provider) {
    rules::name(fields, "name", &provider.name);
    rules::models(fields, "supported_models", &provider.supported_models);
    for (name, _) in &mut provider.headers {
        name.make_ascii_lowercase();
    }
    if let AuthScheme::Header(name) = &mut provider.auth {
        name.make_ascii_lowercase();
        let usable = name.parse::<HeaderName>().is_ok() && !FRAMING.contains(&name.as_str());
        if !usable {
            fields.refuse("auth", "names a header that cannot carry a key");
        }
    }
    headers(fields, provider);
    if provider.api_base.is_empty() {
        fields.refuse("api_base", "is required: there is no preset with an address for this provider");
    } else if let Err(TargetError::BadBase) = target(provider) {
        fields.refuse("api_base", TargetError::BadBase.to_string());
    }
}

fn headers(fields: &mut Fields, provider: &Provider) {
    if provider.headers.len() > MAX_HEADERS {
        fields.refuse("headers", format!("at most {MAX_HEADERS}"));
    }
    for (name, value) in &provider.headers {
        let path = format!("headers.{name}");
        let is_auth = matches!(&provider.auth, AuthScheme::Header(auth) if auth == name);
        if is_auth || CREDENTIAL_NAMES.iter().any(|part| name.contains(part)) {
            fields.refuse(path, "is for credentials, which belong to a channel");
        } else if FRAMING.contains(&name.as_str()) {
            fields.refuse(path, "is the service's own to set");
        } else if name.parse::<HeaderName>().is_err() {
            fields.refuse(path, "is not the name of a header");
        } else if value.len() > MAX_HEADER_VALUE_LEN || value.parse::<HeaderValue>().is_err() {
            fields.refuse(
                path,
                format!("its value must be at most {MAX_HEADER_VALUE_LEN} bytes of visible text"),
            );
        }
    }
    let mut names: Vec<_> = provider.headers.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        fields.refuse("headers", "names a header twice");
    }
}

fn target(provider: &Provider) -> Result<Target, TargetError> {
    Target::new(provider.kind, &provider.api_base, &AuthScheme::None, &[], None)
}

/// Where a channel without an address of its own is sent; `None`: nowhere.
pub(super) fn origin(slug: &ProviderSlug, own: Option<&Provider>) -> Option<String> {
    let resolved = preset::resolve(slug.as_str(), own, None).ok()?;
    Some(resolved.target(None).ok()?.origin().to_owned())
}
