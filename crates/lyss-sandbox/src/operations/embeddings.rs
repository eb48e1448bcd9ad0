//! Vectors: of unit length, following from a hash of the text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{invalid, tokens_of};
use crate::reading::{count, given};
use crate::refusal::Refusal;
use crate::server::Spoken;
use crate::template::{filled, quoted};
use crate::text;

const ENTRY: &str = r#"{"object":"embedding","index":$index,"embedding":$values}"#;
const WHOLE: &str = r#"{"object":"list","data":[$data],"model":$model,"usage":{"prompt_tokens":$tokens,"total_tokens":$tokens}}"#;
const MAX_INPUTS: usize = 2048;

pub(super) fn embed(body: &Value, model: &str) -> Result<Spoken, Refusal> {
    let own = if model == "text-embedding-3-large" { 3072 } else { 1536 };
    let dimensions = match count(body, "dimensions") {
        None if given(body, "dimensions").is_some() => return Err(invalid("dimensions", "not a number")),
        None => own,
        Some(wanted) => usize::try_from(wanted)
            .ok()
            .filter(|wanted| (1..=own).contains(wanted))
            .ok_or_else(|| invalid("dimensions", "more than this model has, or none"))?,
    };
    let base64 = match given(body, "encoding_format").map(Value::as_str) {
        None | Some(Some("float")) => false,
        Some(Some("base64")) => true,
        Some(_) => return Err(invalid("encoding_format", "float and base64 are known")),
    };
    let inputs = inputs(body)?;
    let entry = |(index, (said, _)): (usize, &(String, u64))| {
        let values = vector(said, dimensions);
        let values = match base64 {
            true => {
                let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                format!("\"{}\"", STANDARD.encode(bytes))
            }
            false => format!("[{}]", values.iter().map(f32::to_string).collect::<Vec<_>>().join(",")),
        };
        filled(ENTRY, &[("index", &index.to_string()), ("values", &values)])
    };
    let data: Vec<_> = inputs.iter().enumerate().map(entry).collect();
    let tokens = inputs.iter().map(|(_, tokens)| tokens).sum::<u64>();
    let slots = [("data", &*data.join(",")), ("model", &quoted(model)), ("tokens", &tokens.to_string())];
    Ok(Spoken::whole(filled(WHOLE, &slots).into_bytes(), 0, tokens))
}

/// A text, texts, a list of tokens, or lists of tokens: what is hashed, and how many tokens it is.
fn inputs(body: &Value) -> Result<Vec<(String, u64)>, Refusal> {
    let tokens = |value: &Value| {
        let list = value.as_array().filter(|list| !list.is_empty() && list.iter().all(Value::is_u64))?;
        Some((value.to_string(), list.len() as u64))
    };
    if let Some(tokens) = body.get("input").and_then(tokens) {
        return Ok(vec![tokens]);
    }
    let lists = body.get("input").and_then(Value::as_array);
    if let Some(lists) = lists.and_then(|lists| lists.iter().map(tokens).collect::<Option<Vec<_>>>())
        && !lists.is_empty()
    {
        return Ok(lists);
    }
    let texts = super::texts(body, "input")?;
    match texts.len() > MAX_INPUTS {
        true => Err(invalid("input", "more than 2048 texts")),
        false => Ok(texts.into_iter().map(|text| (text.to_owned(), tokens_of(text))).collect()),
    }
}

pub(crate) fn vector(said: &str, dimensions: usize) -> Vec<f32> {
    let seed = text::seed("embedding", said);
    let mut values: Vec<f32> = (0..dimensions)
        .map(|index| {
            let mixed = text::reseed(seed, index + 1);
            let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 48;
            f32::from(u16::try_from(mixed).unwrap_or(0)) / 32_768.0 - 1.0
        })
        .collect();
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    values.iter_mut().for_each(|value| *value /= length);
    values
}
