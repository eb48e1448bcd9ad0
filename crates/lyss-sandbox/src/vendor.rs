//! Who is simulated: names, paths, keys and models.

use std::borrow::Cow;

use http::{HeaderMap, Method, Uri, header};

use crate::KEY_PREFIX;
use crate::refusal::{Kind, Refusal};

#[cfg(test)]
mod tests;

/// One simulated vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vendor {
    OpenAi,
    AzureOpenAi,
    DeepSeek,
    Anthropic,
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// `deployment` is Azure's; with the others the model stands in the body.
    Chat {
        deployment: Option<Cow<'a, str>>,
    },
    Models,
    Model(Cow<'a, str>),
}

impl Vendor {
    pub const ALL: [Self; 4] = [Self::OpenAi, Self::AzureOpenAi, Self::DeepSeek, Self::Anthropic];

    /// The vendor's kind as `lyss` names it: `openai`, `azure_openai`, `deepseek`, `anthropic`.
    pub fn slug(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::AzureOpenAi => "azure_openai",
            Self::DeepSeek => "deepseek",
            Self::Anthropic => "anthropic",
        }
    }

    /// The models listed and, except by Azure, served. Azure serves any deployment name.
    pub fn models(self) -> &'static [&'static str] {
        match self {
            Self::OpenAi => &["gpt-4o-mini", "gpt-4o", "gpt-4.1", "gpt-4.1-mini"],
            Self::AzureOpenAi => &["gpt-4o-mini", "gpt-4o", "gpt-4.1"],
            Self::DeepSeek => &["deepseek-chat", "deepseek-reasoner"],
            Self::Anthropic => &["claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-1"],
        }
    }

    pub(crate) fn base_path(self) -> &'static str {
        match self {
            Self::OpenAi => "/v1",
            Self::AzureOpenAi | Self::DeepSeek | Self::Anthropic => "",
        }
    }

    /// Checks the key, and the other headers and query values the vendor insists on.
    pub(crate) fn admit(self, headers: &HeaderMap, uri: &Uri) -> Result<(), Refusal> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = || text(header::AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
        let (key, wanted) = match self {
            Self::OpenAi | Self::DeepSeek => (bearer(), "an Authorization header with a Bearer key"),
            Self::AzureOpenAi => (text("api-key"), "an api-key header"),
            Self::Anthropic => (text("x-api-key"), "an x-api-key header"),
        };
        match key {
            None => return Err(Refusal::new(Kind::Authentication, format!("The request needs {wanted}."))),
            Some(key) if !key.starts_with(KEY_PREFIX) => {
                return Err(Refusal::new(Kind::Authentication, "The key is not one of this account."));
            }
            Some(_) => {}
        }
        if self == Self::Anthropic && text("anthropic-version").is_none() {
            return Err(Refusal::new(Kind::Invalid, "anthropic-version: this header is required"));
        }
        let versioned = uri.query().is_some_and(|query| {
            query
                .split('&')
                .any(|pair| pair.strip_prefix("api-version=").is_some_and(|value| !value.is_empty()))
        });
        if self == Self::AzureOpenAi && !versioned {
            return Err(Refusal::unknown_path());
        }
        Ok(())
    }

    pub(crate) fn route<'a>(self, method: &Method, path: &'a str) -> Result<Route<'a>, Refusal> {
        let (route, allowed) = self.resource(path).ok_or_else(Refusal::unknown_path)?;
        if *method == allowed {
            Ok(route)
        } else {
            Err(Refusal::new(Kind::Method, format!("Use {allowed} with this address.")))
        }
    }

    fn resource(self, path: &str) -> Option<(Route<'_>, Method)> {
        let plain_chat = Route::Chat { deployment: None };
        if self == Self::AzureOpenAi {
            let rest = path.strip_prefix("/openai/")?;
            if let Some(deployment) =
                rest.strip_prefix("deployments/").and_then(|rest| rest.strip_suffix("/chat/completions"))
            {
                let deployment = Some(percent_decoded(deployment)?);
                return Some((Route::Chat { deployment }, Method::POST));
            }
            return models_resource(rest);
        }
        let rest = match self {
            Self::DeepSeek => path.strip_prefix("/v1/").or_else(|| path.strip_prefix('/'))?,
            _ => path.strip_prefix("/v1/")?,
        };
        let chat = if self == Self::Anthropic { "messages" } else { "chat/completions" };
        if rest == chat { Some((plain_chat, Method::POST)) } else { models_resource(rest) }
    }
}

fn models_resource(rest: &str) -> Option<(Route<'_>, Method)> {
    let route = match rest.strip_prefix("models")? {
        "" => Route::Models,
        id => Route::Model(percent_decoded(id.strip_prefix('/')?)?),
    };
    Some((route, Method::GET))
}

/// A path segment with `%XX` undone; `None` if it is not readable or holds a slash.
fn percent_decoded(segment: &str) -> Option<Cow<'_, str>> {
    if segment.is_empty() || segment.contains('/') {
        return None;
    }
    if !segment.contains('%') {
        return Some(Cow::Borrowed(segment));
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut parts = segment.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}
