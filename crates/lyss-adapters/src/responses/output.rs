//! Items of an answer as they are read, whole or in a stream, as in the API reference ("The response object"). Items
//! and parts of unknown kinds are passed over.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::conversation::{
    Citation, CitedPlace, FinishReason, Media, MediaKind, ReplyHead, Seal, SealKind, Source, TokenLogprob,
};

/// A response, whole or as an event carries it.
#[derive(Deserialize)]
pub(super) struct WireResponse<'a> {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) created_at: Option<f64>,
    pub(super) status: Option<String>,
    pub(super) service_tier: Option<String>,
    pub(super) incomplete_details: Option<IncompleteDetails>,
    #[serde(borrow)]
    pub(super) output: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub(super) usage: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct IncompleteDetails {
    reason: Option<String>,
}

/// Any item; which fields are there depends on its kind.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WireItem {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "each")]
    pub(super) content: Vec<WireContent>,
    #[serde(deserialize_with = "each")]
    pub(super) summary: Vec<WireContent>,
    pub(super) encrypted_content: Option<String>,
    pub(super) call_id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) arguments: Option<String>,
    pub(super) input: Option<String>,
    pub(super) result: Option<String>,
    pub(super) output_format: Option<String>,
}

/// A part of a message or of reasoning.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WireContent {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) text: Option<String>,
    pub(super) refusal: Option<String>,
    #[serde(deserialize_with = "each")]
    pub(super) annotations: Vec<WireAnnotation>,
    #[serde(deserialize_with = "each")]
    pub(super) logprobs: Vec<WireLogprob>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WireAnnotation {
    #[serde(rename = "type")]
    kind: String,
    url: Option<String>,
    title: Option<String>,
    file_id: Option<String>,
    filename: Option<String>,
    index: Option<u64>,
    start_index: Option<u64>,
    end_index: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WireLogprob {
    token: String,
    logprob: f64,
    bytes: Option<Vec<u8>>,
    top_logprobs: Option<Vec<WireLogprob>>,
}

impl WireResponse<'_> {
    pub(super) fn head(&self) -> ReplyHead {
        ReplyHead {
            id: self.id.clone().unwrap_or_default(),
            model: self.model.clone().unwrap_or_default(),
            created: self.created_at.and_then(whole_secs),
            service_tier: self.service_tier.clone(),
            system_fingerprint: None,
        }
    }

    /// Why the answer ended, as far as its status says it. A call that was made counts only in a whole answer.
    pub(super) fn finish(&self, has_calls: bool) -> FinishReason {
        let reason = self.incomplete_details.as_ref().and_then(|details| details.reason.as_deref());
        match (self.status.as_deref(), reason) {
            (_, Some("content_filter")) => FinishReason::ContentFilter,
            (Some("incomplete"), _) | (_, Some(_)) => FinishReason::Length,
            _ if has_calls => FinishReason::ToolCalls,
            _ => FinishReason::Stop,
        }
    }
}

/// Some servers write a fraction, and a time beyond all reason is none.
fn whole_secs(secs: f64) -> Option<i64> {
    (0.0..1e12).contains(&secs).then(|| format!("{secs:.0}").parse().ok())?
}

impl WireItem {
    /// The item's own seal, for it to come back with the next request.
    pub(super) fn seal(&mut self) -> Option<Seal> {
        let data = self.encrypted_content.take().filter(|data| !data.is_empty())?;
        Some(Seal { kind: SealKind::OpenAi, data, id: self.id.clone().filter(|id| !id.is_empty()) })
    }

    /// The image that a tool of the vendor's made.
    pub(super) fn image(&mut self) -> Option<Media> {
        let data = self.result.take().filter(|data| !data.is_empty())?;
        let mime = format!("image/{}", self.output_format.as_deref().unwrap_or("png"));
        Some(Media::new(MediaKind::Image, Source::Data(data), Some(mime)))
    }

    /// Arguments of a function, or the text for a custom tool.
    pub(super) fn call_text(&mut self) -> Option<String> {
        if self.is_custom() { self.input.take() } else { self.arguments.take() }
    }

    pub(super) fn is_custom(&self) -> bool {
        self.kind == "custom_tool_call"
    }

    pub(super) fn is_call(&self) -> bool {
        matches!(self.kind.as_str(), "function_call" | "custom_tool_call")
    }
}

impl WireAnnotation {
    pub(super) fn citation(self) -> Option<Citation> {
        let place = match self.kind.as_str() {
            "url_citation" => CitedPlace::Url(self.url?),
            "file_citation" | "container_file_citation" | "file_path" => {
                CitedPlace::File { id: self.file_id?, name: self.filename, index: self.index }
            }
            _ => return None,
        };
        let span = self.start_index.zip(self.end_index);
        Some(Citation { place, title: self.title, cited_text: None, span })
    }
}

impl From<WireLogprob> for TokenLogprob {
    fn from(wire: WireLogprob) -> Self {
        Self {
            token: wire.token,
            logprob: wire.logprob,
            bytes: wire.bytes,
            top: wire.top_logprobs.unwrap_or_default().into_iter().map(Self::from).collect(),
        }
    }
}

pub(super) fn logprobs(list: Vec<WireLogprob>) -> Vec<TokenLogprob> {
    list.into_iter().map(TokenLogprob::from).collect()
}

/// A list of which every element keeps its place: one that cannot be read is an empty one, of no kind known here.
fn each<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Default + for<'a> Deserialize<'a>,
{
    let list: Box<RawValue> = Deserialize::deserialize(from)?;
    let list: Vec<&RawValue> = serde_json::from_str(list.get()).unwrap_or_default();
    Ok(list.into_iter().map(|raw| serde_json::from_str(raw.get()).unwrap_or_default()).collect())
}
