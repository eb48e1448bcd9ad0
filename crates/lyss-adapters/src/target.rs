//! Where and how a request is addressed: the only source of a URL, a host, a header or a credential.

use std::fmt::Write as _;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method, Uri};
use lyss_domain::{AuthScheme, ProviderKind, Secret};
use lyss_wire::{EncodedRequest, RequestBody};

/// The Messages API's version, required in every request.
const ANTHROPIC_VERSION: &str = "2023-06-01";
/// Azure's newest generally available version of the deployments path.
const AZURE_API_VERSION: &str = "2024-10-21";

/// What is asked of a vendor, for its address alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// OpenAI chat completions.
    ChatCompletions,
    /// OpenAI responses.
    Responses,
    /// Anthropic messages.
    Messages,
    /// Anthropic's count of a prompt's tokens.
    CountMessages,
    /// Google's answer, as events where `stream`.
    Generate { stream: bool },
    /// Google's count of a prompt's tokens.
    CountTokens,
    /// OpenAI embeddings.
    Embeddings,
    /// Google's embeddings of a list of texts.
    BatchEmbed,
    /// A path below OpenAI's base, with its leading slash: `/images/generations`. From a list of ours, never a caller's.
    Below(&'static str),
}

/// One channel's address, prepared once: base URL, fixed headers, auth scheme.
#[derive(Clone, Debug)]
pub struct Target {
    kind: ProviderKind,
    /// `scheme://host:port`, lower case, the port always written: what a credential is bound to.
    origin: String,
    /// Scheme, authority and path, without a trailing slash.
    base: String,
    auth: AuthName,
    headers: HeaderMap,
    api_version: Option<String>,
}

#[derive(Clone, Debug)]
enum AuthName {
    Bearer,
    Header(HeaderName),
    None,
}

/// Why an address cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error("api_base must be an absolute http or https URL without user, query or fragment")]
    BadBase,
    #[error("a header name or value is not valid")]
    BadHeader,
    #[error("the credential cannot be written into a header")]
    BadCredential,
    #[error("the model's name cannot be written into a URL")]
    BadModel,
}

impl Target {
    /// `api_base` is what the vendor's own SDK takes.
    pub fn new(
        kind: ProviderKind,
        api_base: &str,
        auth: &AuthScheme,
        headers: &[(String, String)],
        api_version: Option<&str>,
    ) -> Result<Self, TargetError> {
        let uri: Uri = api_base.trim_end_matches('/').parse().map_err(|_| TargetError::BadBase)?;
        let origin = origin_of(&uri)?;
        let path = uri.path().trim_end_matches('/');
        let authority = uri.authority().ok_or(TargetError::BadBase)?.as_str().to_ascii_lowercase();
        let scheme = uri.scheme_str().ok_or(TargetError::BadBase)?;
        let auth = match auth {
            AuthScheme::Bearer => AuthName::Bearer,
            AuthScheme::Header(name) => AuthName::Header(name.parse().map_err(|_| TargetError::BadHeader)?),
            AuthScheme::None => AuthName::None,
        };
        Ok(Self {
            kind,
            origin,
            base: format!("{scheme}://{authority}{path}"),
            auth,
            headers: fixed_headers(kind, headers)?,
            api_version: api_version.map(str::to_owned),
        })
    }

