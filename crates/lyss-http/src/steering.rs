//! The request headers by which a permitted key chooses its way.

use std::time::Duration;

use actix_web::http::header::HeaderMap;
use lyss_adapters::Fault;
use lyss_domain::Strategy;
use lyss_proxy::Steering;

/// Reads `x-lyss-channel`, `x-lyss-strategy`, `x-lyss-tags` and `x-lyss-timeout-ms`; what is sent must be readable.
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
    })
}

fn unreadable(name: &'static str) -> Fault {
    Fault::bad_request(format!("The header '{name}' cannot be read."), Some(name))
}
