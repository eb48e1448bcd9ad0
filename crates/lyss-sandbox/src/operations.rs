//! OpenAI's operations beside chat: embeddings, completions, moderations, images, speech, transcriptions; and rerank as
//! OpenAI-compatible vendors have it.
//!
//! Follows OpenAI's API reference (the page of each operation) and, for rerank, Cohere's reference ("Rerank") in the
//! form vLLM and SiliconFlow serve under `/v1/rerank`. Small, but with the fields, checks and usage of the reference.

use serde_json::Value;

use crate::knobs::{self, Knobs};
use crate::reading::{object, text};
use crate::refusal::Refusal;
use crate::server::Spoken;
use crate::vendor::{Operation, Vendor};

mod audio;
mod completions;
mod embeddings;
mod images;
mod judge;
mod multipart;
#[cfg(test)]
mod tests;

pub(crate) use embeddings::vector;

/// One call. The body is JSON or, for files, a form of many parts.
pub(crate) struct Call<'a> {
    pub(crate) vendor: Vendor,
    pub(crate) deployment: Option<&'a str>,
    pub(crate) content_type: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) serial: u64,
}

/// June 2025.
const CREATED: &str = "1750000000";

impl Call<'_> {
    pub(crate) fn answer(&self, operation: Operation, knobs: &mut Knobs) -> Result<Spoken, Refusal> {
        if matches!(operation, Operation::ImageEdits | Operation::Transcriptions) {
            let form = multipart::Form::read(self.content_type, self.body)?;
            let model = self.model(form.text("model"), knobs)?;
            return match operation {
                Operation::Transcriptions => audio::transcribe(&form, &model),
                _ => images::edit(&form, &model),
            };
        }
        let body = object(self.body)?;
        let model = self.model(text(&body, "model"), knobs)?;
        match operation {
            Operation::Embeddings => embeddings::embed(&body, &model),
            Operation::Completions => completions::complete(&body, &model, self.serial, knobs),
            Operation::Moderations => judge::moderate(&body, &model, self.serial),
            Operation::Images => images::generate(&body, &model),
            Operation::Speech => audio::speak(&body, &model),
            Operation::Rerank => judge::rerank(&body, &model, self.serial),
            // Forms, answered above.
            Operation::ImageEdits | Operation::Transcriptions => Err(Refusal::unknown_path()),
        }
    }

    /// The model's bare name, its knobs read.
    fn model(&self, asked: &str, knobs: &mut Knobs) -> Result<String, Refusal> {
        let asked = self.deployment.unwrap_or(asked);
        if asked.is_empty() {
            return Err(missing("model"));
        }
        let (model, read) = knobs::split(asked).map_err(Refusal::invalid)?;
        *knobs = read;
        if self.vendor != Vendor::AzureOpenAi && !self.vendor.models().contains(&model) {
            return Err(Refusal::unknown_model(self.vendor, model));
        }
        match knobs.refuse {
            Some(kind) => Err(Refusal::wished(kind)),
            None => Ok(model.to_owned()),
        }
    }
}

fn missing(param: &'static str) -> Refusal {
    Refusal::invalid(format!("Missing required parameter: '{param}'."))
        .param(param)
        .code("missing_required_parameter")
}

fn invalid(param: &'static str, what: &str) -> Refusal {
    Refusal::invalid(format!("Invalid '{param}': {what}.")).param(param).code("invalid_value")
}

/// One text, or several.
fn texts<'a>(body: &'a Value, name: &'static str) -> Result<Vec<&'a str>, Refusal> {
    match body.get(name) {
        Some(Value::String(one)) if !one.is_empty() => Ok(vec![one]),
        Some(Value::Array(many)) if !many.is_empty() => many
            .iter()
            .map(|one| one.as_str().filter(|one| !one.is_empty()).ok_or_else(|| invalid(name, "not a text")))
            .collect(),
        None | Some(Value::Null) => Err(missing(name)),
        Some(_) => Err(invalid(name, "a text or a list of texts is expected, and none may be empty")),
    }
}

/// A quarter of the bytes, rounded up: there are no messages here.
fn tokens_of(text: &str) -> u64 {
    (text.len() as u64).div_ceil(4)
}
