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
    Google,
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// `deployment` is Azure's; with the others the model stands in the body.
    Chat {
        deployment: Option<Cow<'a, str>>,
    },
    /// OpenAI's newer dialect.
    Responses,
    /// Anthropic's `count_tokens`.
    CountTokens,
    /// One of Google's methods of a model.
    Google {
        model: Cow<'a, str>,
        method: GoogleMethod,
    },
    /// OpenAI's other operations.
    Other {
        operation: Operation,
        deployment: Option<Cow<'a, str>>,
    },
    Models,
    Model(Cow<'a, str>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoogleMethod {
    Generate,
    Stream,
    Count,
    Embed,
    BatchEmbed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Embeddings,
    Completions,
    Moderations,
    Images,
    ImageEdits,
    Speech,
    Transcriptions,
    Rerank,
}

impl Vendor {
    pub const ALL: [Self; 5] =
        [Self::OpenAi, Self::AzureOpenAi, Self::DeepSeek, Self::Anthropic, Self::Google];

    /// The vendor's kind as `lyss` names it: `openai`, `azure_openai`, `deepseek`, `anthropic`, `google`.
    pub fn slug(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::AzureOpenAi => "azure_openai",
            Self::DeepSeek => "deepseek",
            Self::Anthropic => "anthropic",
            Self::Google => "google",
        }
    }

    /// The models listed and, except by Azure, served. Azure serves any deployment name.
    pub fn models(self) -> &'static [&'static str] {
        match self {
            Self::OpenAi => &[
                "gpt-4o-mini",
                "gpt-4o",
                "gpt-4.1",
                "gpt-4.1-mini",
                "gpt-4o-audio-preview",
                "gpt-5",
                "o4-mini",
                "o1-pro",
                "text-embedding-3-small",
                "text-embedding-3-large",
                "gpt-3.5-turbo-instruct",
                "omni-moderation-latest",
                "gpt-image-1",
                "gpt-4o-mini-tts",
                "whisper-1",
                "gpt-4o-transcribe",
                "rerank-sandbox",
            ],
            Self::AzureOpenAi => &["gpt-4o-mini", "gpt-4o", "gpt-4.1"],
            Self::DeepSeek => &["deepseek-chat", "deepseek-reasoner"],
            Self::Anthropic => {
                &["claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-1", "claude-opus-4-6"]
            }
            Self::Google => &[
                "gemini-2.5-flash",
                "gemini-2.5-pro",
                "gemini-3-pro-preview",
                "text-embedding-004",
                "gemini-embedding-001",
            ],
        }
    }

    pub(crate) fn base_path(self) -> &'static str {
        match self {
            Self::OpenAi => "/v1",
            Self::AzureOpenAi | Self::DeepSeek | Self::Anthropic | Self::Google => "",
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
            Self::Google => (
                text("x-goog-api-key").or_else(|| query_value(uri, "key")),
                "an x-goog-api-key header or a key parameter",
            ),
        };
        match key {
            // Google takes a call without a key for one of an unregistered caller.
            None if self == Self::Google => {
                return Err(Refusal::new(Kind::Permission, format!("The request needs {wanted}.")));
            }
            None => return Err(Refusal::new(Kind::Authentication, format!("The request needs {wanted}."))),
            Some(key) if !key.starts_with(KEY_PREFIX) => {
                return Err(Refusal::new(Kind::WrongKey, "The key is not one of this account."));
            }
            Some(_) => {}
        }
        if self == Self::Anthropic && text("anthropic-version").is_none() {
            return Err(Refusal::new(Kind::Invalid, "anthropic-version: this header is required"));
        }
        // Azure's newer address, `/openai/v1/`, needs no version.
        let versioned = query_value(uri, "api-version").is_some_and(|value| !value.is_empty())
            || uri.path().starts_with("/openai/v1/");
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
        match self {
            Self::AzureOpenAi => azure_resource(path),
            Self::Google => google_resource(path),
            Self::Anthropic => match path.strip_prefix("/v1/")? {
                "messages" => Some((Route::Chat { deployment: None }, Method::POST)),
                "messages/count_tokens" => Some((Route::CountTokens, Method::POST)),
                rest => models_resource(rest),
            },
            Self::DeepSeek => match path.strip_prefix("/v1/").or_else(|| path.strip_prefix('/'))? {
                "chat/completions" => Some((Route::Chat { deployment: None }, Method::POST)),
                rest => models_resource(rest),
            },
            Self::OpenAi => openai_resource(path.strip_prefix("/v1/")?),
        }
    }
}

impl Operation {
    const ALL: [(&'static str, Self); 8] = [
        ("embeddings", Self::Embeddings),
        ("completions", Self::Completions),
        ("moderations", Self::Moderations),
        ("images/generations", Self::Images),
        ("images/edits", Self::ImageEdits),
        ("audio/speech", Self::Speech),
        ("audio/transcriptions", Self::Transcriptions),
        ("rerank", Self::Rerank),
    ];

    fn from_path(path: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == path).map(|(_, operation)| *operation)
    }
}

/// `rest` follows `/v1/`.
fn openai_resource(rest: &str) -> Option<(Route<'_>, Method)> {
    match rest {
        "chat/completions" => Some((Route::Chat { deployment: None }, Method::POST)),
        "responses" => Some((Route::Responses, Method::POST)),
        rest => match Operation::from_path(rest) {
            Some(operation) => Some((Route::Other { operation, deployment: None }, Method::POST)),
            None => models_resource(rest),
        },
    }
}

fn azure_resource(path: &str) -> Option<(Route<'_>, Method)> {
    let rest = path.strip_prefix("/openai/")?;
    if let Some(rest) = rest.strip_prefix("v1/") {
        return openai_resource(rest);
    }
    if let Some((deployment, operation)) = rest.strip_prefix("deployments/").and_then(|it| it.split_once('/'))
    {
        let deployment = Some(percent_decoded(deployment)?);
        let route = match Operation::from_path(operation) {
            None if operation == "chat/completions" => Route::Chat { deployment },
            None => return None,
            Some(operation) => Route::Other { operation, deployment },
        };
        return Some((route, Method::POST));
    }
    match rest {
        "responses" => Some((Route::Responses, Method::POST)),
        rest => models_resource(rest),
    }
}

fn google_resource(path: &str) -> Option<(Route<'_>, Method)> {
    let rest = path.strip_prefix("/v1beta/").or_else(|| path.strip_prefix("/v1/"))?;
    let Some((model, method)) = rest.strip_prefix("models/").and_then(|model| model.rsplit_once(':')) else {
        return models_resource(rest);
    };
    let method = match method {
        "generateContent" => GoogleMethod::Generate,
        "streamGenerateContent" => GoogleMethod::Stream,
        "countTokens" => GoogleMethod::Count,
        "embedContent" => GoogleMethod::Embed,
        "batchEmbedContents" => GoogleMethod::BatchEmbed,
        _ => return None,
    };
    Some((Route::Google { model: percent_decoded(model)?, method }, Method::POST))
}

/// The first value of a query parameter, as it stands there.
pub(crate) fn query_value<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
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
