//! What a proxied path stands for: the caller's dialect, what is to be done, and what the address itself says.

use actix_web::web::Path;
use actix_web::{FromRequest, HttpRequest};
use futures_util::FutureExt;
use lyss_adapters::{Dialect, Errand, Fault, Framing, PathWords};
use lyss_domain::{FaultKind, Operation};

/// One kind of proxied path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// The whole request stands in the body.
    Plain(Dialect, Errand),
    /// `…/models/{model}:{method}`, Google's.
    Google,
    /// `/openai/deployments/{deployment}/…`, Azure's: OpenAI's with the model in the address.
    Azure(Errand),
    /// Only OpenAI and vendors like it have it; the model where the body names none.
    Pass(Operation, &'static str, Option<&'static str>),
}

impl Way {
    /// In whose words errors are told.
    pub(crate) const fn dialect(self) -> Dialect {
        match self {
            Self::Plain(dialect, _) => dialect,
            Self::Google => Dialect::GoogleGenerate,
            Self::Azure(_) | Self::Pass(..) => Dialect::OpenAiChat,
        }
    }

    /// What the address says.
    pub(crate) fn words(self, request: &HttpRequest) -> Result<PathWords, Fault> {
        match self {
            Self::Plain(_, errand) => Ok(PathWords { errand, ..PathWords::default() }),
            Self::Azure(errand) => {
                Ok(PathWords { model: Some(segment(request)?), errand, ..PathWords::default() })
            }
            Self::Pass(operation, path, usual_model) => {
                Ok(PathWords { errand: Errand::Pass(operation, path), usual_model, ..PathWords::default() })
            }
            Self::Google => google(request),
        }
    }
}

fn google(request: &HttpRequest) -> Result<PathWords, Fault> {
    let segment = segment(request)?;
    let (model, method) = segment.rsplit_once(':').ok_or_else(nowhere)?;
    let words = |errand, stream| PathWords {
        model: Some(model.to_owned()),
        stream: Some(stream),
        errand,
        framing: if stream && !asks_for_events(request) { Framing::Array } else { Framing::Events },
        usual_model: None,
    };
    match method {
        "generateContent" => Ok(words(Errand::Chat, false)),
        "streamGenerateContent" => Ok(words(Errand::Chat, true)),
        "countTokens" => Ok(words(Errand::CountTokens, false)),
        _ => Err(nowhere()),
    }
}

/// `alt=sse`: events rather than one array.
fn asks_for_events(request: &HttpRequest) -> bool {
    request
        .query_string()
        .split('&')
        .any(|pair| pair == "alt=sse" || pair == "%24alt=sse" || pair == "$alt=sse")
}

/// The one parameter of the path, decoded.
fn segment(request: &HttpRequest) -> Result<String, Fault> {
    // The extractor waits for nothing.
    let extracted = Path::<String>::extract(request).now_or_never();
    extracted.and_then(Result::ok).map(Path::into_inner).ok_or_else(nowhere)
}

fn nowhere() -> Fault {
    let message = "There is no such method of a model here; generateContent, streamGenerateContent and countTokens are.";
    Fault { status: 404, ..Fault::new(FaultKind::BadRequest, message) }
}
