//! The pieces of an answer that whole answers and chunks share, read leniently: what cannot be read says nothing.
//!
//! Beside OpenAI's reference: Mistral's content as a list ("Reasoning"), OpenRouter's `images` and `reasoning` ("Image
//! generation", "Reasoning tokens"), Azure's `content_filter_results` ("Content filtering"), Perplexity's
//! `search_results`.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::details::ExtraContent;
use crate::conversation::{
    Citation, CitedPlace, Media, MediaKind, SafetyLevel, SafetyRating, Seal, Source, TokenLogprob,
};

/// More than any real answer has in one place.
const MAX_ITEMS: usize = 4_096;

/// Text, as a string or as a list of parts. Anything else is nothing.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Content {
    pub(super) reasoning: String,
    pub(super) text: String,
}

struct ContentVisitor;

/// A part of a list: `{"type": "text", "text"}`, `{"type": "thinking", "thinking": [parts] or "…"}`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ContentPart {
    r#type: Option<String>,
    text: Option<String>,
    thinking: Option<Content>,
    refusal: Option<String>,
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ContentVisitor)
    }
}

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a list of parts")
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content { text: text.to_owned(), ..Content::default() })
    }

    fn visit_string<E>(self, text: String) -> Result<Content, E> {
        Ok(Content { text, ..Content::default() })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
        let mut content = Content::default();
        while let Some(part) = parts.next_element::<ContentPart>()? {
            let thinking = part.thinking.unwrap_or_default();
            let text = part.text.or(part.refusal).unwrap_or_default();
            content.reasoning.push_str(&thinking.text);
            let is_thought = matches!(part.r#type.as_deref(), Some("thinking" | "reasoning"));
            if is_thought { &mut content.reasoning } else { &mut content.text }.push_str(&text);
        }
        Ok(content)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Content::default())
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Content, E> {
        Ok(Content::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Content, E> {
        Ok(Content::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Content, E> {
        Ok(Content::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Content, E> {
        Ok(Content::default())
    }
}

/// One entry of `tool_calls`, whole or in part.
#[derive(Default, Deserialize)]
pub(super) struct WireCall<'a> {
    pub(super) index: Option<u64>,
    pub(super) id: Option<String>,
    pub(super) function: Option<WireFunction<'a>>,
    pub(super) custom: Option<WireCustom>,
    #[serde(borrow)]
    extra_content: Option<&'a RawValue>,
}

/// A function call, whole or in part. Some servers write the arguments as an object instead of its text.
#[derive(Default, Deserialize)]
pub(super) struct WireFunction<'a> {
    name: Option<String>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
pub(super) struct WireCustom {
    name: Option<String>,
    input: Option<String>,
}

/// What a call says, of either kind.
pub(super) struct CallSaid {
    pub(super) name: Option<String>,
    pub(super) arguments: String,
    pub(super) custom: bool,
}

impl<'a> WireCall<'a> {
    /// The deprecated `function_call`, which has no id.
    pub(super) fn of_function(function: WireFunction<'a>) -> Self {
        Self { function: Some(function), ..Self::default() }
    }

    /// The seal that Google puts on a call.
    pub(super) fn seal(&self) -> Option<Seal> {
        self.extra_content.and_then(lenient::<ExtraContent<String>>)?.seal()
    }

    pub(super) fn said(self) -> CallSaid {
        match self.custom {
            Some(custom) => {
                CallSaid { name: custom.name, arguments: custom.input.unwrap_or_default(), custom: true }
            }
            None => {
                let function = self.function.unwrap_or_default();
                let arguments = function.arguments.map(|raw| match raw.get().starts_with('"') {
                    true => lenient::<String>(raw).unwrap_or_default(),
                    false => raw.get().to_owned(),
                });
                CallSaid { name: function.name, arguments: arguments.unwrap_or_default(), custom: false }
            }
        }
    }
}

/// Reads what may be read.
pub(super) fn lenient<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Logprobs {
    content: Option<Vec<Logprob>>,
    refusal: Option<Vec<Logprob>>,
}

#[derive(Deserialize)]
struct Logprob {
    token: String,
    logprob: f64,
    bytes: Option<Vec<u8>>,
    top_logprobs: Option<Vec<Logprob>>,
}

impl From<Logprob> for TokenLogprob {
    fn from(wire: Logprob) -> Self {
        let top = wire.top_logprobs.unwrap_or_default();
        Self {
            token: wire.token,
            logprob: wire.logprob,
            bytes: wire.bytes,
            top: top.into_iter().map(Self::from).collect(),
        }
    }
}

/// `logprobs` of a choice: of the content, or of the refusal where there is no content.
pub(super) fn logprobs(raw: &RawValue) -> Vec<TokenLogprob> {
    let said = lenient::<Logprobs>(raw).unwrap_or_default();
    let tokens = said.content.filter(|tokens| !tokens.is_empty()).or(said.refusal).unwrap_or_default();
    tokens.into_iter().map(TokenLogprob::from).collect()
}

#[derive(Deserialize)]
struct Annotation {
    url_citation: Option<UrlCitation>,
    file_citation: Option<FileCitation>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UrlCitation {
    url: Option<String>,
    title: Option<String>,
    /// OpenRouter: the words of the source.
    content: Option<String>,
    start_index: Option<u64>,
    end_index: Option<u64>,
}

#[derive(Deserialize)]
struct FileCitation {
    file_id: String,
    filename: Option<String>,
    index: Option<u64>,
    quote: Option<String>,
}

/// `annotations` of a message.
pub(super) fn annotations(raw: &RawValue) -> Vec<Citation> {
    let list: Vec<&RawValue> = lenient(raw).unwrap_or_default();
    list.into_iter().take(MAX_ITEMS).filter_map(|raw| citation(lenient(raw)?)).collect()
}

fn citation(annotation: Annotation) -> Option<Citation> {
    if let Some(web) = annotation.url_citation {
        let span = web.start_index.zip(web.end_index).filter(|(from, to)| from < to);
        return Some(Citation {
            place: CitedPlace::Url(web.url?),
            title: web.title,
            cited_text: web.content,
            span,
        });
    }
    let file = annotation.file_citation?;
    Some(Citation {
        place: CitedPlace::File { id: file.file_id, name: file.filename, index: file.index },
        title: None,
        cited_text: file.quote,
        span: None,
    })
}

/// `search_results` of Perplexity: what the whole answer rests on.
pub(super) fn search_results(raw: &RawValue) -> Vec<Citation> {
    let list: Vec<UrlCitation> = lenient(raw).unwrap_or_default();
    let citation = |found: UrlCitation| {
        Some(Citation {
            place: CitedPlace::Url(found.url?),
            title: found.title,
            cited_text: None,
            span: None,
        })
    };
    list.into_iter().take(MAX_ITEMS).filter_map(citation).collect()
}

#[derive(Deserialize)]
struct Image {
    image_url: ImageUrl,
}

#[derive(Deserialize)]
struct ImageUrl {
    url: String,
}

/// `images` of a message (OpenRouter).
pub(super) fn images(raw: &RawValue) -> Vec<Media> {
    let list: Vec<&RawValue> = lenient(raw).unwrap_or_default();
    let image = |raw| Some(Media::from_url(MediaKind::Image, &lenient::<Image>(raw)?.image_url.url));
    list.into_iter().take(MAX_ITEMS).filter_map(image).collect()
}

/// `audio` of a message or a delta.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Audio {
    data: Option<String>,
    pub(super) transcript: Option<String>,
}

impl Audio {
    /// The sound; in a stream a piece of it, which OpenAI sends as raw samples.
    pub(super) fn media(&mut self, mime: Option<&str>) -> Option<Media> {
        let data = self.data.take().filter(|data| !data.is_empty())?;
        Some(Media::new(MediaKind::Audio, Source::Data(data), mime.map(str::to_owned)))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Verdict {
    filtered: Option<bool>,
    detected: Option<bool>,
    severity: Option<String>,
}

/// `content_filter_results` of a choice (Azure).
pub(super) fn ratings(raw: &RawValue) -> Vec<SafetyRating> {
    let by_category: std::collections::BTreeMap<String, &RawValue> = lenient(raw).unwrap_or_default();
    let rating = |(category, raw): (String, &RawValue)| {
        let verdict: Verdict = lenient(raw)?;
        let level = match verdict.severity.as_deref() {
            Some("safe") => SafetyLevel::Negligible,
            Some("low") => SafetyLevel::Low,
            Some("medium") => SafetyLevel::Medium,
            Some("high") => SafetyLevel::High,
            _ if verdict.detected? => SafetyLevel::High,
            _ => SafetyLevel::Negligible,
        };
        Some(SafetyRating { category, level, blocked: verdict.filtered.unwrap_or(false) })
    };
    by_category.into_iter().take(MAX_ITEMS).filter_map(rating).collect()
}

#[cfg(test)]
mod tests;