    pub fn kind(&self) -> ProviderKind {
        self.kind
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The address of a call. `model` is as the vendor knows it (Azure: the deployment); only some addresses hold it.
    pub fn uri(&self, endpoint: Endpoint, model: &str) -> Result<Uri, TargetError> {
        let text = match (self.kind, endpoint) {
            (_, Endpoint::Messages) => self.versioned("v1", "/messages"),
            (_, Endpoint::CountMessages) => self.versioned("v1", "/messages/count_tokens"),
            (_, Endpoint::Generate { stream: true }) => {
                self.of_model(model, ":streamGenerateContent?alt=sse")
            }
            (_, Endpoint::Generate { stream: false }) => self.of_model(model, ":generateContent"),
            (_, Endpoint::CountTokens) => self.of_model(model, ":countTokens"),
            (_, Endpoint::BatchEmbed) => self.of_model(model, ":batchEmbedContents"),
            (ProviderKind::AzureOpenAi, Endpoint::ChatCompletions) => {
                self.of_deployment(model, "/chat/completions")
            }
            (ProviderKind::AzureOpenAi, Endpoint::Embeddings) => self.of_deployment(model, "/embeddings"),
            (ProviderKind::AzureOpenAi, Endpoint::Below(path)) => self.of_deployment(model, path),
            // The responses API stands beside the deployments, under the version without a date.
            (ProviderKind::AzureOpenAi, Endpoint::Responses) => {
                format!("{}/openai/v1/responses", self.azure_root())
            }
            (_, Endpoint::ChatCompletions) => format!("{}/chat/completions", self.base),
            (_, Endpoint::Responses) => format!("{}/responses", self.base),
            (_, Endpoint::Embeddings) => format!("{}/embeddings", self.base),
            (_, Endpoint::Below(path)) => format!("{}{path}", self.base),
        };
        text.parse().map_err(|_| TargetError::BadModel)
    }

    /// A path behind the version, which is not doubled where the base ends with one.
    fn versioned(&self, version: &str, path: &str) -> String {
        let base = &self.base;
        if ends_with_version(base) { format!("{base}{path}") } else { format!("{base}/{version}{path}") }
    }

    /// Google's address of a model's method.
    fn of_model(&self, model: &str, method: &str) -> String {
        let mut path = String::from("/models/");
        percent_encode(model.strip_prefix("models/").unwrap_or(model), &mut path);
        path.push_str(method);
        self.versioned("v1beta", &path)
    }

    /// Azure's address of a deployment, or the plain one where the base is its newer form without deployments.
    fn of_deployment(&self, deployment: &str, path: &str) -> String {
        if self.base.ends_with("/openai/v1") {
            return format!("{}{path}", self.base);
        }
        let mut text = format!("{}/openai/deployments/", self.azure_root());
        percent_encode(deployment, &mut text);
        text.push_str(path);
        text.push_str("?api-version=");
        percent_encode(self.api_version.as_deref().unwrap_or(AZURE_API_VERSION), &mut text);
        text
    }

    /// Azure's base without what its SDKs put behind it.
    fn azure_root(&self) -> &str {
        let base = self.base.as_str();
        base.strip_suffix("/openai/v1").or_else(|| base.strip_suffix("/openai")).unwrap_or(base)
    }

    /// The address of the vendor's list of models, as long a page of it as it gives: the cheapest call that proves a
    /// credential.
    pub fn models_uri(&self) -> Result<Uri, TargetError> {
        let base = &self.base;
        let versioned = ends_with_version(base);
        let text = match self.kind {
            ProviderKind::Anthropic if versioned => format!("{base}/models?limit=1000"),
            ProviderKind::Anthropic => format!("{base}/v1/models?limit=1000"),
            ProviderKind::Google if versioned => format!("{base}/models?pageSize=1000"),
            ProviderKind::Google => format!("{base}/v1beta/models?pageSize=1000"),
            ProviderKind::AzureOpenAi if !base.ends_with("/openai/v1") => {
                let root = base.strip_suffix("/openai").unwrap_or(base);
                let version = self.api_version.as_deref().unwrap_or(AZURE_API_VERSION);
                let mut text = format!("{root}/openai/models?api-version=");
                percent_encode(version, &mut text);
                text
            }
            _ => format!("{base}/models"),
        };
        text.parse().map_err(|_| TargetError::BadBase)
    }

    /// A POST with this channel's headers and credential.
    pub fn post(
        &self,
        uri: Uri,
        body: RequestBody,
        secret: Option<&Secret>,
        stream: bool,
    ) -> Result<EncodedRequest, TargetError> {
        let accept = if stream { "text/event-stream" } else { "application/json" };
        Ok(EncodedRequest {
            method: Method::POST,
            uri,
            headers: self.headers_for(accept, secret)?,
            body,
            rest: None,
        })
    }

    /// A GET with this channel's headers and credential.
    pub fn get(&self, uri: Uri, secret: Option<&Secret>) -> Result<EncodedRequest, TargetError> {
        let mut headers = self.headers_for("application/json", secret)?;
        headers.remove(CONTENT_TYPE);
        Ok(EncodedRequest { method: Method::GET, uri, headers, body: RequestBody::default(), rest: None })
    }

    fn headers_for(&self, accept: &'static str, secret: Option<&Secret>) -> Result<HeaderMap, TargetError> {
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 4);
        headers.clone_from(&self.headers);
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        match (&self.auth, secret) {
            (AuthName::None, _) | (_, None) => {}
            (AuthName::Bearer, Some(secret)) => {
                headers.insert(AUTHORIZATION, sensitive(b"Bearer ", secret)?);
            }
            (AuthName::Header(name), Some(secret)) => {
                headers.insert(name.clone(), sensitive(b"", secret)?);
            }
        }
        Ok(headers)
    }
}

