//! Counting a prompt's tokens, as in the API reference ("Counting tokens").

use bytes::Bytes;
use lyss_domain::TokenUsage;
use serde::{Deserialize, Serialize};

use super::encode;
use super::wire::unreadable;
use crate::Fault;
use crate::conversation::ChatCall;
use crate::dialect::{Encoded, Encoding, Unsayable};

/// The body of `countTokens` for a conversation: instructions and tools count too, so the whole request goes.
pub fn encode(call: &ChatCall, encoding: &Encoding<'_>) -> Result<Encoded, Unsayable> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        generate_content_request: Named<'a>,
    }
    #[derive(Serialize)]
    struct Named<'a> {
        /// With its prefix, as this method wants it.
        model: String,
        #[serde(flatten)]
        request: encode::Request<'a>,
    }
    let (request, losses) = encode::request(call, encoding)?;
    let name = encoding.model.strip_prefix("models/").unwrap_or(encoding.model);
    let body = Body { generate_content_request: Named { model: format!("models/{name}"), request } };
    Ok(Encoded { body: encode::write(&body)?, losses, headers: Vec::new() })
}

/// What the vendor counted: `totalTokens`.
pub fn decode(body: &[u8]) -> Result<u64, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        total_tokens: Option<u64>,
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|_| unreadable())?;
    // A count of 0 is left out, as protobuf's JSON does.
    Ok(answer.total_tokens.unwrap_or(0).min(lyss_domain::usage::MAX_TOKENS))
}

/// The answer to a caller of this dialect.
pub fn render(tokens: u64) -> Bytes {
    format!("{{\"totalTokens\":{tokens}}}").into()
}

/// A count as usage: all of it prompt.
pub fn usage(tokens: u64) -> TokenUsage {
    TokenUsage { input: tokens, ..TokenUsage::default() }
}

#[cfg(test)]
mod tests;
