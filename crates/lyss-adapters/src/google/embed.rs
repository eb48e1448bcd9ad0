//! Embeddings: OpenAI's request ("Create embeddings") as Google's `batchEmbedContents` ("Embeddings"), and the answer
//! back.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::wire::{to_base64, unreadable};
use crate::Fault;
use crate::fields::{Fields, Lost, wrong};

/// The vendor's bound on the texts of one request.
const MAX_TEXTS: usize = 100;
/// OpenAI's rule of thumb, where the vendor does not count.
const BYTES_PER_TOKEN: usize = 4;

/// An embeddings request as the vendor reads it.
#[derive(Debug)]
pub struct EncodedEmbeddings {
    pub body: Bytes,
    /// How the caller wants the numbers; needed for [`render`].
    pub format: EmbeddingFormat,
    /// Of the texts, by their length: used where the vendor does not count.
    pub estimated_tokens: u64,
    /// Fields of the request that were left out, by their paths.
    pub losses: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EmbeddingFormat {
    /// A list of numbers.
    #[default]
    Floats,
    /// 32-bit floats in little-endian order, in base64.
    Base64,
}

/// What the vendor answered.
#[derive(Debug, Default, PartialEq)]
pub struct Embeddings {
    pub vectors: Vec<Vec<f32>>,
    /// `None`: the vendor did not count.
    pub tokens: Option<u64>,
}

#[derive(Serialize)]
struct Batch<'a> {
    requests: Vec<One<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct One<'a> {
    model: &'a str,
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u64>,
}

#[derive(Serialize)]
struct Content<'a> {
    parts: [Text<'a>; 1],
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

/// Reads OpenAI's body and writes the vendor's for this model; the fault names the field by its path.
pub fn encode(body: &[u8], model: &str) -> Result<EncodedEmbeddings, Fault> {
    let raw: &RawValue =
        serde_json::from_slice(body).map_err(|_| Fault::bad_request("The body is not valid JSON.", None))?;
    if !raw.get().starts_with('{') {
        return Err(Fault::bad_request("The body must be a JSON object.", None));
    }
    let mut fields = Fields::open(raw, "")?;
    let mut lost = Lost::default();
    let texts = texts(&mut fields)?;
    let dimensions: Option<u64> = fields.take("dimensions", "a whole number, not negative")?;
    let format = match fields.take::<String>("encoding_format", "a string")?.as_deref() {
        None | Some("float") => EmbeddingFormat::Floats,
        Some("base64") => EmbeddingFormat::Base64,
        Some(_) => return Err(wrong("encoding_format", "`float` or `base64`")),
    };
    fields.raw("model");
    fields.leave(&[], &mut lost);
    let name = format!("models/{}", model.strip_prefix("models/").unwrap_or(model));
    let requests = texts.iter().map(|text| One {
        model: &name,
        content: Content { parts: [Text { text }] },
        output_dimensionality: dimensions,
    });
    let written = serde_json::to_vec(&Batch { requests: requests.collect() }).unwrap_or_default();
    let estimated: usize = texts.iter().map(|text| text.len().div_ceil(BYTES_PER_TOKEN)).sum();
    Ok(EncodedEmbeddings {
        body: written.into(),
        format,
        estimated_tokens: u64::try_from(estimated).unwrap_or(u64::MAX),
        losses: lost.into_paths(),
    })
}

/// `input`: a text or a list of texts. Tokens are numbers of OpenAI's own vocabularies.
fn texts(fields: &mut Fields<'_>) -> Result<Vec<String>, Fault> {
    let raw: &RawValue = fields.require("input", "a string or a list of strings")?;
    if raw.get().starts_with('"') {
        let one = serde_json::from_str(raw.get()).map_err(|_| wrong("input", "a string"))?;
        return non_empty(vec![one]);
    }
    let list: Vec<&RawValue> =
        serde_json::from_str(raw.get()).map_err(|_| wrong("input", "a string or a list of strings"))?;
    if list.first().is_some_and(|one| !one.get().starts_with('"')) {
        let text = "`input` holds tokens, which this model's vendor cannot read; send the texts themselves.";
        return Err(Fault::bad_request(text, Some("input")));
    }
    if list.is_empty() || list.len() > MAX_TEXTS {
        return Err(wrong("input", "a list of 1 to 100 texts for this model's vendor"));
    }
    let mut texts = Vec::with_capacity(list.len());
    for (at, one) in list.into_iter().enumerate() {
        texts.push(serde_json::from_str(one.get()).map_err(|_| wrong(&format!("input[{at}]"), "a string"))?);
    }
    non_empty(texts)
}

fn non_empty(texts: Vec<String>) -> Result<Vec<String>, Fault> {
    match texts.iter().position(String::is_empty) {
        None => Ok(texts),
        Some(at) if texts.len() > 1 => Err(wrong(&format!("input[{at}]"), "a text that is not empty")),
        Some(_) => Err(wrong("input", "a text that is not empty")),
    }
}

/// Reads the vendor's 2xx answer, to one text or to many.
pub fn decode(body: &[u8]) -> Result<Embeddings, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        embeddings: Option<Vec<Vector>>,
        embedding: Option<Vector>,
        usage_metadata: Option<Usage>,
    }
    #[derive(Deserialize)]
    struct Vector {
        values: Option<Vec<f32>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Usage {
        prompt_token_count: Option<u64>,
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|_| unreadable())?;
    let list = answer.embeddings.or(answer.embedding.map(|one| vec![one])).ok_or_else(unreadable)?;
    Ok(Embeddings {
        vectors: list.into_iter().map(|vector| vector.values.unwrap_or_default()).collect(),
        tokens: answer.usage_metadata.and_then(|usage| usage.prompt_token_count),
    })
}

/// OpenAI's list. `tokens`: the vendor's count or the estimate.
pub fn render(embeddings: &Embeddings, format: EmbeddingFormat, model: &str, tokens: u64) -> Bytes {
    #[derive(Serialize)]
    struct List<'a> {
        object: &'static str,
        data: Vec<Item<'a>>,
        model: &'a str,
        usage: Usage,
    }
    #[derive(Serialize)]
    struct Item<'a> {
        object: &'static str,
        index: usize,
        embedding: Shown<'a>,
    }
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Shown<'a> {
        Floats(&'a [f32]),
        Base64(String),
    }
    #[derive(Serialize)]
    struct Usage {
        prompt_tokens: u64,
        total_tokens: u64,
    }
    let shown = |vector: &'_ Vec<f32>| -> String {
        to_base64(&vector.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
    };
    let data = embeddings.vectors.iter().enumerate().map(|(index, vector)| Item {
        object: "embedding",
        index,
        embedding: match format {
            EmbeddingFormat::Floats => Shown::Floats(vector),
            EmbeddingFormat::Base64 => Shown::Base64(shown(vector)),
        },
    });
    let usage = Usage { prompt_tokens: tokens, total_tokens: tokens };
    let list = List { object: "list", data: data.collect(), model, usage };
    serde_json::to_vec(&list).unwrap_or_default().into()
}

#[cfg(test)]
mod tests;
