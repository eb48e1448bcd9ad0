//! Parts of an answer and what backs them, as a caller of this dialect reads them.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::super::wire::compact;
use crate::conversation::{Citation, CitedPlace, Media, Source};

/// Longest stretch of text repeated for a citation.
const MAX_SEGMENT_BYTES: usize = 64 << 10;

/// One part; one of its kinds is set.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct ShownPart<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<ShownCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inline_data: Option<ShownBlob<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_data: Option<ShownBlob<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought_signature: Option<String>,
}

#[derive(Serialize)]
struct ShownCall<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    name: &'a str,
    args: Box<RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownBlob<'a> {
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_uri: Option<&'a str>,
}

impl<'a> ShownPart<'a> {
    pub(in super::super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    pub(in super::super) fn thought(text: impl Into<Cow<'a, str>>, signature: Option<String>) -> Self {
        let text = Some(text.into()).filter(|text: &Cow<'a, str>| !text.is_empty());
        Self { text, thought: Some(true), thought_signature: signature, ..Self::default() }
    }

    pub(in super::super) fn signed(self, signature: Option<String>) -> Self {
        Self { thought_signature: signature, ..self }
    }

    /// A signature that belongs to nothing else. An empty text beside it would make Google's SDKs forget the whole turn.
    pub(in super::super) fn seal(signature: String) -> Self {
        Self { thought_signature: Some(signature), ..Self::default() }
    }

    pub(in super::super) fn call(id: &'a str, name: &'a str, arguments: &str) -> Self {
        Self {
            function_call: Some(ShownCall { id, name, args: arguments_object(arguments) }),
            ..Self::default()
        }
    }

    /// `None`: what another vendor keeps is of no use here.
    pub(in super::super) fn media(media: &'a Media) -> Option<Self> {
        let mime_type = media.mime_or_usual();
        Some(match &media.source {
            Source::Data(data) => Self {
                inline_data: Some(ShownBlob { mime_type, data: Some(data), file_uri: None }),
                ..Self::default()
            },
            Source::Url(uri) => Self {
                file_data: Some(ShownBlob { mime_type, data: None, file_uri: Some(uri) }),
                ..Self::default()
            },
            Source::Text(text) => Self::text(text.as_str()),
            Source::FileId(_) => return None,
        })
    }

    /// An empty text and nothing else.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.text.as_deref() == Some("") && self.thought_signature.is_none()
    }
}

/// The arguments as the object they must be. Text that is none is kept whole under a name of its own.
fn arguments_object(arguments: &str) -> Box<RawValue> {
    let text = if arguments.trim().is_empty() { "{}" } else { arguments };
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) if raw.get().starts_with('{') => {
            RawValue::from_string(compact(raw.get())).unwrap_or_else(|_| raw.to_owned())
        }
        _ => {
            let kept = serde_json::json!({ "_raw": arguments });
            serde_json::value::to_raw_value(&kept).unwrap_or_else(|_| RawValue::NULL.to_owned())
        }
    }
}

/// `groundingMetadata`: pages, and which stretches of the text they back.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Citations<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    grounding_metadata: Option<Grounding<'a>>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Grounding<'a> {
    grounding_chunks: Vec<Chunk<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    grounding_supports: Vec<Support>,
}

#[derive(PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Chunk<'a> {
    Web(Page<'a>),
    /// A document of the request or a file.
    RetrievedContext(Page<'a>),
}

#[derive(PartialEq, Serialize)]
struct Page<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Support {
    segment: Segment,
    grounding_chunk_indices: [usize; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Segment {
    start_index: usize,
    end_index: usize,
    text: String,
}

impl<'a> Citations<'a> {
    /// `text`: the candidate's so far. Characters become bytes; without a span, the whole of it is meant.
    pub(in super::super) fn add(&mut self, citation: &'a Citation, text: &str) {
        let grounding = self.grounding_metadata.get_or_insert_default();
        let page = |uri: Option<&'a str>| Page {
            uri: uri.map(Cow::Borrowed),
            title: citation.title.as_deref().map(Cow::Borrowed),
            text: citation.cited_text.as_deref().map(Cow::Borrowed),
        };
        let chunk = match &citation.place {
            CitedPlace::Url(uri) => Chunk::Web(page(Some(uri))),
            CitedPlace::Document { .. } => Chunk::RetrievedContext(page(None)),
            CitedPlace::File { id, name, .. } => {
                let title = citation.title.as_deref().or(name.as_deref()).map(Cow::Borrowed);
                Chunk::RetrievedContext(Page { title, ..page(Some(id)) })
            }
        };
        let at = grounding.grounding_chunks.iter().position(|known| *known == chunk).unwrap_or_else(|| {
            grounding.grounding_chunks.push(chunk);
            grounding.grounding_chunks.len() - 1
        });
        let byte = |chars: u64| {
            let nth = usize::try_from(chars).unwrap_or(usize::MAX);
            text.char_indices().nth(nth).map_or(text.len(), |(at, _)| at)
        };
        let (from, to) = citation.span.map_or((0, text.len()), |(from, to)| (byte(from), byte(to)));
        let is_short = |words: &&str| !words.is_empty() && words.len() <= MAX_SEGMENT_BYTES;
        if let Some(words) = text.get(from..to).filter(is_short) {
            let segment = Segment { start_index: from, end_index: to, text: words.to_owned() };
            grounding.grounding_supports.push(Support { segment, grounding_chunk_indices: [at] });
        }
    }
}
