//! The request headers by which a permitted key chooses its way.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName};
use lyss_adapters::{Dialect, Fault};
use lyss_domain::Strategy;
use lyss_proxy::{Headers, Steering};

/// Reads `x-lyss-channel`, `x-lyss-strategy`, `x-lyss-tags`, `x-lyss-timeout-ms` and `x-lyss-session`; what is sent must
/// be readable.
pub fn read(headers: &HeaderMap) -> Result<Steering, Fault> {
    // Nearly no call steers, so the headers are gone through once.
    if !headers.keys().any(|name| name.as_str().starts_with("x-lyss-")) {
        return Ok(Steering::default());
    }
    let value = |name: &'static str| match headers.get(name).map(|value| value.to_str()) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text.trim())),
        Some(Err(_)) => Err(unreadable(name)),
    };
    let parsed =
        |name, text: Option<&str>| text.map(|text| text.parse().map_err(|_| unreadable(name))).transpose();
    let strategy = value("x-lyss-strategy")?.map(|text| {
        text.parse::<Strategy>()
            .map_err(|error| Fault::bad_request(format!("x-lyss-strategy: {error}."), None))
    });
    let timeout: Option<u64> = value("x-lyss-timeout-ms")?
        .map(|text| text.parse().map_err(|_| unreadable("x-lyss-timeout-ms")))
        .transpose()?;
    let tags = value("x-lyss-tags")?.unwrap_or_default();
    Ok(Steering {
        channel: parsed("x-lyss-channel", value("x-lyss-channel")?)?,
        strategy: strategy.transpose()?,
        tags: tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
        timeout: timeout.map(Duration::from_millis),
        session: value("x-lyss-session")?.filter(|session| !session.is_empty()).map(str::to_owned),
    })
}

/// `x-lyss-strict`: nothing of the request may be lost in conversion.
pub fn strict(headers: &HeaderMap) -> Result<bool, Fault> {
    match headers.get("x-lyss-strict").map(|value| value.as_bytes()) {
        None | Some(b"false" | b"0") => Ok(false),
        Some(b"true" | b"1") => Ok(true),
        Some(_) => {
            let message = "The header 'x-lyss-strict' takes 'true' or 'false'.";
            Err(Fault::bad_request(message, Some("x-lyss-strict")))
        }
    }
}

/// Headers that a vendor of the caller's own dialect is to see: they open features that the body then uses. From a list
/// of ours, so that no caller can bring a credential or an address along.
pub fn forwarded(dialect: Dialect, headers: &HeaderMap) -> Headers {
    const ANTHROPIC: [HeaderName; 1] = [HeaderName::from_static("anthropic-beta")];
    const OPENAI: [HeaderName; 1] = [HeaderName::from_static("openai-beta")];
    let names: &[HeaderName] = match dialect {
        Dialect::AnthropicMessages => &ANTHROPIC,
        Dialect::OpenAiChat | Dialect::OpenAiResponses => &OPENAI,
        Dialect::GoogleGenerate => &[],
    };
    let mut found = Headers::new();
    for name in names {
        for value in headers.get_all(name) {
            // The two crates' header types differ.
            let pair = (name.as_str().parse(), http::HeaderValue::from_bytes(value.as_bytes()));
            if let (Ok(name), Ok(value)) = pair {
                found.push((name, value));
            }
        }
    }
    found
}

fn unreadable(name: &'static str) -> Fault {
    Fault::bad_request(format!("The header '{name}' cannot be read."), Some(name))
}
