//! Vectors, one or many. Usage is not said, as the vendor does not say it.

use serde_json::Value;

use super::fields::{get, list, number, text};
use crate::operations::vector;
use crate::refusal::Refusal;
use crate::request::prompt_tokens;
use crate::server::Spoken;

const DIMENSIONS: usize = 768;
const MAX_DIMENSIONS: i64 = 3072;
const MAX_REQUESTS: usize = 100;

pub(super) fn one(body: &Value) -> Result<Spoken, Refusal> {
    let (values, tokens) = values(body, "EmbedContentRequest")?;
    Ok(Spoken::whole(format!(r#"{{"embedding":{{"values":{values}}}}}"#).into_bytes(), 0, tokens))
}

pub(super) fn many(body: &Value) -> Result<Spoken, Refusal> {
    let requests = list(body, "requests");
    if requests.is_empty() || requests.len() > MAX_REQUESTS {
        let message =
            "BatchEmbedContentsRequest.requests: between 1 and 100 requests are allowed in one batch";
        return Err(Refusal::invalid(message).param("requests"));
    }
    let mut embeddings = Vec::with_capacity(requests.len());
    let mut tokens = 0;
    for (index, request) in requests.iter().enumerate() {
        if !text(request, "model").starts_with("models/") {
            let message =
                format!("BatchEmbedContentsRequest.requests[{index}].model: unexpected model name format");
            return Err(Refusal::invalid(message).param(format!("requests[{index}].model")));
        }
        let (values, count) = values(request, "EmbedContentRequest")?;
        embeddings.push(format!(r#"{{"values":{values}}}"#));
        tokens += count;
    }
    Ok(Spoken::whole(format!(r#"{{"embeddings":[{}]}}"#, embeddings.join(",")).into_bytes(), 0, tokens))
}

fn values(request: &Value, name: &str) -> Result<(String, u64), Refusal> {
    let parts = get(request, "content").map(|content| list(content, "parts")).unwrap_or_default();
    let said: String = parts.iter().map(|part| text(part, "text")).collect();
    if said.is_empty() {
        return Err(Refusal::invalid(format!("{name}.content: content is empty")).param("content"));
    }
    let dimensions = match number(request, "outputDimensionality") {
        None => DIMENSIONS,
        Some(wanted @ 1..=MAX_DIMENSIONS) => usize::try_from(wanted).unwrap_or(DIMENSIONS),
        Some(_) => {
            let message = format!("{name}.output_dimensionality: must be between 1 and {MAX_DIMENSIONS}");
            return Err(Refusal::invalid(message).param("output_dimensionality"));
        }
    };
    let values: Vec<_> = vector(&said, dimensions).iter().map(f32::to_string).collect();
    Ok((format!("[{}]", values.join(",")), prompt_tokens(said.len() as u64, 1)))
}
