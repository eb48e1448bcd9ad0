//! The models list, in pages.

use http::Uri;

use crate::refusal::Refusal;
use crate::template::{filled, quoted};
use crate::vendor::{Vendor, query_value};

const GENERATING: &str = r#"{"name":"models/$model","version":"001","displayName":$name,"description":"A simulated model.","inputTokenLimit":1048576,"outputTokenLimit":65536,"supportedGenerationMethods":["generateContent","countTokens","createCachedContent","batchGenerateContent"],"temperature":1,"topP":0.95,"topK":64,"maxTemperature":2,"thinking":true}"#;
const EMBEDDING: &str = r#"{"name":"models/$model","version":"001","displayName":$name,"description":"A simulated embedding model.","inputTokenLimit":2048,"outputTokenLimit":1,"supportedGenerationMethods":["embedContent","countTextTokens","countTokens"]}"#;
const DEFAULT_PAGE: usize = 50;
const MAX_PAGE: usize = 1000;

pub(crate) fn models(uri: &Uri) -> Result<Vec<u8>, Refusal> {
    let number = |name: &str| match query_value(uri, name).filter(|value| !value.is_empty()) {
        None => Ok(None),
        Some(value) => value
            .parse::<usize>()
            .map(Some)
            .map_err(|_| Refusal::invalid(format!("ListModelsRequest.{name}: the value is not readable"))),
    };
    let size = number("pageSize")?.filter(|size| *size > 0).unwrap_or(DEFAULT_PAGE).min(MAX_PAGE);
    let from = number("pageToken")?.unwrap_or(0);
    let models = Vendor::Google.models();
    let page: Vec<_> = models.iter().skip(from).take(size).map(|model| entry(model)).collect();
    let next = from.saturating_add(size);
    let next = match next < models.len() {
        true => format!(r#","nextPageToken":"{next}""#),
        false => String::new(),
    };
    Ok(format!(r#"{{"models":[{}]{next}}}"#, page.join(",")).into_bytes())
}

pub(crate) fn model(id: &str) -> Result<Vec<u8>, Refusal> {
    match Vendor::Google.models().contains(&id) {
        true => Ok(entry(id).into_bytes()),
        false => Err(Refusal::unknown_model(Vendor::Google, id)),
    }
}

fn entry(model: &str) -> String {
    let template = if model.contains("embedding") { EMBEDDING } else { GENERATING };
    filled(template, &[("model", model), ("name", &quoted(&model.replace('-', " ")))])
}
