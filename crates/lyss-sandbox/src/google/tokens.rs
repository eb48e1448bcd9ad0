//! Counting a prompt: its texts as everywhere in the sandbox, and a fixed number for each thing that is no text.

use serde_json::Value;

use super::fields::{get, list, text};
use crate::reading::typed;
use crate::refusal::Refusal;
use crate::request::prompt_tokens;
use crate::server::Spoken;

/// As the guide "Understand and count tokens" has it for a small image, or a page of a document.
const IMAGE_TOKENS: u64 = 258;
/// One second of sound.
const AUDIO_TOKENS: u64 = 32;
/// One second of pictures.
const VIDEO_TOKENS: u64 = 263;
/// What the sandbox takes for the size of any cached content.
const CACHED_TOKENS: u64 = 2048;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Prompt {
    text: u64,
    image: u64,
    document: u64,
    audio: u64,
    video: u64,
    pub(super) cached: u64,
}

impl Prompt {
    pub(super) fn of(body: &Value) -> Self {
        let contents = list(body, "contents");
        let system = get(body, "systemInstruction");
        let mut prompt = Self::default();
        let mut bytes = 0;
        for part in contents.iter().chain(system).flat_map(|content| list(content, "parts")) {
            bytes += prompt.add(part);
        }
        prompt.text = prompt_tokens(bytes, (contents.len() + usize::from(system.is_some())) as u64);
        if !text(body, "cachedContent").is_empty() {
            prompt.cached = CACHED_TOKENS;
            prompt.text += CACHED_TOKENS;
        }
        prompt
    }

    /// Counts what is no text, and returns the bytes of what is.
    fn add(&mut self, part: &Value) -> u64 {
        if let Some(data) = get(part, "inlineData").or_else(|| get(part, "fileData")) {
            let kind = text(data, "mimeType").split('/').next().unwrap_or_default();
            match kind {
                "image" => self.image += IMAGE_TOKENS,
                "audio" => self.audio += AUDIO_TOKENS,
                "video" => self.video += VIDEO_TOKENS,
                _ => self.document += IMAGE_TOKENS,
            }
        }
        let response = get(part, "functionResponse");
        if let Some(response) = response {
            for part in list(response, "parts") {
                self.add(part);
            }
        }
        let answered = response.and_then(|response| get(response, "response")).map(Value::to_string);
        (text(part, "text").len() + answered.map_or(0, |answered| answered.len())) as u64
    }

    pub(super) fn total(&self) -> u64 {
        self.text + self.image + self.document + self.audio + self.video
    }

    /// `promptTokensDetails`.
    pub(super) fn details(&self) -> String {
        let kinds = [
            ("TEXT", self.text),
            ("IMAGE", self.image),
            ("DOCUMENT", self.document),
            ("AUDIO", self.audio),
            ("VIDEO", self.video),
        ];
        let entries = kinds.iter().filter(|(_, count)| *count > 0);
        let entries = entries.map(|(kind, count)| format!(r#"{{"modality":"{kind}","tokenCount":{count}}}"#));
        entries.collect::<Vec<_>>().join(",")
    }
}

/// `countTokens`: of bare contents, or of a whole request.
pub(super) fn count(body: &Value) -> Result<Spoken, Refusal> {
    typed(body, &[("contents", Value::is_array), ("generateContentRequest", Value::is_object)])?;
    let request = get(body, "generateContentRequest").unwrap_or(body);
    if list(request, "contents").is_empty() {
        return Err(
            Refusal::invalid("CountTokensRequest.contents: contents is not specified").param("contents")
        );
    }
    let prompt = Prompt::of(request);
    let cached = match prompt.cached {
        0 => String::new(),
        cached => format!(r#","cachedContentTokenCount":{cached}"#),
    };
    let answer = format!(
        r#"{{"totalTokens":{}{cached},"promptTokensDetails":[{}]}}"#,
        prompt.total(),
        prompt.details()
    );
    Ok(Spoken::whole(answer.into_bytes(), 0, 0))
}