/// Whether a key can be written into a header at all, so that it is refused where it is entered and not where it is used.
pub fn can_carry(secret: &Secret) -> bool {
    sensitive(b"", secret).is_ok()
}

/// `scheme://host:port` of an address: what a credential may be sent to.
pub fn origin_of(uri: &Uri) -> Result<String, TargetError> {
    let scheme = uri.scheme_str().ok_or(TargetError::BadBase)?;
    let default_port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return Err(TargetError::BadBase),
    };
    let authority = uri.authority().ok_or(TargetError::BadBase)?;
    if authority.as_str().contains('@') || uri.query().is_some() || authority.host().is_empty() {
        return Err(TargetError::BadBase);
    }
    let port = uri.port_u16().unwrap_or(default_port);
    Ok(format!("{scheme}://{}:{port}", authority.host().to_ascii_lowercase()))
}

fn fixed_headers(kind: ProviderKind, extra: &[(String, String)]) -> Result<HeaderMap, TargetError> {
    let mut headers = HeaderMap::new();
    for (name, value) in extra {
        let name: HeaderName = name.parse().map_err(|_| TargetError::BadHeader)?;
        headers.insert(name, value.parse().map_err(|_| TargetError::BadHeader)?);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
        .entry(USER_AGENT)
        .or_insert(HeaderValue::from_static(concat!("lyss-provider/", env!("CARGO_PKG_VERSION"))));
    if kind == ProviderKind::Anthropic {
        headers.entry("anthropic-version").or_insert(HeaderValue::from_static(ANTHROPIC_VERSION));
    }
    Ok(headers)
}

/// The one place where a credential becomes part of a request.
#[expect(clippy::disallowed_methods, reason = "a credential leaves only as a header value marked sensitive")]
fn sensitive(prefix: &[u8], secret: &Secret) -> Result<HeaderValue, TargetError> {
    let text = zeroize::Zeroizing::new([prefix, secret.expose()].concat());
    let mut value = HeaderValue::from_bytes(&text).map_err(|_| TargetError::BadCredential)?;
    value.set_sensitive(true);
    Ok(value)
}

/// True when the last path segment is a version such as `v1` or `v1beta`.
fn ends_with_version(base: &str) -> bool {
    let last = base.rsplit('/').next().unwrap_or_default();
    last.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// RFC 3986 percent-encoding of everything but unreserved characters.
fn percent_encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(kind: ProviderKind, base: &str) -> Target {
        Target::new(kind, base, &AuthScheme::Bearer, &[], None).unwrap()
    }

    #[test]
    fn addresses_follow_the_vendors_own_sdks() {
        use Endpoint::{ChatCompletions, CountTokens, Generate, Messages, Responses};
        use ProviderKind::{Anthropic, AzureOpenAi, DeepSeek, Google, OpenAi};
        let stream = Generate { stream: true };
        let table = [
            (
                OpenAi,
                "https://api.openai.com/v1/",
                ChatCompletions,
                "https://api.openai.com/v1/chat/completions",
            ),
            (OpenAi, "https://api.openai.com/v1", Responses, "https://api.openai.com/v1/responses"),
            (
                DeepSeek,
                "https://api.deepseek.com",
                ChatCompletions,
                "https://api.deepseek.com/chat/completions",
            ),
            (Anthropic, "https://api.anthropic.com", Messages, "https://api.anthropic.com/v1/messages"),
            (Anthropic, "https://Proxy.example/v1", Messages, "https://proxy.example/v1/messages"),
            (
                Google,
                "https://g.example",
                stream,
                "https://g.example/v1beta/models/my%20gpt:streamGenerateContent?alt=sse",
            ),
            (Google, "https://g.example/v1", CountTokens, "https://g.example/v1/models/my%20gpt:countTokens"),
            (
                AzureOpenAi,
                "https://r.openai.azure.com",
                ChatCompletions,
                "https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21",
            ),
            (
                AzureOpenAi,
                "https://r.openai.azure.com/openai",
                ChatCompletions,
                "https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21",
            ),
            (
                AzureOpenAi,
                "https://r.openai.azure.com/openai/v1",
                ChatCompletions,
                "https://r.openai.azure.com/openai/v1/chat/completions",
            ),
            (
                AzureOpenAi,
                "https://r.openai.azure.com",
                Responses,
                "https://r.openai.azure.com/openai/v1/responses",
            ),
        ];
        for (kind, base, endpoint, expected) in table {
            assert_eq!(target(kind, base).uri(endpoint, "my gpt").unwrap().to_string(), expected);
        }
    }

    #[test]
    fn a_list_of_models_is_asked_for_where_the_vendor_has_it() {
        use ProviderKind::{Anthropic, AzureOpenAi, DeepSeek, Google, OpenAi, OpenAiCompatible};
        let table = [
            (OpenAi, "https://api.openai.com/v1", "https://api.openai.com/v1/models"),
            (DeepSeek, "https://api.deepseek.com", "https://api.deepseek.com/models"),
            (OpenAiCompatible, "http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1/models"),
            (Anthropic, "https://api.anthropic.com", "https://api.anthropic.com/v1/models?limit=1000"),
            (Anthropic, "https://p.example/v1", "https://p.example/v1/models?limit=1000"),
            (Google, "https://g.example", "https://g.example/v1beta/models?pageSize=1000"),
            (Google, "https://g.example/v1", "https://g.example/v1/models?pageSize=1000"),
            (
                AzureOpenAi,
                "https://r.openai.azure.com/openai",
                "https://r.openai.azure.com/openai/models?api-version=2024-10-21",
            ),
            (
                AzureOpenAi,
                "https://r.openai.azure.com/openai/v1",
                "https://r.openai.azure.com/openai/v1/models",
            ),
        ];
        for (kind, base, expected) in table {
            assert_eq!(target(kind, base).models_uri().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn an_origin_always_names_its_port() {
        assert_eq!(
            target(ProviderKind::OpenAi, "https://API.openai.com/v1").origin(),
            "https://api.openai.com:443"
        );
        assert_eq!(
            target(ProviderKind::OpenAi, "http://127.0.0.1:9100/v1").origin(),
            "http://127.0.0.1:9100"
        );
    }

    #[test]
    fn odd_addresses_are_refused() {
        for base in
            ["", "api.openai.com", "ftp://x/", "https://u:p@x/v1", "https://x/v1?a=b", "https:///v1", "/v1"]
        {
            let made = Target::new(ProviderKind::OpenAi, base, &AuthScheme::Bearer, &[], None);
            assert_eq!(made.unwrap_err(), TargetError::BadBase, "{base}");
        }
    }

    #[test]
    fn a_credential_is_a_sensitive_header_and_nothing_else() {
        let auth = AuthScheme::Header("x-api-key".to_owned());
        let target = Target::new(ProviderKind::Anthropic, "https://a.example", &auth, &[], None).unwrap();
        let secret = Secret::from("sk-canary-1".to_owned());
        let uri = target.uri(Endpoint::Messages, "m").unwrap();
        let request = target.post(uri, RequestBody::default(), Some(&secret), true).unwrap();
        let value = request.headers.get("x-api-key").unwrap();
        assert!(value.is_sensitive() && value == "sk-canary-1");
        assert_eq!(request.headers.get("anthropic-version").unwrap(), ANTHROPIC_VERSION);
        assert!(!format!("{request:?} {:?} {target:?}", request.headers).contains("canary"));
        let broken = Secret::from("a\nb".to_owned());
        let uri = target.uri(Endpoint::Messages, "m").unwrap();
        assert_eq!(
            target.post(uri, RequestBody::default(), Some(&broken), true).unwrap_err(),
            TargetError::BadCredential
        );
    }
}
